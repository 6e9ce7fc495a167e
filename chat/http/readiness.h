// Whether a token can be decoded now.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "loaders/pool/model_pool.h"

namespace hearth {

/// Looks at every model in memory. One that has work is ready while its steps end; one that has none is asked for a token where it gave
/// none in the last 5 s. Thread-safe; who asks at the same time waits for one look.
class Readiness {
public:
    explicit Readiness(ModelPool& pool, std::chrono::milliseconds patience = std::chrono::seconds(5)) : pool_(pool), patience_(patience) {}

    /// Empty: ready. Else why not. Takes no longer than the patience.
    std::string problem();

private:
    using Clock = std::chrono::steady_clock;
    std::string problem_of(ResidentModel& model, Clock::time_point until) const;

    ModelPool& pool_;
    const std::chrono::milliseconds patience_;
    std::mutex mutex_;
    Clock::time_point good_until_{};
};

}  // namespace hearth
