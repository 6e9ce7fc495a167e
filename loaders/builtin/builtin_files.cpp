#include "loaders/builtin/builtin_files.h"

#include <algorithm>

namespace hearth {

const BuiltinFile* find_builtin_file(const std::filesystem::path& path) {
    if (path.parent_path() != kBuiltinFolder) return nullptr;
    const auto files = builtin_files();
    const auto found = std::ranges::find(files, path.filename().string(), &BuiltinFile::name);
    return found == files.end() ? nullptr : &*found;
}

}  // namespace hearth
