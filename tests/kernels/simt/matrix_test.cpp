// Fragment maps of ldmatrix and mma against matrices written out, mma's sums against exact ones, and planted bugs of ldmatrix.
#include <cmath>
#include <cstring>
#include <random>

#include "tests/kernels/simt/findings.h"

namespace hearth::simt {
namespace {

int line_of_load = 0;

struct LoadArgs {
    GlobalPtr<uint32_t> y;  // [32][4]
    int transposed, barrier, shift, skip_row;
};

/// Element (r, c) of matrix m is 1000 m + 10 r + c.
void load_matrices(LoadArgs a) {
    SharedArena arena;
    auto tile = arena.take<uint16_t>(4 * 64);
    const int l = static_cast<int>(lane());
    for (int c = 0; c < 8; ++c) {
        if (l != a.skip_row) tile.store(l * 8 + c, static_cast<uint16_t>(l / 8 * 1000 + l % 8 * 10 + c));
    }
    if (a.barrier) sync_warp();
    Vec<uint32_t, 4> words;
    line_of_load = __LINE__ + 1;
    words = a.transposed ? ldmatrix<4, true>(tile + (l * 8 + a.shift)) : ldmatrix<4>(tile + (l * 8 + a.shift));
    a.y.store_vector(l * 4, words);
}

std::vector<uint32_t> loaded(Emulator& gpu, LoadArgs args) {
    args.y = gpu.allocate<uint32_t>("y", 128);
    gpu.launch({.name = "load", .shared_bytes = 512}, load_matrices, args);
    gpu.synchronize();
    return gpu.download(args.y, 128);
}

TEST(SimtMatrix, LdmatrixGivesEachLaneItsTwoColumns) {
    for (int transposed : {0, 1}) {
        EXPECT_CLEAN(check_everywhere([&](Emulator& gpu) {
            const auto words = loaded(gpu, {{}, transposed, 1, 0, -1});
            for (unsigned l = 0; l < 32; ++l) {
                for (unsigned m = 0; m < 4; ++m) {
                    const unsigned r = l / 4, c = l % 4 * 2;
                    const unsigned low = m * 1000 + (transposed ? c * 10 + r : r * 10 + c);
                    EXPECT_EQ(words[l * 4 + m], low | (low + (transposed ? 10 : 1)) << 16);
                }
            }
        }));
    }
}

TEST(SimtMatrix, BadRowsOfLdmatrixAreFound) {
    Emulator misaligned, outside, unwritten, races({.races = true});
    loaded(misaligned, {{}, 0, 1, 1, -1});
    EXPECT_FOUND(misaligned, Kind::kMisaligned, "load", line_of_load);
    loaded(outside, {{}, 0, 1, 8, -1});
    EXPECT_FOUND(outside, Kind::kOutOfBounds, "load", line_of_load);
    loaded(unwritten, {{}, 0, 1, 0, 5});
    EXPECT_FOUND(unwritten, Kind::kUninitialised, "load", line_of_load);
    loaded(races, {{}, 0, 0, 0, -1});  // lanes receive what others wrote
    EXPECT_FOUND(races, Kind::kRace, "load", line_of_load);
}

struct MmaArgs {
    GlobalPtr<const uint32_t> a, b;  // fragments in the order of lanes, made by the tests from matrices
    GlobalPtr<float> c;
    GlobalPtr<int32_t> ci;
    MmaType type;
};

void one_mma(MmaArgs args) {
    const int l = static_cast<int>(lane());
    const auto a = args.a.load_vector<4>(l * 4);
    const auto b = args.b.load_vector<2>(l * 2);
    if (args.type == MmaType::kS8) {
        Vec<int32_t, 4> c = args.ci.load_vector<4>(l * 4);
        mma_m16n8k32(int8_t{}, c, a, b);
        args.ci.store_vector(l * 4, c);
        return;
    }
    Vec<float, 4> c = args.c.load_vector<4>(l * 4);
    if (args.type == MmaType::kBf16) mma_m16n8k16(bf16{}, c, a, b);
    if (args.type == MmaType::kF16) mma_m16n8k16(f16{}, c, a, b);
    if (args.type == MmaType::kE4m3) mma_m16n8k32(e4m3{}, c, a, b);
    args.c.store_vector(l * 4, c);
}

/// Where the PTX ISA puts element i of a lane's fragment, in its own words and letters.
int row_of_a(int lane, int i, int per) { return lane / 4 + (i / per % 2 == 0 ? 0 : 8); }
int column_of_a(int lane, int i, int per) { return lane % 4 * per + i % per + (i < 2 * per ? 0 : 4 * per); }
int row_of_b(int lane, int i, int per) { return lane % 4 * per + i % per + (i < per ? 0 : 4 * per); }

struct Product {
    std::vector<double> a, b;  // values [16][k], [k][8]
    std::vector<uint32_t> fa, fb;
    int k;
};

Product random_product(MmaType type, unsigned seed) {
    std::mt19937 random(seed);
    const int per = type == MmaType::kBf16 || type == MmaType::kF16 ? 2 : 4, k = per * 8, bits = 32 / per;
    auto draw = [&](double& value) {
        uint32_t code = static_cast<uint32_t>(random()) & ((1u << bits) - 1);
        if (type == MmaType::kBf16) code = (code & 0x83ff) | 0x3c00;  // magnitudes 2^-7 to 2^0
        if (type == MmaType::kF16) code = (code & 0x9fff) | 0x2000;
        if (type == MmaType::kE4m3 && (code & 0x7f) == 0x7f) code ^= 1;
        value = type == MmaType::kBf16   ? to_float(bf16{static_cast<uint16_t>(code)})
                : type == MmaType::kF16  ? to_float(f16{static_cast<uint16_t>(code)})
                : type == MmaType::kE4m3 ? to_float(e4m3{static_cast<uint8_t>(code)})
                                         : static_cast<int8_t>(code);
        return code;
    };
    Product p{std::vector<double>(static_cast<size_t>(16 * k)), std::vector<double>(static_cast<size_t>(8 * k)), std::vector<uint32_t>(128),
              std::vector<uint32_t>(64), k};
    for (int l = 0; l < 32; ++l) {
        for (int i = 0; i < 4 * per; ++i) {
            p.fa[static_cast<size_t>(l * 4 + i / per)] |= draw(p.a[static_cast<size_t>(row_of_a(l, i, per) * k + column_of_a(l, i, per))])
                                                          << (i % per * bits);
        }
        for (int i = 0; i < 2 * per; ++i) {
            p.fb[static_cast<size_t>(l * 2 + i / per)] |= draw(p.b[static_cast<size_t>(row_of_b(l, i, per) * 8 + l / 4)])
                                                          << (i % per * bits);
        }
    }
    return p;
}

double exact(const Product& p, int lane, int e) {
    double sum = 0;  // of doubles: exact for these ranges
    const int row = lane / 4 + (e < 2 ? 0 : 8), column = lane % 4 * 2 + e % 2;
    for (int i = 0; i < p.k; ++i) sum += p.a[static_cast<size_t>(row * p.k + i)] * p.b[static_cast<size_t>(i * 8 + column)];
    return sum;
}

TEST(SimtMatrix, MmaMultipliesTheMatricesOfItsFragments) {
    for (MmaType type : {MmaType::kBf16, MmaType::kF16, MmaType::kE4m3, MmaType::kS8}) {
        const Product p = random_product(type, 7);
        Emulator gpu({.schedule = Schedule::kRandom});
        auto c = gpu.upload<float>("c", std::vector<float>(128, 0.25f));
        auto ci = gpu.upload<int32_t>("ci", std::vector<int32_t>(128, 3));
        gpu.launch({.name = "mma"}, one_mma, MmaArgs{gpu.upload<uint32_t>("a", p.fa), gpu.upload<uint32_t>("b", p.fb), c, ci, type});
        gpu.synchronize();
        EXPECT_CLEAN(gpu);
        const auto got = gpu.download(c, 128);
        const auto integers = gpu.download(ci, 128);
        for (int l = 0; l < 32; ++l) {
            for (int e = 0; e < 4; ++e) {
                const auto at = static_cast<size_t>(l * 4 + e);
                if (type == MmaType::kS8) {
                    EXPECT_EQ(integers[at], exact(p, l, e) + 3);
                } else {
                    double size = 0.25;
                    for (double v : p.a) size = std::max(size, std::fabs(v));
                    EXPECT_NEAR(got[at], exact(p, l, e) + 0.25, size * size * p.k * 0x1p-22) << static_cast<int>(type);
                }
            }
        }
    }
}

float mma_of_row(const std::vector<float>& a, float c0) {
    std::vector<uint32_t> fa(128), fb(64, 0x3f803f80);  // b is all ones
    for (unsigned i = 0; i < 16; ++i) fa[i % 8 / 2 * 4 + i / 8 * 2] |= uint32_t{to_bf16(a[i]).bits} << (i % 2 * 16);
    Emulator gpu;
    auto c = gpu.upload<float>("c", std::vector<float>(128, c0));
    gpu.launch({.name = "mma"}, one_mma, MmaArgs{gpu.upload<uint32_t>("a", fa), gpu.upload<uint32_t>("b", fb), c, {}, MmaType::kBf16});
    gpu.synchronize();
    return gpu.download(c, 1)[0];
}

TEST(SimtMatrix, MmaAlignsAndTruncatesWhereAnFmaChainRounds) {
    std::vector<float> a(16, 0.0f);
    a[0] = 1.0f;
    EXPECT_EQ(mma_of_row(a, 0x1p-24f), 1.0f);  // one bit below float32 is kept in the sum and dropped from the result
    EXPECT_EQ(mma_of_row(a, -0x1p-24f), 1.0f - 0x1p-24f);
    EXPECT_EQ(mma_of_row(a, -0x1p-25f), 1.0f);  // falls off before the sum
    a[1] = a[2] = 0x1p-24f;
    EXPECT_EQ(mma_of_row(a, 0.0f), 1.0f + 0x1p-23f);                            // within a block of 8 they meet before anything is dropped
    EXPECT_EQ(std::fma(0x1p-24f, 1.0f, std::fma(0x1p-24f, 1.0f, 1.0f)), 1.0f);  // a chain loses each by itself
    a[2] = 0, a[8] = 0x1p-24f;
    EXPECT_EQ(mma_of_row(a, 0.0f), 1.0f);  // in two blocks each is dropped
    a.assign(16, 0.0f), a[0] = 0x1p24f, a[1] = 1.0f, a[2] = -0x1p24f;
    EXPECT_EQ(mma_of_row(a, 0.5f), 1.0f);  // 0.5 lies below 2^24 * 2^-24
}

TEST(SimtMatrix, MmaPassesInfinityAndNaN) {
    std::vector<float> a(16, 1.0f);
    a[3] = INFINITY;
    EXPECT_EQ(mma_of_row(a, 0.0f), INFINITY);
    a[4] = -INFINITY;
    EXPECT_TRUE(std::isnan(mma_of_row(a, 0.0f)));
}

void diverging_mma(int first) {
    Vec<float, 4> c{};
    if (static_cast<int>(lane()) < first) {
        mma_m16n8k16(bf16{}, c, {}, {});
    } else {
        mma_m16n8k16(bf16{}, c, {}, {});
    }
}

TEST(SimtMatrix, AnMmaOnTwoLinesDiverges) {
    Emulator gpu, clean;
    gpu.launch({.name = "diverging"}, diverging_mma, 16);
    gpu.synchronize();
    ASSERT_NE(gpu.report().find(Kind::kDivergentWarp), nullptr);
    EXPECT_EQ(gpu.report().find(Kind::kDivergentWarp)->kernel, "diverging");
    clean.launch({.name = "diverging"}, diverging_mma, 32);
    clean.synchronize();
    EXPECT_CLEAN(clean);
}

TEST(SimtNumeric, EveryCodeConverts) {
    EXPECT_EQ(to_float(e4m3{0x7e}), 448.0f);
    EXPECT_EQ(to_float(e4m3{0x01}), 0x1p-9f);
    EXPECT_EQ(to_float(e4m3{0xb8}), -1.0f);
    EXPECT_TRUE(std::isnan(to_float(e4m3{0xff})));
    EXPECT_EQ(to_float(f16{0x3c01}), 1.0f + 0x1p-10f);
    EXPECT_EQ(to_float(f16{0x0001}), 0x1p-24f);
    EXPECT_EQ(to_float(f16{0x7bff}), 65504.0f);
    EXPECT_EQ(to_float(f16{0xfc00}), -INFINITY);
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
        const bf16 code{static_cast<uint16_t>(bits)};
        if (std::isnan(to_float(code))) continue;
        EXPECT_EQ(to_bf16(to_float(code)).bits, bits);
    }
    EXPECT_EQ(to_bf16(1.0f + 0x1p-8f).bits, 0x3f80);  // half way, to even
    EXPECT_EQ(to_bf16(1.0f + 0x1p-8f + 0x1p-20f).bits, 0x3f81);
    EXPECT_TRUE(std::isnan(to_float(to_bf16(NAN))));
}

}  // namespace
}  // namespace hearth::simt
