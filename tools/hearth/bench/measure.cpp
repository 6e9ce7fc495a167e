#include "tools/hearth/bench/measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "base/checked.h"
#include "base/text.h"

namespace hearth::tool {

namespace {

/// The sequences of one test, in a cache of their own.
class Sequences {
public:
    Sequences(const Model& model, const BenchTest& test, DType cache_dtype)
        : model_(model),
          count_(test.sequences),
          width_(ceil_div(test.context(), kBlockTokens)),
          cache_(model.config(), model.backend(), count_ * width_, cache_dtype),
          workspace_(model, std::max(test.batch, count_), count_) {
        for (int64_t s = 0; s < count_; ++s) {
            auto& blocks = blocks_.emplace_back(static_cast<size_t>(width_));
            std::iota(blocks.begin(), blocks.end(), static_cast<BlockId>(s * width_));
        }
    }

    /// Back to the first `length` tokens, which are in the cache: what comes next overwrites what came after them.
    void rewind(int64_t length) { length_ = length; }
    Model::Workspace& workspace() { return workspace_; }

    /// Adds `count` tokens to each sequence in steps of at most `batch` tokens in all.
    void prefill(int64_t count, int64_t batch) {
        const int64_t longest = std::max<int64_t>(1, batch / count_);
        for (int64_t left = count; left > 0; left -= std::min(left, longest)) step(std::min(left, longest));
    }

    void decode(int64_t count) {
        for (int64_t i = 0; i < count; ++i) step(1);
    }

    /// One step of given tokens of the first sequence; its logits.
    View<const float, 2> step_of(const std::vector<int32_t>& tokens) {
        batch_.begin(width_);
        batch_.add(tokens, length_, blocks_[0], 1);
        length_ += std::ssize(tokens);
        return model_.forward(batch_, cache_, workspace_);
    }

private:
    void step(int64_t count) {
        batch_.begin(width_);
        for (int64_t s = 0; s < count_; ++s) {
            tokens_.clear();
            for (int64_t i = 0; i < count; ++i)
                tokens_.push_back(static_cast<int32_t>((seed_ = seed_ * 1664525u + 1013904223u) >> 8) %
                                  static_cast<int32_t>(model_.config().vocab));
            batch_.add(tokens_, length_, blocks_[static_cast<size_t>(s)], 1);
        }
        length_ += count;
        model_.forward(batch_, cache_, workspace_);
        workspace_.stream().wait();
    }

    const Model& model_;
    int64_t count_, width_, length_ = 0;
    KvCache cache_;
    Model::Workspace workspace_;
    std::vector<std::vector<BlockId>> blocks_;
    std::vector<int32_t> tokens_;
    Batch batch_;
    uint32_t seed_ = 1;
};

int64_t timed(Sequences& sequences, const BenchTest& test) {
    sequences.rewind(test.depth);
    const auto start = std::chrono::steady_clock::now();
    sequences.prefill(test.prompt, test.batch);
    sequences.decode(test.generate);
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count();
}

/// One repetition with a clock around every stage.
void profile(Sequences& sequences, const BenchTest& test, Profile& out) {
    sequences.rewind(test.depth);
    sequences.workspace().set_profile(&out);
    sequences.prefill(test.prompt, test.batch);
    sequences.decode(test.generate);
    sequences.workspace().set_profile(nullptr);
}

}  // namespace

std::string BenchTest::name() const {
    std::string out;
    if (prompt > 0) out += cat("pp", prompt);
    if (generate > 0) out += cat(prompt > 0 ? "+" : "", "tg", generate);
    if (depth > 0) out += cat(" @ d", depth);
    if (sequences > 1) out += cat(" x ", sequences);
    return out;
}

std::vector<double> BenchResult::rates() const {
    std::vector<double> out;
    for (const int64_t ns : samples_ns)
        out.push_back(static_cast<double>(test.tokens()) * 1e9 / static_cast<double>(std::max<int64_t>(ns, 1)));
    return out;
}

BenchResult run_bench(const Model& model, const BenchTest& test, const BenchRun& run) {
    Sequences sequences(model, test, run.cache_dtype);
    if (run.warm_up) {  // pages, caches, clocks: a short prompt and a few steps
        sequences.prefill(std::min<int64_t>(test.context() - 1, std::max<int64_t>(1, std::min(test.prompt, test.batch))), test.batch);
        if (test.generate > 0) sequences.decode(1);
    }
    sequences.rewind(0);
    sequences.prefill(test.depth, test.batch);
    BenchResult result;
    result.test = test;
    for (int64_t i = 0; i < run.repetitions; ++i) {
        result.samples_ns.push_back(timed(sequences, test));
        if (run.progress) run.progress(i + 1, run.repetitions);
    }
    Profile stages;
    profile(sequences, test, stages);
    for (const StageTime& stage : stages.stages()) {
        result.bytes += static_cast<double>(stage.bytes);
        result.flops += static_cast<double>(stage.flops);
    }
    if (run.profile) result.stages = stages.stages();
    return result;
}

std::string greedy_hash(const Model& model, DType cache_dtype) {
    constexpr int64_t kPrompt = 16, kTokens = 64;
    const int64_t vocab = model.config().vocab, tokens = std::min(kTokens, model.max_context() - kPrompt);
    Sequences sequences(model, {.prompt = kPrompt, .generate = std::max<int64_t>(tokens, 1), .depth = 0, .batch = kPrompt, .sequences = 1},
                        cache_dtype);
    std::vector<int32_t> next;
    for (int64_t i = 0; i < kPrompt; ++i) next.push_back(static_cast<int32_t>((i * 7919 + 13) % vocab));
    std::vector<float> logits(static_cast<size_t>(vocab));
    uint64_t hash = 14695981039346656037u;
    for (int64_t i = 0; i < tokens; ++i) {
        const auto on_device = sequences.step_of(next);
        sequences.workspace().stream().wait();
        model.backend().copy_to_host(logits.data(), on_device.data, vocab * int64_t{sizeof(float)});
        next.assign(1, static_cast<int32_t>(std::ranges::max_element(logits) - logits.begin()));
        for (int byte = 0; byte < 4; ++byte) hash = (hash ^ (static_cast<uint32_t>(next[0]) >> 8 * byte & 255)) * 1099511628211u;
    }
    constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[hash >> shift & 15];
    return out;
}

double median(std::vector<double> values) {
    if (values.empty()) return 0;
    std::ranges::sort(values);
    const size_t middle = values.size() / 2;
    return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double mean(const std::vector<double>& values) {
    return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
    if (values.size() < 2) return 0;
    const double middle = mean(values);
    double sum = 0;
    for (const double v : values) sum += (v - middle) * (v - middle);
    return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

}  // namespace hearth::tool
