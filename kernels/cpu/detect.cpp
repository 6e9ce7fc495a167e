#include "kernels/cpu/detect.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <thread>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#endif

#include "base/text.h"
#include "kernels/cpu/memory_limit.h"

namespace hearth {
namespace {

#if defined(__x86_64__)

struct Registers {
    uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
    Registers r;
    if (!__get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d)) return {};
    return r;
}

bool has(uint32_t bits, int bit) { return bits >> bit & 1; }

/// The parts of the register file that the operating system saves: bit 2 AVX, 5 to 7 AVX-512, 17 and 18 tiles.
uint64_t saved_state() {
    uint32_t low = 0, high = 0;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return uint64_t{high} << 32 | low;
}

/// Tiles are off until a process asks for them (Linux 5.16 and later).
bool tiles_allowed() {
    constexpr long kArchReqXcompPerm = 0x1023, kTileData = 18;
    return ::syscall(SYS_arch_prctl, kArchReqXcompPerm, kTileData) == 0;
}

CpuLevel detect_level() {
    const Registers basic = cpuid(1, 0), seven = cpuid(7, 0), seven_one = cpuid(7, 1);
    if (!has(basic.c, 27)) return CpuLevel::kPortable;  // no xgetbv
    const uint64_t saved = saved_state();
    const bool avx2 = has(basic.c, 12) && has(basic.c, 29) && has(seven.b, 5) && (saved & 0x6) == 0x6;  // FMA, F16C, AVX2
    if (!avx2) return CpuLevel::kPortable;
    const bool avx512 = has(seven.b, 16) && has(seven.b, 17) && has(seven.b, 30) && has(seven.b, 31) &&  // F, DQ, BW, VL
                        has(seven.c, 11) && has(seven_one.a, 5) && (saved & 0xE6) == 0xE6;               // VNNI, BF16
    if (!avx512) return CpuLevel::kAvx2;
    const bool amx = has(seven.d, 22) && has(seven.d, 24) && has(seven.d, 25) && (saved & 0x60000) == 0x60000;  // bf16, tile, int8
    return amx && tiles_allowed() ? CpuLevel::kAmx : CpuLevel::kAvx512;
}

std::string detect_name() {
    std::string name;
    for (uint32_t leaf = 0x80000002; leaf <= 0x80000004; ++leaf) {
        const Registers r = cpuid(leaf, 0);
        for (const uint32_t word : {r.a, r.b, r.c, r.d}) {
            for (int byte = 0; byte < 4; ++byte) name += static_cast<char>(word >> (8 * byte) & 0xFF);
        }
    }
    name = name.substr(0, name.find('\0'));
    return std::string(trim(name));
}

bool is_intel() { return cpuid(0, 0).b == 0x756E6547; }  // "Genu"

#else

CpuLevel detect_level() { return CpuLevel::kPortable; }
std::string detect_name() { return {}; }
bool is_intel() { return false; }

#endif

std::string read_word(const std::string& path) {
    std::ifstream file(path);
    std::string word;
    file >> word;
    return word;
}

/// Cores among the processors that this process may run on; hardware threads of one core count once.
int count_physical_cores() {
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    std::set<std::string> cores;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        const std::string siblings = read_word(cat("/sys/devices/system/cpu/cpu", cpu, "/topology/thread_siblings_list"));
        cores.insert(siblings.empty() ? cat("cpu", cpu) : siblings);
    }
    return std::max(1, static_cast<int>(cores.size()));
}

}  // namespace

CpuInfo detect_cpu() {
    const auto cache = [](int name) { return std::max<int64_t>(0, ::sysconf(name)); };
    CpuInfo info;
    info.name = detect_name();
    if (info.name.empty()) info.name = "CPU";
    info.level = detect_level();
    info.slow_bf16_dot = is_intel();
    info.physical_cores = count_physical_cores();
    info.memory_bytes = memory_limit_bytes();
    info.l1_bytes = cache(_SC_LEVEL1_DCACHE_SIZE);
    info.l2_bytes = cache(_SC_LEVEL2_CACHE_SIZE);
    info.last_cache_bytes = std::max({cache(_SC_LEVEL3_CACHE_SIZE), info.l2_bytes, info.l1_bytes});
    return info;
}

}  // namespace hearth
