// Attention: one token at the end of a context, and a prompt in and after one.
#include <cmath>
#include <cstring>

#include "perf/kernels/weights.h"

namespace hearth::perf {

namespace {

struct Cache {
    const char* name;
    DType type;
};

constexpr Cache kCaches[] = {{"bf16", DType::kBf16}, {"q8", DType::kI8}};

class AttentionCase : public Case<AttentionArgs> {
public:
    /// `tokens` queries at the end of a sequence of `length`.
    AttentionCase(const Bench& bench, const ModelShape& m, DType cache, int64_t tokens, int64_t length, bool cold)
        : q_(static_cast<size_t>(tokens * m.heads * m.head_dim)), y_(q_.size()), positions_(static_cast<size_t>(tokens)) {
        const int64_t blocks = (length + kBlockTokens - 1) / kBlockTokens, numbers = blocks * kBlockTokens * m.groups * m.head_dim;
        const int64_t bytes = 2 * numbers * bytes_of(cache);
        fill(q_.data(), std::ssize(q_), 1);
        half_ = bytes / 2;
        for (int64_t i = 0; i == 0 || (cold && i * bytes < bench.cold_bytes()); ++i) {
            pages_.push_back(bench.backend->allocate(bytes));
            if (i == 0) fill(reinterpret_cast<uint16_t*>(pages_[0].get()), bytes / 2, 2);
            if (i > 0) std::memcpy(pages_.back().get(), pages_[0].get(), static_cast<size_t>(bytes));
        }
        for (int64_t t = 0; t < tokens; ++t) positions_[static_cast<size_t>(t)] = static_cast<int32_t>(length - tokens + t);
        for (int64_t b = 0; b < blocks; ++b) table_.push_back(static_cast<int32_t>(b));
        starts_[1] = static_cast<int32_t>(tokens);
        args_.q = {q_.data(), {tokens, m.heads * m.head_dim}};
        args_.y = {y_.data(), {tokens, m.heads * m.head_dim}};
        args_.cache = pages_of(m, cache, nullptr, nullptr, blocks);
        if (cache == DType::kI8) {  // the same scales for all: a sixteenth of the bytes or less
            scales_.assign(static_cast<size_t>(blocks * kBlockTokens * m.groups), 0.01f);
            args_.cache.k_scales = args_.cache.v_scales = scales_.data();
        }
        args_.positions = {positions_.data(), {tokens}};
        args_.seq_starts = {starts_, {2}};
        args_.block_tables = {table_.data(), {1, blocks}};
        args_.num_heads = m.heads;
        args_.scale = 1 / std::sqrt(static_cast<float>(m.head_dim));
    }

    const AttentionArgs& next() override {
        std::byte* pages = pages_[at_++ % pages_.size()].get();
        args_.cache.k = pages;
        args_.cache.v = pages + half_;
        return args_;
    }

    AttentionArgs only(int64_t token) override {
        AttentionArgs one = args_;
        one.q = {args_.q.row(token), {1, args_.q.extent[1]}};
        one.y = {args_.y.row(token), {1, args_.y.extent[1]}};
        one.positions = {positions_.data() + token, {1}};
        one.seq_starts = {one_start_, {2}};
        return one;
    }

    std::span<float> output(int64_t token) override { return {args_.y.row(token), static_cast<size_t>(args_.y.extent[1])}; }
    int64_t tokens() const override { return args_.q.extent[0]; }
    double bytes_from_memory() const override { return static_cast<double>(args_.bytes()); }

private:
    std::vector<float> q_, y_, scales_;
    std::vector<int32_t> positions_, table_;
    int32_t starts_[2] = {0, 0};
    const int32_t one_start_[2] = {0, 1};
    std::vector<DeviceBytes> pages_;
    AttentionArgs args_;
    int64_t half_ = 0;
    size_t at_ = 0;
};

}  // namespace

void add_attention(Bench& bench, const ModelShape& m) {
    for (const Cache& cache : kCaches) {
        for (const auto& [tokens, length] : {std::pair<int64_t, int64_t>{1, 512}, {1, 4096}, {1, 16384}, {512, 512}, {512, 4096}}) {
            for (const Warmth& warmth : kWarmths) {
                static float something = 0;
                AttentionArgs shape;
                shape.q = {&something, {tokens, m.heads * m.head_dim}};
                shape.y = {&something, {tokens, m.heads * m.head_dim}};
                shape.cache = pages_of(m, cache.type, &something, &something, 1);
                shape.num_heads = m.heads;
                add<AttentionArgs>(bench, &Tables::attention, shape,
                                   cat(m.name, "/", cache.name, "/", tokens, "_of_", length, "/", warmth.name), warmth.cold,
                                   [&bench, &m, type = cache.type, tokens = tokens, length = length, cold = warmth.cold] {
                                       return std::make_shared<AttentionCase>(bench, m, type, tokens, length, cold);
                                   });
            }
        }
    }
}

}  // namespace hearth::perf
