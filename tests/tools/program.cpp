#include "tests/tools/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>

namespace hearth::testing {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kLongest = std::chrono::minutes(5);

/// In the child, after fork: becomes the program.
[[noreturn]] void become_hearth(const std::string& program, const std::vector<std::string>& arguments,
                                const std::map<std::string, std::string>& environment) {
    std::map<std::string, std::string> all = {
        {"PATH", "/usr/bin:/bin"}, {"HOME", "/nonexistent"}, {"HEARTH_MODELS", "/nonexistent"}, {"TERM", "xterm"}};
    for (const auto& [name, value] : environment) all[name] = value;
    for (const char* kept : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
        if (const char* value = std::getenv(kept)) all[kept] = value;
    }
    std::vector<std::string> words = {program}, settings;
    words.insert(words.end(), arguments.begin(), arguments.end());
    for (const auto& [name, value] : all) settings.push_back(name + "=" + value);
    std::vector<char*> argv, envp;
    for (auto& word : words) argv.push_back(word.data());
    for (auto& setting : settings) envp.push_back(setting.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    std::signal(SIGPIPE, SIG_DFL);
    execve(program.c_str(), argv.data(), envp.data());
    _exit(127);
}

int code_of(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

void shut(int& descriptor) {
    if (descriptor >= 0) close(descriptor);
    descriptor = -1;
}

/// Appends what is there; false at the end.
bool read_some(int descriptor, std::string& to) {
    std::array<char, 65536> bytes;
    const ssize_t n = read(descriptor, bytes.data(), bytes.size());
    if (n > 0) to.append(bytes.data(), static_cast<size_t>(n));
    return n > 0 || (n < 0 && errno == EINTR);
}

/// Feeds and drains a running program until both its outputs have ended.
void converse(pid_t child, int in, int out, int err, const RunOptions& options, Outcome& outcome) {
    size_t sent = 0;
    bool signalled = false;
    const auto deadline = Clock::now() + kLongest;
    while (out >= 0 || err >= 0) {
        if (Clock::now() > deadline) {
            ADD_FAILURE() << "hearth did not end";
            kill(child, SIGKILL);
            break;
        }
        if (in >= 0 && sent == options.input.size()) shut(in);
        std::array<pollfd, 3> waiting{pollfd{in, POLLOUT, 0}, pollfd{out, POLLIN, 0}, pollfd{err, POLLIN, 0}};
        poll(waiting.data(), waiting.size(), 100);
        if (in >= 0 && waiting[0].revents != 0) {
            const ssize_t n = write(in, options.input.data() + sent, options.input.size() - sent);
            if (n > 0) sent += static_cast<size_t>(n);
            if (n < 0 && errno != EAGAIN) shut(in);
        }
        if (out >= 0 && waiting[1].revents != 0 && !read_some(out, outcome.out)) shut(out);
        if (err >= 0 && waiting[2].revents != 0 && !read_some(err, outcome.err)) shut(err);
        if (options.close_output_after >= 0 && static_cast<int>(outcome.out.size()) >= options.close_output_after) shut(out);
        if (options.signal_after_output != 0 && !signalled && !outcome.out.empty())
            signalled = kill(child, options.signal_after_output) == 0;
    }
    shut(in);
    shut(out);
    shut(err);
}

}  // namespace

Outcome run_hearth(const std::vector<std::string>& arguments, const RunOptions& options) {
    std::signal(SIGPIPE, SIG_IGN);
    std::array<std::array<int, 2>, 3> pipes{};
    for (auto& ends : pipes) EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    if (options.close_output_after == 0) shut(pipes[1][0]);
    const pid_t child = fork();
    if (child == 0) {
        dup2(pipes[0][0], 0);
        dup2(pipes[1][1], 1);
        dup2(pipes[2][1], 2);
        for (int descriptor = 0; options.close_descriptors && descriptor < 3; ++descriptor) close(descriptor);
        const auto id = static_cast<uid_t>(options.user);
        if (options.user >= 0 && (setgid(id) != 0 || setuid(id) != 0)) _exit(127);
        become_hearth(options.program.empty() ? HEARTH_PROGRAM : options.program, arguments, options.environment);
    }
    close(pipes[0][0]);
    close(pipes[1][1]);
    close(pipes[2][1]);
    fcntl(pipes[0][1], F_SETFL, O_NONBLOCK);
    Outcome outcome;
    converse(child, pipes[0][1], pipes[1][0], pipes[2][0], options, outcome);
    int status = 0;
    waitpid(child, &status, 0);
    outcome.code = code_of(status);
    return outcome;
}

Terminal::Terminal(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment, int columns) {
    winsize size{};
    size.ws_row = 24;
    size.ws_col = static_cast<unsigned short>(columns);
    child_ = forkpty(&descriptor_, nullptr, nullptr, &size);
    if (child_ == 0) become_hearth(HEARTH_PROGRAM, arguments, environment);
    EXPECT_GT(child_, 0);
}

Terminal::~Terminal() {
    if (child_ > 0) {
        kill(child_, SIGKILL);
        waitpid(child_, nullptr, 0);
    }
    close(descriptor_);
}

void Terminal::type(const std::string& keys) { EXPECT_EQ(write(descriptor_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size())); }

void Terminal::stop_and_continue_cooked() {
    kill(child_, SIGSTOP);
    int status = 0;
    EXPECT_EQ(waitpid(child_, &status, WUNTRACED), child_);
    termios modes{};
    tcgetattr(descriptor_, &modes);
    modes.c_lflag |= ECHO | ICANON | ISIG;
    modes.c_iflag |= ICRNL;
    tcsetattr(descriptor_, TCSANOW, &modes);
    EXPECT_TRUE(echoes());
    kill(child_, SIGCONT);
}

bool Terminal::echoes() const {
    termios settings{};
    EXPECT_EQ(tcgetattr(descriptor_, &settings), 0);
    return (settings.c_lflag & ECHO) != 0;
}

bool Terminal::fill(int wait_ms) {
    pollfd waiting{descriptor_, POLLIN, 0};
    if (ended_ || poll(&waiting, 1, wait_ms) <= 0) return false;
    ended_ = !read_some(descriptor_, screen_);
    return !ended_;
}

std::string Terminal::wait_for(const std::string& text, int seconds) {
    const auto deadline = Clock::now() + std::chrono::seconds(seconds);
    while (true) {
        const size_t at = screen_.find(text, seen_);
        if (at != std::string::npos) {
            const size_t begin = std::exchange(seen_, at + text.size());
            return screen_.substr(begin, seen_ - begin);
        }
        if (ended_ || Clock::now() > deadline) {
            ADD_FAILURE() << "\"" << text << "\" did not come" << (ended_ ? ": hearth ended" : "")
                          << "; since the last match came: " << screen_.substr(seen_);
            return "";
        }
        fill(100);
    }
}

int Terminal::wait_for_end(int seconds) {
    const auto deadline = Clock::now() + std::chrono::seconds(seconds);
    while (Clock::now() < deadline) {
        if (!fill(50)) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        int status = 0;
        if (waitpid(child_, &status, WNOHANG) == child_) {
            child_ = -1;
            while (fill(0)) {}
            return code_of(status);
        }
    }
    ADD_FAILURE() << "hearth did not end; its last words: " << screen_.substr(seen_);
    return -1;
}

}  // namespace hearth::testing
