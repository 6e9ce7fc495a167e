#include <nlohmann/json.hpp>

#include "chat/default_sampling.h"
#include "tools/hearth/inspect/report.h"

namespace hearth::tool {

namespace {

using Json = nlohmann::ordered_json;

Json rope_json(const RopeConfig& rope) {
    Json out = {{"kind", rope_name(rope.kind)}, {"theta", rope.theta}};
    if (rope.kind == RopeConfig::Kind::kDefault) return out;
    out["factor"] = rope.factor;
    if (rope.kind == RopeConfig::Kind::kLinear) return out;
    out["original_context"] = rope.original_context;
    if (rope.kind == RopeConfig::Kind::kLlama3) {
        out["low_freq_factor"] = rope.low_freq_factor;
        out["high_freq_factor"] = rope.high_freq_factor;
    } else {
        out["beta_fast"] = rope.beta_fast;
        out["beta_slow"] = rope.beta_slow;
        out["truncate"] = rope.truncate;
        out["attention_factor"] = rope.attention_factor;
    }
    return out;
}

Json config_json(const ModelConfig& c) {
    return {{"family", c.family},
            {"layers", c.layers},
            {"hidden", c.hidden},
            {"intermediate", c.intermediate},
            {"heads", c.heads},
            {"kv_heads", c.kv_heads},
            {"head_dim", c.head_dim},
            {"vocab", c.vocab},
            {"context", c.context},
            {"longest_context", c.longest_context()},
            {"max_position_embeddings", c.stated_context},
            {"rms_eps", c.rms_eps},
            {"qkv_bias", c.qkv_bias},
            {"o_bias", c.o_bias},
            {"mlp_bias", c.mlp_bias},
            {"qk_norm", c.qk_norm},
            {"tied_embeddings", c.tied_embeddings},
            {"windows", c.windows},
            {"experts", c.experts},
            {"experts_per_token", c.experts_per_token},
            {"stored_dtype", c.stored_dtype},
            {"rope", rope_json(c.rope)}};
}

Json sampling_json(const RecommendedSampling& recommended) {
    const SampleParams used = default_sampling(recommended);
    return {{"temperature", used.temperature},
            {"top_k", used.top_k},
            {"top_p", used.top_p},
            {"min_p", used.min_p},
            {"repetition_penalty", used.repetition_penalty},
            {"recommended", recommends_sampling(recommended)}};
}

Json memory_json(const MemoryPlan& m) {
    return {{"context", m.context},           {"weights_bytes", m.weights}, {"cache_bytes_per_token", m.cache_per_token},
            {"cache_tokens", m.cache_tokens}, {"cache_bytes", m.cache},     {"activation_bytes", m.activations},
            {"scratch_bytes", m.scratch},     {"total_bytes", m.total()},   {"available_bytes", m.available}};
}

Json tokenizer_json(const ModelReport& report) {
    if (report.tokenizer == nullptr) return {{"error", report.no_tokenizer}};
    const Tokenizer& t = *report.tokenizer;
    Json specials = Json::array();
    for (const auto& s : t.specials()) specials.push_back({{"id", s.id}, {"text", s.text}, {"control", s.control}});
    Json out = {
        {"kind", t.kind()}, {"vocab_size", t.vocab_size()}, {"adds_bos", t.adds_bos()}, {"round_trip", round_trip_name(t.round_trip())}};
    out["bos"] = t.bos() ? Json(*t.bos()) : Json();
    out["eos"] = t.eos() ? Json(*t.eos()) : Json();
    out["specials"] = std::move(specials);
    return out;
}

Json template_json(const ModelReport& report) {
    if (!report.chat_template) return report.no_template.empty() ? Json() : Json{{"error", report.no_template}};
    const std::string& source = report.chat_template->chat_template->source();
    return {{"origin", report.chat_template->origin}, {"fnv1a", fingerprint(source)}, {"source", source}};
}

}  // namespace

std::string report_json(const ModelReport& report, bool all_tensors) {
    const CheckpointInfo& info = report.info;
    Json out = {{"name", report.entry.name},
                {"folder", report.entry.folder.string()},
                {"builtin", report.entry.builtin},
                {"parameters", info.parameters},
                {"file_bytes", info.file_bytes},
                {"quantization", info.quantization},
                {"eos_tokens", info.eos_tokens},
                {"config", config_json(info.config)},
                {"sampling", sampling_json(info.recommended_sampling)},
                {"num_tensors", report.tensors.size()},
                {"notices", info.notices}};
    if (all_tensors) {
        Json tensors = Json::array();
        for (const auto& t : report.tensors) {
            tensors.push_back({{"name", t.name}, {"dtype", t.dtype}, {"shape", t.shape}, {"file", t.file}, {"used", t.used}});
        }
        out["tensors"] = std::move(tensors);
    }
    out["memory"] = memory_json(report.memory);
    out["tokenizer"] = tokenizer_json(report);
    out["template"] = template_json(report);
    Json kernels = Json::array();
    for (const auto& k : report.kernels.choices) {
        kernels.push_back({{"stage", k.stage}, {"weights", k.weights}, {"decode", k.decode}, {"prefill", k.prefill}});
    }
    Json weights = Json::array();
    for (const WeightLine& w : report.weights)
        weights.push_back({{"name", w.name}, {"format", w.format}, {"layout", w.layout}, {"count", w.count}, {"bytes", w.bytes}});
    out["formats"] = report.formats;
    out["weights"] = std::move(weights);
    out["device"] = report.device;
    out["device_name"] = report.device_name;
    out["kernels"] = std::move(kernels);
    return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace hearth::tool
