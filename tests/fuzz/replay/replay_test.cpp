// The corpus of every fuzz target, its seeds and every finding of the past, run once more. A finding ends the process, as under libFuzzer;
// which input it was is then said.
#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

#include "base/text.h"
#include "tests/fuzz/target.h"

namespace hearth::fuzz {
namespace {

namespace fs = std::filesystem;

char running[512];  // which input, for the handler below

void name_the_input(int signal_number) {
    if (::write(STDERR_FILENO, running, std::strlen(running)) < 0) running[0] = '\0';
    ::signal(signal_number, SIG_DFL);
    ::raise(signal_number);
}

void run(const Target& target, const std::string& name, const std::string& input) {
    std::snprintf(running, sizeof running, "fuzz: ended by %.*s: %s\n", static_cast<int>(target.name.size()), target.name.data(),
                  name.c_str());
    target.run(input);
}

class FuzzTarget : public ::testing::TestWithParam<Target> {};

TEST_P(FuzzTarget, HoldsForItsCorpus) {
    const Target& target = GetParam();
    ::signal(SIGABRT, name_the_input);
    size_t inputs = 0;
    for (const std::string& seed : target.seeds()) run(target, cat("seed ", inputs++), seed);
    for (const char* kind : {"corpus", "findings"}) {
        std::error_code absent;
        for (fs::directory_iterator it(fs::path(HEARTH_SOURCE_DIR) / "tests/fuzz" / kind / target.name, absent), end; !absent && it != end;
             ++it) {
            run(target, it->path().string(), file_text(it->path().string()));
            ++inputs;
        }
    }
    EXPECT_GT(inputs, 0u);
}

INSTANTIATE_TEST_SUITE_P(All, FuzzTarget, ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace hearth::fuzz
