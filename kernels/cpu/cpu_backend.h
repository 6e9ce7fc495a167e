// The backend "cpu": this machine's processor, at its own instruction-set level or at a lower one.
#pragma once

#include <memory>

#include "kernels/make_backend.h"

namespace hearth {

/// options.device: "cpu", or "cpu:portable", "cpu:avx2", "cpu:avx512", "cpu:amx". Throws Error{kBadInput} for an unknown level, forced
/// variant or number of threads, and Error{kUnsupported} for a level that this machine lacks.
std::shared_ptr<const Backend> make_cpu_backend(const BackendOptions& options);

}  // namespace hearth
