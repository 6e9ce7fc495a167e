#include "loaders/io/json_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "loaders/io/input_file.h"
#include "loaders/io/placeholder.h"

namespace hearth {

void JsonGuard::open() {
    if (++depth_ > kMaxJsonDepth) throw Error(ErrorKind::kBadInput, cat(file_, ": JSON is nested deeper than ", kMaxJsonDepth, " levels"));
}

void JsonGuard::open_object() {
    open();
    objects_.emplace_back();
}

void JsonGuard::open_array() { open(); }

void JsonGuard::key(const std::string& name) {
    if (++keys_ > kMaxJsonKeys) throw Error(ErrorKind::kTooLarge, cat(file_, ": more than ", kMaxJsonKeys, " keys"));
    if (!objects_.back().insert(name).second)
        throw Error(ErrorKind::kBadInput, cat(file_, ": the key \"", printable(name), "\" stands twice in one object"));
}

void JsonGuard::close_object() {
    objects_.pop_back();
    --depth_;
}

void JsonGuard::close_array() { --depth_; }

void throw_bad_json(const std::string& file, size_t position, std::string_view parser_says) {
    // "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error ..." -> from the first ": " on
    if (const size_t colon = parser_says.find(": "); colon != std::string_view::npos) parser_says.remove_prefix(colon + 2);
    throw Error(ErrorKind::kBadInput, cat(file, ": not valid JSON at byte ", position, ": ", printable(parser_says, 200)));
}

nlohmann::json parse_json(std::string_view text, const std::string& file) {
    using Json = nlohmann::json;
    // The parser takes a NUL for the end of its input and would not look at what follows.
    if (const size_t nul = text.find('\0'); nul != std::string_view::npos) throw_bad_json(file, nul, "a NUL byte");
    JsonGuard guard(file);
    const Json::parser_callback_t watch = [&](int, Json::parse_event_t event, Json& parsed) {
        switch (event) {
            case Json::parse_event_t::object_start: guard.open_object(); break;
            case Json::parse_event_t::object_end: guard.close_object(); break;
            case Json::parse_event_t::array_start: guard.open_array(); break;
            case Json::parse_event_t::array_end: guard.close_array(); break;
            case Json::parse_event_t::key: guard.key(parsed.get_ref<const std::string&>()); break;
            case Json::parse_event_t::value: break;
        }
        return true;
    };
    try {
        return Json::parse(text.begin(), text.end(), watch);
    } catch (const Json::parse_error& e) {
        throw_bad_json(file, e.byte, e.what());
    } catch (const Json::exception& e) {  // a number that no double holds
        throw_bad_json(file, 0, e.what());
    }
}

std::string read_small_file(const std::filesystem::path& path, int64_t max_bytes) {
    const InputFile file = InputFile::open(path);
    if (file.size() > max_bytes)
        throw Error(ErrorKind::kTooLarge, cat(path.string(), ": ", file.size(), " bytes, at most ", max_bytes, " are read"));
    std::string out = file.read_all();
    refuse_placeholder(out, path.string());
    return out;
}

std::string with_quoted_numbers(std::string_view text) {
    constexpr std::string_view kNumbers[] = {"NaN", "Infinity", "-Infinity"};
    constexpr std::string_view kBefore = " \t\r\n:,[", kBehind = " \t\r\n,]}";
    if (text.find("NaN") == std::string_view::npos && text.find("Infinity") == std::string_view::npos) return std::string(text);
    const auto stands_at = [&](std::string_view number, size_t at) {
        const size_t end = at + number.size();
        return text.substr(at).starts_with(number) && at > 0 && kBefore.find(text[at - 1]) != std::string_view::npos && end < text.size() &&
               kBehind.find(text[end]) != std::string_view::npos;
    };
    std::string out;
    bool in_string = false;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string && c == '\\' && i + 1 < text.size()) {
            out += c;
            out += text[++i];
            continue;
        }
        if (c == '"') in_string = !in_string;
        const bool may_begin = !in_string && (c == 'N' || c == 'I' || c == '-');
        const auto* number = std::ranges::find_if(kNumbers, [&](std::string_view n) { return may_begin && stands_at(n, i); });
        if (number == std::end(kNumbers)) {
            out += c;
        } else {
            out += cat('"', *number, '"');
            i += number->size() - 1;
        }
    }
    return out;
}

nlohmann::json read_json_object(const std::filesystem::path& path, int64_t max_bytes) {
    nlohmann::json out = parse_json(with_quoted_numbers(read_small_file(path, max_bytes)), path.string());
    if (!out.is_object()) throw Error(ErrorKind::kBadInput, cat(path.string(), ": expected a JSON object, found ", out.type_name()));
    return out;
}

}  // namespace hearth
