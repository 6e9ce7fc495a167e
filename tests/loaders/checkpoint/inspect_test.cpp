// Whole folders that inspect_checkpoint takes, and what it says of them.
#include "loaders/checkpoint/checkpoint_info.h"
#include "tests/loaders/checkpoint/changed_golden.h"

namespace hearth::testing {
namespace {

namespace fs = std::filesystem;

TEST(Inspect, CountsTheParametersOfEveryPlainGolden) {
    for (const fs::path& folder : golden_folders(golden_dir(), false)) {
        const CheckpointInfo info = inspect_checkpoint(folder);
        int64_t parameters = 0, bytes = 0, ignored = 0;
        for (const TensorInfo& tensor : list_tensors(info)) {
            int64_t count = 1;
            for (int64_t extent : tensor.shape) count *= extent;
            parameters += tensor.used ? count : 0;
            bytes += tensor.used ? count * (tensor.dtype == "F32" ? 4 : 2) : 0;
            ignored += !tensor.used;
        }
        EXPECT_GT(info.parameters, 0) << folder;
        EXPECT_EQ(info.parameters, parameters) << folder;
        EXPECT_EQ(info.file_bytes, bytes) << folder;
        EXPECT_EQ(info.ignored_tensors, ignored) << folder;
        EXPECT_EQ(info.folder, folder);
        EXPECT_EQ(info.quantization, "");
    }
}

TEST(Inspect, FindsWhatIsKnownOfTheGoldens) {
    const auto folders = golden_folders(own_goldens(), false);
    EXPECT_EQ(folders.size(), 17u);
    for (const fs::path& folder : folders) {
        const CheckpointInfo info = inspect_checkpoint(folder);
        EXPECT_EQ(info.eos_tokens, std::vector<int32_t>{2}) << folder;
        EXPECT_EQ(info.bos_token, 1) << folder;
        EXPECT_EQ(info.ignored_tensors, 0) << folder;
        EXPECT_EQ(info.config.vocab, 256) << folder;
        EXPECT_EQ(info.config.context, 256) << folder;
    }
    EXPECT_EQ(inspect_checkpoint(own_goldens() / "llama-plain").parameters, 119104);
    EXPECT_EQ(inspect_checkpoint(own_goldens() / "mixtral").parameters, 303936);
    const CheckpointInfo sharded = inspect_checkpoint(own_goldens() / "llama-sharded");
    EXPECT_EQ(sharded.parameters, read_json(own_goldens() / "llama-sharded/model.safetensors.index.json")["metadata"]["total_parameters"]);
    const CheckpointInfo tied = inspect_checkpoint(own_goldens() / "llama-f16-tied");
    EXPECT_TRUE(tied.config.tied_embeddings);
    EXPECT_EQ(tied.config.stored_dtype, "f16");
}

TEST(Inspect, TakesTheBuiltInModel) {
    const CheckpointInfo info = inspect_checkpoint(fs::path(HEARTH_SOURCE_DIR) / "tools/ember");
    EXPECT_EQ(info.config.family, "llama");
    EXPECT_EQ(info.eos_tokens, (std::vector<int32_t>{6, 2}));
    EXPECT_EQ(info.recommended_sampling.temperature, 0.3f);
    EXPECT_TRUE(info.config.tied_embeddings);
}

TEST(Inspect, CountsUnknownTensorsAndIgnoresThem) {
    TempFolder folder;
    write_changed(folder, "llama-plain", [](Parts& parts) {
        parts.add("model.layers.0.self_attn.rotary_emb.inv_freq", "F32", {8}, 32);
        parts.add("vision_tower.weight", "U8", {3}, 3);
    });
    const CheckpointInfo info = inspect_checkpoint(folder.path());
    EXPECT_EQ(info.ignored_tensors, 2);
    EXPECT_EQ(info.parameters, 119104);
    int used = 0, unused = 0;
    for (const TensorInfo& tensor : list_tensors(info)) (tensor.used ? used : unused)++;
    EXPECT_EQ(unused, 2);
    EXPECT_GT(used, 10);
    EXPECT_TRUE(info.notices.empty());
}

TEST(Inspect, SaysThatWeightsOfALayerAreNotUsed) {
    TempFolder folder;
    write_changed(folder, "llama-plain", [](Parts& parts) { parts.add("model.layers.1.self_attn.q_norm.weight", "F32", {8}, 32); });
    const CheckpointInfo info = inspect_checkpoint(folder.path());
    ASSERT_EQ(info.notices.size(), 1u);
    EXPECT_EQ(info.notices[0], "1 weight of the layers is not used by a llama model of 2 layers: model.layers.1.self_attn.q_norm.weight");
    change_config(folder, {{"num_hidden_layers", 1}});
    ASSERT_EQ(inspect_checkpoint(folder.path()).notices.size(), 1u);
    EXPECT_NE(
        inspect_checkpoint(folder.path()).notices[0].find("10 weights of the layers are not used by a llama model of 1 layer, such as "),
        std::string::npos)
        << inspect_checkpoint(folder.path()).notices[0];
}

TEST(Inspect, TakesBiasesThatAreThereWithoutAFlag) {
    TempFolder folder;
    copy_golden("llama-bias", folder.path());
    change_config(folder, {{"attention_bias", false}, {"mlp_bias", nullptr}});
    const CheckpointInfo info = inspect_checkpoint(folder.path());
    EXPECT_TRUE(info.config.qkv_bias && info.config.o_bias && info.config.mlp_bias);
    EXPECT_EQ(info.ignored_tensors, 0);
}

TEST(Inspect, TakesNamesWithoutThePrefix) {
    TempFolder folder;
    write_changed(folder, "llama-f16-tied", [](Parts& parts) {
        nlohmann::json bare;
        for (const auto& [name, value] : parts.header.items()) bare[name.starts_with("model.") ? name.substr(6) : name] = value;
        parts.header = bare;
    });
    EXPECT_EQ(inspect_checkpoint(folder.path()).parameters, inspect_checkpoint(own_goldens() / "llama-f16-tied").parameters);
}

TEST(Inspect, TiesWhereOneTableIsMissingAndTheFlagAllowsIt) {
    {
        TempFolder folder;  // flag true, both there: the head has weights of its own
        copy_golden("llama-plain", folder.path());
        change_config(folder, {{"tie_word_embeddings", true}});
        EXPECT_FALSE(inspect_checkpoint(folder.path()).config.tied_embeddings);
    }
    {
        TempFolder folder;  // no flag, no head: said
        copy_golden("llama-f16-tied", folder.path());
        change_config(folder, {{"tie_word_embeddings", nullptr}});
        const CheckpointInfo info = inspect_checkpoint(folder.path());
        EXPECT_TRUE(info.config.tied_embeddings);
        ASSERT_EQ(info.notices.size(), 1u);
        EXPECT_EQ(info.notices[0],
                  "no tensor lm_head.weight, and config.json has no tie_word_embeddings: model.embed_tokens.weight stands for it");
    }
    {
        TempFolder folder;  // only the head is there
        write_changed(folder, "llama-f16-tied", [](Parts& parts) { parts.rename("model.embed_tokens.weight", "lm_head.weight"); });
        const CheckpointInfo info = inspect_checkpoint(folder.path());
        EXPECT_TRUE(info.config.tied_embeddings);
        EXPECT_TRUE(info.notices.empty());
        EXPECT_EQ(info.parameters, inspect_checkpoint(own_goldens() / "llama-f16-tied").parameters);
    }
    {
        TempFolder folder;
        write_changed(folder, "llama-f16-tied", [](Parts& parts) { parts.rename("model.embed_tokens.weight", "wte.weight"); });
        EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput, "neither model.embed_tokens.weight nor lm_head.weight");
    }
    {
        TempFolder folder;  // a head under a name that we do not know is no tie
        write_changed(folder, "llama-plain", [](Parts& parts) { parts.rename("lm_head.weight", "output.weight"); });
        EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput, "an unknown tensor \"output.weight\" of ");
        change_config(folder, {{"tie_word_embeddings", nullptr}});
        EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput, "an unknown tensor \"output.weight\" of ");
    }
}

