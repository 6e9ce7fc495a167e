#include "tools/hearth/options/command_words.h"

#include <algorithm>
#include <numeric>

#include <CLI/CLI.hpp>

#include "base/text.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/options/command_line.h"

namespace hearth::tool {

namespace {

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
    const auto is_flag = [&](char c) {
        const CLI::Option* option = app.get_option_no_throw(std::string{'-', c});
        return option != nullptr && !takes_value(option);
    };
    if (letter != nullptr && !takes_value(letter) && !std::all_of(name.begin() + 1, name.end(), is_flag))  // "-hf" is no "-h -f"
        throw UsageError(cat("there is no option \"", printable(name, 60), "\""));
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

/// "--model=", of which CLI11 would make the next word's option: a value that is empty.
bool is_empty_value(const std::string& word, const CLI::App& app) {
    if (!word.starts_with("-") || !word.ends_with("=")) return false;
    const CLI::Option* option = app.get_option_no_throw(word.substr(0, word.size() - 1));
    return option != nullptr && takes_value(option);
}

}  // namespace

std::vector<std::string> words(int argc, char** argv, const CLI::App& app) {
    std::vector<std::string> out;
    bool value = false, rest = false;  // the word belongs to the option before it; no options follow
    for (int i = 1; i < argc; ++i) {
        const bool option = !value && !rest;
        out.push_back(option ? option_word(argv[i], app) : argv[i]);
        if (option) refuse_value_of_flag(out.back(), app);
        if (option && is_empty_value(out.back(), app)) {
            out.back().pop_back();
            out.emplace_back();
            continue;
        }
        rest = rest || (option && out.back() == "--");
        value = option && out.back().starts_with("-") && out.back().find('=') == std::string::npos &&
                takes_value(app.get_option_no_throw(out.back()));
    }
    std::ranges::reverse(out);
    return out;
}

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
