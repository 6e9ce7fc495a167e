// Stages and primitives that do little: norm, rotation with appending to the cache, sampling. They must not show in a profile.
#include "perf/kernels/bench.h"

namespace hearth::perf {

namespace {

class NormCase : public Case<NormArgs> {
public:
    NormCase(const ModelShape& m, int64_t tokens)
        : x_(static_cast<size_t>(tokens * m.hidden)), y_(x_.size()), weight_(static_cast<size_t>(m.hidden), 1.0f) {
        fill(x_.data(), std::ssize(x_), 1);
        args_.x = {x_.data(), {tokens, m.hidden}};
        args_.weight = {weight_.data(), {m.hidden}};
        args_.y = {y_.data(), {tokens, m.hidden}};
    }
    const NormArgs& next() override { return args_; }
    NormArgs only(int64_t token) override {
        NormArgs one = args_;
        return one.x = {args_.x.row(token), {1, args_.x.extent[1]}}, one.y = {args_.y.row(token), {1, args_.x.extent[1]}}, one;
    }
    std::span<float> output(int64_t token) override { return {args_.y.row(token), static_cast<size_t>(args_.y.extent[1])}; }
    int64_t tokens() const override { return args_.x.extent[0]; }
    double bytes_from_memory() const override { return static_cast<double>(args_.bytes()); }

private:
    std::vector<float> x_, y_, weight_;
    NormArgs args_;
};

class RopeAppendCase : public Case<RopeAppendArgs> {
public:
    RopeAppendCase(const Bench& bench, const ModelShape& m, int64_t tokens)
        : width_((m.heads + 2 * m.groups) * m.head_dim),
          qkv_(static_cast<size_t>(tokens * width_)),
          q_(static_cast<size_t>(tokens * m.heads * m.head_dim)),
          rope_(static_cast<size_t>(tokens * m.head_dim)) {
        const int64_t blocks = (tokens + kBlockTokens - 1) / kBlockTokens, bytes = 2 * blocks * kBlockTokens * m.groups * m.head_dim;
        pages_ = bench.backend->allocate(2 * bytes);
        fill(qkv_.data(), std::ssize(qkv_), 1);
        fill(rope_.data(), std::ssize(rope_), 2);
        for (int64_t t = 0; t < tokens; ++t) places_.push_back(static_cast<int32_t>(t));
        args_.qkv = {qkv_.data(), {tokens, width_}};
        args_.positions = args_.slots = {places_.data(), {tokens}};
        args_.rope = {rope_.data(), {tokens, m.head_dim}};
        std::byte* pages = pages_.get();
        args_.cache = pages_of(m, DType::kBf16, pages, pages + bytes, blocks);
        args_.num_heads = m.heads;
        args_.q = {q_.data(), {tokens, m.heads * m.head_dim}};
    }
    const RopeAppendArgs& next() override { return args_; }
    RopeAppendArgs only(int64_t token) override {
        RopeAppendArgs one = args_;
        one.qkv = {args_.qkv.row(token), {1, width_}};
        one.positions = one.slots = {places_.data() + token, {1}};
        return one.q = {args_.q.row(token), {1, args_.q.extent[1]}}, one;
    }
    std::span<float> output(int64_t token) override { return {args_.q.row(token), static_cast<size_t>(args_.q.extent[1])}; }
    int64_t tokens() const override { return args_.qkv.extent[0]; }
    double bytes_from_memory() const override { return static_cast<double>(args_.bytes()); }

private:
    int64_t width_;
    std::vector<float> qkv_, q_, rope_;
    std::vector<int32_t> places_;
    DeviceBytes pages_;
    RopeAppendArgs args_;
};

/// One row of logits, drawn from with the settings that most models recommend. It writes the probabilities too, by which it is checked.
class SampleCase : public Case<SampleArgs> {
public:
    explicit SampleCase(const ModelShape& m) : logits_(static_cast<size_t>(m.vocab)), probabilities_(logits_.size()) {
        fill(logits_.data(), std::ssize(logits_), 1);
        for (float& value : logits_) value *= 8;
        params_.temperature = 0.8f, params_.top_k = 40, params_.top_p = 0.95f, params_.seed = 1;
        args_.logits = {logits_.data(), {1, m.vocab}};
        args_.params = {&params_, {1}};
        args_.history = {history_, {1}};
        args_.history_starts = {starts_, {2}};
        args_.answer_starts = {starts_, {1}};
        args_.positions = {history_, {1}};
        args_.ids = {&id_, {1}};
        args_.probabilities = {probabilities_.data(), {1, m.vocab}};
    }
    const SampleArgs& next() override { return args_; }
    SampleArgs only(int64_t) override { return args_; }
    std::span<float> output(int64_t) override { return probabilities_; }
    int64_t tokens() const override { return 1; }
    double bytes_from_memory() const override { return static_cast<double>(args_.bytes()); }

private:
    std::vector<float> logits_, probabilities_;
    SampleParams params_;
    const int32_t history_[1] = {1}, starts_[2] = {0, 1};
    int32_t id_ = 0;
    SampleArgs args_;
};

}  // namespace

void add_small_stages(Bench& bench, const ModelShape& m) {
    for (const int64_t tokens : {1, 512}) {
        add<NormArgs>(bench, &Tables::norm, NormCase(m, tokens).next(), cat(m.name, "/", tokens, "/hot"), false,
                      [&m, tokens] { return std::make_shared<NormCase>(m, tokens); });
        add<RopeAppendArgs>(bench, &Tables::rope_append, RopeAppendCase(bench, m, tokens).next(), cat(m.name, "/", tokens, "/hot"), false,
                            [&bench, &m, tokens] { return std::make_shared<RopeAppendCase>(bench, m, tokens); });
    }
    add<SampleArgs>(bench, &Tables::sample, SampleCase(m).next(), cat(m.name, "/1/hot"), false,
                    [&m] { return std::make_shared<SampleCase>(m); });
}

}  // namespace hearth::perf
