#include "perf/serve/options.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "perf/serve/option_values.h"

namespace hearth::perf {

namespace {

using Setter = void (*)(LoadOptions&, std::string_view option, std::string_view value);

struct Option {
    std::string_view name, placeholder;  // no placeholder: a flag
    std::string_view help;
    Setter set;
};

#define HEARTH_SET [](LoadOptions & o, [[maybe_unused]] std::string_view name, [[maybe_unused]] std::string_view v)

constexpr Option kOptions[] = {
    {"--url", "URL", "Server, with what stands before /v1; default: http://127.0.0.1:8080", HEARTH_SET{o.url = read_url(name, v);
}  // namespace
}  // namespace hearth::perf
, {"--api", "chat|completions", "Default: chat", HEARTH_SET{if (v != "chat" && v != "completions") refuse(name, "chat or completions", v);
o.api = v == "chat" ? Api::kChat : Api::kCompletions;
}
}
, {"--model", "NAME", "Default: the field is not sent", HEARTH_SET{o.model = v;
}
}
, {"--header", "'NAME: VALUE'", "Sent with each request; may be given several times", HEARTH_SET{o.headers.push_back(read_header(name, v));
}
}
, {"--key-env", "VARIABLE", "Environment variable with the API key", HEARTH_SET{o.key = read_key(name, v);
}
}
,

    {"--rate", "R", "Conversations begun a second, whatever is still open", HEARTH_SET{o.rate = read_number(name, v, 0.001, 10000.0);
}
}
, {"--burstiness", "B", "With --rate: 1 (default) is Poisson, less comes in bursts, more is more regular",
   HEARTH_SET{o.burstiness = read_number(name, v, 0.01, 1000.0);
}
}
, {"--concurrency", "C", "Conversations at once; each that ends makes room for the next",
   HEARTH_SET{o.concurrency = read_number<int64_t>(name, v, 1, kMostOpen);
}
}
, {"--requests", "N", "Ends when so many were sent and answered", HEARTH_SET{o.requests = read_number<int64_t>(name, v, 1, kMostRequests);
}
}
, {"--seconds", "S", "Sends nothing later than this; what is open may end. Default: 3600",
   HEARTH_SET{o.seconds = read_number(name, v, 0.1, static_cast<double>(kMostSeconds));
}
}
, {"--timeout", "S", "For each request; default: 120", HEARTH_SET{o.timeout = read_number(name, v, 0.01, 3600.0);
}
}
, {"--warmup", "N", "Requests before, one by one, that are not counted; default: 0",
   HEARTH_SET{o.warmup = read_number<int64_t>(name, v, 0, 1000);
}
}
,

    {"--prompts", "random|FILE.jsonl", "A chat or prompt a line; default: random words",
     HEARTH_SET{if (v.empty()) refuse(name, "random or a file's name", v);
o.prompts = v;
}
}
, {"--prompt-tokens", "N|A..B", "Words of each turn, about a token each; default: 128",
   HEARTH_SET{o.prompt_words = read_range(name, v, kMostWords);
}
}
, {"--answer-tokens", "N|A..B", "max_tokens of each answer; default: 64",
   HEARTH_SET{o.answer_tokens = read_range(name, v, kMostAnswerTokens);
}
}
, {"--shared-prefix", "N", "Words that conversations of a group begin with",
   HEARTH_SET{o.shared_prefix = read_number<int64_t>(name, v, 0, kMostWords);
}
}
, {"--prefix-groups", "G", "Groups; default: 1", HEARTH_SET{o.prefix_groups = read_number<int64_t>(name, v, 1, 10000);
}
}
, {"--turns", "T", "Turns of each conversation: the answer is appended and the next turn sent at once; default: 1",
   HEARTH_SET{o.turns = read_number<int64_t>(name, v, 1, kMostTurns);
}
}
, {"--seed", "N", "Of prompts and arrivals; default: 1", HEARTH_SET{o.seed = read_number<uint64_t>(name, v, 0, UINT64_MAX);
}
}
, {"--temperature", "T", "Default: not sent", HEARTH_SET{o.temperature = read_number(name, v, 0.0, 100.0);
}
}
, {"--sampling-seed", "N", "Sent as seed; default: not sent", HEARTH_SET{o.sampling_seed = read_number<uint64_t>(name, v, 0, INT64_MAX);
}
}
, {"--ignore-eos", "", "Sends ignore_eos, so that answers have the length asked for", HEARTH_SET{o.ignore_eos = true;
}
}
, {"--no-usage", "", "Does not ask for usage: tokens are counted chunks", HEARTH_SET{o.ask_usage = false;
}
}
,

    {"--ttft-limit", "MS", "Goodput: the first token by then", HEARTH_SET{o.ttft_limit = read_number(name, v, 0.001, 1e9);
}
}
, {"--itl-limit", "MS", "Goodput: no more than this from token to token, the mean of an answer",
   HEARTH_SET{o.itl_limit = read_number(name, v, 0.001, 1e9);
}
}
, {"--label", "TEXT", "Who answers, for perf_compare and perf_plot", HEARTH_SET{o.label = printable(v, 100);
}
}
, {"-o", "table|json", "On standard output; with json the table goes to standard error. Default: table",
   HEARTH_SET{if (v != "table" && v != "json") refuse(name, "table or json", v);
o.json = v == "json";
}
}
,
}
;
#undef HEARTH_SET

void check(const LoadOptions& options, bool bounded, bool burstiness_given) {
    const auto fail = [](const char* message) { throw Error(ErrorKind::kBadInput, message); };
    if ((options.rate > 0) == (options.concurrency > 0)) fail("expected one of --rate and --concurrency");
    if (!bounded) fail("expected --requests or --seconds: a run must have an end");
    if (burstiness_given && options.rate == 0) fail("--burstiness: expected --rate beside it");
    if (options.prefix_groups > 1 && options.shared_prefix == 0) fail("--prefix-groups: expected --shared-prefix beside it");
    if (options.prefix_groups * options.shared_prefix > 20'000'000)
        fail("--prefix-groups times --shared-prefix: expected at most 20000000 words");
}

}  // namespace

LoadOptions parse_load_options(const std::vector<std::string_view>& words) {
    LoadOptions out;
    bool bounded = false, burstiness_given = false;
    for (size_t i = 0; i < words.size(); ++i) {
        const auto option = std::ranges::find(kOptions, words[i], &Option::name);
        if (option == std::end(kOptions))
            throw Error(ErrorKind::kBadInput, cat("there is no option \"", printable(words[i], 60), "\"; --help lists them"));
        if (!option->placeholder.empty() && i + 1 == words.size()) refuse(option->name, option->placeholder, "");
        option->set(out, option->name, option->placeholder.empty() ? "" : words[++i]);
        bounded = bounded || option->name == "--requests" || option->name == "--seconds";
        burstiness_given = burstiness_given || option->name == "--burstiness";
    }
    check(out, bounded, burstiness_given);
    return out;
}

std::string load_help() {
    std::string out =
        "perf_serve --rate R | --concurrency C, --requests N and/or --seconds S, [options]\n"
        "Sends an OpenAI-like server requests and says how long it let them wait.\n"
        "Exit status: 0, 1 where a request was not answered, 2 for options or files that are not what they should be.\n\n";
    for (const Option& option : kOptions) {
        const std::string left = cat("  ", option.name, " ", option.placeholder);
        out += cat(left, std::string(left.size() < 32 ? 32 - left.size() : 1, ' '), option.help, "\n");
    }
    return out;
}

std::string describe_load(const LoadOptions& options) {
    const auto text = [](const Range& range) { return range.low == range.high ? cat(range.low) : cat(range.low, "..", range.high); };
    std::string out = options.api == Api::kChat ? "chat" : "completions";
    out += options.rate > 0 ? cat(", rate ", options.rate) : cat(", concurrency ", options.concurrency);
    if (options.burstiness != 1) out += cat(" (burstiness ", options.burstiness, ")");
    out += options.prompts == "random" ? cat(", ", text(options.prompt_words)) : cat(", ", printable(options.prompts, 80));
    out += cat(" -> ", text(options.answer_tokens), " tokens");
    if (options.shared_prefix > 0) out += cat(", prefix ", options.shared_prefix, " x ", options.prefix_groups);
    if (options.turns > 1) out += cat(", ", options.turns, " turns");
    return out;
}

}  // namespace hearth::perf
