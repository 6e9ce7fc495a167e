// Quantising by vectors comes to the same bits as number by number.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "base/checked.h"
#include "kernels/cpu/detect.h"
#include "kernels/cpu/quant/quantize_rows.h"
#include "kernels/host/fast_quantize.h"

namespace hearth::testing {
namespace {

struct Row {
    std::vector<uint8_t> codes;
    std::vector<F16> scales;

    Row(QuantKind kind, int64_t k)
        : codes(static_cast<size_t>(code_bytes(kind, k)), uint8_t{0xAA}),
          scales(static_cast<size_t>(ceil_div(k, kQuantGroup)), F16{0xAAAA}) {}
    QuantRow out() { return {codes, scales}; }
    bool operator==(const Row& other) const {
        return codes == other.codes && std::memcmp(scales.data(), other.scales.data(), scales.size() * sizeof(F16)) == 0;
    }
};

/// Groups of all sizes from the least that f16 scales know to more than they do; numbers that stand on the border of two codes.
std::vector<float> hard_numbers(int64_t k, uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> w(static_cast<size_t>(k));
    for (int64_t g = 0; g * kQuantGroup < k; ++g) {
        const float size = std::ldexp(1.0f, static_cast<int>(random() % 60) - 36);
        const bool even = random() % 4 == 0;
        for (int64_t i = g * kQuantGroup; i < std::min(k, (g + 1) * kQuantGroup); ++i) {
            w[static_cast<size_t>(i)] = size * (even ? static_cast<float>(static_cast<int>(random() % 255) - 127) * 0.5f : normal(random));
        }
    }
    return w;
}

std::vector<float> importance_of(int64_t k) {
    std::mt19937 random(5);
    std::vector<float> out(static_cast<size_t>(k));
    for (float& x : out) x = static_cast<float>(random() % 1000) * 0.01f;
    return out;
}

constexpr QuantKind kKinds[] = {QuantKind::kQ8, QuantKind::kQ4};

TEST(QuantRows, AreTheSameBitsByVectors) {
    for (const QuantKind kind : kKinds) {
        for (const int64_t k : {1, 31, 32, 33, 64, 255, 256, 512, 576, 2048, 5632, 16 * 32 * 40 + 7}) {
            for (const bool weighted : {false, true}) {
                const std::vector<float> w = hard_numbers(k, static_cast<uint32_t>(k)), importance = importance_of(k);
                Row got(kind, k), want(kind, k);
                quantize_row_fast(kind, w, weighted ? importance.data() : nullptr, got.out());
                quantize_row(kind, w, weighted ? importance.data() : nullptr, want.out());
                EXPECT_TRUE(got == want) << "kind " << static_cast<int>(kind) << ", k " << k << (weighted ? ", weighted" : "");
            }
        }
    }
}

TEST(QuantRows, AreTheSameBitsOnEveryInstructionSetOfThisMachine) {
    struct Level {
        CpuLevel level;
        const cpu::GroupQuantizer* quantizer;
    };
    for (const auto& [level, quantizer] :
         {Level{CpuLevel::kAvx2, &cpu::kGroupQuantizerAvx2}, {CpuLevel::kAvx512, &cpu::kGroupQuantizerAvx512}}) {
        if (detect_cpu().level < level) continue;
        for (const QuantKind kind : kKinds) {
            for (uint32_t seed = 0; seed < 200; ++seed) {
                const int64_t groups = 1 + seed % quantizer->lanes, k = groups * kQuantGroup;
                const std::vector<float> w = hard_numbers(k, seed), importance = importance_of(k);
                Row got(kind, k), want(kind, k);
                const float* weights = seed % 2 ? importance.data() : nullptr;
                ASSERT_TRUE(quantizer->run(kind, w.data(), groups, weights, got.codes.data(), got.scales.data()));
                quantize_row(kind, w, weights, want.out());
                EXPECT_TRUE(got == want) << name_of(level) << ", kind " << static_cast<int>(kind) << ", seed " << seed;
            }
        }
    }
}

TEST(QuantRows, LeaveGroupsOfNothingAndOfNoNumbersToThePlainWay) {
    for (const QuantKind kind : kKinds) {
        for (const float odd : {0.0f, INFINITY, -INFINITY}) {
            std::vector<float> w = hard_numbers(2048, 3);
            for (size_t i = 0; i < 32; ++i) w[640 + i] = odd == 0 ? 0 : w[640 + i];
            if (odd != 0) w[650] = odd;
            Row got(kind, 2048), want(kind, 2048);
            quantize_row_fast(kind, w, nullptr, got.out());
            quantize_row(kind, w, nullptr, want.out());
            EXPECT_TRUE(got == want) << odd;
        }
    }
}

}  // namespace
}  // namespace hearth::testing
