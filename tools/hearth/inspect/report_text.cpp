#include <algorithm>
#include <map>

#include "base/text.h"
#include "chat/default_sampling.h"
#include "tools/hearth/inspect/report.h"
#include "tools/hearth/terminal/terminal.h"

namespace hearth::tool {

namespace {

using Row = std::vector<std::string>;

std::string heading(std::string_view title) { return cat("\n", painted(title, Paint::kBold, 1), "\n"); }

std::string line(std::string_view label, const std::string& value) {
    constexpr size_t kLabel = 16;
    return cat("  ", label, std::string(label.size() < kLabel ? kLabel - label.size() : 1, ' '), value, "\n");
}

/// Columns as wide as their widest cell; the last is not padded.
std::string table(const std::vector<Row>& rows) {
    std::vector<size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const auto& row : rows) {
        out += "  ";
        for (size_t i = 0; i < row.size(); ++i) {
            out += row[i];
            if (i + 1 < row.size()) out += std::string(widths[i] - row[i].size() + 2, ' ');
        }
        out.erase(out.find_last_not_of(' ') + 1);
        out += "\n";
    }
    return out;
}

std::string shape_text(const std::vector<int64_t>& shape) {
    std::vector<std::string> parts;
    for (const int64_t n : shape) parts.push_back(std::to_string(n));
    return cat("[", join(parts, ", "), "]");
}

std::string windows_text(const ModelConfig& c) {
    std::vector<int64_t> sizes;
    for (const int64_t w : c.windows) {
        if (w > 0) sizes.push_back(w);
    }
    if (sizes.empty()) return "all keys";
    const auto [least, most] = std::minmax_element(sizes.begin(), sizes.end());
    const std::string size = *least == *most ? grouped(*least) : cat(grouped(*least), " to ", grouped(*most));
    return cat("window of ", size, " keys", sizes.size() < c.windows.size() ? cat(" in ", sizes.size(), " of ", c.layers, " layers") : "");
}

std::string rope_text(const RopeConfig& r) {
    std::string out = cat(rope_name(r.kind), ", theta ", r.theta);
    if (r.kind != RopeConfig::Kind::kDefault) out += cat(", factor ", r.factor);
    if (r.original_context > 0) out += cat(", made from a context of ", r.original_context);
    return out;
}

/// What a model gets, and where it comes from when max_position_embeddings says something else.
std::string context_text(const ModelConfig& c) {
    std::string out = cat(grouped(c.context), " tokens");
    if (c.longest_context() != c.context) out += cat(", up to ", grouped(c.longest_context()), " on request");
    if (c.stated_context != c.context) out += cat("; max_position_embeddings is ", grouped(c.stated_context));
    return out;
}

std::string sampling_text(const RecommendedSampling& recommended) {
    const SampleParams used = default_sampling(recommended);
    Row parts{used.temperature == 0 ? "greedy" : cat("temperature ", used.temperature)};
    if (used.top_k != 0) parts.push_back(cat("top-k ", used.top_k));
    if (used.top_p != 1) parts.push_back(cat("top-p ", used.top_p));
    if (used.min_p != 0) parts.push_back(cat("min-p ", used.min_p));
    if (used.repetition_penalty != 1) parts.push_back(cat("repetition penalty ", used.repetition_penalty));
    return join(parts, ", ") + (recommends_sampling(recommended) ? " (recommended by the model)" : " (the model recommends nothing)");
}

std::string config_text(const ModelReport& report) {
    const ModelConfig& c = report.info.config;
    Row extras;
    if (c.qkv_bias) extras.push_back("q, k, v bias");
    if (c.o_bias) extras.push_back("output bias");
    if (c.mlp_bias) extras.push_back("MLP bias");
    if (c.qk_norm) extras.push_back("q and k norm");
    if (c.tied_embeddings) extras.push_back("tied embeddings");
    std::string out = heading(printable(report.entry.name));
    out += line("folder", printable(report.entry.folder.string(), 300) + (report.entry.builtin ? " (built in)" : ""));
    out += line("family", printable(c.family));
    out += line("parameters", grouped(report.info.parameters));
    out += line("on disk", cat(human_bytes(report.info.file_bytes), ", ",
                               report.info.quantization.empty() ? c.stored_dtype : printable(report.info.quantization)));
    out += line("layers", cat(c.layers, ", hidden ", grouped(c.hidden), ", intermediate ", grouped(c.intermediate)));
    if (c.experts > 0) out += line("experts", cat(c.experts, ", ", c.experts_per_token, " a token"));
    out += line("attention", cat(c.heads, " heads of ", c.head_dim, ", ", c.kv_heads, " for keys and values, ", windows_text(c)));
    out += line("rotary", rope_text(c.rope));
    out += line("vocabulary", grouped(c.vocab));
    out += line("context", context_text(c));
    if (!extras.empty()) out += line("with", join(extras, ", "));
    out += line("sampling", sampling_text(report.info.recommended_sampling));
    for (const std::string& notice : report.info.notices) out += line("note", terminal_safe(notice));
    return out;
}

/// "model.layers.12.mlp.up_proj.weight" without the numbers: "model.layers.*.mlp.up_proj.weight".
std::string without_numbers(const std::string& name) {
    Row parts = split(name, '.');
    for (auto& part : parts) {
        if (!part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; })) part = "*";
    }
    return join(parts, ".");
}

