#include "tools/hearth/terminal/terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/terminal/interrupts.h"

namespace hearth::tool {

namespace {

bool is_dumb() {
    const char* term = std::getenv("TERM");
    return term == nullptr || std::string_view(term).empty() || std::string_view(term) == "dumb";
}

/// Writes all of `text`; 0, or the errno of what stopped it.
int write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = write(descriptor, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        text.remove_prefix(static_cast<size_t>(n));
    }
    return 0;
}

std::string read_descriptor(int descriptor, const std::string& name, int64_t most_bytes) {
    std::string out;
    std::array<char, 65536> buffer;
    while (true) {
        const ssize_t n = read(descriptor, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) throw Error(ErrorKind::kIo, cat(name, ": ", std::strerror(errno)));
        if (n == 0) return out;
        out.append(buffer.data(), static_cast<size_t>(n));
        if (static_cast<int64_t>(out.size()) > most_bytes) {
            throw Error(ErrorKind::kTooLarge, cat(name, ": more than ", human_bytes(most_bytes), ", found at least ",
                                                  human_bytes(static_cast<int64_t>(out.size()))));
        }
    }
}

}  // namespace

size_t terminal_columns(int descriptor) {
    winsize size{};
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool is_terminal(int descriptor) { return isatty(descriptor) == 1; }

bool has_cursor(int descriptor) { return is_terminal(descriptor) && !is_dumb(); }

bool has_colour(int descriptor) {
    const char* no_colour = std::getenv("NO_COLOR");
    return has_cursor(descriptor) && (no_colour == nullptr || *no_colour == '\0');
}

std::string painted(std::string_view text, Paint paint, int descriptor) {
    if (!has_colour(descriptor)) return std::string(text);
    constexpr std::array<std::string_view, 6> kCodes = {"1", "2", "31", "32", "33", "36"};
    return cat("\033[", kCodes[static_cast<size_t>(paint)], "m", text, "\033[0m");
}

void write_out(std::string_view text) {
    const int problem = write_all(STDOUT_FILENO, text);
    if (problem == EPIPE) throw Interrupted{SIGPIPE};
    if (problem != 0) throw Error(ErrorKind::kIo, cat("standard output: ", std::strerror(problem)));
}

void write_note(std::string_view line) { write_all(STDERR_FILENO, terminal_safe(line) + "\n"); }

void write_note(std::string_view line, Paint paint, std::string_view rest) {
    write_all(STDERR_FILENO, cat(painted(terminal_safe(line), paint, STDERR_FILENO), terminal_safe(rest), "\n"));
}

std::string terminal_safe(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const Utf8Char c = next_utf8(text);
        if (c.valid && (!acts_on_its_line(c.code) || c.code == '\n' || c.code == '\t')) {
            out += text.substr(0, c.length);
        } else {
            append_utf8(out, 0xFFFD);
        }
        text.remove_prefix(c.length);
    }
    return out;
}

std::string read_input(int64_t most_bytes) { return read_descriptor(STDIN_FILENO, "standard input", most_bytes); }

std::string read_file(const std::string& path, int64_t most_bytes) {
    const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        throw Error(errno == ENOENT || errno == ENOTDIR ? ErrorKind::kNotFound : ErrorKind::kIo,
                    cat(printable(path, 300), ": ", std::strerror(errno)));
    }
    struct Closer {
        int descriptor;
        ~Closer() { close(descriptor); }
    } closer{descriptor};
    return read_descriptor(descriptor, printable(path, 300), most_bytes);
}

ProgressLine::ProgressLine(bool quiet, Interrupts* interrupts)
    : quiet_(quiet), in_place_(has_cursor(STDERR_FILENO)), interrupts_(interrupts) {}

ProgressLine::~ProgressLine() {
    if (open_) write_all(STDERR_FILENO, "\n");
}

std::string ProgressLine::line(const ProgressUpdate& update, const std::string& remark, double seconds) const {
    const bool bytes = update.unit == "bytes";
    const auto amount = [&](int64_t n) { return bytes ? human_bytes(n) : grouped(n); };
    const double speed = seconds > 0 ? static_cast<double>(update.done) / seconds : 0;
    std::string numbers = amount(update.done);
    if (update.total > 0 && update.done < update.total) numbers += " of " + amount(update.total);
    if (!bytes) numbers += " " + update.unit;
    if (speed > 0 && speed < 1e15) {
        numbers += bytes ? cat(", ", human_bytes(static_cast<int64_t>(speed)), "/s")
                         : cat(", ", fixed(speed, speed < 100 ? 1 : 0), " ", update.unit, "/s");
    }
    numbers += cat(", ", fixed(seconds, 1), " s");
    if (!remark.empty()) numbers += ", " + remark;
    std::string bar;
    if (in_place_ && update.total > 0) {
        constexpr int64_t kWidth = 24;
        const double share = static_cast<double>(update.done) / static_cast<double>(update.total);
        const int64_t full = std::clamp<int64_t>(static_cast<int64_t>(share * kWidth), 0, kWidth);
        bar = cat(" [", std::string(static_cast<size_t>(full), '='), std::string(static_cast<size_t>(kWidth - full), ' '), "]");
    }
    std::string out = cat(printable(update.what, 60), bar, " ", numbers);
    const size_t columns = terminal_columns(STDERR_FILENO);
    return in_place_ && out.size() >= columns ? cat(printable(update.what, 30), " ", numbers).substr(0, columns - 1) : out;
}

void ProgressLine::draw(const std::string& text) {
    write_all(STDERR_FILENO, in_place_ ? cat("\r", text, "\033[K") : text + "\n");
    open_ = in_place_;
}

void ProgressLine::report(const ProgressUpdate& update, const std::string& remark) {
    const std::lock_guard lock(mutex_);
    if (interrupts_ != nullptr) interrupts_->throw_if_any();
    if (quiet_) return;
    const auto now = Clock::now();
    const bool fresh = what_ != update.what;
    const bool end = update.total > 0 && update.done >= update.total;
    if (fresh) {
        what_ = update.what;
        start_ = now;
        finished_ = false;
    }
    if (finished_) return;
    finished_ = end;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    if (in_place_ ? fresh || end || now - drawn_ > std::chrono::milliseconds(80) : end) {
        draw(line(update, remark, seconds));
        drawn_ = now;
    } else if (fresh) {
        draw(cat(printable(update.what, 60), update.unit == "bytes" && update.total > 0 ? ": " + human_bytes(update.total) : ""));
    }
    if (end && open_) {
        write_all(STDERR_FILENO, "\n");
        open_ = false;
    }
}

std::string grouped(int64_t number) {
    std::string out = std::to_string(number);
    const size_t first = number < 0 ? 1 : 0;
    for (size_t at = out.size(); at > first + 3; at -= 3) out.insert(at - 3, ",");
    return out;
}

}  // namespace hearth::tool
