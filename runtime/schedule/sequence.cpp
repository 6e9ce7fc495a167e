#include "runtime/schedule/sequence.h"

#include "runtime/engine/token_channel.h"
#include "runtime/speculate/speculation.h"

namespace hearth {
namespace {

using Clock = Sequence::Clock;

double ms_between(Clock::time_point from, Clock::time_point to) { return std::chrono::duration<double, std::milli>(to - from).count(); }

}  // namespace

Sequence::Sequence() = default;

Sequence::~Sequence() {
    if (channel) channel->abandon();
}

void Sequence::add_states(std::span<const float> states, int64_t count) {
    const size_t hidden = states.size() / static_cast<size_t>(count);
    state_sum.resize(hidden);
    for (int64_t t = 0; t < count; ++t) {
        if (computed + t < summed_states) continue;  // computed anew after it was preempted
        for (size_t i = 0; i < hidden; ++i) state_sum[i] += double{states[static_cast<size_t>(t) * hidden + i]};
        ++summed_states;
    }
}

std::vector<float> Sequence::mean_state() const {
    std::vector<float> out;
    for (const double sum : state_sum) out.push_back(static_cast<float>(sum / static_cast<double>(summed_states)));
    return out;
}

RequestStats Sequence::stats(Clock::time_point now) const {
    RequestStats out;
    out.prompt_tokens = prompt_tokens;
    out.cached_tokens = cached_tokens;
    out.generated_tokens = generated();
    out.drafted_tokens = drafted_tokens;
    out.kept_tokens = kept_tokens;
    const bool drew = first_token != Clock::time_point{};
    out.queued_ms = ms_between(submitted, has_started ? started : now);
    if (has_started) out.prefill_ms = ms_between(started, drew ? first_token : now);
    if (drew) out.decode_ms = ms_between(first_token, now);
    return out;
}

}  // namespace hearth
