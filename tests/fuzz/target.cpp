#include "tests/fuzz/target.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace hearth::fuzz {

namespace fs = std::filesystem;

std::vector<std::string_view> parts(std::string_view input, size_t most) {
    constexpr std::string_view kLine = "\n----\n";
    std::vector<std::string_view> out;
    while (out.size() + 1 < most) {
        const size_t at = input.find(kLine);
        out.push_back(input.substr(0, at));
        if (at == std::string_view::npos) break;
        input.remove_prefix(at + kLine.size());
        if (out.size() + 1 == most) out.push_back(input);
    }
    out.resize(most);
    return out;
}

void broken(std::string_view what) {
    std::fprintf(stderr, "fuzz: does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
}

std::string file_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

namespace {

bool shared_left_out = false;

std::vector<std::string> files_below(const fs::path& folder, std::string_view ending, size_t longest) {
    std::vector<fs::path> paths;
    std::error_code failed;
    for (fs::recursive_directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
        if (it->path().string().ends_with(ending) && it->is_regular_file() && it->file_size() <= longest) paths.push_back(it->path());
    }
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> out;
    for (const fs::path& path : paths) out.push_back(file_text(path.string()));
    return out;
}

}  // namespace

std::vector<std::string> golden_files(std::string_view ending) {
    return files_below(fs::path(HEARTH_SOURCE_DIR) / "tests" / "golden", ending, 1 << 20);
}

std::vector<std::string> shared_files(const std::string& folder, std::string_view ending, size_t longest) {
    if (shared_left_out) return {};
    return files_below(fs::path(HEARTH_SOURCE_DIR) / ".." / "shared" / folder, ending, longest);
}

void without_shared_files() { shared_left_out = true; }

}  // namespace hearth::fuzz
