#include "perf/serve/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"

namespace hearth::perf {

namespace {

[[noreturn]] void refuse(std::string_view option, std::string_view expected, std::string_view found) {
    throw Error(ErrorKind::kBadInput, cat(option, ": expected ", expected, ", found \"", printable(found, 60), "\""));
}

template <class T>
T number(std::string_view option, std::string_view text, T least, T most) {
    T value{};
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size() || !(value >= least && value <= most))
        refuse(option, cat("a number from ", least, " to ", most), text);
    return value;
}

Range range(std::string_view option, std::string_view text, int64_t most) {
    const size_t dots = text.find("..");
    const Range out = {number<int64_t>(option, text.substr(0, dots), 1, most),
                       number<int64_t>(option, dots == std::string_view::npos ? text : text.substr(dots + 2), 1, most)};
    if (out.low > out.high) refuse(option, "N, or LOW..HIGH with LOW the smaller", text);
    return out;
}

std::string header(std::string_view option, std::string_view text) {
    const size_t colon = text.find(':');
    const bool acts = std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
    if (colon == 0 || colon == std::string_view::npos || text.substr(0, colon).find(' ') != std::string_view::npos || acts)
        refuse(option, "\"Name: value\"", text);
    return std::string(text);
}

std::string url(std::string_view option, std::string_view text) {
    const size_t host = text.starts_with("http://") ? 7 : text.starts_with("https://") ? 8 : 0;
    while (text.ends_with('/')) text.remove_suffix(1);
    if (host == 0 || text.size() <= host || text.find_first_of("?#@ \t\r\n", host) != std::string_view::npos)
        refuse(option, "http://HOST:PORT or https://HOST:PORT", text);
    return std::string(text);
}

std::string key(std::string_view option, std::string_view text) {
    const std::string variable(text);
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr || *value == 0) refuse(option, "the name of an environment variable that is set", text);
    if (std::string_view(value).find_first_of("\r\n") != std::string_view::npos)
        throw Error(ErrorKind::kBadInput, cat(option, ": expected a key in one line"));
    return value;
}

using Setter = void (*)(LoadOptions&, std::string_view option, std::string_view value);

struct Option {
    std::string_view name, placeholder;  // no placeholder: a flag
    std::string_view help;
    Setter set;
};

#define HEARTH_SET [](LoadOptions & o, [[maybe_unused]] std::string_view name, [[maybe_unused]] std::string_view v)

constexpr Option kOptions[] = {
    {"--url", "URL", "Server, with what stands before /v1; default: http://127.0.0.1:8080", HEARTH_SET{o.url = url(name, v);
}  // namespace
}  // namespace hearth::perf
, {"--api", "chat|completions", "Default: chat", HEARTH_SET{if (v != "chat" && v != "completions") refuse(name, "chat or completions", v);
o.api = v == "chat" ? Api::kChat : Api::kCompletions;
}
}
, {"--model", "NAME", "Default: the field is not sent", HEARTH_SET{o.model = v;
}
}
, {"--header", "'NAME: VALUE'", "Sent with each request; may be given several times", HEARTH_SET{o.headers.push_back(header(name, v));
}
}
, {"--key-env", "VARIABLE", "Environment variable with the API key", HEARTH_SET{o.key = key(name, v);
}
}
,

    {"--rate", "R", "Conversations begun a second, whatever is still open", HEARTH_SET{o.rate = number(name, v, 0.001, 10000.0);
}
}
, {"--burstiness", "B", "With --rate: 1 (default) is Poisson, less comes in bursts, more is more regular",
   HEARTH_SET{o.burstiness = number(name, v, 0.01, 1000.0);
}
}
, {"--concurrency", "C", "Conversations at once; each that ends makes room for the next",
   HEARTH_SET{o.concurrency = number<int64_t>(name, v, 1, kMostOpen);
}
}
, {"--requests", "N", "Ends when so many were sent and answered", HEARTH_SET{o.requests = number<int64_t>(name, v, 1, kMostRequests);
}
}
, {"--seconds", "S", "Sends nothing later than this; what is open may end. Default: 3600",
   HEARTH_SET{o.seconds = number(name, v, 0.1, static_cast<double>(kMostSeconds));
}
}
, {"--timeout", "S", "For each request; default: 120", HEARTH_SET{o.timeout = number(name, v, 0.01, 3600.0);
}
}
, {"--warmup", "N", "Requests before, one by one, that are not counted; default: 0",
   HEARTH_SET{o.warmup = number<int64_t>(name, v, 0, 1000);
}
}
,

    {"--prompts", "random|FILE.jsonl", "A chat or prompt a line; default: random words",
     HEARTH_SET{if (v.empty()) refuse(name, "random or a file's name", v);
o.prompts = v;
}
}
, {"--prompt-tokens", "N|A..B", "Words of each turn, about a token each; default: 128",
   HEARTH_SET{o.prompt_words = range(name, v, kMostWords);
}
}
, {"--answer-tokens", "N|A..B", "max_tokens of each answer; default: 64", HEARTH_SET{o.answer_tokens = range(name, v, kMostAnswerTokens);
}
}
, {"--shared-prefix", "N", "Words that conversations of a group begin with",
   HEARTH_SET{o.shared_prefix = number<int64_t>(name, v, 0, kMostWords);
}
}
, {"--prefix-groups", "G", "Groups; default: 1", HEARTH_SET{o.prefix_groups = number<int64_t>(name, v, 1, 10000);
}
}
, {"--turns", "T", "Turns of each conversation: the answer is appended and the next turn sent at once; default: 1",
   HEARTH_SET{o.turns = number<int64_t>(name, v, 1, kMostTurns);
}
}
, {"--seed", "N", "Of prompts and arrivals; default: 1", HEARTH_SET{o.seed = number<uint64_t>(name, v, 0, UINT64_MAX);
}
}
, {"--temperature", "T", "Default: not sent", HEARTH_SET{o.temperature = number(name, v, 0.0, 100.0);
}
}
, {"--sampling-seed", "N", "Sent as seed; default: not sent", HEARTH_SET{o.sampling_seed = number<uint64_t>(name, v, 0, INT64_MAX);
}
}
, {"--ignore-eos", "", "Sends ignore_eos, so that answers have the length asked for", HEARTH_SET{o.ignore_eos = true;
}
}
, {"--no-usage", "", "Does not ask for usage: tokens are counted chunks", HEARTH_SET{o.ask_usage = false;
}
}
,

    {"--ttft-limit", "MS", "Goodput: the first token by then", HEARTH_SET{o.ttft_limit = number(name, v, 0.001, 1e9);
}
}
, {"--itl-limit", "MS", "Goodput: no more than this from token to token, the mean of an answer",
   HEARTH_SET{o.itl_limit = number(name, v, 0.001, 1e9);
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
        "Sends an OpenAI-like server requests and says how long it let them wait.\n\n";
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
