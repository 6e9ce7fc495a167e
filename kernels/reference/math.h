// What several variants of the reference compute: one row at a time, plain float32.
#pragma once

#include <cmath>
#include <vector>

#include "kernels/ops.h"

namespace hearth::reference {

inline float silu(float x) { return x / (1.0f + std::exp(-x)); }

/// y[k] = x[k] / sqrt(mean(x^2) + eps) * weight[k]; y may be x.
void norm_row(const float* x, View<const float, 1> weight, float eps, int64_t k, float* y);

/// Row `row` of w (as float32) times x[k].
float dot_row(const Weight& w, int64_t row, const float* x, float* unpacked);

/// y[t, n] = x[t] . w[n] + bias[n] for all t; `accumulate` adds to y instead. `unpacked`: scratch of w.k floats.
void matmul(View<const float, 2> x, const Weight& w, View<const float, 1> bias, bool accumulate, View<float, 2> y, float* unpacked);

}  // namespace hearth::reference
