// Options of a subcommand, declared one by one and read with messages that say what was expected and what was found.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace hearth::tool {

struct Command;

/// The options of one subcommand. Targets are filled while the command line is read, so they outlive it; an option that is not given
/// leaves its target alone. Names as in "-m,--model"; without dashes, a positional argument.
class Arguments {
public:
    explicit Arguments(CLI::App& app) : app_(app) {}

    /// The options that follow stand under `title` in --help.
    void group(std::string title) { group_ = std::move(title); }

    void flag(const std::string& names, bool& target, const std::string& help);
    void text(const std::string& names, std::string& target, const std::string& help, const std::string& placeholder = "TEXT");
    void text(const std::string& names, std::optional<std::string>& target, const std::string& help,
              const std::string& placeholder = "TEXT");

    /// A text that says what to use: an empty one, such as a variable that is not set, is refused rather than taken for the default.
    void name(const std::string& names, std::string& target, const std::string& help, const std::string& placeholder);

    /// May be given several times; each adds one text.
    void repeated(const std::string& names, std::vector<std::string>& target, const std::string& help, const std::string& placeholder);

    /// Values with commas between them; given several times, one list of all of them.
    void list(const std::string& names, std::string& target, const std::string& help, const std::string& placeholder);

    /// An option of another program that means nothing here: it is read, stands in no help, and adds "-name: note" to `notes`.
    void accepted(const std::string& names, bool with_value, std::vector<std::string>& notes, const std::string& note);

    void choice(const std::string& names, std::string& target, const std::vector<std::string>& allowed, const std::string& help);

    /// A whole number from `least` to `most`.
    void integer(const std::string& names, int64_t& target, int64_t least, int64_t most, const std::string& help);
    void integer(const std::string& names, std::optional<int64_t>& target, int64_t least, int64_t most, const std::string& help);

    /// An amount of memory from 1 on: "8G" (10^9 each), "8GiB" (2^30 each), "500M", "8000000000".
    void bytes(const std::string& names, int64_t& target, const std::string& help);

    void seed(const std::string& names, std::optional<uint64_t>& target, const std::string& help);

    /// A finite decimal number from `least` to `most`.
    void number(const std::string& names, std::optional<float>& target, float least, float most, const std::string& help);

    /// Everything on the line that is not an option.
    void rest(const std::string& name, std::vector<std::string>& target, const std::string& help);

private:
    void place(CLI::Option* option, const std::string& placeholder);
    CLI::App& app_;
    std::string group_ = "Options";
};

/// Reads the command line into options of `command` and runs it; or answers --help. Returns the exit code.
int run_command(const Command& command, int argc, char** argv);

/// "8G", "8GB", "8GiB", "500M", "123": an amount of bytes, at least 1; nothing for anything else.
std::optional<int64_t> parse_bytes(std::string_view text);

/// Decimal digits (and for int64_t a sign) and nothing else.
std::optional<int64_t> parse_integer(std::string_view text);

/// The one of `names` that `word` was probably meant to be: at most two slips away, or a beginning of it.
std::optional<std::string> closest(std::string_view word, const std::vector<std::string>& names);

}  // namespace hearth::tool
