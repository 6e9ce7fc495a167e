// The shapes of a thread's AMX tiles. For files that are compiled for AMX.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace hearth::cpu {

/// Eight tiles of 16 rows of 64 bytes, or of fewer `rows` for the first six (sums and inputs of a few tokens; 6 and 7 are weights). Of one
/// thread, while it lives.
class TileSession {
public:
    explicit TileSession(int64_t rows = 16) {
        struct alignas(64) Config {
            uint8_t palette = 1, start_row = 0, reserved[14] = {};
            uint16_t row_bytes[16] = {};
            uint8_t rows[16] = {};
        } config;
        for (size_t i = 0; i < 8; ++i) {
            config.row_bytes[i] = 64;
            config.rows[i] = static_cast<uint8_t>(i < 6 ? rows : 16);
        }
        asm volatile("" : : "r"(&config) : "memory");  // g++ believes that only the first word is read
        _tile_loadconfig(&config);
    }
    ~TileSession() { _tile_release(); }
    TileSession(const TileSession&) = delete;
    TileSession& operator=(const TileSession&) = delete;
};

}  // namespace hearth::cpu
