// Where the time of steps goes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace hearth {

/// What one variant of a stage or primitive did: how often, how long, and what it had to move and compute at least (Args::bytes and flops).
struct StageTime {
    std::string_view variant;  // "gate_up/composite"
    int64_t calls = 0;
    double seconds = 0;
    int64_t bytes = 0, flops = 0;
};

/// Adds up stages of the steps of one Workspace. A profiled step waits after each stage, so it is a little slower than others.
class Profile {
public:
    void add(std::string_view variant, double seconds, int64_t bytes, int64_t flops) {
        for (StageTime& stage : stages_) {
            if (stage.variant != variant) continue;
            ++stage.calls;
            stage.seconds += seconds;
            stage.bytes += bytes;
            stage.flops += flops;
            return;
        }
        stages_.push_back({.variant = variant, .calls = 1, .seconds = seconds, .bytes = bytes, .flops = flops});
    }

    void clear() { stages_.clear(); }
    const std::vector<StageTime>& stages() const { return stages_; }  // in order of first use

private:
    std::vector<StageTime> stages_;
};

}  // namespace hearth
