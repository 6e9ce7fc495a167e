// AMX's tile unit in plain loops, so that kernels that multiply in tiles run in every test.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/device.h"

namespace hearth::testing {

/// The members of cpu::AmxTiles (kernels/cpu/amx_tiles.h) with the results that Intel's document gives them: products of bf16 add even and
/// odd k by themselves, in order, and their sum to the tile; numbers below 2^-126 count as zero. Operands whose shapes do not fit, and
/// tiles that no session has shaped, end the program, as they do on the unit. State is a thread's own.
struct SoftwareTiles {
    static constexpr CpuLevel kLevel = CpuLevel::kAvx512;  // of the vector code around the tiles

    class Session {
    public:
        explicit Session(int64_t rows = 16) noexcept;
        ~Session();
        Session(const Session&) = delete;
        Session& operator=(const Session&) = delete;
    };

    static void before_loads() noexcept {}
    template <int kTile>
    static void zero() noexcept {
        zero(kTile);
    }
    template <int kTile>
    static void load(const void* from, int64_t stride) noexcept {
        load(kTile, from, stride);
    }
    template <int kTile>
    static void load_past(const void* from, int64_t stride) noexcept {
        load(kTile, from, stride);
    }
    template <int kTile>
    static void store(void* to, int64_t stride) noexcept {
        store(kTile, to, stride);
    }
    template <int kC, int kA, int kB>
    static void dot_bf16() noexcept {
        dot_bf16(kC, kA, kB);
    }
    template <int kC, int kA, int kB>
    static void dot_int8() noexcept {
        dot_int8(kC, kA, kB);
    }
    template <int kC, int kA, int kB>
    static void dot_int8_uint8() noexcept {
        dot_int8_uint8(kC, kA, kB);
    }

    /// Products of tiles since the program began, on all threads: that the kernels really came here.
    static int64_t products() noexcept;

private:
    static void zero(int tile) noexcept;
    static void load(int tile, const void* from, int64_t stride) noexcept;
    static void store(int tile, void* to, int64_t stride) noexcept;
    static void dot_bf16(int c, int a, int b) noexcept;
    static void dot_int8(int c, int a, int b) noexcept;
    static void dot_int8_uint8(int c, int a, int b) noexcept;
};

}  // namespace hearth::testing
