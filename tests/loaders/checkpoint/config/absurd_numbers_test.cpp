// A hostile config.json: every field with every number that it must not have.
#include <cmath>

#include "tests/loaders/checkpoint/config/made_config.h"

namespace hearth::testing {
namespace {

using Json = nlohmann::json;

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
    for (const auto& folder : golden_folders(own_goldens(), false)) {
        const std::string golden = folder.filename().string();
        const Json config = read_json(folder / "config.json");
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

}  // namespace
}  // namespace hearth::testing
