#include "kernels/arithmetic_unit.h"

#include <gtest/gtest.h>

#include "tests/kernels/inputs.h"
#include "tests/kernels/run.h"

namespace hearth::testing {
namespace {

TEST(Units, FollowFromWhatARowMultiplies) {
    EXPECT_EQ(unit_of("matmul/q_amx"), Unit::kAmxInt8);
    EXPECT_EQ(unit_of("matmul/bf16_amx"), Unit::kAmxBf16);
    EXPECT_EQ(unit_of("matmul/q_avx512"), Unit::kInt8Dot);
    EXPECT_EQ(unit_of("matmul/bf16_avx512"), Unit::kBf16Dot);
    EXPECT_EQ(unit_of("matmul/fma_avx512"), Unit::kF32Fma);
    EXPECT_EQ(unit_of("matmul/f8_avx512"), Unit::kF32Fma);
    EXPECT_EQ(unit_of("attention/avx512"), Unit::kF32Fma);
    EXPECT_EQ(unit_of("matmul/fma_avx2"), Unit::kF32Fma);
}

TEST(Units, AreNoneWhereNoMeasuredOneIsUsed) {
    for (const char* variant : {"matmul/q_avx2", "matmul/reference", "gate_up/composite", "none", ""})
        EXPECT_EQ(unit_of(variant), Unit::kNone) << variant;
    Limits limits;
    limits.fma_f32_gflops = 3;
    EXPECT_EQ(peak_of(limits, Unit::kNone), 0);
}

TEST(Units, HaveThePeakThatWasMeasuredForThem) {
    Limits limits;
    limits.fma_f32_gflops = 1, limits.dot_bf16_gflops = 2, limits.dot_int8_gops = 3, limits.amx_bf16_gflops = 4, limits.amx_int8_gops = 5;
    double expected = 0;
    for (const Unit unit : {Unit::kF32Fma, Unit::kBf16Dot, Unit::kInt8Dot, Unit::kAmxBf16, Unit::kAmxInt8}) {
        EXPECT_EQ(peak_of(limits, unit), ++expected);
        EXPECT_FALSE(name_of(unit).empty());
    }
}

TEST(Units, AreKnownForEveryMatmulRowWithVnniOrTiles) {
    for (const std::string& device : cpu_devices()) {
        const auto backend = make_device({.device = device});
        for (const auto& variant : backend->tables().matmul) {
            if (variant.name.ends_with("/reference") || variant.name.ends_with("avx2")) continue;
            EXPECT_NE(unit_of(variant.name), Unit::kNone) << variant.name;
        }
    }
}

}  // namespace
}  // namespace hearth::testing