std::string tensors_text(const std::vector<TensorInfo>& tensors, bool all) {
    struct Group {
        Row row;
        int64_t count = 0;
    };
    std::vector<Group> groups;
    std::map<std::string, size_t> known;
    const auto unused = std::count_if(tensors.begin(), tensors.end(), [](const TensorInfo& t) { return !t.used; });
    for (const auto& t : tensors) {
        Row row = {printable(all ? t.name : without_numbers(t.name)), printable(t.dtype), shape_text(t.shape), t.used ? "" : "(not used)"};
        if (all) row.insert(row.begin() + 3, printable(t.file));
        const auto [place, fresh] = known.emplace(all ? t.name : join(row, "\n"), groups.size());
        if (fresh) groups.push_back({row});
        ++groups[place->second].count;
    }
    std::vector<Row> rows;
    for (auto& group : groups) {
        if (!all) group.row.insert(group.row.begin(), group.count > 1 ? cat(group.count, " x") : "");
        rows.push_back(std::move(group.row));
    }
    return heading(cat("Tensors: ", tensors.size(), unused > 0 ? cat(", of which ", unused, " not used") : "")) + table(rows);
}

std::string memory_text(const MemoryPlan& m) {
    std::string out = heading(cat("Memory for a context of ", grouped(m.context), " tokens"));
    out += line("weights", human_bytes(m.weights));
    out += line("KV cache", cat(human_bytes(m.cache), ": ", grouped(m.cache_tokens), " tokens of ", grouped(m.cache_per_token), " bytes"));
    out += line("workspace", cat(human_bytes(m.activations + m.scratch), ": activations ", human_bytes(m.activations), ", scratch ",
                                 human_bytes(m.scratch)));
    out += line("together", cat(human_bytes(m.total()), " of ", human_bytes(m.available)));
    if (m.total() > m.available) out += line("", painted("That is more than there is.", Paint::kYellow, 1));
    return out;
}

