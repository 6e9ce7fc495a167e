#include "chat/http/readiness.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

constexpr uint64_t kProbeOwner = ~uint64_t{0};  // nobody else's turn is delayed by it, and nobody finds its prompt

}  // namespace

std::string Readiness::problem() {
    const std::lock_guard lock(mutex_);
    const auto models = pool_.hold_resident();
    if (models.empty()) return "no model is in memory";
    const auto now = Clock::now();
    for (const auto& model : models) {
        const EngineStats stats = model->engine->stats();
        if (stats.since_step_s * 1000 > static_cast<double>(patience_.count()))
            return cat(model->entry.name, " has work and has not ended a step for ", static_cast<int64_t>(stats.since_step_s), " s");
    }
    if (now < good_until_) return {};
    for (const auto& model : models) {
        if (std::string why = problem_of(*model, now + patience_); !why.empty()) return cat(model->entry.name, ": ", why);
    }
    good_until_ = Clock::now() + patience_;
    return {};
}

/// Asks for one token, unless there is work, which shows as much.
std::string Readiness::problem_of(ResidentModel& model, Clock::time_point until) const {
    const EngineStats stats = model.engine->stats();
    if (stats.running > 0) return {};
    Request request;
    request.prompt = {model.tokenizer->bos().value_or(0)};
    request.sampling.temperature = 0;
    request.max_tokens = 1;
    request.owner = kProbeOwner;
    request.deadline = until;
    try {
        const Admission admission = model.engine->submit(std::move(request));
        if (admission.refusal) return admission.refusal->message;
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
        const auto event = admission.stream->next(std::max<int64_t>(left.count(), 0));
        if (!event) return "no token came in time";
        if (event->token.id >= 0 || event->finish == FinishReason::kLength) return {};
        return cat("a token was wanted, and the answer ended with ", name_of(*event->finish), event->error.empty() ? "" : ": ",
                   event->error);
    } catch (const Error& error) {
        return error.what();
    }
}

}  // namespace hearth
