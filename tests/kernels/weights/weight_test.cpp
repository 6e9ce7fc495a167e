#include "kernels/weights/weight.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "base/checked.h"

namespace hearth {
namespace {

/// A row-major matrix of a checkpoint with every number different, and its values.
struct Stored {
    std::vector<std::byte> bytes;
    std::vector<float> values;
    HostMatrix matrix;

    Stored(DType type, int64_t n, int64_t k, uint32_t seed)
        : bytes(static_cast<size_t>(n * k * bytes_of(type)) + 1), values(static_cast<size_t>(n * k)) {
        std::mt19937 random(seed);
        std::byte* data = bytes.data() + 1;  // a checkpoint's tensors need not be aligned
        for (size_t i = 0; i < values.size(); ++i) {
            const auto value = static_cast<float>(static_cast<int32_t>(random() % 4001) - 2000) / 16.0f;
            if (type == DType::kF32) {
                values[i] = value;
                std::memcpy(data + 4 * i, &value, 4);
            } else if (type == DType::kBf16) {
                const Bf16 b = to_bf16(value);
                values[i] = to_float(b);
                std::memcpy(data + 2 * i, &b, 2);
            } else {
                const auto h = F16{static_cast<uint16_t>(random() & 0xBBFF)};  // any finite number
                values[i] = to_float(h);
                std::memcpy(data + 2 * i, &h, 2);
            }
        }
        matrix = {type, data, n, k};
    }
};

Weight pack(const std::vector<HostMatrix>& parts, WeightUse use, std::vector<std::byte>& storage) {
    Weight weight = plan_weight(parts, use);
    storage.assign(static_cast<size_t>(weight.bytes), std::byte{0xFF});  // NaN where nothing is written
    const int64_t panels = ceil_div(weight.n, kPanelRows);
    pack_panels(parts, weight, 0, panels / 2, storage.data());
    pack_panels(parts, weight, panels / 2, panels, storage.data());
    weight.data = storage.data();
    return weight;
}

TEST(Weight, EveryRowComesBackFromEveryLayout) {
    for (const WeightUse use : {WeightUse::kMatmul, WeightUse::kLookup}) {
        for (const DType type : {DType::kF32, DType::kBf16, DType::kF16}) {
            for (const int64_t n : {1, 15, 16, 17, 64, 100}) {
                for (const int64_t k : {1, 2, 31, 32, 33, 160}) {
                    const Stored stored(type, n, k, static_cast<uint32_t>(n * 1000 + k));
                    std::vector<std::byte> storage;
                    const Weight weight = pack({stored.matrix}, use, storage);
                    std::vector<float> row(static_cast<size_t>(k));
                    for (int64_t r = 0; r < n; ++r) {
                        unpack_row(weight, r, row.data());
                        for (int64_t i = 0; i < k; ++i) {
                            ASSERT_EQ(row[static_cast<size_t>(i)], stored.values[static_cast<size_t>(r * k + i)])
                                << name_of(type) << " " << n << "x" << k << " at " << r << "," << i;
                        }
                    }
                }
            }
        }
    }
}

TEST(Weight, StacksPartsInOrder) {
    const Stored q(DType::kBf16, 40, 33, 1), k(DType::kBf16, 8, 33, 2), v(DType::kBf16, 9, 33, 3);
    std::vector<std::byte> storage;
    const Weight weight = pack({q.matrix, k.matrix, v.matrix}, WeightUse::kMatmul, storage);
    EXPECT_EQ(weight.n, 57);
    EXPECT_EQ(weight.format, WeightFormat::kBf16);
    std::vector<float> row(33);
    unpack_row(weight, 47, row.data());
    EXPECT_EQ(row[32], k.values[7 * 33 + 32]);
    unpack_row(weight, 48, row.data());
    EXPECT_EQ(row[0], v.values[0]);
}

TEST(Weight, PartsOfDifferentTypesBecomeFloat32) {
    const Stored a(DType::kBf16, 3, 5, 1), b(DType::kF16, 20, 5, 2);
    std::vector<std::byte> storage;
    const Weight weight = pack({a.matrix, b.matrix}, WeightUse::kMatmul, storage);
    EXPECT_EQ(weight.format, WeightFormat::kF32);
    std::vector<float> row(5);
    unpack_row(weight, 22, row.data());
    EXPECT_EQ(row[4], b.values[19 * 5 + 4]);
}

TEST(Weight, PaddingOfPanelsIsZero) {
    const Stored stored(DType::kBf16, 17, 33, 9);
    std::vector<std::byte> storage;
    const Weight weight = pack({stored.matrix}, WeightUse::kMatmul, storage);
    ASSERT_EQ(weight.bytes, 2 * 16 * 64 * 2);
    double sum = 0, want = 0;
    for (int64_t i = 0; i < weight.bytes / 2; ++i) sum += std::abs(to_float(static_cast<const Bf16*>(weight.data)[i]));
    for (const float v : stored.values) want += std::abs(v);
    EXPECT_EQ(sum, want) << "kernels add up the padding as well";
}

TEST(DType, HalfPrecisionAgreesWithItsDefinition) {
    EXPECT_EQ(to_float(F16{0x3C00}), 1.0f);
    EXPECT_EQ(to_float(F16{0xC000}), -2.0f);
    EXPECT_EQ(to_float(F16{0x7BFF}), 65504.0f);
    EXPECT_EQ(to_float(F16{0x0001}), 0x1p-24f);
    EXPECT_EQ(to_float(F16{0x83FF}), -0x1.FF8p-15f);
    EXPECT_EQ(to_float(F16{0xFC00}), -INFINITY);
    EXPECT_TRUE(std::isnan(to_float(F16{0x7E00})));
}

TEST(DType, Bfloat16RoundsToNearestEvenAndKeepsNaN) {
    EXPECT_EQ(to_bf16(1.0f).bits, 0x3F80);
    EXPECT_EQ(to_bf16(1.0f + 0x1p-8f).bits, 0x3F80) << "a tie goes to the even one";
    EXPECT_EQ(to_bf16(1.0f + 0x3p-8f).bits, 0x3F82);
    EXPECT_EQ(to_bf16(3.4e38f).bits, 0x7F80);
    EXPECT_TRUE(std::isnan(to_float(to_bf16(std::bit_cast<float>(0x7F800001u)))));
}

}  // namespace
}  // namespace hearth
