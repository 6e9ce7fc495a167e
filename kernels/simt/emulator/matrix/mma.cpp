#include <array>
#include <cmath>

#include "kernels/simt/emulator/machine/machine.h"
#include "kernels/simt/emulator/machine/rendezvous.h"
#include "kernels/simt/emulator/matrix/align_sum.h"
#include "kernels/simt/emulator/matrix/fragments.h"
#include "kernels/simt/emulator/ops/warp.h"

namespace hearth::simt {
namespace {

struct Lane {
    MmaType type;
    void* c;
    const uint32_t* a;
    const uint32_t* b;
};

const Lane& lane_of(const Rendezvous& met, unsigned l) { return *static_cast<const Lane*>(met.operands[l]); }

/// Elements of a [16][k] and of b, transposed, [8][k], as bits: k is 16 elements of 16 bits or 32 of 8.
struct Operands {
    int k;
    std::array<std::array<uint16_t, 32>, 16> a;
    std::array<std::array<uint16_t, 32>, 8> b;
};

Operands gather(const Rendezvous& met, bool bytes) {
    Operands all;
    all.k = bytes ? 32 : 16;
    const unsigned per_word = bytes ? 4 : 2, bits = bytes ? 8 : 16;
    for (unsigned l = 0; l < 32; ++l) {
        const unsigned g = l / 4, first = l % 4 * per_word;
        for (unsigned e = 0; e < per_word; ++e) {
            auto element = [&](uint32_t word) { return static_cast<uint16_t>(word >> (bits * e) & ((1u << bits) - 1)); };
            for (unsigned w = 0; w < 4; ++w) all.a[g + w % 2 * 8][first + e + w / 2 * 4 * per_word] = element(lane_of(met, l).a[w]);
            for (unsigned w = 0; w < 2; ++w) all.b[g][first + e + w * 4 * per_word] = element(lane_of(met, l).b[w]);
        }
    }
    return all;
}

float value_of(MmaType type, uint16_t bits) {
    if (type == MmaType::kBf16) return to_float(bf16{bits});
    if (type == MmaType::kF16) return to_float(f16{bits});
    return to_float(e4m3{static_cast<uint8_t>(bits)});
}

/// Significand bits below the leading one.
int fraction_of(MmaType type) { return type == MmaType::kBf16 ? 7 : type == MmaType::kF16 ? 10 : 3; }

struct Row {
    std::array<Term, 32> terms;
    std::array<float, 32> values;
    bool finite = true;
};

Row row_of(MmaType type, const std::array<uint16_t, 32>& bits, int k) {
    Row row;
    for (int i = 0; i < k; ++i) {
        const float value = value_of(type, bits[static_cast<size_t>(i)]);
        Term term = term_of(value);
        term.significand >>= 23 - fraction_of(type);  // the bits dropped are zero
        if (term.significand != 0) term.exponent += 23 - fraction_of(type);
        row.terms[static_cast<size_t>(i)] = term;
        row.values[static_cast<size_t>(i)] = value;
        row.finite = row.finite && std::isfinite(value);
    }
    return row;
}

float dot(MmaType type, const Row& a, const Row& b, int k, float c) {
    if (!a.finite || !b.finite || !std::isfinite(c)) {  // infinities and NaN as in plain arithmetic
        for (size_t i = 0; i < static_cast<size_t>(k); ++i) c += a.values[i] * b.values[i];
        return c;
    }
    for (int i = 0; i < k; i += kAlignBlock)
        c = align_sum(&a.terms[static_cast<size_t>(i)], &b.terms[static_cast<size_t>(i)], fraction_of(type), c);
    return c;
}

/// Calls function(row, column, lane, element of its c) for all of c.
template <class Function>
void for_each_output(Function function) {
    for (unsigned l = 0; l < 32; ++l) {
        for (unsigned e = 0; e < 4; ++e) function(l / 4 + e / 2 * 8, l % 4 * 2 + e % 2, l, e);
    }
}

void combine_float(const Rendezvous& met, Warp&) {
    const MmaType type = lane_of(met, 0).type;
    const Operands all = gather(met, type == MmaType::kE4m3);
    std::array<Row, 16> a;
    std::array<Row, 8> b;
    for (size_t r = 0; r < 16; ++r) a[r] = row_of(type, all.a[r], all.k);
    for (size_t r = 0; r < 8; ++r) b[r] = row_of(type, all.b[r], all.k);
    for_each_output([&](unsigned row, unsigned column, unsigned l, unsigned e) {
        float& c = static_cast<float*>(lane_of(met, l).c)[e];
        c = dot(type, a[row], b[column], all.k, c);
    });
}

void combine_integer(const Rendezvous& met, Warp&) {
    const Operands all = gather(met, true);
    for_each_output([&](unsigned row, unsigned column, unsigned l, unsigned e) {
        int32_t& c = static_cast<int32_t*>(lane_of(met, l).c)[e];
        int32_t sum = 0;  // at most 32 * 2^14
        for (size_t i = 0; i < 32; ++i) sum += static_cast<int8_t>(all.a[row][i]) * static_cast<int8_t>(all.b[column][i]);
        c = static_cast<int32_t>(static_cast<uint32_t>(c) + static_cast<uint32_t>(sum));
    });
}

const char* name_of(MmaType type) {
    switch (type) {
        case MmaType::kBf16: return "mma.m16n8k16.bf16";
        case MmaType::kF16: return "mma.m16n8k16.f16";
        case MmaType::kE4m3: return "mma.m16n8k32.e4m3";
        case MmaType::kS8: return "mma.m16n8k32.s8";
    }
    return "mma";
}

}  // namespace

void mma_words(MmaType type, void* c, const uint32_t* a, const uint32_t* b, Where where) {
    Lane mine{.type = type, .c = c, .a = a, .b = b};
    meet(name_of(type), kAllLanes, &mine, type == MmaType::kS8 ? combine_integer : combine_float, true, where);
}

}  // namespace hearth::simt
