#include "chat/http/transport/connection_threads.h"

#include <chrono>
#include <system_error>
#include <thread>

#include "chat/http/message.h"

namespace hearth {

bool ConnectionThreads::run(const std::function<void()>& serve) {
    if (!enter()) return false;
    try {
        std::thread([this, serve] {
            serve();
            leave();
        }).detach();
        return true;
    } catch (const std::system_error&) {
        leave();
        return false;
    }
}

void ConnectionThreads::wait_until_none() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return connections_ == 0; });
}

void ConnectionThreads::wait_for_shutdown() {
    std::unique_lock lock(mutex_);
    while (!shutdown_.draining() || connections_ > 0) changed_.wait_for(lock, std::chrono::milliseconds(50));
}

bool ConnectionThreads::enter() {
    const std::lock_guard lock(mutex_);
    if (connections_ >= kMaxConnections || shutdown_.draining()) return false;
    ++connections_;
    return true;
}

void ConnectionThreads::leave() {
    const std::lock_guard lock(mutex_);
    --connections_;
    changed_.notify_all();  // under the lock: after it this object may be gone
}

}  // namespace hearth
