// Every config.json of ../shared/data/configs: read as it should be, or refused for the right reason.
#include <cmath>
#include <map>

#include "loaders/config/config.h"
#include "loaders/config/generation_config.h"
#include "tests/loaders/checkpoint/files.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using Kind = RopeConfig::Kind;

struct Expected {
    std::string family;  // "" where the file is refused
    int64_t layers = 0, hidden = 0, heads = 0, kv_heads = 0, head_dim = 0, vocab = 0;
    double theta = 0;
    Kind rope = Kind::kDefault;
    double factor = 1;
    int64_t window = 0;
    bool tied = false;
    std::string refused;  // part of the message
};

Expected refused(const std::string& part) {
    Expected out;
    out.refused = part;
    return out;
}

const std::map<std::string, Expected>& expectations() {
    static const std::map<std::string, Expected> kAll = {
        {"135M_config.json", refused("model_type is absent")},
        {"Llama-3.2-1B-Instruct/config.json", {"llama", 16, 2048, 32, 8, 64, 128256, 5e5, Kind::kDefault, 1, 0, true, ""}},
        {"Llama-3.2-3B-Instruct/config.json", {"llama", 28, 3072, 24, 8, 128, 128256, 5e5, Kind::kDefault, 1, 0, true, ""}},
        {"devstral-small-2507/config.json", {"mistral", 40, 5120, 32, 8, 128, 131072, 1e9, Kind::kDefault, 1, 0, false, ""}},
        {"dolphin3-mistral-24b/config.json", {"mistral", 40, 5120, 32, 8, 128, 131074, 1e8, Kind::kDefault, 1, 0, false, ""}},
        {"llama-3.1-8b-instruct-bnb8/config.json", refused("method bitsandbytes")},
        {"llama-3.2-1b-bnb8/config.json", refused("method bitsandbytes")},
        {"llama3-8B-instruct/config.json", {"llama", 32, 4096, 32, 8, 128, 128256, 5e5, Kind::kDefault, 1, 0, false, ""}},
        {"llmservingsim/Qwen/Qwen3-30B-A3B-Instruct-2507.json", refused("model_type \"qwen3_moe\"")},
        {"llmservingsim/Qwen/Qwen3-32B.json", {"qwen3", 64, 5120, 64, 8, 128, 151936, 1e6, Kind::kDefault, 1, 0, false, ""}},
        {"llmservingsim/meta-llama/Llama-3.1-70B.json", {"llama", 80, 8192, 64, 8, 128, 128256, 5e5, Kind::kLlama3, 8, 0, false, ""}},
        {"llmservingsim/meta-llama/Llama-3.1-8B.json", {"llama", 32, 4096, 32, 8, 128, 128256, 5e5, Kind::kLlama3, 8, 0, false, ""}},
        {"llmservingsim/microsoft/Phi-mini-MoE-instruct.json", refused("model_type \"phimoe\"")},
        {"llmservingsim/mistralai/Mixtral-8x7B-v0.1.json", {"mixtral", 32, 4096, 32, 8, 128, 32000, 1e6, Kind::kDefault, 1, 0, false, ""}},
        {"mlc-presets/Mixtral-8x7B-v0.1.config.json", {"mixtral", 32, 4096, 32, 8, 128, 32000, 1e6, Kind::kDefault, 1, 0, false, ""}},
        {"mlc-presets/codellama_13b.config.json", {"llama", 40, 5120, 40, 40, 128, 32016, 1e6, Kind::kDefault, 1, 0, false, ""}},
        {"mlc-presets/codellama_34b.config.json", {"llama", 48, 8192, 64, 8, 128, 32016, 1e6, Kind::kDefault, 1, 0, false, ""}},
        {"mlc-presets/codellama_7b.config.json", {"llama", 32, 4096, 32, 32, 128, 32016, 1e6, Kind::kDefault, 1, 0, false, ""}},
        {"mlc-presets/gemma2_27b.config.json", refused("model_type \"gemma2\"")},
        {"mlc-presets/gemma2_2b-jpn.config.json", refused("model_type \"gemma2\"")},
        {"mlc-presets/gemma2_2b.config.json", refused("model_type \"gemma2\"")},
        {"mlc-presets/gemma2_9b.config.json", refused("model_type \"gemma2\"")},
        {"mlc-presets/llama2_13b.config.json", {"llama", 40, 5120, 40, 40, 128, 32000, 1e4, Kind::kDefault, 1, 0, false, ""}},
        {"mlc-presets/llama2_70b.config.json", {"llama", 80, 8192, 64, 8, 128, 32000, 1e4, Kind::kDefault, 1, 0, false, ""}},
        {"mlc-presets/llama2_7b.config.json", {"llama", 32, 4096, 32, 32, 128, 32000, 1e4, Kind::kDefault, 1, 0, false, ""}},
        {"mlc-presets/llama3_1_70b.config.json", {"llama", 80, 8192, 64, 8, 128, 128256, 5e5, Kind::kLlama3, 8, 0, false, ""}},
        {"mlc-presets/llama3_1_8b.config.json", {"llama", 32, 4096, 32, 8, 128, 128256, 5e5, Kind::kLlama3, 8, 0, false, ""}},
        {"mlc-presets/llama3_2_1b.config.json", {"llama", 16, 2048, 32, 8, 64, 128256, 5e5, Kind::kLlama3, 32, 0, true, ""}},
        {"mlc-presets/llama3_2_3b.config.json", {"llama", 28, 3072, 24, 8, 128, 128256, 5e5, Kind::kLlama3, 32, 0, true, ""}},
        {"mlc-presets/ministral3_3b_2512.config.json", refused("model_type \"ministral3\"")},
        {"mlc-presets/mistral_7b.config.json", {"mistral", 32, 4096, 32, 8, 128, 32000, 1e4, Kind::kDefault, 1, 4096, false, ""}},
        {"mlc-presets/mistral_7b_v03.config.json", {"mistral", 32, 4096, 32, 8, 128, 32768, 1e6, Kind::kDefault, 1, 0, false, ""}},
        {"mlc-presets/phi-3_5.config.json", refused("model_type \"phi3\"")},
        {"mlc-presets/phi-4.config.json", refused("model_type \"phi3\"")},
        {"mlc-presets/qwen2.5_3b.config.json", {"qwen2", 36, 2048, 16, 2, 128, 151936, 1e6, Kind::kDefault, 1, 0, true, ""}},
        {"mlc-presets/qwen2.config.json", {"qwen2", 24, 2048, 16, 16, 128, 151936, 1e6, Kind::kDefault, 1, 0, true, ""}},
        {"mlc-presets/qwen2_0_5b.config.json", {"qwen2", 24, 896, 14, 2, 64, 151936, 1e6, Kind::kDefault, 1, 0, true, ""}},
        {"mlc-presets/qwen2_1_5b.config.json", {"qwen2", 28, 1536, 12, 2, 128, 151936, 1e6, Kind::kDefault, 1, 0, true, ""}},
        {"mlc-presets/qwen2_7b.config.json", {"qwen2", 28, 3584, 28, 4, 128, 152064, 1e6, Kind::kDefault, 1, 0, false, ""}},
        {"mlc-presets/smollm2_135m.config.json", {"llama", 30, 576, 9, 3, 64, 49152, 1e5, Kind::kDefault, 1, 0, true, ""}},
        {"mlc-presets/smollm2_360m.config.json", {"llama", 32, 960, 15, 5, 64, 49152, 1e5, Kind::kDefault, 1, 0, true, ""}},
        {"mlc-presets/smollm_135m.config.json", {"llama", 30, 576, 9, 3, 64, 49152, 1e4, Kind::kDefault, 1, 0, true, ""}},
        {"mlc-presets/smollm_1_7b.config.json", {"llama", 24, 2048, 32, 32, 64, 49152, 1e4, Kind::kDefault, 1, 0, true, ""}},
        {"mlc-presets/smollm_360m.config.json", {"llama", 32, 960, 15, 5, 64, 49152, 1e4, Kind::kDefault, 1, 0, true, ""}},
        {"mlc-presets/tinyllama_1b_chat_v0.4.config.json", {"llama", 22, 2048, 32, 4, 64, 32003, 1e4, Kind::kDefault, 1, 0, false, ""}},
        {"mlc-presets/tinyllama_1b_chat_v1.0.config.json", {"llama", 22, 2048, 32, 4, 64, 32000, 1e4, Kind::kDefault, 1, 0, false, ""}},
        {"transcribed-from-hf-pages/mistral-7b-instruct-v0.2-finetune.json",
         {"mistral", 32, 4096, 32, 8, 128, 32000, 1e6, Kind::kDefault, 1, 0, false, ""}},
        {"transcribed-from-hf-pages/mistral-7b-v0.1.json",
         {"mistral", 32, 4096, 32, 8, 128, 32000, 1e4, Kind::kDefault, 1, 4096, false, ""}},
        {"transcribed-from-hf-pages/mistral-nemo-instruct-2407.json",
         {"mistral", 40, 5120, 32, 8, 128, 131072, 1e6, Kind::kDefault, 1, 0, false, ""}},
        {"transcribed-from-hf-pages/zephyr-7b-beta-128k-yarn.json",
         {"mistral", 32, 4096, 32, 8, 128, 32000, 1e4, Kind::kYarn, 16, 0, false, ""}},
        {"transcribed-from-hf-pages/zephyr-7b-beta.json",
         {"mistral", 32, 4096, 32, 8, 128, 32000, 1e4, Kind::kDefault, 1, 4096, false, ""}},
        {"wizardlm2-8x22b-mixtral/config.json", {"mixtral", 56, 6144, 48, 8, 128, 32000, 1e6, Kind::kDefault, 1, 0, false, ""}},
    };
    return kAll;
}

