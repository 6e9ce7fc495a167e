// perf/peers/peers.py against programs that are shell scripts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "perf/plot/charts.h"
#include "perf/results/results.h"
#include "tests/support/temp_folder.h"

namespace hearth::perf {
namespace {

using ::testing::HasSubstr;

struct Output {
    int code = -1;
    std::string text;
};

Output shell(const std::string& command) {
    Output out;
    FILE* pipe = popen((command + " 2>&1").c_str(), "r");
    char bytes[4096];
    for (size_t n = 0; pipe != nullptr && (n = fread(bytes, 1, sizeof bytes, pipe)) > 0;) out.text.append(bytes, n);
    const int status = pipe != nullptr ? pclose(pipe) : -1;
    out.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return out;
}

/// A folder with a config, weights that nobody reads, and engines that answer at once.
class Peers : public ::testing::Test {
protected:
    void SetUp() override {
        if (shell("python3 --version").code != 0) GTEST_SKIP() << "skipped: no python3";
        write("config.json", "{}");
        write("w.gguf", "");
        engine(
            "hearth", "-d, --n-depth",
            answer("200", R"("pct_bw_measured": 90.5, "pct_peak_measured": 60.5, "peak_unit": "int8 dot", "build_commit": "hearth 1",)"));
        engine("peer", "-d, --n-depth", answer("100", R"("build_commit": "peer 1",)"));
    }

    void write(const std::string& name, const std::string& text) { folder_.write(name, text); }

    void engine(const std::string& name, const std::string& help, const std::string& body) {
        write(name, cat("#!/bin/sh\nif [ \"$2\" = --help ] || [ \"$1\" = --help ] || [ \"$3\" = --help ]; then echo '-p, --n-prompt ", help,
                        "'; exit 0; fi\n", body));
        std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_all);
    }

    /// Shell that answers -p P -n N [-d D] with rows of one sample.
    static std::string answer(const std::string& speed, const std::string& more) {
        return cat(
            "d=0; while [ $# -gt 0 ]; do case $1 in -p) p=$2; shift;; -n) n=$2; shift;; -d) d=$2; shift;; esac; shift; done\n",
            "row() { printf '{", more,
            R"("cpu_info":"Test CPU","model_type":"llama q8","n_threads":2,"model_size":1000000,"n_prompt":%d,"n_gen":%d,"n_depth":%d,"samples_ts":[)",
            speed, "]}' $1 $2 $d; }\n", "echo loading; echo '['; row $p 0; echo ,; row 0 $n; echo ']'\n");
    }

    Output peers(const std::string& options) {
        return shell(cat("python3 ", HEARTH_SOURCE_DIR, "/perf/peers/peers.py ", path("config.json"), " --hearth ", path("hearth"),
                         " --formats q8 --gguf q8=", path("w.gguf"), " -t 2 -p 8 -n 4 ", options));
    }

    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    const testing::TempFolder folder_;
};

TEST_F(Peers, PrintsRatiosAndWritesEverySample) {
    const Output out = peers(cat("--peer 'other=", path("peer"), "' --rounds 3 -d 0,16 --json ", path("out.json")));
    EXPECT_EQ(out.code, 0) << out.text;
    EXPECT_THAT(
        out.text,
        HasSubstr(
            "| q8, 0.00 GB | pp8 | 200.00 [200.00, 200.00] | 60.5 [60.5, 60.5] % of int8 dot | other, 0.00 GB | 100.00 [100.00, 100.00] | "
            "2.00 [2.00, 2.00] |"));
    EXPECT_THAT(out.text, HasSubstr("| tg4 @ d16 | 200.00 [200.00, 200.00] | 90.5 [90.5, 90.5] % of bandwidth |"));
    const ResultFile file = read_results(path("out.json"));
    EXPECT_EQ(file.machine, "Test CPU");
    ASSERT_EQ(file.results.size(), 8u);
    for (const Result& result : file.results)
        EXPECT_EQ(result.samples, std::vector<double>(3, result.engine == "hearth" ? 200 : 100)) << result.name;
    EXPECT_THAT(draw_depths({file}, false), HasSubstr(">other q8</text>"));
}

TEST_F(Peers, GivesIksProgramADepthInItsOwnWay) {
    engine(
        "ik", "-gp <pp,tg>",
        R"(case "$*" in *"-gp 16,4"*) echo '[{"n_prompt":16,"n_gen":4,"n_threads":2,"model_size":9,"test":"tg4@pp16","samples_ts":[50]}]';; *) exit 9;; esac)");
    const Output out = peers(cat("--peer 'ik=", path("ik"), "' --rounds 1 -d 16"));
    EXPECT_EQ(out.code, 0) << out.text;
    EXPECT_THAT(out.text, HasSubstr("| ik, 0.00 GB | 50.00 | 4.00 |"));
    EXPECT_THAT(out.text, HasSubstr("| pp8 @ d16 | 200.00 | 60.5 % of int8 dot | ik | - | - |")) << "a prompt at a depth it cannot do";
}

TEST_F(Peers, NamesCommandAndLastLinesOfAPeerThatCrashesAndGoesOnWithOthers) {
    engine("broken", "-d, --n-depth", "echo '['; echo 'failed to load model' >&2; exit 7");
    engine("killed", "-d, --n-depth", "kill -SEGV $$");
    engine("rubbish", "-d, --n-depth", "echo 'hello there'");
    engine("zero", "-d, --n-depth", answer("0.0", ""));
    engine("other_test", "-d, --n-depth", "echo '[]'");
    std::string options = "--rounds 1";
    for (const char* name : {"broken", "killed", "rubbish", "zero", "other_test", "peer"})
        options += cat(" --peer ", name, "=", path(name));
    const Output out = peers(options);
    EXPECT_EQ(out.code, 1);
    for (const char* said : {"exit status 7", "failed to load model", "SIGSEGV", "expected a JSON array", "hello there",
                             "\"samples_ts\", found [0.0]", "expected a result for pp8, found none"}) {
        EXPECT_THAT(out.text, HasSubstr(said));
    }
    EXPECT_THAT(out.text, HasSubstr(cat(path("broken"), " -m ", path("w.gguf"), " -t 2 -r 1 -o json -p 8 -n 4")));
    EXPECT_THAT(out.text, HasSubstr("| peer, 0.00 GB | 100.00 | 2.00 |"));
}

TEST_F(Peers, RefusesOptionsThatAreWrong) {
    for (const char* options : {"--peer nothing", "--peer a=/nonexistent/x", "--peer hearth=peer", "-p x --peer a=peer",
                                "--tests pp --peer a=peer", "--peer a=/bin/true", "--gguf q8=/nonexistent --peer a=peer",
                                "--formats q5 --peer a=peer", "--rounds 0 --peer a=peer", "--json /nonexistent/a.json --peer a=peer"}) {
        std::string line = options;
        for (size_t at = line.find("=peer"); at != std::string::npos; at = line.find("=peer", at + 5))
            line.replace(at, 5, "=" + path("peer"));
        const Output out = peers(line);
        EXPECT_EQ(out.code, 2) << options << "\n" << out.text;
        EXPECT_THAT(out.text, HasSubstr("peers.py: ")) << options;
    }
}

TEST_F(Peers, EndsWithThreeWhereOursFails) {
    engine("hearth", "-d, --n-depth", "echo no model >&2; exit 3");
    const Output out = peers(cat("--rounds 1 --peer a=", path("peer")));
    EXPECT_EQ(out.code, 3);
    EXPECT_THAT(out.text, HasSubstr("no model"));
}

}  // namespace
}  // namespace hearth::perf
