#include "loaders/random_model.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"
#include "loaders/quantize/rules.h"
#include "loaders/weights/plan_weights.h"
#include "loaders/weights/weight_list.h"

namespace hearth {
namespace {

constexpr int64_t kChunk = int64_t{1} << 20;  // numbers that one task makes; part of what a seed means

/// splitmix64 (Steele, Lea, Flood 2014).
uint64_t mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

/// Bits of a small float as binary16, cut off rather than rounded: good enough for noise. |x| < 2.
uint16_t f16_bits(float x) {
    const auto u = std::bit_cast<uint32_t>(x);
    const uint32_t sign = u >> 16 & 0x8000;
    const int32_t exponent = static_cast<int32_t>(u >> 23 & 255) - 112;
    if (exponent <= 0) return static_cast<uint16_t>(sign);
    return static_cast<uint16_t>(sign | static_cast<uint32_t>(exponent) << 10 | (u >> 13 & 1023));
}

/// The element type of a table: 4096 values, uniform in [-a, a], from which numbers are drawn. A table costs one load a number whatever
/// the dtype, and stays in the first cache.
constexpr size_t kTable = 4096;
template <class Bits>
using Table = std::array<Bits, kTable>;

template <class Bits>
Table<Bits> make_table(float amplitude, DType dtype) {
    Table<Bits> table;
    for (size_t i = 0; i < kTable; ++i) {
        const float x = amplitude * (static_cast<float>(2 * i + 1) / static_cast<float>(kTable) - 1);
        if constexpr (sizeof(Bits) == 4) {
            table[i] = std::bit_cast<uint32_t>(x);
        } else {
            table[i] = dtype == DType::kF16 ? f16_bits(x) : to_bf16(x).bits;
        }
    }
    return table;
}

template <class Bits>
void fill(const Table<Bits>& table, uint64_t seed, int64_t count, Bits* out) {
    constexpr int64_t kPerDraw = 4;
    for (int64_t i = 0; i < count; i += kPerDraw) {
        const uint64_t bits = mix(seed + static_cast<uint64_t>(i));
        const int64_t n = std::min(kPerDraw, count - i);
        for (int64_t j = 0; j < n; ++j) out[i + j] = table[bits >> 16 * j & (kTable - 1)];
    }
}

/// Invents each weight in host memory and packs it as if it came from a file.
class Inventor : public WeightVisitor {
public:
    Inventor(DType dtype, const QuantizeRules& rules, const Backend& backend, uint64_t seed, int64_t total_bytes, const Progress& progress)
        : dtype_(dtype),
          rules_(rules),
          backend_(backend),
          stream_(backend.make_stream()),
          seed_(seed),
          total_(total_bytes),
          progress_(progress) {}

    void matrix(const std::vector<NeededTensor>& parts, WeightUse use, DeviceWeight& out) override {
        int64_t rows = 0;
        for (const NeededTensor& part : parts) rows += part.n;
        const HostMatrix whole{.dtype = dtype_,
                               .data = make(rows * parts[0].k, 1 / std::sqrt(static_cast<float>(parts[0].k))),
                               .n = rows,
                               .k = parts[0].k,
                               .quantize = rules_.kind_of(parts, use)};
        out.bytes = backend_.allocate(backend_.plan({&whole, 1}, use).bytes);
        out.weight = backend_.prepare({&whole, 1}, use, out.bytes.get(), *stream_);
        stream_->wait();
        report(out.weight.bytes);
    }

    void vector(const std::vector<NeededTensor>& parts, DeviceVector& out) override {
        const bool is_bias = parts[0].name.ends_with(".bias");
        for (const NeededTensor& part : parts) out.size += part.n;
        std::vector<float> values(static_cast<size_t>(out.size), 1.0f);  // norms
        const uint64_t seed = next_seed();
        for (size_t i = 0; is_bias && i < values.size(); ++i) values[i] = 0.02f * (static_cast<float>(mix(seed + i) >> 40) * 0x1p-23f - 1);
        out.bytes = backend_.allocate(out.size * int64_t{sizeof(float)});
        backend_.copy_to_device(out.bytes.get(), values.data(), out.size * int64_t{sizeof(float)});
        report(out.size * int64_t{sizeof(float)});
    }

private:
    /// `count` numbers of standard deviation `deviation`, valid until the next call.
    const void* make(int64_t count, float deviation) {
        const auto bytes = static_cast<size_t>(count * bytes_of(dtype_));
        if (scratch_.size() < bytes) scratch_ = std::vector<std::byte>(bytes);
        const float amplitude = deviation * std::sqrt(3.0f);  // of a uniform distribution
        if (bytes_of(dtype_) == 4) {
            make_all<uint32_t>(count, amplitude);
        } else {
            make_all<uint16_t>(count, amplitude);
        }
        return scratch_.data();
    }

    template <class Bits>
    void make_all(int64_t count, float amplitude) {
        const Table<Bits> table = make_table<Bits>(amplitude, dtype_);
        const uint64_t seed = next_seed();
        auto* out = reinterpret_cast<Bits*>(scratch_.data());
        stream_->parallel_for(ceil_div(count, kChunk), [&](int64_t chunk) {
            const int64_t begin = chunk * kChunk;
            fill(table, mix(seed + static_cast<uint64_t>(chunk)), std::min(kChunk, count - begin), out + begin);
        });
    }

    uint64_t next_seed() { return mix(seed_ ^ mix(++made_)); }

    void report(int64_t bytes) {
        done_ += bytes;
        if (!progress_ || (done_ < total_ && done_ - reported_ < total_ / 100)) return;
        reported_ = done_;
        progress_({"making random weights", done_, total_});
    }

    const DType dtype_;
    const QuantizeRules& rules_;
    const Backend& backend_;
    std::unique_ptr<Stream> stream_;
    const uint64_t seed_;
    const int64_t total_;
    const Progress& progress_;
    std::vector<std::byte> scratch_;
    uint64_t made_ = 0;
    int64_t done_ = 0, reported_ = 0;
};

}  // namespace

std::shared_ptr<const Model> random_model(const ModelConfig& config, DType dtype, std::shared_ptr<const Backend> backend, uint64_t seed,
                                          const LoadOptions& options) {
    if (dtype != DType::kBf16 && dtype != DType::kF16 && dtype != DType::kF32) {
        throw Error(ErrorKind::kUnsupported, cat("random weights of ", name_of(dtype), " cannot be made; supported: bf16, f16, f32"));
    }
    const int64_t context = checked_context(config, options.max_context);
    CheckpointInfo info;
    info.config = config;
    info.config.stored_dtype = name_of(dtype);
    const TensorNames names{.family = find_family(config.family)};
    const QuantizeRules rules(options.quantize, names);
    Inventor inventor(dtype, rules, *backend, seed, planned_weight_bytes(info, *backend, options.quantize), options.progress);
    Weights weights = visit_weights(config, names, inventor);
    return std::make_shared<const Model>(std::move(info.config), std::move(weights), std::move(backend), context);
}

}  // namespace hearth
