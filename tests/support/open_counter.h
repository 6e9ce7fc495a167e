// How often a file is opened.
#pragma once

#include <sys/inotify.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace hearth::testing {

/// Counts from its beginning on, in all processes. Files are opened to be read, so that this is how often one is read at most.
class OpenCounter {
public:
    explicit OpenCounter(const std::filesystem::path& file) : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
        // Equal events in a row become one: that a file is read after it was opened keeps them apart.
        if (fd_ < 0 || ::inotify_add_watch(fd_, file.c_str(), IN_OPEN | IN_ACCESS | IN_CLOSE) < 0)
            throw std::runtime_error("inotify: " + file.string());
    }
    ~OpenCounter() { ::close(fd_); }
    OpenCounter(const OpenCounter&) = delete;
    OpenCounter& operator=(const OpenCounter&) = delete;

    int count() {
        alignas(inotify_event) char buffer[4096];
        for (ssize_t bytes; (bytes = ::read(fd_, buffer, sizeof buffer)) > 0;) {
            for (ssize_t at = 0; at < bytes;) {
                inotify_event event;
                std::memcpy(&event, buffer + at, sizeof event);
                opened_ += (event.mask & IN_OPEN) != 0;
                at += static_cast<ssize_t>(sizeof event) + event.len;
            }
        }
        return opened_;
    }

private:
    int fd_, opened_ = 0;
};

}  // namespace hearth::testing
