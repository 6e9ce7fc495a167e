#include "tests/kernels/inputs.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"

namespace hearth::testing {

int64_t Shape::tokens() const { return std::accumulate(seqs.begin(), seqs.end(), int64_t{0}); }

std::string Shape::text() const {
    std::string s = "new";
    for (size_t i = 0; i < seqs.size(); ++i) s += cat(' ', seqs[i], '+', past[i]);
    return cat(s, ", hidden ", hidden, ", heads ", heads, '/', groups, 'x', head_dim, ", inner ", intermediate, ", vocab ", vocab,
               ", window ", window, bias ? ", bias" : "", qk_norm ? ", qk norm" : "", ", weights ", name_of(weights), ", cache ",
               name_of(cache));
}

Inputs::Inputs(const Shape& shape, uint32_t seed) : shape_(shape), random_(seed) {
    HEARTH_CHECK(shape.seqs.size() == shape.past.size());
    seq_starts_ = {0};
    std::vector<int64_t> blocks;
    for (size_t s = 0; s < shape.seqs.size(); ++s) {
        blocks.push_back(ceil_div(shape.past[s] + shape.seqs[s], kBlockTokens));
        table_width_ = std::max(table_width_, blocks.back());
        num_blocks_ += blocks.back();
    }
    num_blocks_ += 3;
    std::vector<int32_t> shuffled(static_cast<size_t>(num_blocks_));  // a sequence's blocks lie anywhere
    std::iota(shuffled.begin(), shuffled.end(), 0);
    std::shuffle(shuffled.begin(), shuffled.end(), random_);
    size_t next = 0;
    for (size_t s = 0; s < shape.seqs.size(); ++s) {
        std::vector<int32_t> table(static_cast<size_t>(table_width_), 0);
        for (int64_t b = 0; b < blocks[s]; ++b) table[static_cast<size_t>(b)] = shuffled[next++];
        for (int64_t i = 0; i < shape.seqs[s]; ++i) {
            const int64_t p = shape.past[s] + i;
            ids_.push_back(static_cast<int32_t>(random_() % static_cast<uint32_t>(shape.vocab)));
            positions_.push_back(static_cast<int32_t>(p));
            slots_.push_back(static_cast<int32_t>(table[static_cast<size_t>(p / kBlockTokens)] * kBlockTokens + p % kBlockTokens));
        }
        seq_starts_.push_back(static_cast<int32_t>(positions_.size()));
        rows_.push_back(seq_starts_.back() - 1);
        block_tables_.insert(block_tables_.end(), table.begin(), table.end());
    }
    const int64_t positions = table_width_ * kBlockTokens, half = shape.head_dim / 2;
    for (int64_t p = 0; p < positions; ++p) {
        for (int64_t i = 0; i < 2 * half; ++i) {
            const double angle = static_cast<double>(p) * std::pow(10000.0, -static_cast<double>(i % half) / static_cast<double>(half));
            rope_.push_back(static_cast<float>(i < half ? std::cos(angle) : std::sin(angle)));
        }
    }
}

float Inputs::number() {
    const auto bits =
        static_cast<uint32_t>(random_());  // the sum of two uniform numbers, variance 1: near enough to normal, and millions are wanted
    return (static_cast<float>(bits & 0xFFFF) + static_cast<float>(bits >> 16) - 65535.0f) * (2.4494897f / 65536.0f);
}

float* Inputs::numbers(int64_t count, float scale) {
    auto& v = floats_.emplace_back(static_cast<size_t>(count));
    for (float& x : v) x = scale * number();
    return v.data();
}

View<const float, 1> Inputs::vector(int64_t size, float center, float scale) {
    float* v = numbers(size, scale);
    for (int64_t i = 0; i < size; ++i) v[i] += center;
    return {v, {size}};
}

Weight Inputs::weight(int64_t n, int64_t k, WeightUse use) {
    const float scale = 1.5f / std::sqrt(static_cast<float>(k));
    const int64_t size = bytes_of(shape_.weights);
    auto& rows = storage_.emplace_back(static_cast<size_t>(n * k * size));
    for (int64_t i = 0; i < n * k; ++i) {
        const float value = scale * number();
        if (shape_.weights == DType::kF32) {
            std::memcpy(rows.data() + 4 * i, &value, 4);
        } else if (shape_.weights == DType::kBf16) {
            const Bf16 b = to_bf16(value);
            std::memcpy(rows.data() + 2 * i, &b, 2);
        } else {  // a normal half: the bits of the float, cut
            const auto u = std::bit_cast<uint32_t>(value);
            const int exponent = static_cast<int>(u >> 23 & 255) - 112;
            const auto h = static_cast<uint16_t>(
                (u >> 16 & 0x8000) | (exponent > 0 && exponent < 31 ? static_cast<uint32_t>(exponent) << 10 | (u >> 13 & 1023) : 0));
            std::memcpy(rows.data() + 2 * i, &h, 2);
        }
    }
    const HostMatrix part{shape_.weights, rows.data(), n, k};
    Weight w = plan_weight({&part, 1}, use);
    auto& packed = storage_.emplace_back(static_cast<size_t>(w.bytes) + 64);
    void* data = packed.data();
    size_t room = packed.size();
    std::align(64, static_cast<size_t>(w.bytes), data, room);
    pack_panels({&part, 1}, w, 0, ceil_div(n, kPanelRows), data);
    w.data = data;
    return w;
}

KvPages Inputs::pages() {
    const int64_t count = num_blocks_ * shape_.groups * kBlockTokens * shape_.head_dim;
    KvPages pages{shape_.cache, nullptr, nullptr, num_blocks_, shape_.groups, shape_.head_dim};
    for (void** side : {&pages.k, &pages.v}) {
        float* values = numbers(count);
        *side = values;
        if (shape_.cache == DType::kBf16) {
            auto* narrow = reinterpret_cast<Bf16*>(values);
            for (int64_t i = 0; i < count; ++i) narrow[i] = to_bf16(values[i]);
        }
        if (shape_.cache == DType::kI8) {
            auto* codes = reinterpret_cast<int8_t*>(values);
            for (int64_t i = 0; i < count; ++i) codes[i] = static_cast<int8_t>(std::clamp(values[i] * 40, -127.0f, 127.0f));
            float* scales = numbers(count / shape_.head_dim, 0.01f);
            for (int64_t i = 0; i < count / shape_.head_dim; ++i) scales[i] = std::abs(scales[i]) + 0.01f;
            (side == &pages.k ? pages.k_scales : pages.v_scales) = scales;
        }
    }
    return pages;
}

void Inputs::watch(const char* name, void* data, int64_t count, DType type) {
    const int64_t bytes = count * bytes_of(type);
    const auto* begin = static_cast<const std::byte*>(data);
    watched_.push_back({name, data, bytes, type, {begin, begin + bytes}});
}

View<float, 2> Inputs::out(int64_t rows, int64_t columns) {
    const View<float, 2> y = matrix(rows, columns);
    watch("output", y.data, rows * columns, DType::kF32);
    return y;
}

std::vector<Buffer> Inputs::results() const {
    std::vector<Buffer> all;
    for (const Watched& w : watched_) {
        Buffer& buffer = all.emplace_back(Buffer{w.name, w.type, {}});
        for (int64_t i = 0; i < w.bytes / bytes_of(w.type); ++i)
            buffer.numbers.push_back(w.type == DType::kI8 ? static_cast<const int8_t*>(w.data)[i] : load_float(w.data, w.type, i));
    }
    return all;
}

void Inputs::reset() {
    for (Watched& w : watched_) std::memcpy(w.data, w.before.data(), static_cast<size_t>(w.bytes));
}

EmbedArgs Inputs::embed() {
    begin();
    return {{ids_.data(), {shape_.tokens()}},
            weight(shape_.vocab, shape_.hidden, shape_.bias ? WeightUse::kLookup : WeightUse::kMatmul),
            out(shape_.tokens(), shape_.hidden)};
}

RopeAppendArgs Inputs::rope_append() {
    begin();
    const int64_t t = shape_.tokens(), d = shape_.head_dim;
    const KvPages cache = pages();
    const int64_t count = num_blocks_ * shape_.groups * kBlockTokens * d;
    watch("keys", cache.k, count, cache.dtype);
    watch("values", cache.v, count, cache.dtype);
    if (cache.dtype == DType::kI8) {
        watch("scales of keys", cache.k_scales, count / d, DType::kF32);
        watch("scales of values", cache.v_scales, count / d, DType::kF32);
    }
    const View<const float, 1> none;
    return {as_const(matrix(t, (shape_.heads + 2 * shape_.groups) * d)),
            shape_.qk_norm ? vector(d, 1, 0.2f) : none,
            shape_.qk_norm ? vector(d, 1, 0.2f) : none,
            1e-5f,
            {positions_.data(), {t}},
            {slots_.data(), {t}},
            {rope_.data(), {table_width_ * kBlockTokens, d}},
            cache,
            shape_.heads,
            out(t, shape_.heads * d)};
}

QkvArgs Inputs::qkv() {
    const RopeAppendArgs rope = rope_append();
    const int64_t rows = (shape_.heads + 2 * shape_.groups) * shape_.head_dim;
    return {as_const(matrix(shape_.tokens(), shape_.hidden)),
            vector(shape_.hidden, 1, 0.2f),
            1e-5f,
            weight(rows, shape_.hidden),
            shape_.bias ? vector(rows, 0, 0.3f) : View<const float, 1>{},
            rope.q_norm,
            rope.k_norm,
            rope.positions,
            rope.rope,
            rope.slots,
            rope.cache,
            shape_.heads,
            rope.q};
}

AttentionArgs Inputs::attention() {
    begin();
    const int64_t t = shape_.tokens(), s = std::ssize(shape_.seqs);
    return {as_const(matrix(t, shape_.heads * shape_.head_dim)),
            pages(),
            {positions_.data(), {t}},
            {seq_starts_.data(), {s + 1}},
            {block_tables_.data(), {s, table_width_}},
            shape_.heads,
            shape_.window,
            1 / std::sqrt(static_cast<float>(shape_.head_dim)),
            out(t, shape_.heads * shape_.head_dim)};
}

ProjectArgs Inputs::project() {
    begin();
    return {as_const(matrix(shape_.tokens(), shape_.intermediate)), weight(shape_.hidden, shape_.intermediate),
            shape_.bias ? vector(shape_.hidden, 0, 0.3f) : View<const float, 1>{}, out(shape_.tokens(), shape_.hidden)};
}

GateUpArgs Inputs::gate_up() {
    begin();
    const View<const float, 1> none;
    return {as_const(matrix(shape_.tokens(), shape_.hidden)),
            vector(shape_.hidden, 1, 0.2f),
            1e-5f,
            weight(shape_.intermediate, shape_.hidden),
            weight(shape_.intermediate, shape_.hidden),
            shape_.bias ? vector(shape_.intermediate, 0, 0.3f) : none,
            shape_.bias ? vector(shape_.intermediate, 0, 0.3f) : none,
            out(shape_.tokens(), shape_.intermediate)};
}

ExpertsArgs Inputs::experts() {
    begin();
    auto& gate = experts_.emplace_back();
    auto& up = experts_.emplace_back();
    auto& down = experts_.emplace_back();
    for (int64_t e = 0; e < shape_.experts; ++e) {
        gate.push_back(weight(shape_.intermediate, shape_.hidden));
        up.push_back(weight(shape_.intermediate, shape_.hidden));
        down.push_back(weight(shape_.hidden, shape_.intermediate));
    }
    const View<float, 2> x = out(shape_.tokens(), shape_.hidden);
    return {x,
            vector(shape_.hidden, 1, 0.2f),
            1e-5f,
            weight(shape_.experts, shape_.hidden),
            {gate.data(), {shape_.experts}},
            {up.data(), {shape_.experts}},
            {down.data(), {shape_.experts}},
            2,
            true};
}

HeadArgs Inputs::head() {
    begin();
    const auto rows = std::ssize(rows_);
    return {as_const(matrix(shape_.tokens(), shape_.hidden)),
            {rows_.data(), {rows}},
            vector(shape_.hidden, 1, 0.2f),
            1e-5f,
            weight(shape_.vocab, shape_.hidden),
            out(rows, shape_.vocab)};
}

MatmulArgs Inputs::matmul(bool up, bool residual) {
    begin();
    const int64_t t = shape_.tokens(), n = shape_.intermediate;
    const View<const float, 1> none;
    const View<float, 2> y = out(t, n);
    return {.x = as_const(matrix(t, shape_.hidden)),
            .w = weight(n, shape_.hidden),
            .up = up ? weight(n, shape_.hidden) : Weight{},
            .bias = shape_.bias ? vector(n, 0, 0.3f) : none,
            .up_bias = shape_.bias && up ? vector(n, 0, 0.3f) : none,
            .residual = residual ? as_const(y) : View<const float, 2>{},
            .y = y};
}

NormArgs Inputs::norm() {
    begin();
    return {as_const(matrix(shape_.tokens(), shape_.hidden)), vector(shape_.hidden, 1, 0.2f), 1e-5f, out(shape_.tokens(), shape_.hidden)};
}

double difference(const std::vector<float>& got, const std::vector<float>& want) {
    double largest = 1e-30, apart = 0;
    for (size_t i = 0; i < want.size(); ++i) {
        largest = std::max(largest, std::abs(double{want[i]}));
        const double d = std::abs(double{got[i]} - want[i]);
        apart = d <= apart ? apart : std::isnan(d) ? INFINITY : d;
    }
    return apart / largest;
}

std::vector<std::string> cpu_devices() {
    std::vector<std::string> devices;
    for (const char* name : {"cpu:portable", "cpu:avx2", "cpu:avx512", "cpu:amx"}) {
        try {
            make_backend({.device = name});
            devices.emplace_back(name);
        } catch (const Error&) {  // a level that this machine lacks
        }
    }
    if (devices.back() == "cpu:avx512") devices.emplace_back(kSoftwareTilesDevice);
    return devices;
}

}  // namespace hearth::testing
