// Where tests find data.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace hearth::testing {

/// Checkpoints with goldens that belong to the project.
inline std::filesystem::path golden_dir() {
    if (const char* other = std::getenv("HEARTH_GOLDEN")) return other;
    return std::filesystem::path(HEARTH_SOURCE_DIR) / "tests" / "golden";
}

/// Real inputs that the project does not own: HEARTH_SHARED_DATA, else ../shared/data beside the checkout. May be absent.
inline std::filesystem::path shared_data() {
    if (const char* other = std::getenv("HEARTH_SHARED_DATA")) return other;
    return std::filesystem::path(HEARTH_SOURCE_DIR) / ".." / "shared" / "data";
}

inline bool have_shared_data() { return std::filesystem::is_directory(shared_data()); }

}  // namespace hearth::testing

/// First line of a test that reads shared_data().
#define HEARTH_NEEDS_SHARED_DATA() \
    if (!::hearth::testing::have_shared_data()) GTEST_SKIP() << "skipped: ../shared/data absent"
