// matmul/q_amx: q8 and q4 weights times inputs quantised to int8, by tdpbssd.
//
// A group of 32 k of a panel is a tile of 8 rows as it lies, that of 12 rows of inputs another: their product, 12 x 16 int32, goes through
// L1 to the vector unit, which scales it and adds it to float32 sums in registers (2 panels x 12). The tiles of the next group are
// multiplied meanwhile. Bound for many rows: three vector operations per 16 outputs, group and row, which take 24 cycles where the tile
// unit, were groups as deep as tiles, would take 8. Few rows: as matmul/q_avx512. Order of summation: see kernels/cpu/quant/dot_tile.h; the
// same bits as matmul/q_avx512.
#include "kernels/cpu/quant/int_kernel.h"
#include "kernels/cpu/rows.h"

namespace hearth::cpu {
namespace {

constexpr int kTileRows = 12;

/// Tiles 0 to 3: sums; 4 and 5: inputs; 6 and 7: weights. Of one thread, for a while.
class TileSession {
public:
    TileSession() {
        struct alignas(64) Config {
            uint8_t palette = 1, start_row = 0, reserved[14] = {};
            uint16_t row_bytes[16] = {};
            uint8_t rows[16] = {};
        } config;
        for (size_t i = 0; i < 8; ++i) {
            config.row_bytes[i] = i == 4 || i == 5 ? kQuantGroup : 64;
            config.rows[i] = i < 6 ? kTileRows : kPanelSteps;
        }
        asm volatile("" : : "r"(&config) : "memory");  // g++ believes that only the first word is read
        _tile_loadconfig(&config);
    }
    ~TileSession() { _tile_release(); }
    TileSession(const TileSession&) = delete;
    TileSession& operator=(const TileSession&) = delete;
};

/// Integer sums of one group: [panel][row][output].
struct alignas(64) GroupSums {
    int32_t of[2][kTileRows][kPanelRows];
};

template <int kPanels>
HEARTH_INLINE void multiply_group(const ExpandedGroup* const* panels, int64_t g, const int8_t* x, int64_t stride, GroupSums& out) {
    _tile_zero(0);
    _tile_loadd(4, x + g * kQuantGroup, stride);
    _tile_loadd(6, panels[0][g].codes, 64);
    _tile_dpbssd(0, 4, 6);
    _tile_stored(0, out.of[0], 64);
    if constexpr (kPanels == 2) {
        _tile_zero(1);
        _tile_loadd(7, panels[1][g].codes, 64);
        _tile_dpbssd(1, 4, 7);
        _tile_stored(1, out.of[1], 64);
    }
}

template <bool kZeros, int kPanels>
HEARTH_NO_SANITIZE void multiply_tile(const ExpandedGroup* const* panels, const QuantInput& input, int64_t row, int64_t group,
                                      int64_t groups, float* sums, bool first) {
    GroupSums products[2];
    __m512 acc[kPanels][kTileRows];
    const auto each = [&](auto&& f) __attribute__((always_inline)) {
        unroll<kTileRows>([&](auto r)
                              __attribute__((always_inline)) { unroll<kPanels>([&](auto p) __attribute__((always_inline)) { f(p, r); }); });
    };
    each([&](auto p, auto r)
             __attribute__((always_inline)) { acc[p][r] = first ? Vec::zero() : Vec::load(sums + (p * kTileRows + r) * kPanelRows); });
    const int8_t* x = input.codes + row * input.stride + group * kQuantGroup;
    multiply_group<kPanels>(panels, 0, x, input.stride, products[0]);
    for (int64_t g = 0; g < groups; ++g) {
        if (g + 1 < groups) multiply_group<kPanels>(panels, g + 1, x, input.stride, products[(g + 1) % 2]);
        if (g % 2 == 0) fetch_rows<kTileRows>(x + kTileRows * input.stride + g * kQuantGroup, input.stride);
        const GroupSums& product = products[g % 2];
        const int64_t factor = (group + g) * input.pitch + row;
        __m512 scales[kPanels];
        unroll<kPanels>([&](auto p) __attribute__((always_inline)) { scales[p] = Vec::load(panels[p][g].scales); });
        each([&](auto p, auto r) __attribute__((always_inline)) {
            __m512 whole = _mm512_cvtepi32_ps(_mm512_load_si512(product.of[p][r]));
            if constexpr (kZeros) whole = Vec::fnma(Vec::load(panels[p][g].zeros), Vec::set(input.sums[factor + r]), whole);
            acc[p][r] = Vec::fma(whole, Vec::mul(scales[p], Vec::set(input.scales[factor + r])), acc[p][r]);
        });
    }
    each([&](auto p, auto r) __attribute__((always_inline)) { Vec::store(sums + (p * kTileRows + r) * kPanelRows, acc[p][r]); });
}

template <WeightFormat kFormatOf, bool kZerosOf>
struct Kernel : IntKernel<Vec, kFormatOf, kZerosOf, kTileRows, 4, 384, kTileRows> {
    using Vectors = IntKernel<Vec, kFormatOf, kZerosOf, kTileRows, 4, 384, kTileRows>;
    using typename Vectors::Block;
    using typename Vectors::Inputs;
    using Session = TileSession;

    static void expand(const QuantPanel& panel, int64_t group, int64_t groups, Block& block) {
        expand_groups<Vec, kFormatOf, kZerosOf, 0>(panel, group, groups, block.groups);
    }
    template <class Before, class After>
    static void multiply(const Block* const (&blocks)[2], const Inputs& inputs, Range rows, int64_t group, int64_t groups, float* sums,
                         bool first, Before&& before, After&& after) {
        const ExpandedGroup* const panels[2] = {blocks[0]->groups, blocks[1] ? blocks[1]->groups : nullptr};
        for (int64_t row = rows.begin; row < rows.end; row += kTileRows, sums += kQuantTileSums<Kernel>) {
            before((row - rows.begin) / kTileRows);
            if (panels[1] && inputs.same) {
                multiply_tile<kZerosOf, 2>(panels, inputs.of[0], row, group, groups, sums, first);
            } else {
                multiply_tile<kZerosOf, 1>(panels, inputs.of[0], row, group, groups, sums, first);
                if (panels[1])
                    multiply_tile<kZerosOf, 1>(panels + 1, inputs.of[1], row, group, groups, sums + kTileRows * kPanelRows, first);
            }
            after((row - rows.begin) / kTileRows);
        }
    }
};

bool supports(const MatmulArgs& a, const Device& device) {
    return device.level >= CpuLevel::kAmx && a.w.format != WeightFormat::kF8 && fits_quantized<Vec>(a);
}
size_t workspace(const MatmulArgs& a, const Device& device) {
    return with_int_kernel<Kernel>(a, [&](auto kernel) { return quant_workspace<decltype(kernel)>(a, device); });
}
void run(const MatmulArgs& a, Stream& stream) noexcept {
    with_int_kernel<Kernel>(a, [&](auto kernel) { quant_multiply<decltype(kernel)>(a, stream); });
}

}  // namespace

const Variant<MatmulArgs> kMatmulQAmx{"matmul/q_amx", supports, workspace, run};

}  // namespace hearth::cpu
