// perf_serve: how long does a server let its clients wait?
#include "perf/serve/options.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/cpu/detect.h"
#include "perf/serve/report/report.h"
#include "perf/serve/run.h"

namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

/// The first Ctrl-C or SIGTERM ends the run with what there is until then, a second one the program.
void end_cleanly_on_signals() {
    struct sigaction action {};
    action.sa_handler = [](int) { stop = true; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

/// A descriptor for each open request and some besides.
void allow_many_descriptors() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const auto wanted = static_cast<rlim_t>(4 * hearth::perf::kMostOpen);
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
}

std::string utc_now() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 32> out{};
    std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return out.data();
}

int run(const std::vector<std::string_view>& words) {
    using namespace hearth::perf;
    if (words.empty() || std::ranges::find(words, "--help") != words.end() || words.front() == "-h")
        return std::fputs(load_help().c_str(), stdout) < 0;
    const LoadOptions options = parse_load_options(words);
    end_cleanly_on_signals();
    allow_many_descriptors();
    const std::string time = utc_now();
    const Summary summary = summarize(run_load(options, stop), options);
    std::fputs(report_table(summary, options).c_str(), options.json ? stderr : stdout);
    if (options.json) std::fputs(report_json(summary, options, {.machine = hearth::detect_cpu().name, .time = time}).c_str(), stdout);
    std::fflush(stdout);
    if (std::ferror(stdout)) return 2;
    return summary.answered == summary.sent ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "perf_serve: %s\n", error.what());
        return 2;
    }
}
