// What the processor and the operating system offer.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/device.h"

namespace hearth {

/// This machine's processor, as far as variants care.
struct CpuInfo {
    std::string name;
    CpuLevel level = CpuLevel::kPortable;  // instructions present, and their registers saved by the operating system
    bool slow_bf16_dot = false;            // vdpbf16ps does less than two FMAs do (Intel); its variant then stands behind that of FMA
    int physical_cores = 1;                // that this process may run on
    int64_t memory_bytes = 0;              // that this process can use: of the machine and of its control group
    int64_t l1_bytes = 0, l2_bytes = 0, last_cache_bytes = 0;
};

/// Asks anew at each call. For AMX it also asks the kernel for leave to use the tiles, which holds for the process and threads started
/// after.
CpuInfo detect_cpu();

}  // namespace hearth
