#include "tests/loaders/checkpoint/config/made_config.h"

namespace hearth::testing {

nlohmann::json minimal(const std::string& family) {
    return {{"model_type", family},   {"hidden_size", 64},        {"intermediate_size", 160},
            {"num_hidden_layers", 2}, {"num_attention_heads", 8}, {"vocab_size", 256}};
}

nlohmann::json with(nlohmann::json config, const nlohmann::json& more) {
    if (!more.is_null()) config.update(more);
    return config;
}

CheckpointInfo read_text(const std::string& text) {
    static const TempFolder folder;  // one for all: these tests read thousands of files
    write_file(folder / "config.json", text);
    return read_config(folder / "config.json");
}

CheckpointInfo read(const nlohmann::json& config) { return read_text(config.dump()); }

ModelConfig llama(const nlohmann::json& more) { return read(with(minimal(), more)).config; }

}  // namespace hearth::testing
