// JSON that others wrote: strict, bounded, with errors that name the file.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace hearth {

constexpr int64_t kMaxJsonDepth = 64;
constexpr int64_t kMaxJsonKeys = 2'000'000;  // in one document

/// Watches a parse as it goes: refuses a key that its object has already, nesting past kMaxJsonDepth, more than kMaxJsonKeys keys.
/// Parsers keep the last of two equal keys in silence, so that two programs can read two things from one file.
class JsonGuard {
public:
    /// `file` is named in errors.
    explicit JsonGuard(std::string file) : file_(std::move(file)) {}

    void open_object();
    void open_array();
    void key(const std::string& name);
    void close_object();
    void close_array();
    int64_t depth() const { return depth_; }

private:
    void open();

    std::string file_;
    std::vector<std::unordered_set<std::string>> objects_;  // the keys seen in each open object
    int64_t depth_ = 0, keys_ = 0;
};

/// Error{kBadInput} for what the parser says about `file` ("... at byte 12: unexpected ']'").
[[noreturn]] void throw_bad_json(const std::string& file, size_t position, std::string_view parser_says);

/// Parses a whole document: strict JSON in strict UTF-8. Throws Error{kBadInput} naming `file`.
nlohmann::json parse_json(std::string_view text, const std::string& file);

/// Reads a small file. Throws Error: kNotFound, kIo, kTooLarge past `max_bytes`, kBadInput for what is not a plain file, or holds
/// something else than the file (refuse_placeholder).
std::string read_small_file(const std::filesystem::path& path, int64_t max_bytes);

/// `text` with Python's NaN, Infinity and -Infinity, which are no JSON, as strings: who reads such a field refuses it by its name, and who
/// does not never meets it.
std::string with_quoted_numbers(std::string_view text);

/// read_small_file, with_quoted_numbers and parse_json; the document must be an object.
nlohmann::json read_json_object(const std::filesystem::path& path, int64_t max_bytes);

}  // namespace hearth
