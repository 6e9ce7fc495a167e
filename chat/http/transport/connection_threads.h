// A thread for each connection, and how many there are.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>

#include "chat/http/shutdown_signal.h"

namespace hearth {

/// kMaxConnections at once, none once the server is to stop. Thread-safe. Outlived by its threads' last use of it alone: wait first.
class ConnectionThreads {
public:
    explicit ConnectionThreads(const ShutdownSignal& shutdown) : shutdown_(shutdown) {}

    /// Runs `serve` on a thread of its own. False: it was not run, because there are too many, it is time to stop, or there is no thread.
    bool run(const std::function<void()>& serve);

    void wait_until_none();

    /// Until the shutdown has begun and the last connection has ended.
    void wait_for_shutdown();

private:
    bool enter();
    void leave();

    const ShutdownSignal& shutdown_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int connections_ = 0;
};

}  // namespace hearth
