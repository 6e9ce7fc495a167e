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

constexpr int kTileRows = 16;

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

constexpr int64_t kChunk = 4;             // groups whose products wait in L1
constexpr int kHalf = kTileRows / 2;  // rows whose sums with two panels fit the registers

/// Integer products of a chunk.
struct alignas(64) Products {
    int32_t of[kChunk][2][kTileRows][kPanelRows];
#ifdef PAD
    char pad[PAD];
#endif
};

/// The products of some tiles with a block of k, chunk after chunk: chunk `i` of tile `tile`.
struct Chunk {
    int64_t tile = 0, group = 0, groups = 0;  // from the block's first group on
};

/// Everything that the loops need to know.
template <int kPanels>
struct TileWork {
    const ExpandedGroup* const* panels;
    const QuantInput* input;
    int64_t row, tiles;      // of inputs
    int64_t group, groups;   // of the block
    float* sums;             // of tile 0
    int64_t sums_stride;     // from a tile to the next
    bool first;

    int64_t chunks() const { return ceil_div(groups, kChunk); }
    Chunk chunk(int64_t i) const {
        const int64_t begin = i % chunks() * kChunk;
        return {i / chunks(), begin, std::min(kChunk, groups - begin)};
    }

    /// Product `i` of a chunk: panel by panel, group by group.
    HEARTH_INLINE void multiply(const Chunk& chunk, int64_t i, Products& out) const {
        const int64_t g = i / kPanels, at = chunk.group + g;
        if (kPanels == 1 || i % 2 == 0) {
            _tile_loadd(4, input->codes + (row + chunk.tile * kTileRows) * input->stride + (group + at) * kQuantGroup, input->stride);
            _tile_zero(0);
            _tile_loadd(6, panels[0][at].codes, 64);
            _tile_dpbssd(0, 4, 6);
            _tile_stored(0, out.of[g][0], 64);
        } else {
            _tile_zero(1);
            _tile_loadd(7, panels[1][at].codes, 64);
            _tile_dpbssd(1, 4, 7);
            _tile_stored(1, out.of[g][1], 64);
        }
    }

    /// Adds the products of a chunk to the sums of rows [half * kHalf, +kHalf), while those of the next are made.
    template <bool kZeros>
    HEARTH_INLINE void add(const Chunk& chunk, int64_t half, const Products& products, const Chunk& next, int64_t& made, Products& out) const {
        __m512 acc[kPanels][kHalf];
        float* of_tile = sums + chunk.tile * sums_stride + half * kHalf * kPanelRows;
        const auto each = [&](auto&& f) __attribute__((always_inline)) {
            unroll<kHalf>([&](auto r) __attribute__((always_inline)) { unroll<kPanels>([&](auto p) __attribute__((always_inline)) { f(p, r); }); });
        };
        const bool begin = first && chunk.group == 0;
        each([&](auto p, auto r) __attribute__((always_inline)) { acc[p][r] = begin ? Vec::zero() : Vec::load(of_tile + (p * kTileRows + r) * kPanelRows); });
        for (int64_t g = 0; g < chunk.groups; ++g) {
            if (made < kPanels * next.groups) multiply(next, made++, out);
            const int64_t at = chunk.group + g, factor = (group + at) * input->pitch + row + chunk.tile * kTileRows + half * kHalf;
            const float *x_scales = input->scales + factor, *x_sums = input->sums + factor;
            __m512 scales[kPanels];
            unroll<kPanels>([&](auto p) __attribute__((always_inline)) { scales[p] = Vec::load(panels[p][at].scales); });
            each([&](auto p, auto r) __attribute__((always_inline)) {
                __m512 whole = _mm512_cvtepi32_ps(_mm512_load_si512(products.of[g][p][half * kHalf + r]));
                if constexpr (kZeros) whole = Vec::fnma(Vec::load(panels[p][at].zeros), Vec::set(x_sums[r]), whole);
                acc[p][r] = Vec::fma(whole, Vec::mul(scales[p], Vec::set(x_scales[r])), acc[p][r]);
            });
        }
        each([&](auto p, auto r) __attribute__((always_inline)) { Vec::store(of_tile + (p * kTileRows + r) * kPanelRows, acc[p][r]); });
    }

    template <bool kZeros, class Fetch>
    void run(Fetch&& fetch) const {
        Products products[2];
        const int64_t count = tiles * chunks();
        for (int64_t i = 0; i < kPanels * chunk(0).groups; ++i) multiply(chunk(0), i, products[0]);
        for (int64_t i = 0; i < count; ++i) {
            const Chunk now = chunk(i), next = i + 1 < count ? chunk(i + 1) : Chunk{};
            if (now.group == 0) fetch(now.tile);
            int64_t made = 0;
            add<kZeros>(now, 0, products[i % 2], next, made, products[(i + 1) % 2]);
            add<kZeros>(now, 1, products[i % 2], next, made, products[(i + 1) % 2]);
            while (made < kPanels * next.groups) multiply(next, made++, products[(i + 1) % 2]);
        }
    }
};

template <WeightFormat kFormatOf, bool kZerosOf>
struct Kernel : IntKernel<Vec, kFormatOf, kZerosOf, kTileRows, 4, 256, kTileRows> {
    using Vectors = IntKernel<Vec, kFormatOf, kZerosOf, kTileRows, 4, 256, kTileRows>;
    using typename Vectors::Block;
    using typename Vectors::Inputs;
    using Session = TileSession;

    static void expand(const QuantPanel& panel, int64_t group, int64_t groups, Block& block) {
        expand_groups<Vec, kFormatOf, kZerosOf, 0>(panel, group, groups, block.groups);
    }
    template <class Fetch>
    static void multiply(const Block* const (&blocks)[2], const Inputs& inputs, Range rows, int64_t group, int64_t groups, float* sums, bool first, Fetch&& fetch) {
        const ExpandedGroup* const panels[2] = {blocks[0]->groups, blocks[1] ? blocks[1]->groups : nullptr};
        const auto work = [&]<int kPanels>(std::integral_constant<int, kPanels>, int panel, const auto& f) {
            const TileWork<kPanels> of{panels + panel, &inputs.of[panel], rows.begin, ceil_div<int64_t>(rows.size(), kTileRows), group, groups,
                                       sums + panel * kTileRows * kPanelRows, kQuantTileSums<Kernel>, first};
            of.template run<kZerosOf>(f);
        };
        if (panels[1] && inputs.same) return work(std::integral_constant<int, 2>{}, 0, fetch);
        work(std::integral_constant<int, 1>{}, 0, fetch);
        if (panels[1]) work(std::integral_constant<int, 1>{}, 1, [](int64_t) {});
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
