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

// ln of the sum of exp(logits), summed in double: a text's mean loss is compared to the fifth digit.
double log_sum(const float* logits, int64_t vocab) {
    const double largest = *std::max_element(logits, logits + vocab);
    double sum = 0;
    for (int64_t i = 0; i < vocab; ++i) sum += std::exp(static_cast<double>(logits[i]) - largest);
    return largest + std::log(sum);
}

// What is kept of one chunk's logits, which are on the host.
class Scorer {
public:
    Scorer(std::span<const int32_t> tokens, int64_t vocab, const ScoreOptions& options)
        : tokens_(tokens), vocab_(vocab), options_(options) {}

    /// Row i of `logits` expected token first + i. Leaves log-probabilities in their place where somebody wants to see them.
    void take(int64_t first, int64_t rows, float* logits) {
        for (int64_t i = 0; i < rows; ++i) {
            float* row = logits + i * vocab_;
            const double all = log_sum(row, vocab_);
            scores_.push_back(static_cast<float>(row[tokens_[static_cast<size_t>(first + i)]] - all));
            if (!options_.rows) continue;
            if (!std::isfinite(all)) throw Error(ErrorKind::kBadInput, cat("the logits for token ", first + i, " are not finite"));
            for (int64_t v = 0; v < vocab_; ++v) row[v] = static_cast<float>(row[v] - all);
        }
        if (options_.rows && rows > 0) options_.rows({first, {logits, {rows, vocab_}}});
    }

    std::vector<float> scores() && { return std::move(scores_); }

private:
    std::span<const int32_t> tokens_;
    int64_t vocab_;
    const ScoreOptions& options_;
    std::vector<float> scores_;
};

}  // namespace

std::vector<float> log_probabilities(const Model& model, std::span<const int32_t> tokens, const ScoreOptions& options) {
    const auto count = static_cast<int64_t>(tokens.size());
    const int64_t vocab = model.config().vocab;
    HEARTH_CHECK(options.from >= 1);
    if (count > model.max_context()) {
        throw Error(ErrorKind::kTooLarge, cat("a text of ", count, " tokens does not fit the context of ", model.max_context(), " tokens"));
    }
    for (const int32_t id : tokens) {
        if (id < 0 || id >= vocab) throw Error(ErrorKind::kBadInput, cat("token ", id, " is outside the vocabulary of ", vocab));
    }
    if (count <= options.from) return {};

    const int64_t longest = std::clamp<int64_t>(options.chunk, 1, std::max<int64_t>(1, kMaxLogitBytes / (4 * vocab)));
    const int64_t step_tokens = std::min(longest, count);
    std::vector<BlockId> blocks(static_cast<size_t>(ceil_div(count, kBlockTokens)));
    std::iota(blocks.begin(), blocks.end(), 0);
    const KvCache cache(model.config(), model.backend(), static_cast<int64_t>(blocks.size()), options.cache_dtype);
    Model::Workspace workspace(model, step_tokens, step_tokens);
    workspace.set_profile(options.profile);
    Batch batch;
    std::vector<float> logits(static_cast<size_t>(step_tokens * vocab));
    Scorer scorer(tokens, vocab, options);
    for (int64_t at = 0; at + 1 < count; at += step_tokens) {
        const int64_t length = std::min(step_tokens, count - 1 - at);  // the last token predicts nothing that is asked for
        const int64_t wanted = std::clamp<int64_t>(at + length + 1 - options.from, 0, length);
        batch.begin(static_cast<int64_t>(blocks.size()));
        batch.add(tokens.subspan(static_cast<size_t>(at), static_cast<size_t>(length)), at, blocks, wanted);
        const auto device_logits = model.forward(batch, cache, workspace);
        workspace.stream().wait();
        model.backend().copy_to_host(logits.data(), device_logits.data, device_logits.size() * int64_t{sizeof(float)});
        scorer.take(at + length + 1 - wanted, wanted, logits.data());
    }
    return std::move(scorer).scores();
}

}  // namespace hearth
