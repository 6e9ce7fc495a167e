// Names for beginnings of token sequences.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hearth {

/// Stands for an owner and every token up to the end of a block. 128 bits of a keyed hash: equal hashes mean equal beginnings.
struct PrefixHash {
    uint64_t high = 0, low = 0;
    bool operator==(const PrefixHash&) const = default;

    struct Hash {
        size_t operator()(const PrefixHash& h) const { return h.low; }
    };
};

/// Hashes of beginnings, one from the other. SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input
/// PRF", 2012) under a key that is drawn when the hasher is made: who chooses the tokens cannot look for two beginnings of one hash.
class PrefixHasher {
public:
    PrefixHasher();                                     // a key from the system's random numbers
    PrefixHasher(uint64_t key_low, uint64_t key_high);  // for tests

    /// Of the empty beginning of an owner: owners never share.
    PrefixHash begin(uint64_t owner) const;

    /// Of a beginning that goes on with `tokens`, at most kBlockTokens.
    PrefixHash extend(const PrefixHash& beginning, std::span<const int32_t> tokens) const;

    /// Of any bytes.
    PrefixHash hash(std::span<const std::byte> bytes) const;

private:
    uint64_t low_ = 0, high_ = 0;
};

}  // namespace hearth
