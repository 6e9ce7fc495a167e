// Lines of the cache that will be wanted soon, fetched between other work.
#pragma once

#include "kernels/cpu/simd.h"

namespace hearth::cpu {

/// Lines that will be wanted soon, fetched into L2 a few at a time between other work. No more than a dozen at once: a core waits for
/// the 16 that it can have on their way, and what it computes meanwhile is what fits behind them in its window.
class Ahead {
public:
    /// `lines`: of each part. The parts are fetched side by side: memory delivers eight pages at once faster than one after the other.
    explicit Ahead(int64_t lines) : bytes_(64 * lines) {}

    void add(const void* data) {
        if (count_ < kParts) parts_[count_++] = static_cast<const char*>(data);
    }
    HEARTH_INLINE void fetch(int64_t lines) {
        if (at_ >= bytes_) return;
        int64_t part = part_, at = at_;
        for (const int64_t count = count_; lines > 0; --lines) {
            _mm_prefetch(parts_[part] + at, _MM_HINT_T1);
            if (++part < count) continue;
            part = 0;
            if ((at += 64) >= bytes_) break;
        }
        part_ = part;
        at_ = at;
    }
    /// On average `lines`, in whole turns of all parts where they are as many as a chunk of four blocks has: fewer instructions.
    HEARTH_INLINE void fetch_turns(int64_t lines) {
        constexpr int kTurn = 8;
        if (count_ != kTurn) return fetch(lines);
        for (owed_ += lines; owed_ >= kTurn && at_ < bytes_; owed_ -= kTurn, at_ += 64)
            unroll<kTurn>([&](auto i) HEARTH_INLINED { _mm_prefetch(parts_[i] + at_, _MM_HINT_T1); });
    }
    void end() {
        if (count_ == 0) bytes_ = 0;
    }
    int64_t lines() const { return count_ * bytes_ / 64; }  // of all parts

private:
    static constexpr int64_t kParts = 16;
    const char* parts_[kParts];
    int64_t count_ = 0, part_ = 0, at_ = 0, owed_ = 0, bytes_;
};

}  // namespace hearth::cpu
