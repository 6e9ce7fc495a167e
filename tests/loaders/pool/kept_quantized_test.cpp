// Copies of what was quantised: the same bits as quantising in memory, made once, made anew when their source changes.
#include "loaders/pool/kept_quantized.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "tests/loaders/checkpoint/changed_golden.h"
#include "tests/loaders/pool/ember_folder.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using testing::greedy_tokens;
using ::testing::HasSubstr;
using testing::packed_weights;

class KeptQuantizedTest : public ::testing::Test {
protected:
    KeptQuantizedTest() : source(testing::write_ember(folder.path(), "org/small one")), entry(find_model(source.string())) {
        settings.context = 128;
        settings.quantize = {QuantKind::kQ8, parse_keep("layers.0=q4", "keep")};
        place.keep_quantized_in = folder / ".quantized";
        place.notice = [this](const std::string& line) { notices += line + "\n"; };
    }

    std::shared_ptr<ResidentModel> open() {
        read_bytes = 0;
        return plan_model(entry, settings, place).open([this](const ProgressUpdate& update) {
            quantised |= update.what == "quantising";
            read_bytes = update.total;
        });
    }

    /// Folders that are kept, by name.
    std::vector<std::string> kept() const {
        std::vector<std::string> out;
        std::error_code absent;
        for (const auto& at : fs::directory_iterator(place.keep_quantized_in, absent)) out.push_back(at.path().filename().string());
        return out;
    }

    const testing::TempFolder folder;
    const fs::path source;
    const ModelEntry entry;
    LoadSettings settings;
    OpenPlace place = testing::cpu_place();
    std::string notices;
    bool quantised = false;
    int64_t read_bytes = 0;
};

TEST_F(KeptQuantizedTest, GivesTheSameBitsAsQuantisingInMemory) {
    for (const auto& quantize :
         {QuantizeOptions{QuantKind::kQ8, {}}, QuantizeOptions{QuantKind::kQ4, parse_keep("lm_head=float", "keep")}}) {
        settings.quantize = quantize;
        OpenPlace memory = place;
        memory.keep_quantized_in.clear();
        const PlannedModel planned = plan_model(entry, settings, memory);
        const auto wanted = planned.open({});
        const auto made = open();
        EXPECT_TRUE(std::exchange(quantised, false));
        const PlannedModel again = plan_model(entry, settings, place);
        EXPECT_EQ(again.bytes, planned.bytes);
        const auto read = open();
        EXPECT_FALSE(quantised) << "read back";
        for (const auto& model : {made, read}) {
            EXPECT_EQ(packed_weights(*model->model), packed_weights(*wanted->model));
            EXPECT_EQ(greedy_tokens(*model->engine), greedy_tokens(*wanted->engine));
            EXPECT_EQ(model->entry.folder, entry.folder);
        }
    }
    EXPECT_EQ(kept().size(), 2u) << "one for each quantisation";
}

TEST_F(KeptQuantizedTest, HasTheModelsNameAndTheFormatInItsOwn) {
    open();
    ASSERT_EQ(kept().size(), 1u);
    EXPECT_TRUE(kept()[0].starts_with("small_one-q8-")) << kept()[0];
    ::setenv("HEARTH_MODELS", folder.path().c_str(), 1);
    for (const ModelEntry& model : list_models()) EXPECT_EQ(model.name.find("quantized"), std::string::npos) << model.name;
    EXPECT_EQ(kept_quantized_root(), folder / ".quantized");
    ::unsetenv("HEARTH_MODELS");
}

TEST_F(KeptQuantizedTest, IsMadeAnewWhenItsSourceChangesAndTheOldOneGoes) {
    open();
    const auto before = kept();
    fs::remove(source / "generation_config.json");
    std::ofstream(source / "generation_config.json") << R"({"eos_token_id": 2})";
    quantised = false;
    open();
    EXPECT_TRUE(quantised);
    ASSERT_EQ(kept().size(), 1u);
    EXPECT_NE(kept(), before);
    quantised = false;
    open();
    EXPECT_FALSE(quantised);
}

TEST_F(KeptQuantizedTest, QuantisesInMemoryWhereNothingCanBeWritten) {
    folder.write("file", "in the way");
    place.keep_quantized_in = folder / "file" / "below";
    const auto model = open();
    EXPECT_EQ(model->model->weights().layers[1].down.weight.format, WeightFormat::kQ8);
    EXPECT_THAT(notices, HasSubstr("cannot be kept on disk"));
}

TEST_F(KeptQuantizedTest, QuantisesInMemoryWhereTheCopyIsBroken) {
    open();
    fs::resize_file(place.keep_quantized_in / kept()[0] / "model.safetensors", 100);
    const auto model = open();
    EXPECT_EQ(model->model->weights().layers[1].down.weight.format, WeightFormat::kQ8);
    EXPECT_THAT(notices, HasSubstr("cannot be used and may be removed"));
}

TEST_F(KeptQuantizedTest, IsNotLeftHalfDone) {
    struct Given {};
    EXPECT_THROW(plan_model(entry, settings, place).open([](const ProgressUpdate& update) {
        if (update.done > update.total / 2) throw Given();
    }),
                 Given);
    EXPECT_EQ(kept(), std::vector<std::string>{});
    EXPECT_EQ(open()->model->weights().layers[1].down.weight.format, WeightFormat::kQ8);
    EXPECT_EQ(kept().size(), 1u);
}

TEST_F(KeptQuantizedTest, LeavesFoldersAloneThatAreNotItsOwn) {
    folder.write(".quantized/small_one-q8-notes/model.safetensors", "mine");
    open();
    EXPECT_EQ(kept().size(), 2u);
}

}  // namespace
}  // namespace hearth
