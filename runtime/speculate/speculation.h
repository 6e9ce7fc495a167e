// What is remembered of one sequence between the steps that draft for it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/speculate/draft_length.h"
#include "runtime/speculate/ngram_index.h"

namespace hearth {

/// Where drafts come from.
enum class DraftSource : uint8_t { kNgram4, kNgram2, kModel };
constexpr int kNumDraftSources = 3;

struct Speculation {
    NgramIndex ngrams;
    Acceptance acceptance[kNumDraftSources];
    int64_t longest = kFirstLength;  // of the next draft: it grows while all is kept
    int64_t steps_without = 0;       // since the last draft

    DraftSource source = DraftSource::kNgram4;  // of the drafts that the sequence has now
    int64_t kept_before = 0, drafted_before = 0;

    static constexpr int64_t kFirstLength = 1;

    /// `drafted` tokens of `source` were verified, `kept` of them agreed.
    void learn(int64_t drafted, int64_t kept) {
        if (drafted == 0) return;
        acceptance[static_cast<size_t>(source)].add(drafted, kept);
        longest = kept == drafted ? std::max(longest, 2 * drafted) : std::max(kFirstLength, kept + 1);
        steps_without = 0;
    }
};

}  // namespace hearth