TEST(Inspect, RefusesAFolderThatDeniesATieAndLacksATable) {
    for (const std::string table : {"lm_head.weight", "model.embed_tokens.weight"}) {
        TempFolder folder;
        write_changed(folder, "llama-f16-tied", [&](Parts& parts) {
            if (table != "lm_head.weight") parts.rename("model.embed_tokens.weight", "lm_head.weight");
        });
        change_config(folder, {{"tie_word_embeddings", false}});
        EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput,
                       "no tensor " + table + " among its 20, and tie_word_embeddings in config.json is false");
    }
}

TEST(Inspect, ListsTheTensorsOfQuantisedGoldensAndRefusesSomeOfThem) {
    for (const fs::path& folder : golden_folders(own_goldens(), true)) {
        const std::string name = folder.filename().string();
        if (name.ends_with("refuse") || name == "ct-nvfp4a16") {
            EXPECT_REFUSED(inspect_checkpoint(folder), ErrorKind::kUnsupported, "supported: ");
            continue;
        }
        const CheckpointInfo info = inspect_checkpoint(folder);
        EXPECT_NE(info.quantization, "") << name;
        int64_t used = 0;
        for (const TensorInfo& tensor : list_tensors(info)) used += tensor.used;
        EXPECT_GT(used, 0) << name;
    }
    EXPECT_EQ(golden_folders(own_goldens(), true).size(), 16u);
}

}  // namespace
}  // namespace hearth::testing
