// Tells every connection that the server shuts down, and when its patience ends.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

namespace hearth {

/// Running, then draining (answers may go on), then cancelled (they may not). Thread-safe; never goes back.
class ShutdownSignal {
public:
    using Clock = std::chrono::steady_clock;

    /// Draining from now on, cancelled in `drain_ms`. A second call can only bring that nearer.
    void begin(int drain_ms) {
        const int64_t at = now_ms() + (drain_ms > 0 ? drain_ms : 0);
        int64_t before = cancel_at_ms_.load();
        while (at < before && !cancel_at_ms_.compare_exchange_weak(before, at)) {}
    }

    bool draining() const { return cancel_at_ms_.load() != kNever; }
    bool cancelled() const { return now_ms() >= cancel_at_ms_.load(); }

private:
    static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
    static int64_t now_ms() { return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch()).count(); }
    std::atomic<int64_t> cancel_at_ms_{kNever};
};

}  // namespace hearth
