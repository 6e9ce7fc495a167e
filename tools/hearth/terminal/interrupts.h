// Ctrl-C and SIGTERM are kept until the program asks for them, instead of interrupting what runs.
#pragma once

#include <csignal>
#include <optional>
#include <utility>

namespace hearth::tool {

/// While one lives, SIGINT, SIGTERM and SIGCONT wait in a file descriptor instead of ending the program. Make it before any other thread
/// starts: threads inherit which signals they do not take. One at a time; any one thread asks.
class Interrupts {
public:
    Interrupts();
    ~Interrupts();
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;

    /// SIGINT or SIGTERM, whichever came first, which is then forgotten; never waits.
    std::optional<int> take();

    /// Waits for a signal.
    int wait();

    /// Throws Interrupted when a signal is there.
    void throw_if_any();

    /// Whether the program went on (`fg`) after it had been stopped (Ctrl-Z) since this was last asked. The shell has changed the
    /// terminal's modes meanwhile. take() must have been called since descriptor() became readable.
    bool take_continued() { return std::exchange(continued_, false); }

    int descriptor() const { return descriptor_; }  // readable while a signal is there: for poll()

private:
    int descriptor_ = -1;
    bool continued_ = false;
    sigset_t before_{};
};

}  // namespace hearth::tool
