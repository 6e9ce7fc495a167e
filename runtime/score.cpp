#include "runtime/score.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

constexpr int64_t kMaxLogitBytes = 256 << 20;  // of a chunk's logits: large vocabularies get shorter chunks

// ln of the share that `id` has in softmax(logits), summed in double: a text's mean loss is compared to the fifth digit.
float log_share(const float* logits, int64_t vocab, int32_t id) {
    const double largest = *std::max_element(logits, logits + vocab);
    double sum = 0;
    for (int64_t i = 0; i < vocab; ++i) sum += std::exp(static_cast<double>(logits[i]) - largest);
    return static_cast<float>(static_cast<double>(logits[id]) - largest - std::log(sum));
}

}  // namespace

std::vector<float> log_probabilities(const Model& model, std::span<const int32_t> tokens, DType cache_dtype, int64_t chunk) {
    const auto count = static_cast<int64_t>(tokens.size());
    const int64_t vocab = model.config().vocab;
    if (count > model.max_context()) {
        throw Error(ErrorKind::kTooLarge, cat("a text of ", count, " tokens does not fit the context of ", model.max_context(), " tokens"));
    }
    for (const int32_t id : tokens) {
        if (id < 0 || id >= vocab) throw Error(ErrorKind::kBadInput, cat("token ", id, " is outside the vocabulary of ", vocab));
    }
    if (count < 2) return {};

    const int64_t longest = std::clamp<int64_t>(chunk, 1, std::max<int64_t>(1, kMaxLogitBytes / (4 * vocab)));
    const int64_t step_tokens = std::min(longest, count);
    std::vector<BlockId> blocks(static_cast<size_t>(ceil_div(count, kBlockTokens)));
    std::iota(blocks.begin(), blocks.end(), 0);
    const KvCache cache(model.config(), model.backend(), static_cast<int64_t>(blocks.size()), cache_dtype);
    Model::Workspace workspace(model, step_tokens, step_tokens);
    Batch batch;
    std::vector<float> logits(static_cast<size_t>(step_tokens * vocab)), out;
    for (int64_t at = 0; at + 1 < count; at += step_tokens) {
        const int64_t length = std::min(step_tokens, count - 1 - at);  // the last token predicts nothing that is asked for
        batch.begin(static_cast<int64_t>(blocks.size()));
        batch.add(tokens.subspan(static_cast<size_t>(at), static_cast<size_t>(length)), at, blocks, length);
        const auto device_logits = model.forward(batch, cache, workspace);
        workspace.stream().wait();
        model.backend().copy_to_host(logits.data(), device_logits.data, device_logits.size() * int64_t{sizeof(float)});
        for (int64_t i = 0; i < length; ++i)
            out.push_back(log_share(logits.data() + i * vocab, vocab, tokens[static_cast<size_t>(at + i + 1)]));
    }
    return out;
}

}  // namespace hearth
