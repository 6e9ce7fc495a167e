// tools/dev.sh in a tree of its own where cmake, the package manager, the benchmark and libFuzzer are stand-ins.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

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
        for (const char* folder : {"tools", "bin", "perf", "clang", "build/release/perf", "build/fuzz/tests/fuzz"})
            fs::create_directories(tree_ / folder);
        fs::copy_file(fs::path(HEARTH_SOURCE_DIR) / "tools/dev.sh", tree_ / "tools/dev.sh");
        fs::copy(fs::path(HEARTH_SOURCE_DIR) / "tools/dev", tree_ / "tools/dev");
        std::ofstream(tree_ / "perf/toy.cpp") << "";
        std::ofstream(tree_ / "build/release/build.ninja") << "";
        script("bin/cmake", "echo '[0/2] Re-checking globbed directories...'");
        script("bin/dpkg-query", "echo installed");
        script("bin/clang++", "echo " + (tree_ / "clang").string());
        std::ofstream(tree_ / "clang/libclang_rt.fuzzer.a") << "";
        script("build/fuzz/tests/fuzz/fuzz_seeds", "test \"$1\" = --list && printf 'json\\nhttp\\n'");
        script("build/fuzz/tests/fuzz/hearth_fuzz",
               "echo '#2 INITED cov: 7'; echo '#4096 pulse cov: 9 ft: 12'; echo stat::number_of_executed_units: 5000");
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

TEST_F(DevScript, FuzzRunsEveryTargetAndCountsWhatItDid) {
    const Outcome outcome = dev({"fuzz", "5"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("json: 5000 executions in"));
    EXPECT_THAT(outcome.err, HasSubstr("http: 5000 executions in"));
    EXPECT_THAT(outcome.err, HasSubstr("9 edges, 0 findings"));
    std::ifstream runs(tree_ / "build/fuzz/runs.tsv");
    std::string line;
    ASSERT_TRUE(std::getline(runs, line));
    EXPECT_THAT(line, ::testing::StartsWith("json\t5000\t"));
}

TEST_F(DevScript, FuzzSaysWhereAFindingLiesAndHowToKeepIt) {
    script("build/fuzz/tests/fuzz/hearth_fuzz", "sleep 1; echo '#3 NEW cov: 7'; echo x > build/fuzz/findings/http/crash-1; exit 77");
    const Outcome outcome = dev({"fuzz", "http", "5"});
    EXPECT_NE(outcome.code, 0);
    EXPECT_THAT(outcome.err, HasSubstr("http: 3 executions"));
    EXPECT_THAT(outcome.err, HasSubstr("7 edges, 1 findings"));
    EXPECT_THAT(outcome.err, HasSubstr("build/fuzz/findings/http/crash-1"));
    EXPECT_THAT(outcome.err, HasSubstr("tests/fuzz/findings/http/what-went-wrong"));
}

TEST_F(DevScript, FuzzRefusesWhatIsNoTargetAndNoNumber) {
    EXPECT_THAT(dev({"fuzz", "nope"}).err, HasSubstr("there is no fuzz target 'nope'; there are: json http"));
    EXPECT_THAT(dev({"fuzz", "http", "soon"}).err, HasSubstr("'soon' is no number of seconds"));
    EXPECT_EQ(dev({"fuzz", "http", "soon"}).code, 2);
}

TEST_F(DevScript, FuzzSaysThatLibFuzzerIsMissing) {
    fs::remove(tree_ / "clang/libclang_rt.fuzzer.a");
    const Outcome outcome = dev({"fuzz", "http"});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.err, HasSubstr("has no libFuzzer (on Debian it is in libclang-rt-14-dev)"));
}

TEST_F(DevScript, TrialListsTheTrialsAndRefusesOthers) {
    const Outcome list = dev({"trial"});
    EXPECT_EQ(list.code, 0);
    for (const char* name : {"fuzz ", "asan ", "tsan ", "clone "}) EXPECT_THAT(list.err, HasSubstr(name));
    const Outcome other = dev({"trial", "nope"});
    EXPECT_EQ(other.code, 2);
    EXPECT_THAT(other.err, HasSubstr("there is no trial 'nope'; there are: fuzz"));
}

TEST_F(DevScript, EveryTrialStandsInTheTable) {
    const std::string list = dev({"trial"}).err;
    std::ifstream file(fs::path(HEARTH_SOURCE_DIR) / "tests/TRIALS.md");
    const std::string table{std::istreambuf_iterator<char>(file), {}};
    size_t trials = 0;
    for (const std::string_view line : split(list, '\n')) {
        if (!line.starts_with("  ")) continue;
        const std::string_view name = line.substr(2, line.find(' ', 2) - 2);
        EXPECT_THAT(table, HasSubstr(cat("\n| ", name, " | ")));
        ++trials;
    }
    EXPECT_GE(trials, 4u);
}

TEST_F(DevScript, TrialOfFuzzEndsWithWhatTheTableWantsToKnow) {
    const Outcome outcome = dev({"trial", "fuzz", "http"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("http: 5000 executions in"));
    EXPECT_THAT(outcome.err, HasSubstr("trial fuzz: passed, 20"));
}

}  // namespace
}  // namespace hearth::testing
