// Ends an answer at a text, even where that text arrives in pieces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hearth {

/// Passes text on, but holds back what may be the beginning of a stop string. One per answer; not thread-safe.
class StopStrings {
public:
    /// None of `stops` is empty.
    explicit StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {}

    /// What can be shown after `text` arrived: up to the earliest stop string, which ends it all. After hit(), nothing.
    std::string push(std::string_view text);

    /// What was held back, for an answer that ends for another reason.
    std::string finish();

    bool hit() const { return hit_; }

private:
    std::vector<std::string> stops_;
    std::string held_;
    bool hit_ = false;
};

}  // namespace hearth
