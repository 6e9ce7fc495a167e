// matmul/bf16_avx512: inputs rounded to bf16, pairs of k multiplied and summed by vdpbf16ps, 16 outputs a register.
//
// Tile: 2 panels times 12 tokens, 24 sums in registers; a step takes two k, one load a panel and one broadcast a token.
// Bound: the dot unit for many rows; memory for one. On AMD it does twice the work of FMA, on Intel half (see matmul_fma_avx512.cpp).
// Order of summation: one chain per output, k rising by pairs.
#include "kernels/cpu/matmul/driver.h"
#include "kernels/cpu/matmul/round_rows.h"
#include "kernels/cpu/variants.h"

namespace hearth::cpu {
namespace {

struct DotTile {
    using Input = RoundedRows;
    static constexpr int64_t kMaxRows = 12, kBlockRows = 192, kResidentDepth = 2048, kBlockDepth = 512, kPackRows = 4,
                             kKBytes = kPanelRows * 2;
    static constexpr int64_t kAhead = 2048;

    struct Session {
        explicit Session(int64_t) {}
    };

    static bool packs(const MatmulArgs&) { return true; }
    static size_t input_bytes(const MatmulArgs& a) { return scratch_bytes<uint16_t>(a.x.extent[0] * stride(a)); }
    static Input input(const MatmulArgs& a, Scratch& scratch) { return {scratch.take<uint16_t>(a.x.extent[0] * stride(a)), stride(a)}; }
    static void pack(const MatmulArgs& a, const Input& input, Range rows) {
        for (int64_t r = rows.begin; r < rows.end; ++r) round_row(a.x.row(r), a.w.k, input.stride, input.data + r * input.stride);
    }

    template <int kPanels, int kRows>
    HEARTH_NO_SANITIZE static void registers(const std::byte* const* panels, const uint16_t* x, int64_t row_stride, int64_t steps,
                                             float* sums, bool first) {
        const auto place = [&](int p, int r) HEARTH_INLINED { return sums + (p * kMaxRows + r) * kPanelRows; };
        __m512 acc[kPanels][kRows];
        HEARTH_UNROLL for (int p = 0; p < kPanels; ++p) {
            HEARTH_UNROLL for (int r = 0; r < kRows; ++r) acc[p][r] = first ? Vec::zero() : Vec::load(place(p, r));
        }
        const std::byte* w[kPanels];
        HEARTH_UNROLL for (int p = 0; p < kPanels; ++p) w[p] = panels[p];
        const uint16_t* quads[3] = {x, x + 4 * row_stride, x + 8 * row_stride};
        for (int64_t step = 0; step < steps; ++step) {
            __m512i weights[kPanels];
            HEARTH_UNROLL for (int p = 0; p < kPanels; ++p) {
                _mm_prefetch(reinterpret_cast<const char*>(w[p] + kAhead), _MM_HINT_T0);
                weights[p] = _mm512_loadu_si512(w[p]);
                w[p] += 64;
            }
            HEARTH_UNROLL for (int r = 0; r < kRows; ++r) {
                int pair;
                __builtin_memcpy(&pair, quads[r / 4] + (r % 4) * row_stride, sizeof pair);
                const __m512i in = _mm512_set1_epi32(pair);
                HEARTH_UNROLL for (int p = 0; p < kPanels; ++p) {
                    acc[p][r] = _mm512_dpbf16_ps(acc[p][r], reinterpret_cast<__m512bh>(weights[p]), reinterpret_cast<__m512bh>(in));
                }
            }
            HEARTH_UNROLL for (int q = 0; q < 3; ++q) quads[q] += 2;
        }
        HEARTH_UNROLL for (int p = 0; p < kPanels; ++p) {
            HEARTH_UNROLL for (int r = 0; r < kRows; ++r) Vec::store(place(p, r), acc[p][r]);
        }
    }

    template <int kPanels, int... kRow>
    static constexpr auto table(std::integer_sequence<int, kRow...>) {
        using Registers = void (*)(const std::byte* const*, const uint16_t*, int64_t, int64_t, float*, bool);
        return std::array<Registers, sizeof...(kRow)>{registers<kPanels, kRow + 1>...};
    }

    static constexpr bool kOverlaps = false;
    template <class Meanwhile>
    static void tile(PanelPair pair, const Meanwhile&, const Input& input, int64_t row, int64_t rows, Range k, float* sums, bool first) {
        static constexpr auto kTwo = table<2>(std::make_integer_sequence<int, static_cast<int>(kMaxRows)>{});
        const std::byte* const panels[2] = {pair.first, pair.second ? pair.second : pair.first};  // one left over is computed twice
        kTwo[static_cast<size_t>(rows - 1)](panels, input.data + row * input.stride + k.begin, input.stride, k.size() / 2, sums, first);
    }

private:
    /// k padded, and a cache line more, so that rows do not fall into the same sets.
    static int64_t stride(const MatmulArgs& a) { return round_up(a.w.k, kPanelDepth) + 32; }
};

bool supports(const MatmulArgs& a, const Device& device) {
    return device.level >= CpuLevel::kAvx512 && a.w.format == WeightFormat::kBf16 && fits_panels(a);
}

}  // namespace

const Variant<MatmulArgs> kMatmulBf16Avx512{"matmul/bf16_avx512", supports, multiply_workspace<DotTile>, multiply<DotTile>};

}  // namespace hearth::cpu
