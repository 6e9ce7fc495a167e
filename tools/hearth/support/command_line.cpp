#include "tools/hearth/support/command_line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/support/terminal.h"

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

/// Levenshtein's distance between two short words.
size_t distance(std::string_view a, std::string_view b) {
    std::vector<size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 0; i < a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.size(); ++j) {
            const size_t replaced = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

/// The option that an error of CLI11 begins with, as "--model: ..."; null where it names none.
const CLI::Option* named_in(const std::string& message, const CLI::App& app) {
    return app.get_option_no_throw(message.substr(0, message.find_first_of(": ")));
}

/// An option without its value, or with several.
std::string explain_count(const CLI::ArgumentMismatch& error, const CLI::App& app) {
    const std::string message = error.what();
    const CLI::Option* option = named_in(message, app);
    if (option == nullptr) return "an option lacks its value, or has one too many";
    const std::string name = option->get_name();
    if (option->count() > 1) return cat(name, ": expected once, found ", option->count(), " times");
    return cat(name, ": expected a value behind it, found none");
}

/// What CLI11 found wrong in our words, with the option that was probably meant.
std::string explain(const CLI::ParseError& error, const CLI::App& app) {
    if (const auto* count = dynamic_cast<const CLI::ArgumentMismatch*>(&error)) return explain_count(*count, app);
    std::string message = error.what();
    if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return message;
    const auto extras = app.remaining();
    if (extras.empty()) return message;
    const std::string& extra = extras.front();
    message = cat(extra.starts_with("-") ? "there is no option \"" : "one argument too many: \"", printable(extra, 60), "\"");
    if (!extra.starts_with("-")) return message;
    std::vector<std::string> names;
    for (const auto* option : app.get_options()) {
        for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    }
    if (const auto meant = closest(extra.substr(0, extra.find('=')), names)) message += cat(". Did you mean ", *meant, "?");
    return message;
}

/// CLI11's help with one empty line between its parts, and one above the usage.
std::string tidy(std::string help) {
    for (size_t at = help.find("\n\n\n"); at != std::string::npos; at = help.find("\n\n\n", at)) help.erase(at, 1);
    const size_t usage = help.find("\nUsage:");
    if (usage != std::string::npos) help.insert(usage, "\n");
    return help;
}

bool takes_value(const CLI::Option* option) { return option != nullptr && option->get_items_expected_max() > 0; }

/// An option as CLI11 reads it: other programs' long options with one dash ("-pg") get the second. A letter's value may stand right behind
/// it where it is a number ("-n5"); "-ngl" is no "-n gl".
std::string option_word(std::string word, const CLI::App& app) {
    const std::string name = word.substr(0, word.find('='));
    if (name.size() < 3 || name[0] != '-' || name[1] == '-') return word;
    if (app.get_option_no_throw("-" + name) != nullptr) return "-" + word;
    constexpr std::string_view kOfNumbers = "0123456789.+-";
    const CLI::Option* letter = app.get_option_no_throw(name.substr(0, 2));
    if (takes_value(letter) && kOfNumbers.find(name[2]) == std::string_view::npos)
        throw UsageError(cat("there is no option \"", printable(name, 60), "\"; a value of ", name.substr(0, 2), " stands behind a space"));
    return word;
}

/// Throws UsageError for "--quiet=5", of which CLI11 would make a number of times.
void refuse_value_of_flag(const std::string& word, const CLI::App& app) {
    const size_t sign = word.find('=');
    if (!word.starts_with("-") || sign == std::string::npos) return;
    const CLI::Option* option = app.get_option_no_throw(word.substr(0, sign));
    if (option != nullptr && !takes_value(option))
        throw UsageError(cat(word.substr(0, sign), ": expected no value, found \"", printable(word.substr(sign + 1), 60), "\""));
}

/// The command line in the reverse order that CLI11 takes.
std::vector<std::string> words(int argc, char** argv, const CLI::App& app) {
    std::vector<std::string> out;
    bool value = false, rest = false;  // the word belongs to the option before it; no options follow
    for (int i = 1; i < argc; ++i) {
        const bool option = !value && !rest;
        out.push_back(option ? option_word(argv[i], app) : argv[i]);
        if (option) refuse_value_of_flag(out.back(), app);
        rest = rest || (option && out.back() == "--");
        value = option && out.back().starts_with("-") && out.back().find('=') == std::string::npos &&
                takes_value(app.get_option_no_throw(out.back()));
    }
    std::ranges::reverse(out);
    return out;
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

void Arguments::list(const std::string& names, std::string& target, const std::string& help, const std::string& placeholder) {
    const auto read = [&target](const std::vector<std::string>& found) {
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

std::optional<int64_t> parse_integer(std::string_view text) { return parse<int64_t>(text); }

std::optional<std::string> closest(std::string_view word, const std::vector<std::string>& names) {
    constexpr size_t kLongest = 40;  // of a word that anybody mistyped
    if (word.empty() || word.size() > kLongest) return std::nullopt;
    std::optional<std::string> best;
    size_t least = 3;
    for (const auto& name : names) {
        const size_t slips = name.starts_with(word) ? 1 : distance(word, name);
        if (slips < least && slips < name.size()) {
            least = slips;
            best = name;
        }
    }
    return best;
}

}  // namespace hearth::tool
