// Makes a backend from what the command line and the environment say.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/backend.h"

namespace hearth {

constexpr int kMaxThreads = 1024;

/// How to make a backend; part of the command line (--device, --threads, --order) and of the environment (HEARTH_FORCE).
struct BackendOptions {
    std::string device = "cpu";  // "cpu", "cpu:avx2" (a lower level than the machine's), "reference"
    int threads = 0;             // 0: physical cores; at most kMaxThreads
    bool fixed_order = true;
    std::string forced = "";  // "matmul/fma_avx2,attention/reference"
};

/// Throws Error{kUnsupported or kBadInput} with what is there to choose from: an unknown device, level or variant.
std::shared_ptr<const Backend> make_backend(const BackendOptions& options);

/// The variants named in a list like "matmul/fma_avx2,attention/reference". Throws Error{kBadInput} for a name that no table of `tables`
/// has, listing those that its stage has.
std::vector<std::string> parse_forced(std::string_view list, const Tables& tables);

}  // namespace hearth
