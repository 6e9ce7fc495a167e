// The tile unit of AMX. For files that are compiled for AMX.
//
// Kernels that multiply in tiles take this class as a template argument, so that a class with the same members and no such unit can stand
// in for it: tests run every kernel with one in software (tests/kernels/software_tiles/), on machines without AMX too.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/simd.h"
#include "kernels/device.h"

namespace hearth::cpu {

/// Eight tiles of a thread, numbered from 0, each up to 16 rows of 64 bytes. Instructions are those of Intel's "Architecture Instruction
/// Set Extensions Programming Reference", chapter on AMX; `C += A x B` reads B with four bytes of k side by side.
struct AmxTiles {
    static constexpr CpuLevel kLevel = CpuLevel::kAmx;  // what a device must have

    /// Shapes the tiles while it lives: 16 rows each, or `rows` for the first six (sums and inputs of a few tokens; 6 and 7 are weights).
    class Session {
    public:
        explicit Session(int64_t rows = 16) {
            struct alignas(64) Config {
                uint8_t palette = 1, start_row = 0, reserved[14] = {};
                uint16_t row_bytes[16] = {};
                uint8_t rows[16] = {};
            } config;
            for (size_t i = 0; i < 8; ++i) {
                config.row_bytes[i] = 64;
                config.rows[i] = static_cast<uint8_t>(i < 6 ? rows : 16);
            }
            before_loads();
            asm volatile("ldtilecfg %0" : : "m"(config));
        }
        ~Session() { asm volatile("tilerelease"); }
        Session(const Session&) = delete;
        Session& operator=(const Session&) = delete;
    };

    /// What was stored before must be in memory when a tile is loaded: compilers do not know that loads of tiles read memory.
    static HEARTH_INLINE void before_loads() { asm volatile("" : : : "memory"); }

    template <int kTile>
    static HEARTH_INLINE void zero() {
        asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
    }
    /// Rows `stride` bytes apart.
    template <int kTile>
    static HEARTH_INLINE void load(const void* from, int64_t stride) {
        asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(kTile));
    }
    /// The same, past L1: for what would push out what is used again.
    template <int kTile>
    static HEARTH_INLINE void load_past(const void* from, int64_t stride) {
        asm volatile("tileloaddt1 (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(kTile));
    }
    template <int kTile>
    static HEARTH_INLINE void store(void* to, int64_t stride) {
        asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(kTile) : "memory");
    }

    /// Sums of float32, operands of bf16.
    template <int kC, int kA, int kB>
    static HEARTH_INLINE void dot_bf16() {
        asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
    }
    /// Sums of int32, operands of int8.
    template <int kC, int kA, int kB>
    static HEARTH_INLINE void dot_int8() {
        asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
    }
    /// Sums of int32, A of int8, B of uint8.
    template <int kC, int kA, int kB>
    static HEARTH_INLINE void dot_int8_uint8() {
        asm volatile("tdpbsud %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
    }
};

}  // namespace hearth::cpu
