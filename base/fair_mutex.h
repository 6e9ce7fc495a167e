// A lock that is given out in the order in which it was asked for.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace hearth {

/// For things that several threads want again and again for milliseconds: with std::mutex the one that lets go mostly gets it back, and the
/// others starve. A BasicLockable: use std::lock_guard.
class FairMutex {
public:
    void lock() {
        std::unique_lock lock(mutex_);
        const uint64_t mine = next_++;
        turn_.wait(lock, [&] { return now_ == mine; });
    }

    void unlock() {
        {
            const std::lock_guard lock(mutex_);
            ++now_;
        }
        turn_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable turn_;
    uint64_t next_ = 0, now_ = 0;
};

}  // namespace hearth
