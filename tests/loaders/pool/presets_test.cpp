// The file of presets: what it may say, and what is said about what it may not.
#include "loaders/pool/presets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/text.h"
#include "loaders/pool/catalogue.h"
#include "tests/support/temp_folder.h"

namespace hearth {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

Presets read(const std::string& text) {
    const testing::TempFolder folder;
    return read_presets(folder.write("models.json", text), {"chatml", "zephyr"});
}

/// The error of the one entry that has these keys beside "model".
std::string error_of(const std::string& keys) {
    const Presets presets = read(cat(R"({"models": [{"model": "m", )", keys, "}]}"));
    return presets.list.size() == 1 ? presets.list[0].error : "not one entry";
}

TEST(Presets, ReadsEverythingThatAModelMayHave) {
    const Presets presets = read(R"({"models": [{
        "alias": "fast", "model": "org/name", "context": 4096, "sampling": {"temperature": 0.2, "top_k": 7, "top_p": 0.5, "min_p": 0.1,
        "repetition_penalty": 1.1, "frequency_penalty": -1, "presence_penalty": 2}, "system_prompt": "Be\nbrief.", "template": "zephyr",
        "quant": "q4", "keep": "lm_head=float", "cache": "q8", "draft": "small", "keep_alive": 600, "load_at_start": true, "hidden": true,
        "keep_quantized": false}, {"model": "plain"}]})");
    ASSERT_EQ(presets.list.size(), 2u);
    const Preset& p = presets.list[0];
    EXPECT_THAT(p.error, IsEmpty());
    EXPECT_EQ(p.alias, "fast");
    EXPECT_EQ(p.model, "org/name");
    EXPECT_EQ(p.context, 4096);
    EXPECT_EQ(p.sampling.temperature, 0.2f);
    EXPECT_EQ(p.sampling.top_k, 7);
    EXPECT_EQ(p.sampling.frequency_penalty, -1.0f);
    EXPECT_EQ(p.sampling.presence_penalty, 2.0f);
    EXPECT_EQ(p.system_prompt, "Be\nbrief.");
    EXPECT_EQ(p.chat_template, "zephyr");
    EXPECT_EQ(p.quantize->kind, QuantKind::kQ4);
    ASSERT_EQ(p.quantize->keep.size(), 1u);
    EXPECT_EQ(p.cache_dtype, DType::kI8);
    EXPECT_EQ(p.draft, "small");
    EXPECT_EQ(p.keep_alive, std::chrono::seconds(600));
    EXPECT_TRUE(p.load_at_start && p.hidden && !p.keep_quantized);
    EXPECT_EQ(presets.list[1].alias, "plain") << "without an alias its model's name";
    EXPECT_FALSE(presets.list[1].hidden || presets.list[1].keep_alive || presets.list[1].quantize);
}

TEST(Presets, SettingsAreThoseOfTheCommandLineWhereAPresetIsSilent) {
    LoadSettings line;
    line.context = 2048;
    line.context_at_most = true;
    line.cache_dtype = DType::kF32;
    line.quantize.kind = QuantKind::kQ8;
    Preset preset;
    EXPECT_EQ(settings_of(preset, line), line);
    preset.context = 99;
    preset.quantize.emplace();
    const LoadSettings own = settings_of(preset, line);
    EXPECT_EQ(own.context, 99);
    EXPECT_FALSE(own.context_at_most);
    EXPECT_FALSE(own.quantize.kind);
    EXPECT_EQ(own.cache_dtype, DType::kF32);
}

TEST(Presets, EachBrokenEntryIsNamedWithItsKey) {
    const std::pair<const char*, const char*> cases[] = {
        {R"("contxt": 5)", "models[0]: \"contxt\" is no key that is known here"},
        {R"("context": 0)", "models[0]: context: expected a whole number from 1 to 134217728, found 0"},
        {R"("context": 1.5)", "context: expected a whole number"},
        {R"("context": 18446744073709551615)", "context: expected a whole number"},
        {R"("context": "5")", R"(found "5")"},
        {R"("sampling": 1)", "sampling: expected an object, found 1"},
        {R"("sampling": {"temperature": 3})", "models[0]: sampling: temperature: expected a number from 0 to 2, found 3"},
        {R"("sampling": {"top": 3})", "\"top\" is no key"},
        {R"("system_prompt": [])", "system_prompt: expected a text, found []"},
        {R"("template": "none")", "template: expected one of chatml, zephyr, found \"none\""},
        {R"("quant": "q5")", "quant: expected one of q8, q4, none"},
        {R"("keep": "lm_head=q8")", "keep: expected together with quant"},
        {R"("quant": "q8", "keep": "lm_head")", "models[0]: keep: 'lm_head' is no rule"},
        {R"("cache": "f16")", "cache: expected one of bf16, q8, f32"},
        {R"("draft": "")", "draft: expected a text of 1 to 4096 bytes"},
        {R"("keep_alive": -1)", "keep_alive: expected a whole number from 0 to"},
        {R"("load_at_start": 1)", "load_at_start: expected true or false, found 1"},
        {R"("hidden": null)", "hidden: expected true or false, found null"},
        {R"("alias": "a\nb")", "alias: expected a text of one line"},
        {R"("alias": "fast", "context": {})", "models[0] (\"fast\"): context"},
    };
    for (const auto& [keys, want] : cases) EXPECT_THAT(error_of(keys), HasSubstr(want)) << keys;
}

