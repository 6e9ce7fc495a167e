// What a line of `hearth bench` says of its model besides the times.
#pragma once

#include <cstdint>
#include <string>

#include "tools/hearth/bench/measure.h"

namespace hearth::tool {

/// ISO 8601, UTC.
std::string utc_now();

/// The variant that multiplies the first layer's last weight in a step of `tokens` tokens; "none" where none supports it.
std::string matmul_variant(const Model& model, int64_t tokens);

/// Numbers of all matrices: for a shape without files, which counts none.
int64_t count_parameters(const Model& model);

/// Every variant that a decode and a prompt of `test` use, stages and primitives, by name.
std::string variants_of(const Model& model, const BenchTest& test, DType cache);

}  // namespace hearth::tool
