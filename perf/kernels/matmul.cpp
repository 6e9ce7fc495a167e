// The matmul primitive on every weight of a layer and on the head: one token, sixteen, a prompt of 512.
#include "perf/kernels/weights.h"
#ifdef HEARTH_ONEDNN
#include "perf/kernels/onednn.h"
#endif

namespace hearth::perf {

namespace {

struct Product {
    const char* name;
    int64_t n, k;
    bool gated = false;  // gate and up together, with SiLU
};

class MatmulCase : public Case<MatmulArgs> {
public:
    MatmulCase(const Bench& bench, const Format& format, const Product& product, int64_t tokens, bool cold)
        : x_(static_cast<size_t>(tokens * product.k)),
          y_(static_cast<size_t>(tokens * product.n)),
          weights_(bench, format, product.n, product.k, cold ? bench.cold_bytes() : 0, product.gated ? 2 : 1, 2),
          gated_(product.gated) {
        fill(x_.data(), std::ssize(x_), 1);
        args_.x = {x_.data(), {tokens, product.k}};
        args_.y = {y_.data(), {tokens, product.n}};
    }

    const MatmulArgs& next() override {
        args_.w = weights_.next();
        if (gated_) args_.up = weights_.next();
        return args_;
    }

    MatmulArgs only(int64_t token) override {
        MatmulArgs one = args_;
        one.x = {args_.x.row(token), {1, args_.x.extent[1]}};
        one.y = {args_.y.row(token), {1, args_.y.extent[1]}};
        return one;
    }

    std::span<float> output(int64_t token) override { return {args_.y.row(token), static_cast<size_t>(args_.y.extent[1])}; }
    int64_t tokens() const override { return args_.x.extent[0]; }
    double bytes_from_memory() const override { return static_cast<double>(args_.w.bytes + args_.up.bytes); }

private:
    std::vector<float> x_, y_;
    Copies weights_;
    bool gated_;
    MatmulArgs args_;
};

void add_matmul(Bench& bench, const ModelShape& m, const Format& format, const Product& product, int64_t tokens) {
    static float something = 0;
    MatmulArgs shape;
    shape.w = planned(bench, format, product.n, product.k);
    if (product.gated) shape.up = shape.w;
    shape.x = {&something, {tokens, product.k}};
    shape.y = {&something, {tokens, product.n}};
    for (const Warmth& warmth : kWarmths) {
        const std::string name = cat(m.name, "/", product.name, "/", format.name, "/", tokens, "/", warmth.name);
        const auto make = [&bench, &format, product, tokens, cold = warmth.cold] {
            return std::make_shared<MatmulCase>(bench, format, product, tokens, cold);
        };
        add<MatmulArgs>(bench, &Tables::matmul, shape, name, warmth.cold, make);
#ifdef HEARTH_ONEDNN
        if (bench.with_onednn && kMatmulOneDnn.supports(shape, bench.backend->device()))
            add_variant<MatmulArgs>(bench, kMatmulOneDnn, bench.reference->tables().matmul.back(), name, warmth.cold, make);
#endif
    }
}

}  // namespace

void add_matmuls(Bench& bench, const ModelShape& m) {
    const Product products[] = {{"qkv", (m.heads + 2 * m.groups) * m.head_dim, m.hidden},
                                {"out", m.hidden, m.heads * m.head_dim},
                                {"gate_up", m.intermediate, m.hidden, true},
                                {"down", m.hidden, m.intermediate},
                                {"head", m.vocab, m.hidden}};
    for (const Format& format : kFormats) {
        for (const Product& product : products) {
            for (const int64_t tokens : {1, 16, 512}) {
                if (tokens == 512 && product.n == m.vocab) continue;  // logits of a whole prompt are never asked for
                add_matmul(bench, m, format, product, tokens);
            }
        }
    }
}

}  // namespace hearth::perf