TEST(Presets, TheOthersStayWhereOneIsBroken) {
    const Presets presets = read(R"({"models": [1, {"alias": "x"}, {"alias": "y", "model": "m"}, {"alias": "y", "model": "n"}]})");
    ASSERT_EQ(presets.list.size(), 4u);
    EXPECT_THAT(presets.list[0].error, HasSubstr("models[0]: expected an object, found 1"));
    EXPECT_THAT(presets.list[1].error, HasSubstr("model: expected a name or a folder, found nothing"));
    EXPECT_THAT(presets.list[2].error, IsEmpty());
    EXPECT_THAT(presets.list[3].error, HasSubstr("expected a name that no other entry has, found \"y\" again"));
}

TEST(Presets, AFileThatIsNoneIsRefusedAsAWhole) {
    for (const char* text : {"", "[]", "{}", "{\"models\": {}}", "{\"models\": [], \"more\": 1}", "{\"models\": [], \"models\": []}",
                             "{\"models\": [{\"model\": \"m\", \"model\": \"n\"}]}"}) {
        try {
            read(text);
            ADD_FAILURE() << text;
        } catch (const Error& e) {
            EXPECT_EQ(e.kind(), ErrorKind::kBadInput);
            EXPECT_THAT(e.what(), HasSubstr("models.json")) << text;
        }
    }
    std::string many = "{\"models\": [1";
    for (int i = 0; i < 1000; ++i) many += ",1";
    EXPECT_THROW(read(many + "]}"), Error);
    EXPECT_THROW(read_presets("/nonexistent/models.json", {}), Error);
}

class CatalogueTest : public ::testing::Test {
protected:
    CatalogueTest() {
        for (const char* name : {"a", "b"}) {
            folder.write(cat(name, "/config.json"), "{}");
            folder.write(cat(name, "/model.safetensors"), "x");
        }
        ::setenv("HEARTH_MODELS", folder.path().c_str(), 1);
    }
    ~CatalogueTest() override { ::unsetenv("HEARTH_MODELS"); }

    Catalogue catalogue(const std::string& presets, const std::string& first = "a", LoadSettings load = {}) {
        Catalogue::Options options;
        options.first = first;
        options.load = load;
        options.presets = read_presets(folder.write("models.json", presets), {});
        return Catalogue(options);
    }
    const testing::TempFolder folder;
};

std::vector<std::string> names_of(const Catalogue& catalogue) {
    std::vector<std::string> out;
    for (const ModelSpec& spec : catalogue.all()) out.push_back(spec.name);
    return out;
}

TEST_F(CatalogueTest, HasTheDirectoryAndThePresets) {
    const auto all = catalogue(R"({"models": [{"alias": "x", "model": "a"}, {"model": "b", "context": 64},
        {"alias": "far", "model": "./b"}, {"alias": "lost", "model": "nowhere"}]})");
    EXPECT_EQ(names_of(all), (std::vector<std::string>{"ember", "a", "b", "x", "far", "lost"}));
    EXPECT_EQ(all.find("x").key, all.find("a").key);
    EXPECT_EQ(all.find("b").load.context, 64) << "a preset has the name of a model";
    EXPECT_NE(all.find("b").key, all.find("far").key);
    EXPECT_EQ(all.find("far").entry.folder.filename(), "b");
    EXPECT_THAT(all.find("lost").error, HasSubstr("preset \"lost\": model: expected a name in"));
}

TEST_F(CatalogueTest, HiddenNamesStandInNoMessage) {
    const auto all = catalogue(R"({"models": [{"alias": "secret", "model": "a", "hidden": true}]})");
    EXPECT_EQ(all.find("secret").entry.name, "a");
    try {
        all.find("nobody");
        FAIL();
    } catch (const Error& e) {
        EXPECT_THAT(e.what(), ::testing::Not(HasSubstr("secret")));
    }
}

TEST_F(CatalogueTest, TheCommandLineIsOfTheFirstAndTheMostOfOthers) {
    LoadSettings line;
    line.context = 512;
    line.draft = "b";
    const auto all = catalogue(R"({"models": []})", "a", line);
    EXPECT_EQ(all.find("a").load, line);
    EXPECT_TRUE(all.find("b").load.context_at_most);
    EXPECT_EQ(all.find("b").load.draft, "");
    const auto preset = catalogue(R"({"models": [{"alias": "x", "model": "b"}, {"alias": "y", "model": "b"}]})", "x", line);
    EXPECT_EQ(preset.first(), "x");
    EXPECT_EQ(preset.find("x").load, line) << "a preset without wishes of its own";
    EXPECT_EQ(preset.find("y").load.draft, "");
    EXPECT_THROW(catalogue(R"({"models": []})", "nobody"), Error);
}

}  // namespace
}  // namespace hearth
