// An index that leaves out what its shards hold.
#include "tests/loaders/checkpoint/changed_golden.h"

namespace hearth::testing {
namespace {

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
}  // namespace hearth::testing
