#include "runtime/engine/gate.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace hearth {

std::optional<Refusal> AdmissionGate::enter(int64_t prompt_tokens) {
    if (waiting_ >= options_.max_waiting)
        return refuse(Refusal::Reason::kQueueFull,
                      cat("the queue is full: ", waiting_, " requests wait, at most ", options_.max_waiting, " may"));
    if (waiting_ > 0 && waiting_tokens_ + prompt_tokens > options_.max_waiting_tokens) {
        return refuse(Refusal::Reason::kTooManyTokens, cat("the prompts that wait have ", waiting_tokens_, " tokens, this one has ",
                                                           prompt_tokens, ": at most ", options_.max_waiting_tokens, " may wait"));
    }
    ++waiting_;
    waiting_tokens_ += prompt_tokens;
    return std::nullopt;
}

void AdmissionGate::leave(int64_t prompt_tokens) {
    --waiting_;
    waiting_tokens_ -= prompt_tokens;
}

void AdmissionGate::answered(double ms) { answer_ms_ = answer_ms_ == 0 ? ms : answer_ms_ + (ms - answer_ms_) / 8; }

/// When half of those who wait now will have begun, as far as answers of late tell.
Refusal AdmissionGate::refuse(Refusal::Reason reason, std::string message) {
    constexpr double kLongest = 60;
    ++refused_;
    const double rounds = static_cast<double>(waiting_) / static_cast<double>(options_.max_sequences) / 2;
    const double seconds = std::clamp(std::ceil(rounds * answer_ms_ / 1000), 1.0, kLongest);
    return {.reason = reason, .message = std::move(message), .retry_after_s = static_cast<int64_t>(seconds)};
}

}  // namespace hearth