void expect_config(const Expected& expected, const CheckpointInfo& info, const std::string& name) {
    const ModelConfig& c = info.config;
    EXPECT_EQ(c.family, expected.family) << name;
    EXPECT_EQ(c.layers, expected.layers) << name;
    EXPECT_EQ(c.hidden, expected.hidden) << name;
    EXPECT_EQ(c.heads, expected.heads) << name;
    EXPECT_EQ(c.kv_heads, expected.kv_heads) << name;
    EXPECT_EQ(c.head_dim, expected.head_dim) << name;
    EXPECT_EQ(c.vocab, expected.vocab) << name;
    EXPECT_EQ(c.rope.theta, expected.theta) << name;
    EXPECT_EQ(c.rope.kind, expected.rope) << name;
    EXPECT_EQ(c.rope.factor, expected.factor) << name;
    EXPECT_EQ(c.windows, std::vector<int64_t>(static_cast<size_t>(c.layers), expected.window)) << name;
    EXPECT_EQ(c.tied_embeddings, expected.tied) << name;
    EXPECT_FALSE(info.eos_tokens.empty()) << name;
}

TEST(RealConfigs, EachIsReadOrRefusedForTheRightReason) {
    HEARTH_NEEDS_SHARED_DATA();
    const fs::path root = testing::shared_data() / "configs";
    for (const auto& [name, expected] : expectations()) {
        ASSERT_TRUE(fs::exists(root / name)) << name;
        if (expected.refused.empty()) {
            expect_config(expected, read_config(root / name), name);
        } else {
            EXPECT_REFUSED(read_config(root / name), name == "135M_config.json" ? ErrorKind::kBadInput : ErrorKind::kUnsupported,
                           expected.refused);
        }
    }
}

