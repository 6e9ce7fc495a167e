#include "perf/speculate/scripted_drafter.h"

#include <algorithm>

#include "kernels/philox.h"

namespace hearth::perf {

void ScriptedDrafter::draft(std::span<const Ask> asks) {
    for (const Ask& ask : asks) {
        Sequence& s = *ask.sequence;
        const auto begins = [&](const std::vector<int32_t>& text) {
            return text.size() >= s.tokens.size() && std::equal(s.tokens.begin(), s.tokens.end(), text.begin());
        };
        const auto text = std::ranges::find_if(texts_, begins);
        if (text == texts_.end()) continue;
        const auto count = std::min<int64_t>(ask.most, std::ssize(*text) - s.length());
        for (int64_t i = 0; i < count; ++i) {
            const int64_t position = s.length() + i;
            const int32_t right = (*text)[static_cast<size_t>(position)];
            s.tokens.push_back(uniform_at(1, position) < rate_ ? right : (right + 1) % vocab_);
            ++s.drafted;
        }
    }
}

}  // namespace hearth::perf
