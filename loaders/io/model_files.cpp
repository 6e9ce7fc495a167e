#include "loaders/io/model_files.h"

#include <algorithm>
#include <system_error>

#include "loaders/builtin/builtin_files.h"

namespace hearth {

namespace fs = std::filesystem;

bool model_file_exists(const fs::path& path) {
    std::error_code ignored;
    return find_builtin_file(path) != nullptr || fs::exists(path, ignored);
}

bool model_folder_exists(const fs::path& path) {
    std::error_code ignored;
    return path == kBuiltinFolder || fs::is_directory(path, ignored);
}

std::vector<std::string> model_file_names(const fs::path& folder) {
    std::vector<std::string> names;
    if (folder == kBuiltinFolder) {
        for (const BuiltinFile& file : builtin_files()) names.emplace_back(file.name);
    }
    std::error_code failed;
    for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
        std::error_code ignored;
        if (it->is_regular_file(ignored)) names.push_back(it->path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

int64_t model_file_bytes(const fs::path& path) {
    if (const BuiltinFile* file = find_builtin_file(path)) return static_cast<int64_t>(file->bytes.size());
    std::error_code failed;
    const auto bytes = fs::file_size(path, failed);
    return failed ? 0 : static_cast<int64_t>(bytes);
}

}  // namespace hearth
