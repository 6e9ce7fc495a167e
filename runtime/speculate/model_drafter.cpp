#include "runtime/speculate/model_drafter.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"
#include "runtime/schedule/sequence_blocks.h"

namespace hearth {
namespace {

constexpr int64_t kChunk = 256;  // tokens of a prompt that are caught up with at once

}  // namespace

ModelDrafter::ModelDrafter(std::shared_ptr<const Model> model, const EngineOptions& options)
    : model_(std::move(model)),
      chunk_(std::max(kChunk, options.max_sequences)),
      pool_(static_cast<int32_t>(options.num_blocks)),
      cache_(model_->config(), model_->backend(), options.num_blocks, options.cache_dtype),
      workspace_(*model_, chunk_, options.max_sequences),
      sampler_(model_->backend(), options.max_sequences, model_->config().vocab) {
    if (model_->max_context() < options.context) {
        throw Error(ErrorKind::kBadInput, cat("the draft model has a context of ", model_->max_context(), " tokens: expected at least the ",
                                              options.context, " of the model that it drafts for"));
    }
    workspace_.reserve_scratch(sampler_.workspace_bytes());
}

int64_t ModelDrafter::planned_bytes(const ModelConfig& config, const EngineOptions& options) {
    return options.num_blocks * KvCache::bytes_per_block(config, options.cache_dtype) +
           Model::Workspace::activation_bytes(config, std::max(kChunk, options.max_sequences), options.max_sequences);
}

/// Forgets what turned out otherwise, and takes blocks for what is to come. False: there are none.
bool ModelDrafter::catch_up(State& state, const Sequence& s, int64_t most) {
    const auto known = std::ranges::mismatch(state.tokens, std::span(s.tokens).first(static_cast<size_t>(s.length() - 1))).in1;
    state.tokens.erase(known, state.tokens.end());  // the last token is computed anew: its logits are wanted
    const int64_t needed = blocks_for(s.length() + most);
    state.blocks.reserve(static_cast<size_t>(needed));
    while (std::ssize(state.blocks) < needed) {
        const auto block = pool_.acquire();
        if (!block) return false;
        state.blocks.push_back(*block);
    }
    return true;
}

void ModelDrafter::draft(std::span<const Ask> asks) {
    turns_.clear();
    int64_t room = chunk_;
    bool behind = false;
    for (const Ask& ask : asks) {
        const Sequence& s = *ask.sequence;
        State& state = states_[&s];
        if (room == 0 || !catch_up(state, s, ask.most)) continue;
        const int64_t count = std::min(room, s.length() - std::ssize(state.tokens));
        room -= count;
        behind |= std::ssize(state.tokens) + count < s.length();
        turns_.push_back({.ask = &ask, .state = &state, .count = count});
    }
    if (turns_.empty()) return;
    if (behind) return round(false);
    for (int64_t j = 0; !turns_.empty(); ++j) {
        const bool catching_up = std::ranges::any_of(turns_, [](const Turn& turn) { return turn.count > 2; });
        const auto drafts = static_cast<double>(turns_.size());
        const auto start = std::chrono::steady_clock::now();
        round(true);
        const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count() / drafts;
        if (!catching_up) token_ms_ = token_ms_ == 0 ? ms : token_ms_ + (ms - token_ms_) / 8;
        std::erase_if(turns_, [&](const Turn& turn) { return turn.count == 0 || j + 1 >= turn.ask->most; });
    }
}

/// One step of the draft model; where it draws, each sequence gets a draft, which is what is computed next.
void ModelDrafter::round(bool draw) {
    int64_t width = 0;
    for (const Turn& turn : turns_) width = std::max(width, std::ssize(turn.state->blocks));
    batch_.begin(width);
    rows_.clear();
    for (Turn& turn : turns_) {
        const Sequence& s = *turn.ask->sequence;
        const int64_t first = std::ssize(turn.state->tokens);
        const auto tokens = std::span(s.tokens).subspan(static_cast<size_t>(first), static_cast<size_t>(turn.count));
        batch_.add(tokens, first, turn.state->blocks, draw ? 1 : 0);
        turn.state->tokens.insert(turn.state->tokens.end(), tokens.begin(), tokens.end());
        if (draw) {
            rows_.push_back(
                {.params = &s.request.sampling, .tokens = s.tokens, .prompt_tokens = s.prompt_tokens, .bias = s.request.logit_bias});
        }
    }
    const auto logits = model_->forward(batch_, cache_, workspace_);
    if (!draw) return;
    const auto drawn = sampler_.draw(logits, rows_, workspace_.stream());
    for (size_t i = 0; i < turns_.size(); ++i) {
        turns_[i].count = drawn[i].id >= 0 ? 1 : 0;  // a draft model whose logits are no numbers has nothing to say
        if (drawn[i].id < 0) continue;
        turns_[i].ask->sequence->tokens.push_back(drawn[i].id);
        ++turns_[i].ask->sequence->drafted;
    }
}

void ModelDrafter::forget(const Sequence& sequence) noexcept {
    const auto found = states_.find(&sequence);
    if (found == states_.end()) return;
    for (const BlockId block : found->second.blocks) pool_.release(block);
    states_.erase(found);
}

}  // namespace hearth
