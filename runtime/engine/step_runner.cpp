#include "runtime/engine/step_runner.h"

#include <algorithm>
#include <chrono>

#include "base/checked.h"
#include "base/error.h"
#include "runtime/engine/constraint.h"

namespace hearth {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr int64_t kExtraRows = 64;  // beside one for each sequence: for drafts and scored prompts

}  // namespace

int64_t StepRunner::max_rows(const EngineOptions& options) { return std::min(options.max_step_tokens, options.max_sequences + kExtraRows); }

StepRunner::StepRunner(std::shared_ptr<const Model> model, const EngineOptions& options, int64_t max_rows)
    : model_(std::move(model)),
      options_(options),
      cache_(model_->config(), model_->backend(), options.num_blocks, options.cache_dtype),
      workspace_(*model_, options.max_step_tokens, max_rows),
      sampler_(model_->backend(), max_rows, model_->config().vocab) {
    workspace_.reserve_scratch(sampler_.workspace_bytes());
    if (options_.profile) workspace_.set_profile(&profile_);
}

void StepRunner::begin_masks() {
    mask_at_.clear();
    masks_.clear();
}

void StepRunner::mask(const Work& work) {
    Sequence& s = *work.sequence;
    if (!s.request.constraint || work.rows == 0) return;
    TokenConstraint& constraint = *s.request.constraint;
    const size_t words = words_of_mask();
    mask_at_.emplace_back(&s, masks_.size());
    int64_t accepted = 0;
    for (int64_t row = 0; row <= work.drafts; ++row) {
        if (row > 0) {
            if (!constraint.accept(s.tokens[static_cast<size_t>(s.length() + row - 1)]))
                throw Error(ErrorKind::kBadInput, "the constraint does not accept a draft that it accepted before");
            ++accepted;
        }
        masks_.resize(masks_.size() + words);
        constraint.mask(std::span(masks_).last(words));
    }
    constraint.rollback(accepted);
}

std::span<const Outcome> StepRunner::run(const Plan& plan) {
    const auto start = Clock::now();
    gather(plan);
    const auto logits = model_->forward(batch_, cache_, workspace_);
    fetch_states(plan);
    if (!rows_.empty()) {
        const auto before = Clock::now();
        std::span<const Token> tokens = sampler_.draw(logits, rows_, workspace_.stream());
        if (options_.profile) profile_.add("sample", seconds_since(before), logits.size() * int64_t{sizeof(float)}, 0);
        for (Outcome& outcome : outcomes_) {
            outcome.rows = {tokens.data(), outcome.rows.size()};
            tokens = tokens.subspan(outcome.rows.size());
        }
    }
    run_ms_ = 1e3 * seconds_since(start);
    return outcomes_;
}

void StepRunner::gather(const Plan& plan) {
    int64_t width = 0;
    for (const Work& work : plan.work) width = std::max(width, ceil_div(work.sequence->computed + work.count, kBlockTokens));
    batch_.begin(width);
    rows_.clear();
    outcomes_.clear();
    for (const Work& work : plan.work) {
        const Sequence& s = *work.sequence;
        batch_.add(std::span(s.tokens).subspan(static_cast<size_t>(s.computed), static_cast<size_t>(work.count)), s.computed, s.blocks,
                   work.rows, s.in_cache);
        gather_rows(work);
        outcomes_.push_back({.sequence = &s, .rows = {static_cast<const Token*>(nullptr), static_cast<size_t>(work.rows)}});
    }
}

void StepRunner::gather_rows(const Work& work) {
    const Sequence& s = *work.sequence;
    const Request& request = s.request;
    const size_t words = words_of_mask();
    const auto masked = std::ranges::find(mask_at_, &s, [](const auto& pair) { return pair.first; });
    int64_t drawn = 0;
    for (int64_t position = s.computed + work.count - work.rows + 1; position <= s.computed + work.count; ++position) {
        Sampler::Row& row = rows_.emplace_back(Sampler::Row{.params = &request.sampling,
                                                            .tokens = std::span(s.tokens).first(static_cast<size_t>(position)),
                                                            .prompt_tokens = s.prompt_tokens,
                                                            .bias = request.logit_bias,
                                                            .top_log_probabilities = request.top_log_probabilities});
        if (position < s.length()) {
            row.given = s.tokens[static_cast<size_t>(position)];
            row.top_log_probabilities = std::max(0, request.top_log_probabilities);
            continue;
        }
        if (position - s.prompt_tokens < request.min_tokens) row.banned = request.stop_tokens;
        if (masked != mask_at_.end()) row.allowed = std::span(masks_).subspan(masked->second + static_cast<size_t>(drawn) * words, words);
        ++drawn;
    }
}

void StepRunner::fetch_states(const Plan& plan) {
    const auto wanted = [](const Work& work) { return work.sequence->request.goal == Request::Goal::kEmbedding ? work.count : 0; };
    const int64_t hidden = model_->config().hidden;
    int64_t total = 0;
    for (const Work& work : plan.work) total += wanted(work);
    states_.resize(static_cast<size_t>(total * hidden));
    std::span<float> left(states_);
    int64_t token = 0;
    for (size_t i = 0; i < plan.work.size(); token += plan.work[i++].count) {
        const int64_t count = wanted(plan.work[i]);
        if (count == 0) continue;
        const auto states = left.first(static_cast<size_t>(count * hidden));
        model_->final_states(workspace_, token, count, states);
        outcomes_[i].states = states;
        left = left.subspan(states.size());
    }
}

}  // namespace hearth
