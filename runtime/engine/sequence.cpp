#include "runtime/engine/sequence.h"

#include "runtime/engine/token_stream.h"

namespace hearth {
namespace {

using Clock = Sequence::Clock;

double ms_between(Clock::time_point from, Clock::time_point to) { return std::chrono::duration<double, std::milli>(to - from).count(); }

}  // namespace

Sequence::~Sequence() {
    if (channel) channel->abandon();
}

RequestStats Sequence::stats(Clock::time_point now) const {
    RequestStats out;
    out.prompt_tokens = prompt_tokens;
    out.cached_tokens = cached_tokens;
    out.generated_tokens = generated();
    const bool drew = first_token != Clock::time_point{};
    out.queued_ms = ms_between(submitted, has_started ? started : now);
    if (has_started) out.prefill_ms = ms_between(started, drew ? first_token : now);
    if (drew) out.decode_ms = ms_between(first_token, now);
    return out;
}

}  // namespace hearth
