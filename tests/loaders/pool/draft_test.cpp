// A draft model beside a model: the same answers; refused where its tokens are others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "loaders/pool/same_vocabulary.h"
#include "tests/loaders/pool/ember_folder.h"
#include "tests/support/shared.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Ember with tokens 400 and 401 in each other's place.
fs::path write_other_ember(const fs::path& parent) {
    const fs::path folder = testing::write_ember(parent, "other");
    fs::remove(folder / "tokenizer.model");
    std::ifstream in(fs::path(HEARTH_SOURCE_DIR) / "tools" / "ember" / "tokenizer.json");
    auto json = nlohmann::ordered_json::parse(in);
    for (auto& [text, id] : json["model"]["vocab"].items()) {
        if (id == 400 || id == 401) id = id == 400 ? 401 : 400;
    }
    fs::remove(folder / "tokenizer.json");
    std::ofstream(folder / "tokenizer.json") << json;
    return folder;
}

TEST(Draft, GivesTheSameAnswerAndIsPlannedFor) {
    const testing::TempFolder folder;
    LoadSettings settings;
    settings.context = 128;
    const OpenPlace place = testing::cpu_place();
    const ModelEntry entry = find_model("ember");
    const PlannedModel plain = plan_model(entry, settings, place);
    settings.draft = testing::write_ember(folder.path(), "draft").string();
    const PlannedModel drafted = plan_model(entry, settings, place);
    EXPECT_GT(drafted.bytes, plain.bytes + 5'000'000) << "its weights and its cache";
    const auto model = drafted.open({});
    EXPECT_EQ(testing::greedy_tokens(*model->engine, 60), testing::greedy_tokens(*plain.open({})->engine, 60));
    EXPECT_GT(model->engine->stats().drafted_tokens, 0);
}

TEST(Draft, IsRefusedWithTheFirstTokenThatDiffers) {
    const testing::TempFolder folder;
    LoadSettings settings;
    settings.draft = write_other_ember(folder.path()).string();
    try {
        plan_model(find_model("ember"), settings, testing::cpu_place());
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::kBadInput);
        EXPECT_THAT(e.what(), HasSubstr("cannot draft for ember: its tokenizer is another one: expected token 400"));
    }
}

TEST(Draft, IsRefusedByItsNameWhereItIsNotThere) {
    LoadSettings settings;
    settings.draft = "no-such-draft";
    try {
        plan_model(find_model("ember"), settings, testing::cpu_place());
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::kNotFound);
        EXPECT_THAT(e.what(), HasSubstr("the draft model \"no-such-draft\""));
    }
}

TEST(Draft, AVocabularyIsTheSameAsItself) {
    const auto ember = open_tokenizer(find_model("ember").folder);
    EXPECT_EQ(vocabulary_difference(*ember, *ember), std::nullopt);
}

}  // namespace
}  // namespace hearth
