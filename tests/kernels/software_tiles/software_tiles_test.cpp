// The tiles in software: by hand, against the unit where the machine has one, and that kernels really multiply on them.
#include "tests/kernels/software_tiles/software_tiles.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <random>

#include "kernels/cpu/detect.h"
#include "tests/kernels/inputs.h"
#include "tests/kernels/run.h"
#include "tests/kernels/software_tiles/products.h"

namespace hearth::testing {
namespace {

uint16_t bf16(float x) { return static_cast<uint16_t>(std::bit_cast<uint32_t>(x) >> 16); }

template <class T>
T at(const uint8_t (&tile)[16][64], int row, int i) {
    T value;
    std::memcpy(&value, tile[row] + i * static_cast<int>(sizeof(T)), sizeof value);
    return value;
}

template <class T>
void put(uint8_t (&tile)[16][64], int row, int i, T value) {
    std::memcpy(tile[row] + i * static_cast<int>(sizeof(T)), &value, sizeof value);
}

TEST(SoftwareTiles, MultiplyARowOfAByAColumnOfFoursOfB) {
    TileMemory memory{};
    for (int k = 0; k < 32; ++k) {
        put(memory.a, 2, k, bf16(static_cast<float>(k + 1)));
        put(memory.b, k / 2, 2 * 5 + k % 2, bf16(static_cast<float>(k % 3)));
    }
    put(memory.c, 2, 5, 1000.0f);
    float want = 1000;
    for (int k = 0; k < 32; ++k) want += static_cast<float>((k + 1) * (k % 3));
    multiply<SoftwareTiles>(Product::kBf16, 3, memory);
    EXPECT_EQ(at<float>(memory.c, 2, 5), want);
    EXPECT_EQ(at<float>(memory.c, 2, 4), 0);
    EXPECT_EQ(at<float>(memory.c, 1, 5), 0);
}

TEST(SoftwareTiles, BytesOfAAreSignedAndThoseOfBAsTheProductSays) {
    for (const auto& [product, want] : {std::pair{Product::kInt8, -3 * -1}, {Product::kInt8Uint8, -3 * 255}}) {
        TileMemory memory{};
        put(memory.a, 0, 6, int8_t{-3});
        put(memory.b, 1, 4 * 9 + 2, uint8_t{255});
        put(memory.c, 0, 9, int32_t{7});
        multiply<SoftwareTiles>(product, 16, memory);
        EXPECT_EQ(at<int32_t>(memory.c, 0, 9), 7 + want);
    }
}

TEST(SoftwareTiles, TakeNumbersTooSmallToBeNormalForZero) {
    TileMemory memory{};
    put(memory.a, 0, 0, bf16(0x1p-100f));
    put(memory.b, 0, 0, bf16(0x1p-40f));
    multiply<SoftwareTiles>(Product::kBf16, 1, memory);
    EXPECT_EQ(at<float>(memory.c, 0, 0), 0);
}

TEST(SoftwareTilesDeathTest, ATileThatNoSessionHasShaped) { EXPECT_DEATH(SoftwareTiles::zero<0>(), "no session has shaped"); }

/// Fills a tile with numbers of bf16 between -2 and 2, or with any bytes.
void fill(uint8_t (&tile)[16][64], Product product, std::mt19937& random) {
    for (int row = 0; row < 16; ++row) {
        for (int i = 0; i < 32; ++i) {
            const auto bits = static_cast<uint32_t>(random());
            const float number = static_cast<float>(static_cast<int32_t>(bits)) * 0x1p-30f;
            put(tile, row, i, product == Product::kBf16 ? bf16(number) : static_cast<uint16_t>(bits));
        }
    }
}

/// Whole numbers have the unit's bits. Of floats the order of sums is that of Intel's document; no machine here has shown it, so that they
/// are held to the rounding of 33 sums of products up to 4.
TEST(SoftwareTiles, AgreeWithTheUnit) {
    if (detect_cpu().level < CpuLevel::kAmx) GTEST_SKIP() << "skipped: this machine has no AMX";
    std::mt19937 random(1);
    for (const Product product : {Product::kBf16, Product::kInt8, Product::kInt8Uint8}) {
        for (int round = 0; round < 300; ++round) {
            TileMemory ours{};
            fill(ours.a, product, random);
            fill(ours.b, product, random);
            TileMemory unit = ours;
            const int64_t rows = 1 + round % 16;
            multiply<SoftwareTiles>(product, rows, ours);
            multiply_by_amx(product, rows, unit);
            for (int row = 0; row < rows; ++row) {
                for (int n = 0; n < 16; ++n) {
                    if (product == Product::kBf16) {
                        ASSERT_NEAR(at<float>(ours.c, row, n), at<float>(unit.c, row, n), 33 * 128 * 0x1p-24);
                    } else {
                        ASSERT_EQ(at<int32_t>(ours.c, row, n), at<int32_t>(unit.c, row, n)) << "product " << static_cast<int>(product);
                    }
                }
            }
        }
    }
}

TEST(SoftwareTiles, AreWhatTheVariantsOfTheirDeviceMultiplyOn) {
    const std::vector<std::string> devices = cpu_devices();
    if (devices.back() != kSoftwareTilesDevice) GTEST_SKIP() << "skipped: this machine has AMX itself, or no AVX-512";
    const auto backend = make_device({.device = devices.back(), .threads = 1});
    Inputs inputs({.weights = DType::kBf16, .cache = DType::kBf16});
    const auto products_of = [&](const auto& table, const auto& args) {
        const auto& variant = select(table, args, backend->device());
        const int64_t before = SoftwareTiles::products();
        run(variant, args, *backend);
        EXPECT_GT(SoftwareTiles::products(), before) << variant.name;
    };
    products_of(backend->tables().matmul, inputs.matmul(false, false));
    products_of(backend->tables().attention, inputs.attention());
}

}  // namespace
}  // namespace hearth::testing
