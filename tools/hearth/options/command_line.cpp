#include "tools/hearth/options/command_line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/options/command_words.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

/// All of `text` as a number of type T.
template <class T>
std::optional<T> parse(std::string_view text) {
    T value{};
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

[[noreturn]] void refuse(const std::string& names, const std::string& expected, const std::string& found) {
    throw CLI::ValidationError(split(names, ',').back(), cat("expected ", expected, ", found \"", printable(found, 60), "\""));
}

int64_t read_integer(const std::string& names, const std::string& found, int64_t least, int64_t most) {
    const auto value = parse<int64_t>(found);
    if (value && *value >= least && *value <= most) return *value;
    const bool open = most == std::numeric_limits<int64_t>::max();
    refuse(names, open ? cat("a whole number of at least ", least) : cat("a whole number from ", least, " to ", most), found);
}

/// CLI11's help with one empty line between its parts, and one above the usage.
std::string tidy(std::string help) {
    for (size_t at = help.find("\n\n\n"); at != std::string::npos; at = help.find("\n\n\n", at)) help.erase(at, 1);
    const size_t usage = help.find("\nUsage:");
    if (usage != std::string::npos) help.insert(usage, "\n");
    return help;
}

/// "-ngl" for "--ngl": how the program that an option comes from spells it.
std::string dashes_of_others(const std::string& name) { return name.starts_with("--") ? name.substr(1) : name; }

}  // namespace

void Arguments::place(CLI::Option* option, const std::string& placeholder) {
    option->group(group_);
    if (!placeholder.empty()) option->type_name(placeholder);
}

void Arguments::flag(const std::string& names, bool& target, const std::string& help) { place(app_.add_flag(names, target, help), ""); }

void Arguments::text(const std::string& names, std::string& target, const std::string& help, const std::string& placeholder) {
    place(app_.add_option_function<std::string>(
              names, [&target](const std::string& found) { target = found; }, help),
          placeholder);
}

void Arguments::text(const std::string& names, std::optional<std::string>& target, const std::string& help,
                     const std::string& placeholder) {
    place(app_.add_option_function<std::string>(
              names, [&target](const std::string& found) { target = found; }, help),
          placeholder);
}

void Arguments::name(const std::string& names, std::string& target, const std::string& help, const std::string& placeholder) {
    auto read = [names, &target](const std::string& found) {
        if (found.empty()) refuse(names, "a name", found);
        target = found;
    };
    place(app_.add_option_function<std::string>(names, read, help), placeholder);
}

void Arguments::repeated(const std::string& names, std::vector<std::string>& target, const std::string& help,
                         const std::string& placeholder) {
    auto* option = app_.add_option_function<std::vector<std::string>>(
        names, [&target](const std::vector<std::string>& found) { target = found; }, help);
    place(option->type_size(1)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll), placeholder);
}

void Arguments::list(const std::string& names, std::string& target, const std::string& help, const std::string& placeholder) {
    const auto read = [names, &target](const std::vector<std::string>& found) {
        if (std::ranges::find(found, "") != found.end()) refuse(names, "values with commas between them", "");
        target = join(found, ",");
        return true;
    };
    CLI::Option* option = app_.add_option(names, read, help);
    option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    place(option, placeholder);
}