std::string tokenizer_text(const ModelReport& report) {
    std::string out = heading("Tokenizer");
    if (report.tokenizer == nullptr) return out + line("none", terminal_safe(report.no_tokenizer));
    const Tokenizer& t = *report.tokenizer;
    const auto name = [&](std::optional<int32_t> id) { return id ? cat(printable(t.token_name(*id), 40), " (", *id, ")") : "none"; };
    Row specials;
    constexpr size_t kMostShown = 12;
    for (const auto& s : t.specials()) {
        if (specials.size() < kMostShown) specials.push_back(printable(s.text, 40));
    }
    const size_t more = t.specials().size() - specials.size();
    out += line("kind", std::string(t.kind()));
    out += line("size", grouped(t.vocab_size()));
    out += line("begin, end", cat(name(t.bos()), ", ", name(t.eos()), t.adds_bos() ? "; plain text gets the first in front" : ""));
    out += line("special", cat(t.specials().size(), ": ", join(specials, " "), more > 0 ? cat(" and ", more, " more") : ""));
    return out + line("round trip", round_trip_name(t.round_trip()));
}

std::string template_text(const ModelReport& report) {
    std::string out = heading("Chat template");
    if (!report.chat_template) {
        return out + line("none", report.no_template.empty() ? "the folder has none; --chat-template chooses a built-in one"
                                                             : terminal_safe(report.no_template));
    }
    const std::string& source = report.chat_template->chat_template->source();
    out += line("from", report.chat_template->origin);
    out += line("size", cat(grouped(static_cast<int64_t>(source.size())), " bytes, fnv1a ", fingerprint(source)));
    constexpr size_t kFirstLines = 4;
    const Row lines = split(source, '\n');
    for (size_t i = 0; i < std::min(lines.size(), kFirstLines); ++i) out += cat("    ", printable(lines[i], 130), "\n");
    return out + (lines.size() > kFirstLines ? cat("    ... ", lines.size() - kFirstLines, " more lines\n") : "");
}

/// A line for each weight, or one for those that differ in their layer alone: no format hides behind another.
std::string weights_text(const ModelReport& report, bool all) {
    std::vector<WeightLine> groups;
    std::map<std::string, size_t> known;
    for (const WeightLine& line : report.weights) {
        const std::string name = all ? line.name : without_numbers(line.name);
        const auto [place, fresh] = known.emplace(join(Row{name, line.format, line.layout}, "\n"), groups.size());
        if (fresh) groups.push_back({.name = name, .format = line.format, .layout = line.layout, .count = 0, .bytes = 0});
        groups[place->second].count += line.count;
        groups[place->second].bytes += line.bytes;
    }
    std::vector<Row> rows;
    for (const WeightLine& line : groups) {
        rows.push_back({line.count > 1 ? cat(line.count, " x") : "", line.name, line.format, line.layout, human_bytes(line.bytes)});
    }
    return heading(cat("Weights as they run: ", report.formats)) + table(rows);
}

std::string kernels_text(const ModelReport& report) {
    std::vector<Row> rows = {{"stage", "weights", "decode", "prefill"}};
    for (const auto& k : report.kernels.choices) rows.push_back({k.stage, k.weights, k.decode, k.prefill});
    return heading(cat("Kernels on ", report.device, " (", printable(report.device_name), ")")) + table(rows);
}

}  // namespace

std::string report_text(const ModelReport& report, bool all_tensors) {
    return (config_text(report) + tensors_text(report.tensors, all_tensors) + weights_text(report, all_tensors) +
            memory_text(report.memory) + tokenizer_text(report) + template_text(report) + kernels_text(report))
        .substr(1);
}

std::string fingerprint(std::string_view text) {
    uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    std::string out;
    for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[hash >> shift & 15];
    return out;
}

std::string rope_name(RopeConfig::Kind kind) {
    switch (kind) {
        case RopeConfig::Kind::kDefault: return "default";
        case RopeConfig::Kind::kLinear: return "linear";
        case RopeConfig::Kind::kLlama3: return "llama3";
        case RopeConfig::Kind::kYarn: return "yarn";
    }
    return "?";
}

std::string round_trip_name(RoundTrip round_trip) {
    switch (round_trip) {
        case RoundTrip::kBytes: return "byte for byte";
        case RoundTrip::kSanitizedText: return "as valid UTF-8";
        case RoundTrip::kUpToUnknown: return "but for unknown characters";
    }
    return "?";
}

}  // namespace hearth::tool
