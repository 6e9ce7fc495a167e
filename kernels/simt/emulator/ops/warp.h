// Operations of a warp. The lanes that a mask names meet, the last to arrive computes for all. None of them but sync_warp orders memory.
// PTX ISA, "Data Movement: shfl.sync", "vote.sync", "match.sync", "redux.sync", "bar.warp.sync".
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/simt/emulator/where.h"

namespace hearth::simt {

constexpr uint32_t kAllLanes = 0xffffffffu;

enum class ShuffleMode : uint8_t { kUp, kDown, kXor, kIndex };
enum class Reduction : uint8_t { kAdd, kMin, kMax, kAnd, kOr, kXor };

uint32_t shuffle_word(ShuffleMode mode, uint32_t word, unsigned operand, unsigned width, uint32_t mask, Where where);
uint32_t ballot_word(bool predicate, uint32_t mask, const char* operation, Where where);
uint32_t match_word(uint32_t value, uint32_t mask, Where where);
uint32_t reduce_word(Reduction reduction, bool is_signed, uint32_t value, uint32_t mask, Where where);
void sync_warp_mask(uint32_t mask, Where where);

template <class T>
T shuffle_value(ShuffleMode mode, T value, unsigned operand, unsigned width, uint32_t mask, Where where) {
    static_assert(std::is_trivially_copyable_v<T> && (sizeof(T) == 4 || sizeof(T) == 8), "a shuffle moves words");
    uint32_t words[sizeof(T) / 4];
    std::memcpy(words, &value, sizeof(T));
    for (uint32_t& word : words) word = shuffle_word(mode, word, operand, width, mask, where);
    std::memcpy(&value, words, sizeof(T));
    return value;
}

/// The value of lane `source`, counted within segments of `width` lanes (a power of two).
template <class T>
T shuffle(T value, int source, int width = 32, uint32_t mask = kAllLanes, Where where = Where::here()) {
    return shuffle_value(ShuffleMode::kIndex, value, static_cast<unsigned>(source), static_cast<unsigned>(width), mask, where);
}
/// The value of lane ^ bits; the own value where that lies in a later segment.
template <class T>
T shuffle_xor(T value, int bits, int width = 32, uint32_t mask = kAllLanes, Where where = Where::here()) {
    return shuffle_value(ShuffleMode::kXor, value, static_cast<unsigned>(bits), static_cast<unsigned>(width), mask, where);
}
/// The value of lane - delta; the own value where that lies before the segment.
template <class T>
T shuffle_up(T value, unsigned delta, int width = 32, uint32_t mask = kAllLanes, Where where = Where::here()) {
    return shuffle_value(ShuffleMode::kUp, value, delta, static_cast<unsigned>(width), mask, where);
}
/// The value of lane + delta; the own value where that lies behind the segment.
template <class T>
T shuffle_down(T value, unsigned delta, int width = 32, uint32_t mask = kAllLanes, Where where = Where::here()) {
    return shuffle_value(ShuffleMode::kDown, value, delta, static_cast<unsigned>(width), mask, where);
}

/// Bit l: the predicate of lane l. Votes order no memory.
inline uint32_t ballot(bool predicate, uint32_t mask = kAllLanes, Where where = Where::here()) {
    return ballot_word(predicate, mask, "ballot", where);
}
inline bool all_of(bool predicate, uint32_t mask = kAllLanes, Where where = Where::here()) {
    return ballot_word(predicate, mask, "all_of", where) == mask;
}
inline bool any_of(bool predicate, uint32_t mask = kAllLanes, Where where = Where::here()) {
    return ballot_word(predicate, mask, "any_of", where) != 0;
}
/// The lanes that have the same value.
inline uint32_t match_any(uint32_t value, uint32_t mask = kAllLanes, Where where = Where::here()) { return match_word(value, mask, where); }

/// redux.sync (sm_80): integers of 32 bits. Bitwise reductions take uint32_t.
template <class Integer>
Integer reduce(Reduction reduction, Integer value, uint32_t mask = kAllLanes, Where where = Where::here()) {
    static_assert(std::is_same_v<Integer, int32_t> || std::is_same_v<Integer, uint32_t>, "redux.sync reduces 32-bit integers");
    return static_cast<Integer>(reduce_word(reduction, std::is_signed_v<Integer>, static_cast<uint32_t>(value), mask, where));
}

/// Orders what each of the lanes did before it before what they do after it.
inline void sync_warp(uint32_t mask = kAllLanes, Where where = Where::here()) { sync_warp_mask(mask, where); }

}  // namespace hearth::simt