void Arguments::accepted(const std::string& names, bool with_value, std::vector<std::string>& notes, const std::string& note) {
    const std::string name = dashes_of_others(split(names, ',').front());
    const std::string line = cat(name, ": ", note);
    CLI::Option* option = with_value
                              ? app_.add_option_function<std::string>(names, [&notes, line](const std::string&) { notes.push_back(line); })
                              : app_.add_flag_callback(names, [&notes, line] { notes.push_back(line); });
    option->group("");  // not in --help
    if (with_value) option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void Arguments::choice(const std::string& names, std::string& target, const std::vector<std::string>& allowed, const std::string& help) {
    auto read = [names, allowed, &target](const std::string& found) {
        if (std::find(allowed.begin(), allowed.end(), found) == allowed.end()) refuse(names, "one of " + join(allowed, ", "), found);
        target = found;
    };
    place(app_.add_option_function<std::string>(names, read, help), allowed.size() < 4 ? join(allowed, "|") : "NAME");
}

void Arguments::integer(const std::string& names, int64_t& target, int64_t least, int64_t most, const std::string& help) {
    auto read = [=, &target](const std::string& found) { target = read_integer(names, found, least, most); };
    place(app_.add_option_function<std::string>(names, read, help), "N");
}

void Arguments::integer(const std::string& names, std::optional<int64_t>& target, int64_t least, int64_t most, const std::string& help) {
    auto read = [=, &target](const std::string& found) { target = read_integer(names, found, least, most); };
    place(app_.add_option_function<std::string>(names, read, help), "N");
}

void Arguments::bytes(const std::string& names, int64_t& target, const std::string& help) {
    auto read = [names, &target](const std::string& found) {
        const auto value = parse_bytes(found);
        if (!value) refuse(names, "an amount such as 8G, 8GiB, 500M or a number of bytes", found);
        target = *value;
    };
    place(app_.add_option_function<std::string>(names, read, help), "BYTES");
}

void Arguments::seed(const std::string& names, std::optional<uint64_t>& target, const std::string& help) {
    auto read = [names, &target](const std::string& found) {
        target = parse<uint64_t>(found);
        if (!target) refuse(names, "a whole number from 0 to 2^64 - 1", found);
    };
    place(app_.add_option_function<std::string>(names, read, help), "N");
}

void Arguments::number(const std::string& names, std::optional<float>& target, float least, float most, const std::string& help) {
    auto read = [=, &target](const std::string& found) {
        target = parse<float>(found);
        if (!target || !std::isfinite(*target) || *target < least || *target > most)
            refuse(names, cat("a number from ", least, " to ", most), found);
    };
    place(app_.add_option_function<std::string>(names, read, help), "X");
}

void Arguments::rest(const std::string& name, std::vector<std::string>& target, const std::string& help) {
    app_.add_option(name, target, help)->type_name("");
}

int run_command(const Command& command, int argc, char** argv) {
    CLI::App app{std::string(command.summary), cat("hearth ", command.name)};
    app.get_formatter()->column_width(34);
    app.set_help_flag("-h,--help", "This text")->group("Options");
    app.footer(cat("Examples:\n", command.examples));
    const auto subcommand = command.make();
    Arguments arguments(app);
    subcommand->declare(arguments);
    try {
        app.parse(words(argc, argv, app));
    } catch (const CLI::CallForHelp&) {
        write_out(tidy(app.help()));
        return kExitOk;
    } catch (const CLI::ParseError& error) {
        throw UsageError(explain(error, app));
    }
    return subcommand->run();
}

std::optional<int64_t> parse_bytes(std::string_view text) {
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse<int64_t>(text.substr(0, digits));
    std::string_view unit = text.substr(digits);
    if (!number || *number < 1) return std::nullopt;
    if (unit.ends_with('B')) unit.remove_suffix(1);
    const bool binary = unit.ends_with('i');
    if (binary) unit.remove_suffix(1);
    constexpr std::string_view kUnits = "KMGT";
    const size_t power = unit.empty() ? 0 : kUnits.find(unit) + 1;
    if (unit.size() > 1 || (!unit.empty() && power == 0) || (unit.empty() && binary)) return std::nullopt;
    int64_t out = *number;
    for (size_t i = 0; i < power; ++i) {
        if (__builtin_mul_overflow(out, int64_t{binary ? 1024 : 1000}, &out)) return std::nullopt;
    }
    return out;
}

std::optional<int64_t> parse_integer(std::string_view text) { return parse<int64_t>(text); }

}  // namespace hearth::tool
