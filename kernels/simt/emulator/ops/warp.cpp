#include "kernels/simt/emulator/ops/warp.h"

#include <algorithm>
#include <string>

#include "kernels/simt/emulator/checks/clock.h"
#include "kernels/simt/emulator/machine/machine.h"
#include "kernels/simt/emulator/machine/rendezvous.h"

namespace hearth::simt {
namespace {

struct Word {
    uint32_t in, out;
    Reduction reduction = Reduction::kAdd;
    bool is_signed = false;
};

Word& word_of(const Rendezvous& met, unsigned l) { return *static_cast<Word*>(met.operands[l]); }

template <class Function>
void for_each_lane(const Rendezvous& met, Function function) {
    for (unsigned l = 0; l < 32; ++l) {
        if (met.mask >> l & 1) function(l);
    }
}

struct Shuffled {
    ShuffleMode mode;
    unsigned operand, width;
    uint32_t in, out;
    bool bad;
};

/// The lane that `l` reads. PTX ISA, "shfl.sync", the pseudo-code of its semantics with c = ((32 - width) << 8) | clamp.
unsigned source_lane(ShuffleMode mode, unsigned l, unsigned operand, unsigned width) {
    const unsigned segment = ~(width - 1) & 31;
    const unsigned b = operand & 31, first = l & segment;
    const unsigned last = mode == ShuffleMode::kUp ? first : first | (31 & ~segment);
    switch (mode) {
        case ShuffleMode::kUp: return static_cast<int>(l) - static_cast<int>(b) >= static_cast<int>(last) ? l - b : l;
        case ShuffleMode::kDown: return l + b <= last ? l + b : l;
        case ShuffleMode::kXor: return (l ^ b) <= last ? l ^ b : l;
        case ShuffleMode::kIndex: break;
    }
    return first | (b & ~segment & 31);
}

void combine_shuffle(const Rendezvous& met, Warp&) {
    for_each_lane(met, [&](unsigned l) {
        auto& mine = *static_cast<Shuffled*>(met.operands[l]);
        const unsigned source = source_lane(mine.mode, l, mine.operand, mine.width);
        mine.bad = (met.mask >> source & 1) == 0;
        if (!mine.bad) mine.out = static_cast<Shuffled*>(met.operands[source])->in;
    });
}

void combine_ballot(const Rendezvous& met, Warp&) {
    uint32_t bits = 0;
    for_each_lane(met, [&](unsigned l) { bits |= word_of(met, l).in << l; });
    for_each_lane(met, [&](unsigned l) { word_of(met, l).out = bits; });
}

void combine_match(const Rendezvous& met, Warp&) {
    for_each_lane(met, [&](unsigned l) {
        uint32_t bits = 0;
        for_each_lane(met, [&](unsigned other) { bits |= uint32_t{word_of(met, other).in == word_of(met, l).in} << other; });
        word_of(met, l).out = bits;
    });
}

uint32_t reduce_two(const Word& how, uint32_t a, uint32_t b) {
    const auto sa = static_cast<int32_t>(a), sb = static_cast<int32_t>(b);
    switch (how.reduction) {
        case Reduction::kAdd: return a + b;
        case Reduction::kMin: return how.is_signed ? static_cast<uint32_t>(std::min(sa, sb)) : std::min(a, b);
        case Reduction::kMax: return how.is_signed ? static_cast<uint32_t>(std::max(sa, sb)) : std::max(a, b);
        case Reduction::kAnd: return a & b;
        case Reduction::kOr: return a | b;
        case Reduction::kXor: return a ^ b;
    }
    return 0;
}

void combine_reduce(const Rendezvous& met, Warp&) {
    bool first = true;
    uint32_t value = 0;
    for_each_lane(met, [&](unsigned l) {
        value = first ? word_of(met, l).in : reduce_two(word_of(met, l), value, word_of(met, l).in);
        first = false;
    });
    for_each_lane(met, [&](unsigned l) { word_of(met, l).out = value; });
}

void combine_sync(const Rendezvous& met, Warp& warp) {
    if (current->clock == nullptr) return;
    std::vector<Thread*> threads;
    for_each_lane(met, [&](unsigned l) { threads.push_back(warp.lanes[l]); });
    meet_clocks(threads);
}

}  // namespace

uint32_t shuffle_word(ShuffleMode mode, uint32_t word, unsigned operand, unsigned width, uint32_t mask, Where where) {
    Shuffled mine{.mode = mode, .operand = operand, .width = width, .in = word, .out = word, .bad = false};
    meet("shuffle", mask, &mine, combine_shuffle, false, where);
    if (mine.bad) {
        current->machine->find(
            Kind::kBadLane, where,
            "a shuffle reads lane " + std::to_string(source_lane(mode, current->lane, operand, width)) + ", which its mask does not name");
    }
    return mine.out;
}

uint32_t ballot_word(bool predicate, uint32_t mask, const char* operation, Where where) {
    Word mine{.in = predicate, .out = 0};
    meet(operation, mask, &mine, combine_ballot, false, where);
    return mine.out;
}

uint32_t match_word(uint32_t value, uint32_t mask, Where where) {
    Word mine{.in = value, .out = 0};
    meet("match_any", mask, &mine, combine_match, false, where);
    return mine.out;
}

uint32_t reduce_word(Reduction reduction, bool is_signed, uint32_t value, uint32_t mask, Where where) {
    Word mine{.in = value, .out = 0, .reduction = reduction, .is_signed = is_signed};
    meet("reduce", mask, &mine, combine_reduce, false, where);
    return mine.out;
}

void sync_warp_mask(uint32_t mask, Where where) { meet("sync_warp", mask, nullptr, combine_sync, false, where); }

}  // namespace hearth::simt
