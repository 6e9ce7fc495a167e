// A CPU backend whose tiles are in software.
#pragma once

#include <memory>
#include <string_view>

#include "kernels/make_backend.h"

namespace hearth::testing {

constexpr std::string_view kSoftwareTilesDevice = "cpu:amx in software";

/// make_backend, and besides its devices kSoftwareTilesDevice: "cpu:avx512" whose tables begin with the variants for AMX, on tiles in
/// software (software_tiles.h). The machine must have AVX-512.
std::shared_ptr<const Backend> make_device(const BackendOptions& options);

}  // namespace hearth::testing
