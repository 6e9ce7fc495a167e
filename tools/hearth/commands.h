// The subcommands of `hearth`, and what one is.
#pragma once

#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hearth::tool {

class Arguments;

/// How the program ends. Written out for people in `hearth --help`.
constexpr int kExitOk = 0;
constexpr int kExitFailure = 1;   // the machine refused or ran out: memory, disk, port, permission; or the answer failed
constexpr int kExitUsage = 2;     // the command line itself
constexpr int kExitBadInput = 3;  // a model, file, prompt or text is not there or not what it should be
constexpr int kExitSignal = 128;  // + the signal: 130 Ctrl-C, 141 the reader of standard output went away, 143 terminated

/// Options that are right one by one and wrong together.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// The program is to end because of a signal; thrown where work is cut short. Not a std::exception, so that nobody takes it for a failure.
struct Interrupted {
    int signal = 0;
};

/// One subcommand: first declare() its options, then, with the command line read into them, run() it.
class Subcommand {
public:
    virtual ~Subcommand() = default;
    virtual void declare(Arguments& arguments) = 0;

    /// Returns the exit code. Throws Error, UsageError, Interrupted.
    virtual int run() = 0;
};

/// A row of the table of subcommands.
struct Command {
    std::string_view name, summary;
    std::string_view examples;  // below the options in --help
    std::unique_ptr<Subcommand> (*make)();
};

std::span<const Command> commands();

std::unique_ptr<Subcommand> make_serve();
std::unique_ptr<Subcommand> make_chat();
std::unique_ptr<Subcommand> make_generate();
std::unique_ptr<Subcommand> make_inspect();
std::unique_ptr<Subcommand> make_tokenize();
std::unique_ptr<Subcommand> make_perplexity();
std::unique_ptr<Subcommand> make_bench();
std::unique_ptr<Subcommand> make_quantize();
std::unique_ptr<Subcommand> make_devices();

}  // namespace hearth::tool
