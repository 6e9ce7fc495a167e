#include "runtime/engine/admission.h"

#include <algorithm>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"
#include "runtime/engine/sampler.h"

namespace hearth {
namespace {

constexpr int64_t kMaxSequences = 4096;
constexpr int64_t kMaxBlocks = (int64_t{1} << 31) / kBlockTokens;  // slots are 32-bit
constexpr int64_t kRoomAhead = 4096;                               // tokens of an answer that memory is set aside for at once
constexpr int64_t kMostDrafts = 64;
constexpr float kMostBias = 1e30f;   // more is no number to add to
constexpr int64_t kShortBlocks = 8;  // the few blocks of a short sequence beside the long one: 256 tokens

}  // namespace

EngineOptions resolve_options(EngineOptions o, int64_t max_context) {
    if (o.context == 0) o.context = max_context;
    if (o.context < 1) throw Error(ErrorKind::kBadInput, cat("context: expected at least 1 token, found ", o.context));
    if (o.context > max_context)
        throw Error(ErrorKind::kTooLarge, cat("context of ", o.context, " tokens: the model has at most ", max_context));
    if (o.max_sequences < 1 || o.max_sequences > kMaxSequences) {
        throw Error(ErrorKind::kBadInput, cat("max_sequences: expected 1 to ", kMaxSequences, ", found ", o.max_sequences));
    }
    if (o.max_step_tokens < 1) throw Error(ErrorKind::kBadInput, cat("max_step_tokens: expected at least 1, found ", o.max_step_tokens));
    if (o.max_waiting < 0) throw Error(ErrorKind::kBadInput, cat("max_waiting: expected 0 or more, found ", o.max_waiting));
    if (o.max_wait_ms < 1) throw Error(ErrorKind::kBadInput, cat("max_wait_ms: expected at least 1, found ", o.max_wait_ms));
    if (o.max_drafts < 0 || o.max_drafts > kMostDrafts)
        throw Error(ErrorKind::kBadInput, cat("max_drafts: expected 0 to ", kMostDrafts, ", found ", o.max_drafts));
    if (o.max_waiting == 0) o.max_waiting = 8 * o.max_sequences;
    o.max_step_tokens = std::max(o.max_step_tokens, o.max_sequences);  // a decode of each
    const int64_t longest = ceil_div(o.context, kBlockTokens);
    if (o.num_blocks == 0) o.num_blocks = longest + (o.max_sequences - 1) * std::min(longest, kShortBlocks);
    if (o.num_blocks < longest || o.num_blocks > kMaxBlocks) {
        throw Error(ErrorKind::kBadInput, cat("num_blocks: expected ", longest, " (a context of ", o.context, " tokens) to ", kMaxBlocks,
                                              ", found ", o.num_blocks));
    }
    if (o.max_waiting_tokens == 0) o.max_waiting_tokens = 8 * o.num_blocks * kBlockTokens;
    return o;
}

void check_request(const Request& request, int64_t vocab, int64_t context) {
    if (request.prompt.empty()) throw Error(ErrorKind::kBadInput, "the prompt is empty: expected at least one token");
    for (const int32_t id : request.prompt) {
        if (id < 0 || id >= vocab) throw Error(ErrorKind::kBadInput, cat("the prompt has token ", id, ": expected 0 to ", vocab - 1));
    }
    const bool draws = request.goal == Request::Goal::kAnswer && request.max_tokens != 0;
    if (std::ssize(request.prompt) + (draws ? 1 : 0) > context) {
        throw Error(ErrorKind::kTooLarge, cat("the prompt has ", request.prompt.size(), " tokens: maximum context length is ", context,
                                              " tokens", draws ? ", one of them at least for the answer" : ""));
    }
    if (request.max_tokens < -1) throw Error(ErrorKind::kBadInput, cat("max_tokens: expected -1 or more, found ", request.max_tokens));
    if (request.min_tokens < 0) throw Error(ErrorKind::kBadInput, cat("min_tokens: expected 0 or more, found ", request.min_tokens));
    if (request.max_tokens >= 0 && request.min_tokens > request.max_tokens) {
        throw Error(ErrorKind::kBadInput,
                    cat("min_tokens: expected at most max_tokens (", request.max_tokens, "), found ", request.min_tokens));
    }
    if (request.top_log_probabilities < -1 || request.top_log_probabilities > kMaxTopLogProbabilities) {
        throw Error(ErrorKind::kBadInput,
                    cat("top_log_probabilities: expected -1 to ", kMaxTopLogProbabilities, ", found ", request.top_log_probabilities));
    }
    for (const LogitBias& bias : request.logit_bias) {
        if (bias.id < 0 || bias.id >= vocab)
            throw Error(ErrorKind::kBadInput, cat("logit_bias has token ", bias.id, ": expected 0 to ", vocab - 1));
        if (!(bias.value < kMostBias))
            throw Error(ErrorKind::kBadInput,
                        cat("logit_bias of token ", bias.id, ": expected less than ", kMostBias, ", or -infinity, found ", bias.value));
    }
    check_sampling(request.sampling);
}

std::pair<std::unique_ptr<Sequence>, std::shared_ptr<TokenChannel>> make_sequence(Request request, int64_t vocab, int64_t context) {
    const int64_t prompt = std::ssize(request.prompt), room = context - prompt;
    const bool answers = request.goal == Request::Goal::kAnswer;
    const bool context_limits = answers && (request.max_tokens < 0 || request.max_tokens > room);
    const int64_t answer = !answers ? 0 : context_limits ? room : request.max_tokens;
    auto sequence = std::make_unique<Sequence>();
    sequence->tokens = std::move(request.prompt);
    sequence->tokens.reserve(static_cast<size_t>(prompt + std::min(answer, kRoomAhead)));
    sequence->prompt_tokens = prompt;
    sequence->max_length = prompt + answer;
    sequence->context_limits = context_limits;
    std::erase_if(request.stop_tokens, [&](int32_t id) { return id < 0 || id >= vocab; });  // never drawn: no need to ban them
    sequence->request = std::move(request);
    sequence->channel = std::make_shared<TokenChannel>(prompt);
    sequence->submitted = Sequence::Clock::now();
    auto channel = sequence->channel;
    return {std::move(sequence), std::move(channel)};
}

}  // namespace hearth
