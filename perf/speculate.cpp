// perf_speculate: what do drafts bring?
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "kernels/make_backend.h"
#include "loaders/config/config.h"
#include "loaders/load_model.h"
#include "loaders/model_directory.h"
#include "loaders/random_model.h"
#include "loaders/tokenizer/tokenizer.h"
#include "perf/results/results.h"
#include "perf/speculate/measure.h"
#include "perf/speculate/scripted_drafter.h"

namespace hearth::perf {
namespace {

constexpr const char* kUsage =
    "perf_speculate MODEL PROMPTS.jsonl [options]           a text file with a JSON string on each line\n"
    "perf_speculate --random-weights CONFIG.json [options]  prompts of random tokens, scripted drafts\n"
    "  --draft MODEL     a draft model as well: its answers are compared, too\n"
    "  --draft-quant Q   q8 or q4: how its weights are held\n"
    "  --quant Q         the same for the model\n"
    "  --tokens N        of each answer; default: 128\n"
    "  --temperature T   default: 0\n"
    "  --prompts N       with --random-weights: how many; default: 4. Else: the first N of the file\n"
    "  --runs R          of each way, in turns; default: 5\n"
    "  --threads N       default: one for each core\n"
    "All ways must give the same tokens: exit status 1 where one does not.\n";

struct Options {
    std::string model, prompts, config, draft, quant, draft_quant;
    int64_t tokens = 128, count = 4, runs = 5, threads = 0;
    double temperature = 0;
    bool count_given = false;
};

template <class T>
T number(std::string_view word, std::string_view text) {
    T value{};
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size() || value < 0)
        throw Error(ErrorKind::kBadInput, cat(word, ": expected a number, found \"", printable(text, 60), "\""));
    return value;
}

Options read_options(const std::vector<std::string_view>& words) {
    Options o;
    for (size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        if (!word.starts_with("--")) {
            (o.model.empty() ? o.model : o.prompts) = word;
            continue;
        }
        if (i + 1 == words.size()) throw Error(ErrorKind::kBadInput, cat(word, ": expected a value behind it\n", kUsage));
        const std::string_view value = words[++i];
        if (word == "--draft")
            o.draft = value;
        else if (word == "--draft-quant")
            o.draft_quant = value;
        else if (word == "--quant")
            o.quant = value;
        else if (word == "--random-weights")
            o.config = value;
        else if (word == "--tokens")
            o.tokens = number<int64_t>(word, value);
        else if (word == "--temperature")
            o.temperature = number<double>(word, value);
        else if (word == "--prompts")
            o.count = number<int64_t>(word, value), o.count_given = true;
        else if (word == "--runs")
            o.runs = number<int64_t>(word, value);
        else if (word == "--threads")
            o.threads = number<int64_t>(word, value);
        else
            throw Error(ErrorKind::kBadInput, cat("there is no option \"", printable(word, 60), "\"\n", kUsage));
    }
    if (o.config.empty() == o.model.empty() || o.model.empty() != o.prompts.empty())
        throw Error(ErrorKind::kBadInput, cat("expected a model and prompts, or --random-weights\n", kUsage));
    return o;
}

LoadOptions load_options(const std::string& quant) {
    LoadOptions out;
    if (!quant.empty()) out.quantize.kind = parse_quant_kind(quant, "--quant");
    return out;
}

std::vector<Request> requests_of(const Options& o, const Tokenizer* tokenizer, int64_t vocab) {
    std::vector<Request> out;
    const auto add = [&](std::vector<int32_t> prompt) {
        Request& r = out.emplace_back();
        r.prompt = std::move(prompt);
        r.max_tokens = o.tokens;
        r.sampling.temperature = static_cast<float>(o.temperature);
        r.sampling.seed = out.size();
    };
    if (tokenizer) {
        std::ifstream file(o.prompts);
        if (!file) throw Error(ErrorKind::kNotFound, cat("cannot read ", o.prompts));
        for (std::string line; std::getline(file, line) && (!o.count_given || std::ssize(out) < o.count);)
            add(tokenizer->encode_plain(nlohmann::json::parse(line).get<std::string>()));
    } else {
        for (int64_t i = 0; i < o.count; ++i) {
            std::vector<int32_t> prompt;
            for (int64_t k = 0; k < 64; ++k) prompt.push_back(static_cast<int32_t>((k * 7919 + i * 104729 + k * k) % vocab));
            add(std::move(prompt));
        }
    }
    return out;
}

int run(const std::vector<std::string_view>& words) {
    if (words.empty() || words[0] == "--help") return std::fputs(kUsage, stdout), 0;
    const Options o = read_options(words);
    const auto backend = make_backend({.threads = static_cast<int>(o.threads)});
    std::shared_ptr<const Model> model, draft;
    std::shared_ptr<const Tokenizer> tokenizer;
    if (o.config.empty()) {
        const ModelEntry entry = find_model(o.model);
        tokenizer = open_tokenizer(entry.folder, nullptr);
        model = load_model(inspect_checkpoint(entry.folder), backend, load_options(o.quant));
    } else {
        model = random_model(read_config(o.config).config, DType::kBf16, backend, 1, load_options(o.quant));
    }
    if (!o.draft.empty()) draft = load_model(inspect_checkpoint(find_model(o.draft).folder), backend, load_options(o.draft_quant));
    const std::vector<Request> requests = requests_of(o, tokenizer.get(), model->config().vocab);

    EngineOptions options;
    options.context = std::min<int64_t>(model->max_context(), 4096);
    options.max_sequences = 1;
    EngineOptions none = options, model_alone = options;
    none.max_drafts = 0;
    model_alone.draft_from_text = false;
    std::vector<DraftWay> ways{{"none", none, {}}, {"text", options, {}}};
    if (draft) {
        const MakeDrafter with_model = draft_with(*model, draft);
        ways.push_back({"model", model_alone, with_model});
        ways.push_back({"text, then model", options, with_model});
    }
    const DraftRun first = run_way(model, ways[0], requests);  // warms up, and is what all others must say
    for (const int percent : {0, 50, 100}) {
        if (tokenizer) break;
        ways.push_back({cat("scripted ", percent, " %"), model_alone, [&, percent](const EngineOptions&) {
                            return std::make_unique<ScriptedDrafter>(first.texts, percent / 100.0,
                                                                     static_cast<int32_t>(model->config().vocab));
                        }});
    }
    std::vector<std::vector<double>> rates(ways.size());
    std::vector<DraftRun> last(ways.size());
    bool same = true;
    for (int64_t r = 0; r < o.runs; ++r) {
        for (size_t i = 0; i < ways.size(); ++i) {
            last[i] = run_way(model, ways[i], requests);
            rates[i].push_back(static_cast<double>(last[i].tokens) / last[i].seconds);
            if (last[i].texts == first.texts) continue;
            same = false;
            std::printf("%s: other tokens than without drafts\n", ways[i].name.c_str());
        }
    }
    std::printf("%zu prompts, %lld tokens each, temperature %g, %lld runs of each way in turns\n", requests.size(),
                static_cast<long long>(o.tokens), o.temperature, static_cast<long long>(o.runs));
    std::printf("%-18s %10s %9s %9s %9s %9s\n", "drafts", "tokens/s", "from", "to", "ratio", "kept");
    for (size_t i = 0; i < ways.size(); ++i) {
        std::vector<double> ratios;
        for (size_t r = 0; r < rates[i].size(); ++r) ratios.push_back(rates[i][r] / rates[0][r]);
        std::printf("%-18s %10.2f %9.2f %9.2f %9.3f %5lld/%lld\n", ways[i].name.c_str(), median(rates[i]), std::ranges::min(rates[i]),
                    std::ranges::max(rates[i]), median(ratios), static_cast<long long>(last[i].kept),
                    static_cast<long long>(last[i].drafted));
    }
    return same ? 0 : 1;
}

}  // namespace
}  // namespace hearth::perf

int main(int argc, char** argv) {
    try {
        return hearth::perf::run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "perf_speculate: %s\n", error.what());
        return 2;
    }
}
