// perf_compare: is B faster than A?
#include <charconv>
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "perf/compare/compare.h"

namespace {

constexpr const char* kUsage =
    "perf_compare A.json[,A2.json,...] B.json[,B2.json,...] [--within PERCENT] [--any-machine] [--check]\n"
    "  A and B: what `hearth bench -o json`, perf/peers, perf_serve or a benchmark program with --benchmark_format=json wrote;\n"
    "           of several runs each counts as one sample, its median: run A and B in turns, at least four times each\n"
    "  --within PERCENT  differences up to this are none; default: 2\n"
    "  --any-machine     also where the two come from different machines\n"
    "  --check           exit status 1 where something is slower\n"
    "Verdicts need at least 3 samples on one side and 4 on the other: -r 5, or --benchmark_repetitions=5.\n"
    "Exit status: 0, 1 (--check), 2 for files or options that are not what they should be.\n";

int run(const std::vector<std::string_view>& words) {
    using namespace hearth;
    perf::CompareOptions options;
    std::vector<std::string> files;
    bool check = false;
    for (size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--help" || words[i] == "-h") return std::fputs(kUsage, stdout), 0;
        if (words[i] == "--any-machine") {
            options.any_machine = true;
        } else if (words[i] == "--check") {
            check = true;
        } else if (words[i] == "--within") {
            const std::string_view text = i + 1 < words.size() ? words[++i] : "";
            double percent = -1;
            const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), percent);
            if (problem != std::errc() || end != text.data() + text.size() || !(percent >= 0 && percent < 100))
                throw Error(ErrorKind::kBadInput, cat("--within: expected a number from 0 to 100, found \"", printable(text, 60), "\""));
            options.within = percent / 100;
        } else if (words[i].starts_with("-")) {
            throw Error(ErrorKind::kBadInput, cat("there is no option \"", printable(words[i], 60), "\"\n", kUsage));
        } else {
            files.emplace_back(words[i]);
        }
    }
    if (files.size() != 2) throw Error(ErrorKind::kBadInput, cat("expected two files, found ", files.size(), "\n", kUsage));
    const auto read = [](const std::string& list) {
        std::vector<perf::ResultFile> runs;
        for (const std::string& path : split(list, ',')) runs.push_back(perf::read_results(path));
        return perf::merge_runs(std::move(runs));
    };
    const perf::Comparison result = perf::compare(read(files[0]), read(files[1]), options);
    std::fputs(result.text.c_str(), stdout);
    return check && result.slower > 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "perf_compare: %s\n", error.what());
        return 2;
    }
}
