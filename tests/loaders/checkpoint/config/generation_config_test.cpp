// Tokens and recommendations: generation_config.json beside config.json.
#include "loaders/config/generation_config.h"
#include "tests/loaders/checkpoint/config/made_config.h"

namespace hearth::testing {
namespace {

using Json = nlohmann::json;

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
        EXPECT_EQ(other.recommended_sampling.temperature, 0.5f) << "the rest of the file counts";
    }
}

TEST(Config, ReadsSamplingDefaults) {
    TempFolder folder;
    CheckpointInfo info = read(minimal());
    EXPECT_FALSE(info.recommended_sampling.temperature || info.recommended_sampling.top_k || info.recommended_sampling.greedy);
    write_file(folder / "g.json", R"({"do_sample": true, "temperature": 0.5, "top_p": 0.9, "top_k": 50, "min_p": 0.05,
                                      "repetition_penalty": 1.1, "max_length": 4096, "top_x": null})");
    read_generation_config(folder / "g.json", info);
    EXPECT_EQ(info.recommended_sampling.temperature, 0.5f);
    EXPECT_EQ(info.recommended_sampling.top_p, 0.9f);
    EXPECT_EQ(info.recommended_sampling.top_k, 50);
    EXPECT_EQ(info.recommended_sampling.min_p, 0.05f);
    EXPECT_EQ(info.recommended_sampling.repetition_penalty, 1.1f);
    EXPECT_FALSE(info.recommended_sampling.greedy);
    write_file(folder / "g.json", R"({"do_sample": false, "temperature": null})");
    read_generation_config(folder / "g.json", info);
    EXPECT_TRUE(info.recommended_sampling.greedy);
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
        EXPECT_EQ(info.recommended_sampling.temperature.has_value(), field != "temperature");
        EXPECT_EQ(info.recommended_sampling.top_p.has_value(), field != "top_p");
        EXPECT_EQ(info.recommended_sampling.top_k.has_value(), field != "top_k");
        EXPECT_FALSE(info.recommended_sampling.min_p || info.recommended_sampling.repetition_penalty || info.recommended_sampling.greedy);
    }
    write_file(folder / "g.json", "[");
    CheckpointInfo info = read(minimal());
    EXPECT_REFUSED(read_generation_config(folder / "g.json", info), ErrorKind::kBadInput, "g.json");
}

}  // namespace
}  // namespace hearth::testing
