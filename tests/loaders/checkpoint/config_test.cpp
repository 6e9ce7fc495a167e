#include "loaders/config.h"

#include <cmath>

#include "tests/loaders/checkpoint/files.h"

namespace hearth {
namespace {

using Json = nlohmann::json;
using Kind = RopeConfig::Kind;
using testing::TempFolder;
using testing::write_file;

/// A small config.json of a family, as short as it may be.
Json minimal(const std::string& family = "llama") {
    return {{"model_type", family},   {"hidden_size", 64},        {"intermediate_size", 160},
            {"num_hidden_layers", 2}, {"num_attention_heads", 8}, {"vocab_size", 256}};
}

Json with(Json config, const Json& more) {
    if (!more.is_null()) config.update(more);
    return config;
}

CheckpointInfo read_text(const std::string& text) {
    static const TempFolder folder;  // one for all: these tests read thousands of files
    write_file(folder / "config.json", text);
    return read_config(folder / "config.json");
}

CheckpointInfo read(const Json& config) { return read_text(config.dump()); }

ModelConfig llama(const Json& more) { return read(with(minimal(), more)).config; }

TEST(Config, TakesTheDefaultsOfEachFamilysClass) {
    struct Case {
        std::string family;
        int64_t kv_heads, head_dim, context, window;
        float eps;
        double theta;
    };
    Json many = {{"num_attention_heads", 32}};
    for (const Case& c : {Case{"llama", 32, 2, 2048, 0, 1e-6f, 1e4}, Case{"mistral", 8, 2, 131072, 4096, 1e-6f, 1e4},
                          Case{"mixtral", 8, 2, 131072, 0, 1e-5f, 1e6}, Case{"qwen2", 32, 2, 32768, 0, 1e-6f, 1e4},
                          Case{"qwen3", 32, 128, 32768, 0, 1e-6f, 1e4}}) {
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

TEST(Config, ReadsEveryRopeKindInBothLayouts) {
    const Json llama3 = {{"rope_type", "llama3"},
                         {"factor", 8.0},
                         {"low_freq_factor", 1.0},
                         {"high_freq_factor", 4.0},
                         {"original_max_position_embeddings", 8192}};
    for (const char* type_key : {"rope_type", "type"}) {
        Json scaling = llama3;
        scaling.erase("rope_type");
        scaling[type_key] = "llama3";
        const RopeConfig four = llama({{"rope_theta", 500000.0}, {"rope_scaling", scaling}}).rope;
        scaling["rope_theta"] = 500000;
        const RopeConfig five = llama({{"rope_parameters", scaling}}).rope;
        for (const RopeConfig& rope : {four, five}) {
            EXPECT_EQ(rope.kind, Kind::kLlama3);
            EXPECT_EQ(rope.theta, 500000);
            EXPECT_EQ(rope.factor, 8);
            EXPECT_EQ(rope.low_freq_factor, 1);
            EXPECT_EQ(rope.high_freq_factor, 4);
            EXPECT_EQ(rope.original_context, 8192);
            EXPECT_EQ(rope.attention_factor, 1);
        }
    }
    const RopeConfig linear = llama({{"rope_scaling", {{"type", "linear"}, {"factor", 2.5}}}}).rope;
    EXPECT_EQ(linear.kind, Kind::kLinear);
    EXPECT_EQ(linear.factor, 2.5);
    EXPECT_EQ(linear.theta, 10000);
    EXPECT_EQ(llama({{"rope_parameters", {{"rope_theta", 77.0}, {"rope_type", "default"}}}}).rope.theta, 77);
    EXPECT_EQ(llama({{"rope_parameters", {{"rope_theta", 77.0}}}, {"rope_theta", 5.0}}).rope.theta, 77);
    EXPECT_EQ(llama({{"rope_parameters", {{"rope_type", "default"}}}, {"rope_theta", 5.0}}).rope.theta, 5);
}

TEST(Config, WorksOutYarnsAttentionFactor) {
    const auto yarn = [](const Json& more) {
        return llama({{"max_position_embeddings", 131072},
                      {"rope_scaling", with({{"rope_type", "yarn"}, {"factor", 16.0}, {"original_max_position_embeddings", 8192}}, more)}})
            .rope;
    };
    const RopeConfig plain = yarn({});
    EXPECT_EQ(plain.kind, Kind::kYarn);
    EXPECT_EQ(plain.factor, 16);
    EXPECT_EQ(plain.original_context, 8192);
    EXPECT_EQ(plain.beta_fast, 32);
    EXPECT_EQ(plain.beta_slow, 1);
    EXPECT_TRUE(plain.truncate);
    EXPECT_DOUBLE_EQ(plain.attention_factor, 0.1 * std::log(16.0) + 1);
    EXPECT_DOUBLE_EQ(yarn({{"attention_factor", 0.75}, {"mscale", 2.0}, {"mscale_all_dim", 1.0}}).attention_factor, 0.75);
    EXPECT_DOUBLE_EQ(yarn({{"mscale", 2.0}, {"mscale_all_dim", 0.5}}).attention_factor,
                     (0.2 * std::log(16.0) + 1) / (0.05 * std::log(16.0) + 1));
    EXPECT_DOUBLE_EQ(yarn({{"mscale", 1.0}, {"mscale_all_dim", 1.0}}).attention_factor, 1);
    EXPECT_DOUBLE_EQ(yarn({{"mscale", 2.0}}).attention_factor, 0.1 * std::log(16.0) + 1);  // one alone says nothing
    EXPECT_DOUBLE_EQ(yarn({{"mscale", 2.0}, {"mscale_all_dim", 0}}).attention_factor, 0.1 * std::log(16.0) + 1);
    EXPECT_EQ(yarn({{"factor", 1.0}}).attention_factor, 1);
    EXPECT_EQ(yarn({{"beta_fast", 64}, {"beta_slow", 2.0}}).beta_fast, 64);
    EXPECT_EQ(yarn({{"beta_fast", 64}, {"beta_slow", 2.0}}).beta_slow, 2);
    EXPECT_FALSE(yarn({{"truncate", false}}).truncate);
    EXPECT_EQ(yarn({{"factor", nullptr}}).factor, 16);  // 131072 / 8192
    EXPECT_EQ(yarn({{"original_max_position_embeddings", nullptr}}).original_context, 131072);
}

TEST(Config, ContextIsWhatTheRotationStretchesItTo) {
    const auto config = [](int64_t stated, const Json& scaling) {
        return llama({{"max_position_embeddings", stated}, {"rope_scaling", scaling}});
    };
    const Json yarn = {{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 32768}};
    for (const int64_t stated : {32768, 40960, 131072}) {  // Qwen's cards leave it alone, others write the stretched one
        EXPECT_EQ(config(stated, yarn).context, 131072) << stated;
        EXPECT_EQ(config(stated, yarn).longest_context(), 131072) << stated;
        EXPECT_EQ(config(stated, yarn).stated_context, stated);
    }
    EXPECT_EQ(config(200000, yarn).context, 200000);
    EXPECT_EQ(config(4096, {{"rope_type", "yarn"}, {"factor", 0.5}}).context, 4096);
    EXPECT_EQ(config(1 << 26, {{"rope_type", "yarn"}, {"factor", 1e6}}).context, 1 << 27);
    EXPECT_EQ(config(131072, {{"rope_type", "yarn"}, {"original_max_position_embeddings", 8192}}).context, 131072);  // factor worked out

    const ModelConfig linear = config(2048, {{"rope_type", "linear"}, {"factor", 4.0}});
    EXPECT_EQ(linear.context, 2048);
    EXPECT_EQ(linear.longest_context(), 8192);
    EXPECT_EQ(config(2048, {{"rope_type", "linear"}, {"factor", 0.5}}).longest_context(), 2048);
    const ModelConfig llama3 = config(8192, {{"rope_type", "llama3"},
                                             {"factor", 8.0},
                                             {"low_freq_factor", 1.0},
                                             {"high_freq_factor", 4.0},
                                             {"original_max_position_embeddings", 2048}});
    EXPECT_EQ(llama3.context, 8192);
    EXPECT_EQ(llama3.longest_context(), 8192);
}

TEST(Config, RefusesRopeThatItDoesNotDoByName) {
    const auto rope = [](const Json& section) { return llama({{"rope_scaling", section}}); };
    for (const std::string kind : {"dynamic", "longrope", "su", "mrope", "ntk-by-parts", ""}) {
        EXPECT_REFUSED(rope({{"type", kind}, {"factor", 2.0}}), ErrorKind::kUnsupported,
                       "type \"" + kind + "\" is not supported; supported: default, linear, llama3, yarn");
    }
    EXPECT_REFUSED(rope({{"rope_type", 5}}), ErrorKind::kBadInput, "rope_type is 5, expected a string");
    EXPECT_REFUSED(rope("linear"), ErrorKind::kBadInput, "rope_scaling is \"linear\", expected an object");
    EXPECT_REFUSED(rope({{"type", "linear"}}), ErrorKind::kBadInput, "factor is absent");
    EXPECT_REFUSED(rope({{"type", "linear"}, {"factor", 0}}), ErrorKind::kBadInput, "factor is 0");
    EXPECT_REFUSED(rope({{"type", "llama3"}, {"factor", 8.0}, {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0}}), ErrorKind::kBadInput,
                   "original_max_position_embeddings is absent");
    EXPECT_REFUSED(rope({{"type", "llama3"},
                         {"factor", 8.0},
                         {"low_freq_factor", 4.0},
                         {"high_freq_factor", 4.0},
                         {"original_max_position_embeddings", 64}}),
                   ErrorKind::kBadInput, "more than low_freq_factor");
    EXPECT_REFUSED(rope({{"type", "yarn"}, {"factor", 4.0}, {"beta_fast", 1}, {"beta_slow", 2}}), ErrorKind::kBadInput, "beta_fast");
    EXPECT_REFUSED(llama({{"rope_parameters", {{"full_attention", {{"rope_type", "default"}}}}}}), ErrorKind::kUnsupported,
                   "full_attention");
    EXPECT_REFUSED(rope({{"type", "default"}, {"mrope_section", {1, 2}}}), ErrorKind::kUnsupported, "mrope_section");
}

TEST(Config, ReadsTokensOfBothFilesAsOneSet) {
    TempFolder folder;
    write_file(folder / "config.json", with(minimal(), {{"bos_token_id", 1}, {"eos_token_id", {5, 2}}}).dump());
    CheckpointInfo info = read_config(folder / "config.json");
    EXPECT_EQ(info.bos_token, 1);
    EXPECT_EQ(info.eos_tokens, (std::vector<int32_t>{5, 2}));
    const auto generation = [&](const Json& json) {
        write_file(folder / "generation_config.json", json.dump());
        read_generation_config(folder / "generation_config.json", info);
    };
    generation({{"eos_token_id", 2}, {"bos_token_id", 7}});
    EXPECT_EQ(info.eos_tokens, (std::vector<int32_t>{5, 2}));
    EXPECT_EQ(info.bos_token, 1);
    generation({{"eos_token_id", {255, 5, 0}}});
    EXPECT_EQ(info.eos_tokens, (std::vector<int32_t>{5, 2, 255, 0}));
    EXPECT_TRUE(info.notices.empty());
}

TEST(Config, LeavesTokenIdsAsideThatCannotBeMet) {
    for (const Json& bad :
         {Json(256), Json(-1), Json("2"), Json({2, 256}), Json({2, nullptr}), Json(2.5), Json(uint64_t{1} << 63), Json({{"a", 1}})}) {
        const CheckpointInfo info = read(with(minimal(), {{"eos_token_id", bad}, {"bos_token_id", bad}}));
        EXPECT_EQ(info.eos_tokens, bad.is_array() ? std::vector<int32_t>{2} : std::vector<int32_t>{}) << bad;
        ASSERT_EQ(info.notices.size(), 2u) << bad;
        EXPECT_NE(info.notices[0].find("config.json: eos_token_id is "), std::string::npos) << info.notices[0];
        EXPECT_NE(info.notices[0].find(bad.is_array() ? "expected integers from 0 to 255; the others are left aside" : "; left aside"),
                  std::string::npos);
        EXPECT_NE(info.notices[1].find("bos_token_id"), std::string::npos);
        TempFolder folder;
        write_file(folder / "g.json", Json{{"eos_token_id", bad}, {"temperature", 0.5}}.dump());
        CheckpointInfo other = read(minimal());
        read_generation_config(folder / "g.json", other);
        EXPECT_EQ(other.notices.size(), 1u) << bad;
        EXPECT_EQ(other.generation.temperature, 0.5f) << "the rest of the file counts";
    }
}

TEST(Config, ReadsSamplingDefaults) {
    TempFolder folder;
    CheckpointInfo info = read(minimal());
    EXPECT_FALSE(info.generation.temperature || info.generation.top_k || info.generation.greedy);
    write_file(folder / "g.json", R"({"do_sample": true, "temperature": 0.5, "top_p": 0.9, "top_k": 50, "min_p": 0.05,
                                      "repetition_penalty": 1.1, "max_length": 4096, "top_x": null})");
    read_generation_config(folder / "g.json", info);
    EXPECT_EQ(info.generation.temperature, 0.5f);
    EXPECT_EQ(info.generation.top_p, 0.9f);
    EXPECT_EQ(info.generation.top_k, 50);
    EXPECT_EQ(info.generation.min_p, 0.05f);
    EXPECT_EQ(info.generation.repetition_penalty, 1.1f);
    EXPECT_FALSE(info.generation.greedy);
    write_file(folder / "g.json", R"({"do_sample": false, "temperature": null})");
    read_generation_config(folder / "g.json", info);
    EXPECT_TRUE(info.generation.greedy);
}

TEST(Config, LeavesRecommendationsAsideThatCannotBeMet) {
    TempFolder folder;
    for (const auto& [field, bad] : std::vector<std::pair<std::string, Json>>{{"temperature", -1},
                                                                              {"temperature", "hot"},
                                                                              {"top_p", 1.5},
                                                                              {"min_p", -0.1},
                                                                              {"top_k", -5},
                                                                              {"repetition_penalty", 0},
                                                                              {"do_sample", 1}}) {
        Json json = {{"temperature", 0.5}, {"top_p", 0.9}, {"top_k", 50}, {"do_sample", true}};
        json[field] = bad;
        write_file(folder / "g.json", json.dump());
        CheckpointInfo info = read(minimal());
        read_generation_config(folder / "g.json", info);
        ASSERT_EQ(info.notices.size(), 1u) << field;
        EXPECT_NE(info.notices[0].find("g.json: " + field + " is " + bad.dump() + ", expected "), std::string::npos) << info.notices[0];
        EXPECT_NE(info.notices[0].find("; left aside"), std::string::npos) << info.notices[0];
        EXPECT_EQ(info.generation.temperature.has_value(), field != "temperature");
        EXPECT_EQ(info.generation.top_p.has_value(), field != "top_p");
        EXPECT_EQ(info.generation.top_k.has_value(), field != "top_k");
        EXPECT_FALSE(info.generation.min_p || info.generation.repetition_penalty || info.generation.greedy);
    }
    write_file(folder / "g.json", "[");
    CheckpointInfo info = read(minimal());
    EXPECT_REFUSED(read_generation_config(folder / "g.json", info), ErrorKind::kBadInput, "g.json");
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

// ------------------------------------------------------------------------------------------------------------ absurd numbers

const std::vector<Json> kAbsurd = {0,   -1,   int64_t{1} << 31, uint64_t{1} << 63, ~uint64_t{0}, 1e308, -1e308,         0.5,
                                   "x", "64", nullptr,          Json::array(),     {1, 2},       true,  Json::object(), 1e-308};

void expect_bounded(const ModelConfig& c, const std::string& why) {
    const auto within = [&](int64_t n, int64_t low, int64_t high) { EXPECT_TRUE(n >= low && n <= high) << n << " with " << why; };
    within(c.layers, 1, 1024);
    within(c.hidden, 1, 131072);
    within(c.intermediate, 1, 1 << 20);
    within(c.vocab, 1, 4'000'000);
    within(c.heads, 1, 4096);
    within(c.kv_heads, 1, c.heads);
    EXPECT_EQ(c.heads % c.kv_heads, 0) << why;
    within(c.head_dim, 2, 1024);
    EXPECT_EQ(c.head_dim % 2, 0) << why;
    within(c.context, 1, 1 << 27);
    within(c.experts, 0, 1024);
    within(c.experts_per_token, c.experts > 0, c.experts);
    EXPECT_EQ(static_cast<int64_t>(c.windows.size()), c.layers) << why;
    for (int64_t w : c.windows) within(w, 0, 1 << 30);
    EXPECT_TRUE(c.rms_eps >= 0 && c.rms_eps <= 1) << why;
    for (double x : {c.rope.theta, c.rope.factor, c.rope.attention_factor, c.rope.beta_fast, c.rope.beta_slow, c.rope.high_freq_factor}) {
        EXPECT_TRUE(std::isfinite(x) && x > 0) << why;
    }
}

TEST(Config, TakesNoAbsurdNumberInAnyField) {
    int refused = 0, taken = 0;
    for (const auto& folder : testing::golden_folders(testing::own_goldens(), false)) {
        const std::string golden = folder.filename().string();
        const Json config = testing::read_json(folder / "config.json");
        const auto try_one = [&](const Json& changed, const std::string& why) {
            try {
                expect_bounded(read(changed).config, why);
                ++taken;
            } catch (const Error& e) {
                EXPECT_FALSE(std::string(e.what()).empty());
                ++refused;
            }
        };
        for (const auto& [key, value] : config.items()) {
            for (const Json& absurd : kAbsurd) try_one(with(config, {{key, absurd}}), golden + " " + key + " " + absurd.dump());
        }
        for (const char* section : {"rope_parameters", "rope_scaling"}) {
            if (!config.contains(section) || !config[section].is_object()) continue;
            for (const auto& [key, value] : config[section].items()) {
                for (const Json& absurd : kAbsurd)
                    try_one(with(config, {{section, with(config[section], {{key, absurd}})}}),
                            golden + " rope " + key + " " + absurd.dump());
            }
        }
    }
    EXPECT_GT(refused, 1000);
    EXPECT_GT(taken, 100);  // fields that mean nothing to us may hold anything
}

TEST(Config, RefusesEveryAbsurdSizeByItsName) {
    for (const char* key : {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size"}) {
        for (const Json& absurd : kAbsurd)
            EXPECT_REFUSED(read(with(minimal(), {{key, absurd}})), ErrorKind::kBadInput, std::string(": ") + key + " is " + absurd.dump());
        Json without = minimal();
        without.erase(key);
        EXPECT_REFUSED(read(without), ErrorKind::kBadInput, std::string(key) + " is absent");
    }
    for (const char* key : {"num_key_value_heads", "head_dim", "max_position_embeddings", "rms_norm_eps", "rope_theta"}) {
        for (const Json& absurd : kAbsurd) {
            // What these fields may well be.
            if (absurd.is_null() || (std::string(key) == "rope_theta" && absurd == int64_t{1} << 31) ||
                (std::string(key) == "rms_norm_eps" && absurd.is_number() && absurd >= 0 && absurd < 1))
                continue;
            EXPECT_REFUSED(read(with(minimal(), {{key, absurd}})), ErrorKind::kBadInput, std::string(": ") + key + " is " + absurd.dump());
        }
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
}  // namespace hearth
