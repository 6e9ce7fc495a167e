// What a variant may ask about the machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

struct Tables;

/// The instruction-set levels of a CPU. Each includes those before it.
enum class CpuLevel : uint8_t {
    kPortable,  // any x86-64 or other machine: the reference
    kAvx2,      // AVX2, FMA, F16C
    kAvx512,    // F, BW, DQ, VL, VNNI and BF16
    kAmx,       // AMX tiles, int8 and bf16
};

std::string_view name_of(CpuLevel level);

/// One device as variants see it. Plain data; lives as long as its Backend.
struct Device {
    std::string name;                      // "Intel(R) Xeon(R) ..."
    CpuLevel level = CpuLevel::kPortable;  // variants above it must not run
    int threads = 1;                       // of the stream
    int64_t memory_bytes = 0;              // that a process can use
    int64_t l2_bytes = 0, last_cache_bytes = 0;
    bool fixed_order = true;           // --order fixed: only variants that sum in one order whatever the number of rows; on the CPU all do
    std::vector<std::string> forced;   // variants named in HEARTH_FORCE
    const Tables* tables = nullptr;    // for variants that are made of primitives
    const Device* unforced = nullptr;  // the same device with nothing forced; null where nothing is
};

}  // namespace hearth
