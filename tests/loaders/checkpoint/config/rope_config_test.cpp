// What config.json says of the rotation.
#include <cmath>

#include "tests/loaders/checkpoint/config/made_config.h"

namespace hearth::testing {
namespace {

using Json = nlohmann::json;
using Kind = RopeConfig::Kind;

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

}  // namespace
}  // namespace hearth::testing
