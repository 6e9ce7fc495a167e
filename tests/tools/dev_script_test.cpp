// tools/dev.sh bench, in a tree of its own where cmake, the package manager and the benchmark are stand-ins.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "tests/tools/program.h"

namespace hearth::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class DevScript : public ::testing::Test {
protected:
    void SetUp() override {
        fs::remove_all(tree_);
        for (const char* folder : {"tools", "bin", "perf", "build/release/perf"}) fs::create_directories(tree_ / folder);
        fs::copy_file(fs::path(HEARTH_SOURCE_DIR) / "tools/dev.sh", tree_ / "tools/dev.sh");
        std::ofstream(tree_ / "perf/toy.cpp") << "";
        std::ofstream(tree_ / "build/release/build.ninja") << "";
        script("bin/cmake", "echo '[0/2] Re-checking globbed directories...'");
        script("bin/dpkg-query", "echo installed");
        script("build/release/perf/perf_toy", "echo '{\"arguments\": \"'\"$*\"'\"}'");
    }
    void TearDown() override { fs::remove_all(tree_); }

    void script(const std::string& name, const std::string& line) const {
        std::ofstream(tree_ / name) << "#!/bin/sh\n" << line << "\n";
        fs::permissions(tree_ / name, fs::perms::owner_all);
    }

    Outcome dev(const std::vector<std::string>& arguments) const {
        return run_hearth(arguments, {.environment = {{"PATH", cat((tree_ / "bin").string(), ":/usr/bin:/bin")}},
                                      .program = (tree_ / "tools/dev.sh").string()});
    }

    const fs::path tree_ = fs::temp_directory_path() / cat("hearth-dev-", ::getpid());
};

TEST_F(DevScript, BenchWritesTheProgramsOutputAlone) {
    const Outcome outcome = dev({"bench", "toy", "--benchmark_format=json"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, "{\"arguments\": \"--benchmark_format=json\"}\n");
    EXPECT_THAT(outcome.err, HasSubstr("Re-checking"));
}

TEST_F(DevScript, BenchNamesTheProgramsThatThereAre) {
    const Outcome outcome = dev({"bench", "nope"});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("there is no benchmark program 'nope'; there are: kernels toy"));
    EXPECT_THAT(outcome.err, ::testing::Not(HasSubstr("No such file")));
}

TEST_F(DevScript, BenchOfAProgramThatDoesNotCompileIsAnError) {
    script("bin/cmake", "exit 1");
    EXPECT_NE(dev({"bench", "toy"}).code, 0);
    EXPECT_EQ(dev({"bench", "toy"}).out, "");
}

}  // namespace
}  // namespace hearth::testing
