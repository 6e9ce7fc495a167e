#include "chat/api/stop_strings.h"

#include <algorithm>
#include <utility>

namespace hearth {

std::string StopStrings::push(std::string_view text) {
    if (hit_) return {};
    held_ += text;
    size_t end = std::string::npos;
    for (const auto& stop : stops_) end = std::min(end, held_.find(stop));
    if (end != std::string::npos) {
        hit_ = true;
        return std::exchange(held_, {}).substr(0, end);
    }
    // The longest end of what is held that begins some stop string. It has fewer than the longest stop's bytes, 256.
    size_t keep = 0;
    for (const auto& stop : stops_) {
        for (size_t n = std::min(stop.size() - 1, held_.size()); n > keep; --n) {
            if (held_.compare(held_.size() - n, n, stop, 0, n) == 0) {
                keep = n;
                break;
            }
        }
    }
    std::string out = held_.substr(0, held_.size() - keep);
    held_.erase(0, out.size());
    return out;
}

std::string StopStrings::finish() { return hit_ ? std::string() : std::exchange(held_, {}); }

}  // namespace hearth
