// Whole stages made of primitives: what norm, rope, quantising of inputs and residuals cost around a matmul.
#include "perf/kernels/weights.h"

namespace hearth::perf {

namespace {

/// Memory that the stages of one case share: x, norm weights, outputs.
class StageMemory {
public:
    StageMemory(int64_t tokens, int64_t inputs, int64_t outputs)
        : x(size(tokens * inputs)), y(size(tokens * outputs)), norm(size(inputs), 1.0f) {
        fill(x.data(), std::ssize(x), 1);
    }

    std::vector<float> x, y, norm;

private:
    static size_t size(int64_t count) { return static_cast<size_t>(count); }
};

/// A stage with one weight (or two of one shape); the classes below know its arguments.
template <class Args>
class StageCase : public Case<Args> {
public:
    StageCase(const Bench& bench, const Format& format, int64_t tokens, int64_t n, int64_t k, bool cold, int64_t least)
        : memory_(tokens, k, n), weights_(bench, format, n, k, cold ? bench.cold_bytes() : 0, least, 2), tokens_(tokens), n_(n), k_(k) {}

    int64_t tokens() const override { return tokens_; }

protected:
    View<const float, 2> x(int64_t first, int64_t count) const { return {memory_.x.data() + first * k_, {count, k_}}; }
    View<float, 2> y(int64_t first, int64_t count, int64_t width) { return {memory_.y.data() + first * width, {count, width}}; }
    View<const float, 1> norm() const { return {memory_.norm.data(), {k_}}; }
    std::span<float> row(int64_t token, int64_t width) { return {memory_.y.data() + token * width, static_cast<size_t>(width)}; }

    StageMemory memory_;
    Copies weights_;
    int64_t tokens_, n_, k_;
    Args args_;
};

class ProjectCase : public StageCase<ProjectArgs> {
public:
    ProjectCase(const Bench& bench, const ModelShape& m, const Format& format, int64_t tokens, bool cold)
        : StageCase(bench, format, tokens, m.hidden, m.intermediate, cold, 1) {
        args_.x = x(0, tokens);
        args_.y = y(0, tokens, n_);
    }
    const ProjectArgs& next() override { return args_.w = weights_.next(), args_; }
    ProjectArgs only(int64_t token) override {
        ProjectArgs one = args_;
        return one.x = x(token, 1), one.y = y(token, 1, n_), one;
    }
    std::span<float> output(int64_t token) override { return row(token, n_); }
    double bytes_from_memory() const override { return static_cast<double>(args_.w.bytes); }
};

class GateUpCase : public StageCase<GateUpArgs> {
public:
    GateUpCase(const Bench& bench, const ModelShape& m, const Format& format, int64_t tokens, bool cold)
        : StageCase(bench, format, tokens, m.intermediate, m.hidden, cold, 2) {
        args_.x = x(0, tokens);
        args_.norm_weight = norm();
        args_.y = y(0, tokens, n_);
    }
    const GateUpArgs& next() override { return args_.gate = weights_.next(), args_.up = weights_.next(), args_; }
    GateUpArgs only(int64_t token) override {
        GateUpArgs one = args_;
        return one.x = x(token, 1), one.y = y(token, 1, n_), one;
    }
    std::span<float> output(int64_t token) override { return row(token, n_); }
    double bytes_from_memory() const override { return static_cast<double>(args_.gate.bytes + args_.up.bytes); }
};

class QkvCase : public StageCase<QkvArgs> {
public:
    QkvCase(const Bench& bench, const ModelShape& m, const Format& format, int64_t tokens, bool cold)
        : StageCase(bench, format, tokens, (m.heads + 2 * m.groups) * m.head_dim, m.hidden, cold, 1), width_(m.heads * m.head_dim) {
        const int64_t blocks = (tokens + kBlockTokens - 1) / kBlockTokens, bytes = 2 * blocks * kBlockTokens * m.groups * m.head_dim;
        pages_ = bench.backend->allocate(2 * bytes);
        rope_.resize(static_cast<size_t>(tokens * m.head_dim));
        fill(rope_.data(), std::ssize(rope_), 3);
        for (int64_t t = 0; t < tokens; ++t) places_.push_back(static_cast<int32_t>(t));
        args_.x = x(0, tokens);
        args_.norm_weight = norm();
        args_.positions = args_.slots = {places_.data(), {tokens}};
        args_.rope = {rope_.data(), {tokens, m.head_dim}};
        std::byte* pages = pages_.get();
        args_.cache = pages_of(m, DType::kBf16, pages, pages + bytes, blocks);
        args_.num_heads = m.heads;
        args_.q = y(0, tokens, width_);
    }
    const QkvArgs& next() override { return args_.w = weights_.next(), args_; }
    QkvArgs only(int64_t token) override {
        QkvArgs one = args_;
        one.positions = one.slots = {places_.data() + token, {1}};
        return one.x = x(token, 1), one.q = y(token, 1, width_), one;
    }
    std::span<float> output(int64_t token) override { return row(token, width_); }
    double bytes_from_memory() const override { return static_cast<double>(args_.w.bytes); }

private:
    int64_t width_;
    DeviceBytes pages_;
    std::vector<float> rope_;
    std::vector<int32_t> places_;
};

template <class CaseOf, class Args>
void add_stage(Bench& bench, std::span<const Variant<Args>> Tables::*table, const Args& shape, const ModelShape& m, const char* what,
               const Format& format, int64_t tokens) {
    for (const Warmth& warmth : kWarmths) {
        const std::string name = cat(m.name, "/", what, format.name, "/", tokens, "/", warmth.name);
        add<Args>(bench, table, shape, name, warmth.cold,
                  [&bench, &m, &format, tokens, cold = warmth.cold] { return std::make_shared<CaseOf>(bench, m, format, tokens, cold); });
    }
}

}  // namespace

void add_stages(Bench& bench, const ModelShape& m) {
    static float f = 0;
    static int32_t i = 0;
    for (const Format& format : kFormats) {
        for (const int64_t tokens : {1, 512}) {
            const View<const float, 1> norm(&f, {m.hidden});
            QkvArgs qkv;
            qkv.x = {&f, {tokens, m.hidden}}, qkv.norm_weight = norm,
            qkv.w = planned(bench, format, (m.heads + 2 * m.groups) * m.head_dim, m.hidden);
            qkv.positions = qkv.slots = {&i, {tokens}}, qkv.rope = {&f, {tokens, m.head_dim}}, qkv.num_heads = m.heads;
            qkv.cache = pages_of(m, DType::kBf16, &f, &f, tokens), qkv.q = {&f, {tokens, m.heads * m.head_dim}};
            add_stage<QkvCase, QkvArgs>(bench, &Tables::qkv, qkv, m, "", format, tokens);
            GateUpArgs gate_up;
            gate_up.x = {&f, {tokens, m.hidden}}, gate_up.norm_weight = norm, gate_up.y = {&f, {tokens, m.intermediate}};
            gate_up.gate = gate_up.up = planned(bench, format, m.intermediate, m.hidden);
            add_stage<GateUpCase, GateUpArgs>(bench, &Tables::gate_up, gate_up, m, "", format, tokens);
            ProjectArgs project;
            project.x = {&f, {tokens, m.intermediate}}, project.y = {&f, {tokens, m.hidden}},
            project.w = planned(bench, format, m.hidden, m.intermediate);
            add_stage<ProjectCase, ProjectArgs>(bench, &Tables::project, project, m, "down/", format, tokens);
        }
    }
}

}  // namespace hearth::perf
