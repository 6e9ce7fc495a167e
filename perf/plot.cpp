// perf_plot: measurements as a picture.
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "perf/plot/charts.h"

namespace {

constexpr const char* kUsage =
    "perf_plot roofline FILE.json [-o OUT.svg]            FILE: of `hearth bench --profile -o json`\n"
    "perf_plot depth FILE.json ... [--prompts] [-o OUT.svg]   FILE: of `hearth bench -o json -d 0,1024,4096` or of perf/peers\n"
    "perf_plot serve FILE.json ... [-o OUT.svg]           FILE: of `perf_serve -o json`, one for each load\n"
    "  --prompts  speeds of prompts in place of answers\n"
    "  -o OUT     default: standard output\n";

int run(const std::vector<std::string_view>& words) {
    using namespace hearth;
    std::vector<std::string> files;
    std::string out;
    bool prompts = false;
    for (size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "--help" || words[i] == "-h") return std::fputs(kUsage, stdout), 0;
        if (words[i] == "--prompts") {
            prompts = true;
        } else if (words[i] == "-o") {
            if (++i == words.size()) throw Error(ErrorKind::kBadInput, "-o: expected a file's name");
            out = words[i];
        } else if (words[i].starts_with("-")) {
            throw Error(ErrorKind::kBadInput, cat("there is no option \"", printable(words[i], 60), "\"\n", kUsage));
        } else {
            files.emplace_back(words[i]);
        }
    }
    const std::string kind = files.empty() ? "" : files.front();
    if ((kind != "roofline" && kind != "depth" && kind != "serve") || files.size() < 2 || (kind == "roofline" && files.size() > 2))
        throw Error(ErrorKind::kBadInput, cat("expected \"roofline\" and a file, or \"depth\" or \"serve\" and files\n", kUsage));
    std::vector<perf::ResultFile> results;
    for (size_t i = 1; i < files.size(); ++i) results.push_back(perf::read_results(files[i]));
    const std::string svg = kind == "roofline" ? perf::draw_roofline(results.front())
                            : kind == "serve"  ? perf::draw_serve(results)
                                               : perf::draw_depths(results, prompts);
    if (out.empty()) return std::fputs(svg.c_str(), stdout) < 0;
    std::ofstream stream(out, std::ios::binary);
    if (!(stream << svg).flush()) throw Error(ErrorKind::kIo, cat("cannot write ", out));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "perf_plot: %s\n", error.what());
        return 2;
    }
}
