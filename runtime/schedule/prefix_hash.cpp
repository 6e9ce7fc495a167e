#include "runtime/schedule/prefix_hash.h"

#include <array>
#include <bit>
#include <cstring>
#include <random>

#include "base/error.h"
#include "kernels/ops.h"

namespace hearth {
namespace {

/// The state of SipHash: four words that are mixed after each word of input.
struct SipState {
    uint64_t v0, v1, v2, v3;

    SipState(uint64_t low, uint64_t high)
        : v0(low ^ 0x736f6d6570736575), v1(high ^ 0x646f72616e646f6d ^ 0xee), v2(low ^ 0x6c7967656e657261), v3(high ^ 0x7465646279746573) {}

    void rounds(int count) {
        for (int i = 0; i < count; ++i) {
            v0 += v1, v2 += v3;
            v1 = std::rotl(v1, 13) ^ v0, v3 = std::rotl(v3, 16) ^ v2;
            v0 = std::rotl(v0, 32);
            v2 += v1, v0 += v3;
            v1 = std::rotl(v1, 17) ^ v2, v3 = std::rotl(v3, 21) ^ v0;
            v2 = std::rotl(v2, 32);
        }
    }

    void word(uint64_t m) {
        v3 ^= m;
        rounds(2);
        v0 ^= m;
    }

    uint64_t value() const { return v0 ^ v1 ^ v2 ^ v3; }
};

}  // namespace

PrefixHasher::PrefixHasher() {
    std::random_device random;
    const auto word = [&] { return uint64_t{random()} << 32 | random(); };
    low_ = word();
    high_ = word();
}

PrefixHasher::PrefixHasher(uint64_t key_low, uint64_t key_high) : low_(key_low), high_(key_high) {}

PrefixHash PrefixHasher::hash(std::span<const std::byte> bytes) const {
    SipState state(low_, high_);
    size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) {
        uint64_t m = 0;
        std::memcpy(&m, bytes.data() + at, 8);
        state.word(m);
    }
    uint64_t last = uint64_t{bytes.size()} << 56;
    for (size_t i = 0; at + i < bytes.size(); ++i) last |= static_cast<uint64_t>(bytes[at + i]) << (8 * i);
    state.word(last);
    state.v2 ^= 0xee;
    state.rounds(4);
    const uint64_t first = state.value();
    state.v1 ^= 0xdd;
    state.rounds(4);
    return {.high = state.value(), .low = first};
}

PrefixHash PrefixHasher::begin(uint64_t owner) const { return hash(std::as_bytes(std::span(&owner, 1))); }

PrefixHash PrefixHasher::extend(const PrefixHash& beginning, std::span<const int32_t> tokens) const {
    std::array<std::byte, sizeof(PrefixHash) + kBlockTokens * sizeof(int32_t)> bytes;
    HEARTH_CHECK(tokens.size() <= kBlockTokens);
    std::memcpy(bytes.data(), &beginning, sizeof beginning);
    std::memcpy(bytes.data() + sizeof beginning, tokens.data(), tokens.size_bytes());
    return hash(std::span(bytes).first(sizeof beginning + tokens.size_bytes()));
}

}  // namespace hearth
