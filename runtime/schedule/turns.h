// Whose turn it is to have a prompt computed.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "runtime/schedule/sequence.h"

namespace hearth {

/// Owners take turns, and within one owner its requests do: a turn is one chunk of a prefill. Whoever arrives comes behind all who wait for
/// their next turn and before the one that had the last: a long prompt delays everybody else by a chunk, not by its length, and nobody gets
/// ahead by sending many requests, or short ones one after the other.
class Turns {
public:
    /// `sequence` is from now on one of those that choose() is asked about.
    void arrive(Sequence& sequence) {
        Owner& owner = owners_[sequence.request.owner];
        if (owner.sequences++ == 0) owner.last_turn = clock_ - 1;
        sequence.last_turn = clock_ - 1;
    }

    void leave(const Sequence& sequence) {
        const auto found = owners_.find(sequence.request.owner);
        if (--found->second.sequences == 0) owners_.erase(found);
    }

    void take(Sequence& sequence) {
        clock_ += 2;
        owners_[sequence.request.owner].last_turn = sequence.last_turn = clock_;
    }

    /// Whether `a` comes before `b`; where neither does, the older of them should.
    bool before(const Sequence& a, const Sequence& b) const {
        const uint64_t owner_a = owners_.at(a.request.owner).last_turn, owner_b = owners_.at(b.request.owner).last_turn;
        return owner_a != owner_b ? owner_a < owner_b : a.last_turn < b.last_turn;
    }

private:
    struct Owner {
        uint64_t last_turn = 0;
        int64_t sequences = 0;
    };
    std::unordered_map<uint64_t, Owner> owners_;  // of the sequences there are
    uint64_t clock_ = 2;
};

}  // namespace hearth
