// How things go wrong: Error for bad input and a bad environment, check() for our own mistakes.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace hearth {

/// What a caller may want to tell apart. The exit code and the HTTP status follow from it.
enum class ErrorKind {
    kBadInput,     // a file, option, template or request that is not what it should be
    kNotFound,     // a file, model or route that is not there
    kUnsupported,  // well-formed, but something this program does not do; the message says what it does
    kTooLarge,     // over a stated limit; the message gives both numbers
    kNoResources,  // memory, disk, ports
    kIo,           // the operating system refused: permission, read error
};

/// `message` with each NUL byte as \x00: what() gives a text that would end there.
std::string without_nul(std::string message);

/// Bad input or environment, thrown at an edge. The message names the failing thing, what was expected and what was found.
class Error : public std::runtime_error {
public:
    Error(ErrorKind kind, const std::string& message) : std::runtime_error(without_nul(message)), kind_(kind) {}
    ErrorKind kind() const { return kind_; }

private:
    ErrorKind kind_;
};

/// Ends the program with `what` and the place: only for states that no input can cause.
[[noreturn]] void check_failed(std::string_view what, const char* file, int line) noexcept;

}  // namespace hearth

/// Our own invariants, in every build. Bad input throws Error instead.
#define HEARTH_CHECK(condition) ((condition) ? static_cast<void>(0) : ::hearth::check_failed(#condition, __FILE__, __LINE__))
