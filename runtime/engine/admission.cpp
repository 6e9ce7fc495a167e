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
constexpr int64_t kShortBlocks = 8;                                // the few blocks of a short sequence beside the long one: 256 tokens

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
    o.max_step_tokens = std::max(o.max_step_tokens, o.max_sequences);  // a decode of each
    const int64_t longest = ceil_div(o.context, kBlockTokens);
    if (o.num_blocks == 0) o.num_blocks = longest + (o.max_sequences - 1) * std::min(longest, kShortBlocks);
    if (o.num_blocks < longest || o.num_blocks > kMaxBlocks) {
        throw Error(ErrorKind::kBadInput, cat("num_blocks: expected ", longest, " (a context of ", o.context, " tokens) to ", kMaxBlocks,
                                              ", found ", o.num_blocks));
    }
    return o;
}

void check_request(const Request& request, int64_t vocab, int64_t context) {
    if (request.prompt.empty()) throw Error(ErrorKind::kBadInput, "the prompt is empty: expected at least one token");
    for (const int32_t id : request.prompt) {
        if (id < 0 || id >= vocab) throw Error(ErrorKind::kBadInput, cat("the prompt has token ", id, ": expected 0 to ", vocab - 1));
    }
    if (static_cast<int64_t>(request.prompt.size()) >= context) {
        throw Error(ErrorKind::kTooLarge, cat("the prompt has ", request.prompt.size(), " tokens: maximum context length is ", context,
                                              " tokens, one of them at least for the answer"));
    }
    if (request.max_tokens < -1) throw Error(ErrorKind::kBadInput, cat("max_tokens: expected -1 or more, found ", request.max_tokens));
    check_sampling(request.sampling);
}

}  // namespace hearth
