// An index that leaves out what its shards hold.
#include <functional>

#include "tests/loaders/checkpoint/quantized_folder.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::change_config;
using testing::copy_golden;
using testing::own_goldens;
using testing::TempFolder;
using testing::write_file;

/// A golden in two shards whose index lists what `listed` says.
void write_two_shards(const TempFolder& folder, const std::string& golden, const std::function<bool(const std::string&)>& in_second,
                      const std::function<bool(const std::string&)>& listed) {
    copy_golden(golden, folder.path());
    testing::Tensors whole(folder / "model.safetensors");
    std::vector<testing::MadeTensor> first, second;
    Json map;
    for (const auto& tensor : whole.all()) {
        (in_second(tensor.name) ? second : first).push_back(tensor);
        if (listed(tensor.name))
            map[tensor.name] = in_second(tensor.name) ? "model-00002-of-00002.safetensors" : "model-00001-of-00002.safetensors";
    }
    fs::remove(folder / "model.safetensors");
    write_file(folder / "model-00001-of-00002.safetensors", testing::safetensors(first));
    write_file(folder / "model-00002-of-00002.safetensors", testing::safetensors(second));
    write_file(folder / "model.safetensors.index.json", Json{{"weight_map", map}}.dump());
}

TEST(IncompleteIndex, FindsAHeadThatTheIndexLeavesOut) {
    const auto is_head = [](const std::string& name) { return name == "lm_head.weight"; };
    const auto others = [&](const std::string& name) { return !is_head(name); };
    const CheckpointInfo whole = inspect_checkpoint(own_goldens() / "llama-plain");
    TempFolder apart, together;
    write_two_shards(apart, "llama-plain", is_head, others);  // the index names the first shard alone
    write_two_shards(
        together, "llama-plain", [](const std::string& name) { return name.find("norm") != std::string::npos; }, others);
    for (const TempFolder* folder : {&apart, &together}) {
        const CheckpointInfo info = inspect_checkpoint(folder->path());
        EXPECT_FALSE(info.config.tied_embeddings);
        EXPECT_EQ(info.parameters, whole.parameters);
        EXPECT_EQ(info.ignored_tensors, 0);
    }
}

TEST(IncompleteIndex, FindsBiasesThatTheIndexLeavesOut) {
    const auto is_bias = [](const std::string& name) { return name.ends_with(".bias"); };
    const auto others = [&](const std::string& name) { return !is_bias(name); };
    for (const bool apart : {true, false}) {
        TempFolder folder;
        write_two_shards(
            folder, "llama-bias", [&](const std::string& name) { return apart ? is_bias(name) : name.ends_with("norm.weight"); }, others);
        change_config(folder, {{"attention_bias", nullptr}, {"mlp_bias", nullptr}});
        const CheckpointInfo info = inspect_checkpoint(folder.path());
        EXPECT_TRUE(info.config.qkv_bias && info.config.o_bias && info.config.mlp_bias);
        EXPECT_EQ(info.parameters, inspect_checkpoint(own_goldens() / "llama-bias").parameters);
    }
}

}  // namespace
}  // namespace hearth
