#include "tools/hearth/terminal/interrupts.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/text.h"
#include "tools/hearth/commands.h"

namespace hearth::tool {

Interrupts::Interrupts() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGCONT);
    descriptor_ = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (descriptor_ < 0) throw Error(ErrorKind::kNoResources, cat("signals: ", std::strerror(errno)));
    pthread_sigmask(SIG_BLOCK, &signals, &before_);
}

Interrupts::~Interrupts() {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    close(descriptor_);
}

std::optional<int> Interrupts::take() {
    signalfd_siginfo info{};
    while (read(descriptor_, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo != SIGCONT) return static_cast<int>(info.ssi_signo);
        continued_ = true;
    }
    return std::nullopt;
}

int Interrupts::wait() {
    while (true) {
        if (const auto signal = take()) return *signal;
        pollfd waiting{descriptor_, POLLIN, 0};
        poll(&waiting, 1, -1);
    }
}

void Interrupts::throw_if_any() {
    if (const auto signal = take()) throw Interrupted{*signal};
}

}  // namespace hearth::tool
