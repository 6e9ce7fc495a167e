// Quantised matrices that tests make up.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "kernels/weights/weight.h"

namespace hearth::testing {

struct QuantFormat {
    QuantKind kind;
    bool zeros = false, columns = false;
    Levels levels = kNormalLevels;
};

/// One quantised matrix of random codes, every code among them. `rows` and host() point into it.
struct QuantMatrix {
    QuantMatrix(const QuantFormat& format, int64_t n, int64_t k, uint32_t seed);
    QuantMatrix(const QuantMatrix&) = delete;
    QuantMatrix& operator=(const QuantMatrix&) = delete;

    HostMatrix host() const { return {DType::kF32, nullptr, n, k, &rows}; }

    int64_t n, k;
    std::vector<uint8_t> codes;
    std::vector<F16> scales;
    std::vector<float> wide_scales;
    std::vector<int8_t> zeros;
    std::vector<int32_t> columns;
    QuantRows rows;
};

}  // namespace hearth::testing
