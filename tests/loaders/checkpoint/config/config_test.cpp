// What config.json says of a model.
#include "tests/loaders/checkpoint/config/made_config.h"

namespace hearth::testing {
namespace {

using Json = nlohmann::json;
using Kind = RopeConfig::Kind;

TEST(Config, TakesTheDefaultsOfEachFamilysClass) {
    struct Case {
        std::string family;
        int64_t kv_heads, head_dim, context, window;
        float eps;
        double theta;
    };
    Json many = {{"num_attention_heads", 32}};
    for (const Case& c :
         {Case{.family = "llama", .kv_heads = 32, .head_dim = 2, .context = 2048, .window = 0, .eps = 1e-6f, .theta = 1e4},
          Case{.family = "mistral", .kv_heads = 8, .head_dim = 2, .context = 131072, .window = 4096, .eps = 1e-6f, .theta = 1e4},
          Case{.family = "mixtral", .kv_heads = 8, .head_dim = 2, .context = 131072, .window = 0, .eps = 1e-5f, .theta = 1e6},
          Case{.family = "qwen2", .kv_heads = 32, .head_dim = 2, .context = 32768, .window = 0, .eps = 1e-6f, .theta = 1e4},
          Case{.family = "qwen3", .kv_heads = 32, .head_dim = 128, .context = 32768, .window = 0, .eps = 1e-6f, .theta = 1e4}}) {
        const CheckpointInfo info = read(with(minimal(c.family), many));
        EXPECT_EQ(info.config.family, c.family);
        EXPECT_EQ(info.config.kv_heads, c.kv_heads) << c.family;
        EXPECT_EQ(info.config.head_dim, c.head_dim) << c.family;
        EXPECT_EQ(info.config.context, c.context) << c.family;
        EXPECT_EQ(info.config.windows, std::vector<int64_t>(2, c.window)) << c.family;
        EXPECT_EQ(info.config.rms_eps, c.eps) << c.family;
        EXPECT_EQ(info.config.rope.theta, c.theta) << c.family;
        EXPECT_EQ(info.config.rope.kind, Kind::kDefault) << c.family;
        EXPECT_FALSE(info.config.tied_embeddings);
        EXPECT_TRUE(info.eos_tokens.empty());
        EXPECT_FALSE(info.bos_token);
        EXPECT_EQ(info.config.qkv_bias, c.family == "qwen2");
        EXPECT_EQ(info.config.qk_norm, c.family == "qwen3");
        EXPECT_EQ(info.config.experts, c.family == "mixtral" ? 8 : 0);
        EXPECT_EQ(info.config.experts_per_token, c.family == "mixtral" ? 2 : 0);
    }
}

TEST(Config, TakesANullAsAbsentWhereTheClassDoes) {
    const ModelConfig config =
        read(with(minimal("mistral"),
                  {{"num_key_value_heads", nullptr}, {"head_dim", nullptr}, {"sliding_window", nullptr}, {"rope_scaling", nullptr}}))
            .config;
    EXPECT_EQ(config.kv_heads, 8);
    EXPECT_EQ(config.head_dim, 8);
    EXPECT_EQ(config.windows, (std::vector<int64_t>{0, 0}));
    EXPECT_EQ(read(with(minimal("mistral"), {{"sliding_window", 0}})).config.windows, (std::vector<int64_t>{0, 0}));
    EXPECT_EQ(read(with(minimal("mistral"), {{"sliding_window", 16}})).config.windows, (std::vector<int64_t>{16, 16}));
    EXPECT_EQ(read(with(minimal("qwen3"), {{"head_dim", nullptr}, {"num_key_value_heads", nullptr}})).config.head_dim, 8);
}

TEST(Config, ReadsAHeadDimThatIsNotHiddenByHeads) { EXPECT_EQ(llama({{"head_dim", 32}}).head_dim, 32); }

TEST(Config, ReadsTheFlagsOfBiasesAndTies) {
    const ModelConfig both = llama({{"attention_bias", true}, {"mlp_bias", true}, {"tie_word_embeddings", true}});
    EXPECT_TRUE(both.qkv_bias && both.o_bias && both.mlp_bias && both.tied_embeddings);
    const ModelConfig qwen3 = read(with(minimal("qwen3"), {{"attention_bias", true}, {"num_key_value_heads", 8}})).config;
    EXPECT_TRUE(qwen3.qkv_bias && qwen3.o_bias && !qwen3.mlp_bias);
    const ModelConfig qwen2 = read(with(minimal("qwen2"), {{"num_key_value_heads", 8}})).config;
    EXPECT_TRUE(qwen2.qkv_bias && !qwen2.o_bias && !qwen2.mlp_bias);
}

TEST(Config, ReadsDtypeOfBothLayouts) {
    EXPECT_EQ(llama({{"torch_dtype", "float16"}}).stored_dtype, "f16");
    EXPECT_EQ(llama({{"dtype", "float32"}, {"torch_dtype", "float16"}}).stored_dtype, "f32");
    EXPECT_EQ(llama({{"dtype", "torch.bfloat16"}}).stored_dtype, "bf16");
    EXPECT_EQ(llama({}).stored_dtype, "bf16");
}

TEST(Config, GivesEachLayerOfQwenItsWindow) {
    const auto windows = [](const Json& more) {
        return read(with(minimal("qwen2"), with({{"num_key_value_heads", 8}, {"num_hidden_layers", 3}}, more))).config.windows;
    };
    using V = std::vector<int64_t>;
    EXPECT_EQ(windows({{"sliding_window", 16}}), (V{0, 0, 0}));
    EXPECT_EQ(windows({{"sliding_window", 16}, {"use_sliding_window", false}, {"max_window_layers", 0}}), (V{0, 0, 0}));
    EXPECT_EQ(windows({{"sliding_window", 16}, {"use_sliding_window", true}, {"max_window_layers", 2}}), (V{0, 0, 16}));
    EXPECT_EQ(windows({{"sliding_window", 16}, {"use_sliding_window", true}}), (V{0, 0, 0}));  // from layer 28 on
    EXPECT_EQ(windows({{"sliding_window", nullptr}, {"use_sliding_window", true}, {"max_window_layers", 0}}), (V{0, 0, 0}));
    EXPECT_EQ(windows({{"use_sliding_window", true}, {"max_window_layers", 1}}), (V{0, 4096, 4096}));
    EXPECT_EQ(windows({{"sliding_window", 16},
                       {"use_sliding_window", true},
                       {"max_window_layers", 0},
                       {"layer_types", {"sliding_attention", "full_attention", "sliding_attention"}}}),
              (V{16, 0, 16}));
}

TEST(Config, RefusesLayerTypesThatItDoesNotKnowOrThatDoNotFit) {
    const auto types = [](const std::string& family, const Json& list) {
        return read(with(minimal(family), {{"layer_types", list}, {"num_key_value_heads", 8}}));
    };
    EXPECT_NO_THROW(types("llama", {"full_attention", "full_attention"}));
    EXPECT_REFUSED(types("llama", {"full_attention", "sliding_attention"}), ErrorKind::kUnsupported,
                   "\"sliding_attention\" for a llama model");
    EXPECT_REFUSED(types("qwen2", {"full_attention", "chunked_attention"}), ErrorKind::kUnsupported,
                   "supported: full_attention, sliding_attention");
    EXPECT_REFUSED(types("qwen2", {"full_attention"}), ErrorKind::kBadInput, "one for each of 2 layers, found 1");
    EXPECT_REFUSED(types("qwen2", {1, 2}), ErrorKind::kBadInput, "a list of strings");
    EXPECT_REFUSED(types("qwen2", "full_attention"), ErrorKind::kBadInput, "a list of strings");
}

TEST(Config, RefusesByNameWhatItDoesNotDo) {
    EXPECT_REFUSED(read(minimal("gemma2")), ErrorKind::kUnsupported,
                   "model_type \"gemma2\" is not supported; supported: llama, mistral, mixtral, qwen2, qwen3");
    EXPECT_REFUSED(read(minimal("")), ErrorKind::kBadInput, "expected one of llama, mistral");
    EXPECT_REFUSED(llama({{"hidden_act", "gelu"}}), ErrorKind::kUnsupported, "hidden_act \"gelu\" is not supported; supported: silu");
    EXPECT_REFUSED(llama({{"architectures", {"LlamaForSequenceClassification"}}}), ErrorKind::kUnsupported,
                   "LlamaForSequenceClassification");
    EXPECT_REFUSED(llama({{"partial_rotary_factor", 0.5}}), ErrorKind::kUnsupported, "partial_rotary_factor");
    EXPECT_NO_THROW(llama({{"hidden_act", "swish"}, {"architectures", {"LlamaForCausalLM"}}, {"partial_rotary_factor", 1.0}}));
}

TEST(Config, RefusesQuantisationsByTheNameOfTheirMethod) {
    const auto quantised = [](const Json& section, const char* key = "quantization_config") { return llama({{key, section}}); };
    EXPECT_REFUSED(quantised({{"quant_method", "eetq"}}), ErrorKind::kUnsupported,
                   "method eetq is not supported; supported: compressed-tensors, fp8, gptq, awq, hearth, and plain weights");
    EXPECT_REFUSED(quantised({{"quant_method", "hqq\n"}}), ErrorKind::kUnsupported, "hqq\\x0a");
    EXPECT_REFUSED(quantised({{"load_in_8bit", true}}), ErrorKind::kUnsupported, "bitsandbytes");
    EXPECT_REFUSED(quantised({{"bits", 4}}), ErrorKind::kUnsupported, "without a name");
    EXPECT_REFUSED(quantised({{"quant_method", "compressed-tensors"}, {"format", "marlin-24"}}, "compression_config"),
                   ErrorKind::kUnsupported, "compression_config: format \"marlin-24\"");
    EXPECT_REFUSED(quantised({{"quant_method", "quark"}, {"format", "fp4"}}), ErrorKind::kUnsupported, "quark (fp4)");
    EXPECT_REFUSED(quantised("awq"), ErrorKind::kBadInput, "expected an object");
    EXPECT_REFUSED(quantised({{"quant_method", 5}}), ErrorKind::kBadInput, "a string");
    EXPECT_NO_THROW(quantised(nullptr));
}

TEST(Config, TakesPythonsNumbersThatAreNoneWhereNobodyReadsThem) {
    std::string text = with(minimal(), {{"router_bias", "HERE"}, {"list", {1, 2}}}).dump();
    for (const char* number : {"NaN", "Infinity", "-Infinity"}) {
        std::string changed = text;
        changed.replace(changed.find("\"HERE\""), 6, number);
        EXPECT_EQ(read_text(changed).config.layers, 2) << number;
    }
    std::string many = text;
    many.replace(many.find("\"HERE\""), 6, R"({"a": [NaN,Infinity , -Infinity], "NaN": "NaN, Infinity: [-Infinity]", "\"": NaN})");
    EXPECT_EQ(read_text(many).config.layers, 2);
    for (const char* field : {"rms_norm_eps", "rope_theta", "hidden_size", "tie_word_embeddings"}) {
        for (const char* number : {"NaN", "Infinity", "-Infinity"}) {
            Json config = minimal();
            config[field] = "HERE";
            std::string changed = config.dump();
            changed.replace(changed.find("\"HERE\""), 6, number);
            EXPECT_REFUSED(read_text(changed), ErrorKind::kBadInput, std::string(field) + " is \"" + number + "\", expected");
        }
    }
    for (const char* bad : {"nan", "NAN", "Inf", "+Infinity", "NaN5", "--Infinity", "- Infinity", "Infinity.0"}) {
        std::string changed = text;
        changed.replace(changed.find("\"HERE\""), 6, bad);
        EXPECT_REFUSED(read_text(changed), ErrorKind::kBadInput, "not valid JSON");
    }
}

TEST(Config, RefusesHeadsThatDoNotFit) {
    EXPECT_REFUSED(llama({{"num_key_value_heads", 3}}), ErrorKind::kBadInput, "a divisor of num_attention_heads, which is 8");
    EXPECT_REFUSED(llama({{"num_key_value_heads", 16}}), ErrorKind::kBadInput,
                   "num_key_value_heads is 16, expected an integer from 1 to 8");
    EXPECT_REFUSED(llama({{"num_attention_heads", 7}}), ErrorKind::kBadInput, "a divisor of hidden_size, which is 64");
    EXPECT_REFUSED(llama({{"num_attention_heads", 64}}), ErrorKind::kBadInput, "it works out to 1");
    EXPECT_REFUSED(llama({{"head_dim", 7}}), ErrorKind::kBadInput, "even");
    EXPECT_REFUSED(llama({{"head_dim", 1024}, {"num_attention_heads", 4096}}), ErrorKind::kBadInput, "in all heads");
    EXPECT_REFUSED(read(with(minimal("mixtral"), {{"num_experts_per_tok", 9}})), ErrorKind::kBadInput, "expected an integer from 1 to 8");
}

TEST(Config, TakesAFractionOfZeroForAnInteger) { EXPECT_EQ(llama({{"max_position_embeddings", 4096.0}}).context, 4096); }

TEST(Config, RefusesAFileThatIsNoConfig) {
    EXPECT_REFUSED(read_text("[]"), ErrorKind::kBadInput, "expected a JSON object");
    EXPECT_REFUSED(read_text(""), ErrorKind::kBadInput, "not valid JSON");
    EXPECT_REFUSED(read_text("{\"a\":" + std::string(100'000, '[')), ErrorKind::kBadInput, "deeper than 64");
    EXPECT_REFUSED(read_text(R"({"model_type": "llama", "hidden_size": 64, "hidden_size": 65})"), ErrorKind::kBadInput, "stands twice");
    EXPECT_REFUSED(read_text(std::string(16'000'001, ' ')), ErrorKind::kTooLarge, "16000001 bytes");
    EXPECT_REFUSED(read_config("/nowhere/config.json"), ErrorKind::kNotFound, "/nowhere/config.json");
}

}  // namespace
}  // namespace hearth::testing