TEST(RealConfigs, NoneIsForgottenHere) {
    HEARTH_NEEDS_SHARED_DATA();
    const fs::path root = testing::shared_data() / "configs";
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
        if (!entry.is_regular_file() || entry.path().extension() != ".json") continue;
        const nlohmann::json json = testing::read_json(entry.path());
        if (!json.is_object() || !json.contains("model_type") || !json.contains("architectures")) continue;
        EXPECT_TRUE(expectations().contains(fs::relative(entry.path(), root).string())) << entry.path();
    }
}

TEST(RealConfigs, GenerationConfigsAddEndTokensAndSampling) {
    HEARTH_NEEDS_SHARED_DATA();
    int read = 0;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(testing::shared_data() / "configs")) {
        if (entry.path().filename() != "generation_config.json") continue;
        CheckpointInfo info;
        info.config.vocab = 200'000;
        ASSERT_NO_THROW(read_generation_config(entry.path(), info)) << entry.path();
        EXPECT_FALSE(info.eos_tokens.empty()) << entry.path();
        ++read;
    }
    EXPECT_GE(read, 4);
}

TEST(RealConfigs, TheLongZephyrHasTheAttentionFactorOfItsPaper) {
    HEARTH_NEEDS_SHARED_DATA();
    const RopeConfig rope =
        read_config(testing::shared_data() / "configs/transcribed-from-hf-pages/zephyr-7b-beta-128k-yarn.json").config.rope;
    EXPECT_DOUBLE_EQ(rope.attention_factor, 0.1 * std::log(16.0) + 1);
    EXPECT_EQ(rope.original_context, 8192);
}

}  // namespace
}  // namespace hearth
