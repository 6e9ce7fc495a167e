#include "perf/kernels/weights.h"

#include <algorithm>
#include <cstring>

namespace hearth::perf {

Weight planned(const Bench& bench, const Format& format, int64_t n, int64_t k) {
    static const uint16_t something = 0;
    const HostMatrix matrix{.dtype = DType::kBf16, .data = &something, .n = n, .k = k, .quantize = format.quantize};
    Weight weight = bench.backend->plan({&matrix, 1}, WeightUse::kMatmul);
    weight.data = &something;
    return weight;
}

Copies::Copies(const Bench& bench, const Format& format, int64_t n, int64_t k, int64_t bytes, int64_t least, uint32_t seed) {
    std::vector<uint16_t> host(static_cast<size_t>(n * k));
    fill(host.data(), n * k, seed);
    const HostMatrix matrix{.dtype = DType::kBf16, .data = host.data(), .n = n, .k = k, .quantize = format.quantize};
    const int64_t size = bench.backend->plan({&matrix, 1}, WeightUse::kMatmul).bytes;
    storage_.push_back(bench.backend->allocate(size));
    weights_.push_back(bench.backend->prepare({&matrix, 1}, WeightUse::kMatmul, storage_.back().get(), *bench.stream));
    const int64_t copies = std::max(least, (bytes + size - 1) / size);
    while (std::ssize(weights_) < copies) {
        storage_.push_back(bench.backend->allocate(size));
        std::memcpy(storage_.back().get(), storage_.front().get(), static_cast<size_t>(size));
        weights_.push_back(weights_.front());
        weights_.back().data = storage_.back().get();
    }
}

}  // namespace hearth::perf
