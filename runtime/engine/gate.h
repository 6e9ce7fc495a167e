// How many requests may wait, and what is said to who may not.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/engine/engine.h"

namespace hearth {

/// Counts what waits for its first step. Not thread-safe: whoever holds the engine's mutex.
class AdmissionGate {
public:
    explicit AdmissionGate(const EngineOptions& options) : options_(options) {}

    /// Nothing, and the request counts as waiting; or why it may not wait.
    std::optional<Refusal> enter(int64_t prompt_tokens);

    /// A request that had entered begins, or ends without having begun.
    void leave(int64_t prompt_tokens);

    /// An answer took so long from its first step to its end.
    void answered(double ms);

    int64_t waiting() const { return waiting_; }
    int64_t refused() const { return refused_; }  // since the beginning

private:
    Refusal refuse(Refusal::Reason reason, std::string message);

    const EngineOptions options_;
    int64_t waiting_ = 0, waiting_tokens_ = 0, refused_ = 0;
    double answer_ms_ = 0;  // of late
};

}  // namespace hearth
