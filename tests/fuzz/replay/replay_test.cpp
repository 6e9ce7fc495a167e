// The corpus of every fuzz target, its seeds and every finding of the past, run once more. A finding ends the process, as under libFuzzer.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/fuzz/target.h"

namespace hearth::fuzz {
namespace {

namespace fs = std::filesystem;

class FuzzTarget : public ::testing::TestWithParam<Target> {};

TEST_P(FuzzTarget, HoldsForItsCorpus) {
    const Target& target = GetParam();
    size_t inputs = 0;
    for (const std::string& seed : target.seeds()) {
        target.run(seed);
        ++inputs;
    }
    for (const char* kind : {"corpus", "findings"}) {
        std::error_code absent;
        for (fs::directory_iterator it(fs::path(HEARTH_SOURCE_DIR) / "tests/fuzz" / kind / target.name, absent), end; !absent && it != end;
             ++it) {
            SCOPED_TRACE(it->path().string());
            target.run(file_text(it->path().string()));
            ++inputs;
        }
    }
    EXPECT_GT(inputs, 0u);
}

INSTANTIATE_TEST_SUITE_P(All, FuzzTarget, ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace hearth::fuzz
