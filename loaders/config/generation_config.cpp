#include "loaders/config/generation_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "loaders/checkpoint/checkpoint.h"
#include "loaders/config/unusable.h"
#include "loaders/io/json_file.h"

namespace hearth {

void read_token_ids(const ConfigFields& fields, CheckpointInfo& info) {
    const int64_t last = info.config.vocab - 1;
    for (const int64_t id : fields.usable_integers("eos_token_id", 0, last, info.notices)) {
        const auto token = static_cast<int32_t>(id);
        if (std::ranges::find(info.eos_tokens, token) == info.eos_tokens.end()) info.eos_tokens.push_back(token);
    }
    const auto first = fields.usable_integers("bos_token_id", 0, last, info.notices);
    if (!info.bos_token && !first.empty()) info.bos_token = static_cast<int32_t>(first.front());
}

void read_generation_config(const std::filesystem::path& generation_config_json, CheckpointInfo& info) {
    const nlohmann::json json = read_json_object(generation_config_json, kMaxConfigBytes);
    const ConfigFields fields(json, generation_config_json.string());
    const auto number = [&](const char* name, double low, double high) -> std::optional<float> {
        if (!fields.has(name)) return std::nullopt;
        return unless_unusable(info.notices, [&] { return static_cast<float>(fields.number(name, low, high)); });
    };
    RecommendedSampling& sampling = info.recommended_sampling;
    sampling.temperature = number("temperature", 0, 100);
    sampling.top_p = number("top_p", 0, 1);
    sampling.min_p = number("min_p", 0, 1);
    sampling.repetition_penalty = number("repetition_penalty", 1e-3, 100);
    if (fields.has("top_k"))
        sampling.top_k = unless_unusable(info.notices, [&] { return static_cast<int32_t>(fields.integer("top_k", 0, INT32_MAX)); });
    sampling.greedy = !unless_unusable(info.notices, [&] { return fields.flag("do_sample", true); }).value_or(true);
    read_token_ids(fields, info);
}

}  // namespace hearth
