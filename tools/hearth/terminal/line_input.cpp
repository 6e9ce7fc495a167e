#include "tools/hearth/terminal/line_input.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "tools/hearth/terminal/interrupts.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

constexpr size_t kMostLineBytes = size_t{64} << 20;

class PlainInput : public LineInput {
public:
    explicit PlainInput(Interrupts& interrupts) : interrupts_(interrupts) {}

    InputLine read(const std::string&) override {
        while (true) {
            const size_t end = buffer_.find('\n', searched_);
            if (end != std::string::npos) {
                InputLine line{InputLine::Kind::kText, buffer_.substr(0, end)};
                buffer_.erase(0, end + 1);
                searched_ = 0;
                if (line.text.ends_with('\r')) line.text.pop_back();
                return line;
            }
            searched_ = buffer_.size();
            if (buffer_.size() > kMostLineBytes) {
                throw Error(ErrorKind::kTooLarge, cat("standard input: a line of more than ", human_bytes(kMostLineBytes),
                                                      ", found at least ", human_bytes(static_cast<int64_t>(buffer_.size()))));
            }
            if (ended_) {
                if (buffer_.empty()) return {};
                searched_ = 0;
                return {InputLine::Kind::kText, std::exchange(buffer_, {})};
            }
            if (const auto signal = fill())
                return {*signal == SIGINT ? InputLine::Kind::kInterrupted : InputLine::Kind::kTerminated, "", true};
        }
    }

private:
    /// Waits for more bytes, the end, or a signal, which is returned.
    std::optional<int> fill() {
        std::array<pollfd, 2> waiting{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{interrupts_.descriptor(), POLLIN, 0}};
        poll(waiting.data(), waiting.size(), -1);
        if (const auto signal = interrupts_.take()) return signal;
        if (waiting[0].revents == 0) return std::nullopt;
        std::array<char, 65536> bytes;
        const ssize_t n = ::read(STDIN_FILENO, bytes.data(), bytes.size());
        if (n < 0 && errno != EINTR && errno != EAGAIN) throw Error(ErrorKind::kIo, cat("standard input: ", std::strerror(errno)));
        if (n == 0) ended_ = true;
        if (n > 0) buffer_.append(bytes.data(), static_cast<size_t>(n));
        return std::nullopt;
    }

    Interrupts& interrupts_;
    std::string buffer_;
    size_t searched_ = 0;  // of buffer_: no newline before it
    bool ended_ = false;
};

}  // namespace

std::unique_ptr<LineInput> make_line_input(Interrupts& interrupts) {
    if (is_terminal(STDIN_FILENO) && (is_terminal(STDOUT_FILENO) || is_terminal(STDERR_FILENO))) return make_line_editor(interrupts);
    return std::make_unique<PlainInput>(interrupts);
}

}  // namespace hearth::tool
