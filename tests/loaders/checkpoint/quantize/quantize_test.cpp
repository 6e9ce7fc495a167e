// Plain checkpoints that become q8 and q4: at load, and once for all as a folder.
#include <algorithm>

#include "loaders/model_directory.h"
#include "loaders/quantize/quantize_folder.h"
#include "loaders/random_model.h"
#include "loaders/weights/plan_weights.h"
#include "tests/loaders/checkpoint/changed_golden.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using testing::own_goldens;
using testing::packed_weights;
using testing::TempFolder;

QuantizeOptions to(QuantKind kind, const std::string& keep = "") { return {kind, parse_keep(keep, "--keep")}; }

std::vector<QuantizedKind> write(const fs::path& from, const QuantizeOptions& options, const fs::path& out, const Progress& progress = {}) {
    const auto backend = testing::reference_backend();
    return quantize_folder(inspect_checkpoint(from), options, out, *backend->make_stream(), progress);
}

TEST(QuantizeAtLoad, GivesTheHeadAndTheTablesEightBitsAndLeavesTheRouter) {
    const auto model = testing::load(own_goldens() / "mixtral", to(QuantKind::kQ4));
    const Weights& weights = model->weights();
    EXPECT_EQ(weights.embed.weight.format, WeightFormat::kQ8);
    EXPECT_EQ(weights.head.weight.format, WeightFormat::kQ8);
    const LayerWeights& layer = weights.layers[0];
    EXPECT_EQ(layer.router.weight.format, WeightFormat::kBf16);
    EXPECT_EQ(layer.qkv.weight.format, WeightFormat::kQ4);
    EXPECT_EQ(layer.expert_down[0].format, WeightFormat::kQ4);
    EXPECT_EQ(testing::load(own_goldens() / "llama-f16-tied", to(QuantKind::kQ4))->weights().head.weight.format, WeightFormat::kQ8);
}

TEST(QuantizeAtLoad, PlansWhatItTakes) {
    for (const std::string golden : {"llama-plain", "mixtral", "llama-f16-tied", "qwen2"}) {
        const CheckpointInfo info = inspect_checkpoint(own_goldens() / golden);
        const int64_t plain = planned_weight_bytes(info, *testing::reference_backend());
        for (const auto& options : {to(QuantKind::kQ8), to(QuantKind::kQ4), to(QuantKind::kQ4, "lm_head=q4,embed=float,layers.0=q8")}) {
            const int64_t planned = planned_weight_bytes(info, *testing::reference_backend(), options);
            EXPECT_EQ(testing::load(info.folder, options)->weights().total_bytes(), planned) << golden;
            EXPECT_LT(planned, plain) << golden;
        }
    }
}

TEST(QuantizeAtLoad, StaysCloseToTheWeightsThatWereThere) {
    const auto plain = testing::load(own_goldens() / "llama-wide"), q8 = testing::load(own_goldens() / "llama-wide", to(QuantKind::kQ8)),
               q4 = testing::load(own_goldens() / "llama-wide", to(QuantKind::kQ4));
    const auto error = [&](const Model& model) {
        double lost = 0, all = 0;
        for (int64_t row = 0; row < plain->weights().layers[0].down.weight.n; ++row) {
            const auto want = testing::row_of(plain->weights().layers[0].down.weight, row),
                       got = testing::row_of(model.weights().layers[0].down.weight, row);
            for (size_t i = 0; i < want.size(); ++i) {
                lost += (double{want[i]} - got[i]) * (double{want[i]} - got[i]);
                all += double{want[i]} * want[i];
            }
        }
        return lost / all;
    };
    EXPECT_LT(error(*q8), 1e-4);
    EXPECT_LT(error(*q4), 8e-3);
    EXPECT_GT(error(*q4), 1e-3);  // or nothing was quantised
}

TEST(QuantizeAtLoad, FollowsRulesTheLastOfWhichDecides) {
    const auto model = testing::load(own_goldens() / "llama-plain",
                                     to(QuantKind::kQ4, "down_proj=q8, layers.0=float,lm_head=float,layers.0.mlp.up_proj=q8"));
    const Weights& weights = model->weights();
    EXPECT_EQ(weights.head.weight.format, WeightFormat::kBf16);
    EXPECT_EQ(weights.embed.weight.format, WeightFormat::kQ8);
    EXPECT_EQ(weights.layers[0].down.weight.format, WeightFormat::kBf16);
    EXPECT_EQ(weights.layers[0].up.weight.format, WeightFormat::kQ8);
    EXPECT_EQ(weights.layers[1].down.weight.format, WeightFormat::kQ8);
    EXPECT_EQ(weights.layers[1].up.weight.format, WeightFormat::kQ4);
    EXPECT_EQ(testing::load(own_goldens() / "mixtral", to(QuantKind::kQ4, "router=q8"))->weights().layers[0].router.weight.format,
              WeightFormat::kQ8);
    EXPECT_EQ(testing::load(own_goldens() / "llama-f16-tied", to(QuantKind::kQ4, "lm_head=q4"))->weights().head.weight.format,
              WeightFormat::kQ4);
}

TEST(QuantizeAtLoad, RefusesRulesThatMeanNothing) {
    const fs::path folder = own_goldens() / "llama-plain";
    EXPECT_REFUSED(testing::load(folder, to(QuantKind::kQ4, "lm_haed=q8")), ErrorKind::kBadInput, "'lm_haed' fits no matrix");
    EXPECT_REFUSED(testing::load(folder, to(QuantKind::kQ4, "layers.99=q8")), ErrorKind::kBadInput, "'layers.99'");
    EXPECT_REFUSED(testing::load(folder, to(QuantKind::kQ4, "norm=q8")), ErrorKind::kBadInput, "'norm'");
    EXPECT_REFUSED(testing::load(folder, to(QuantKind::kQ4, "q_proj=q8")), ErrorKind::kBadInput, "multiplied as one matrix");
    EXPECT_REFUSED(testing::load(folder, {std::nullopt, {{"lm_head", QuantKind::kQ8}}}), ErrorKind::kBadInput, "no format");
    for (const char* list : {"lm_head", "=q8", "lm_head=q5", "lm_head=q8,,", "lm_head="})
        EXPECT_REFUSED(parse_keep(list, "--keep"), ErrorKind::kBadInput, "--keep");
    EXPECT_REFUSED(parse_quant_kind("q5", "--quant"), ErrorKind::kBadInput, "'q5'");
}

TEST(QuantizeAtLoad, LeavesMatricesThatOthersQuantised) {
    const auto before = testing::load(own_goldens() / "gptq-g128-sym"),
               after = testing::load(own_goldens() / "gptq-g128-sym", to(QuantKind::kQ8));
    const auto a = packed_weights(*before), b = packed_weights(*after);
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
        const bool table = a[i].name == "embed" || a[i].name == "head";
        EXPECT_EQ(a[i] == b[i], !table) << a[i].name;
    }
}

TEST(QuantizeFolder, LoadsToTheSameBitsAsQuantisingAtLoad) {
    for (const std::string golden : {"llama-plain", "llama-f16-tied", "llama-f32", "llama-sharded", "mixtral", "qwen2", "qwen3"}) {
        for (const auto& options : {to(QuantKind::kQ8), to(QuantKind::kQ4), to(QuantKind::kQ4, "lm_head=float,layers.0=q8")}) {
            TempFolder folder;
            const auto lines = write(own_goldens() / golden, options, folder / "out");
            EXPECT_EQ(packed_weights(*testing::load(folder / "out")), packed_weights(*testing::load(own_goldens() / golden, options)))
                << golden;
            const CheckpointInfo before = inspect_checkpoint(own_goldens() / golden), after = inspect_checkpoint(folder / "out");
            EXPECT_EQ(after.parameters, before.parameters);
            EXPECT_EQ(after.eos_tokens, before.eos_tokens);
            EXPECT_EQ(after.quantization, *options.kind == QuantKind::kQ8 ? "q8" : "q4");
            EXPECT_EQ(after.ignored_tensors, 0);
            int64_t bytes = 0, parameters = 0;
            for (const QuantizedKind& line : lines) {
                bytes += line.bytes;
                parameters += line.parameters;
                if (!line.format.starts_with("q")) continue;
                EXPECT_LT(line.relative_error(), line.format == "q8" ? 2e-4 : 2e-2) << line.kind;
                EXPECT_GT(line.relative_error(), 0) << line.kind;
            }
            EXPECT_EQ(bytes, after.file_bytes);
            EXPECT_EQ(parameters, after.parameters);
        }
    }
}

TEST(QuantizeFolder, CarriesTheSmallFilesAndNothingElse) {
    TempFolder folder;
    fs::create_directory(folder / "in");
    testing::copy_golden("llama-plain", folder / "in");
    for (const char* name : {"tokenizer.json", "chat_template.jinja", "generation_config.json", "LICENSE.txt"})
        testing::write_file(folder / "in" / name, "{}");
    for (const char* name : {"pytorch_model.bin", "run.py", "model.safetensors.index.json.bak"})
        testing::write_file(folder / "in" / name, "x");
    write(folder / "in", to(QuantKind::kQ4), folder.path() / "out" / "");  // "out/" is "out"
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder / "out")) names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    EXPECT_EQ(names, (std::vector<std::string>{"LICENSE.txt", "chat_template.jinja", "config.json", "generation_config.json",
                                               "model.safetensors", "tokenizer.json"}));
    auto config = testing::read_json(folder / "out" / "config.json");
    EXPECT_EQ(config["quantization_config"]["quant_method"], "hearth");
    config.erase("quantization_config");
    EXPECT_EQ(config, testing::read_json(folder / "in" / "config.json"));
}

TEST(QuantizeFolder, WritesOverNothingAndLeavesNothingHalfDone) {
    TempFolder folder;
    fs::create_directory(folder / "there");
    EXPECT_REFUSED(write(own_goldens() / "llama-plain", to(QuantKind::kQ4), folder / "there"), ErrorKind::kBadInput, "there already");
    EXPECT_TRUE(fs::is_empty(folder / "there"));
    EXPECT_REFUSED(write(own_goldens() / "llama-plain", to(QuantKind::kQ4), folder.path() / "no" / "such"), ErrorKind::kIo, "such");
    struct Cancelled {};
    EXPECT_THROW(write(own_goldens() / "llama-plain", to(QuantKind::kQ4), folder / "out", [](const ProgressUpdate&) { throw Cancelled(); }),
                 Cancelled);
    EXPECT_FALSE(fs::exists(folder / "out"));
    EXPECT_FALSE(fs::exists(folder / "out.partial"));
    EXPECT_REFUSED(write(own_goldens() / "gptq-8bit", to(QuantKind::kQ4), folder / "out"), ErrorKind::kUnsupported,
                   "quantised already (gptq, 8 bits)");
    write(own_goldens() / "llama-plain", to(QuantKind::kQ4), folder / "out");
    EXPECT_REFUSED(write(folder / "out", to(QuantKind::kQ4), folder / "again"), ErrorKind::kUnsupported, "quantised already (q4)");
}

TEST(QuantizeFolder, IsCheckedLikeAnyOtherWhenItIsRead) {
    TempFolder folder;
    write(own_goldens() / "llama-plain", to(QuantKind::kQ4), folder / "out");
    const auto good = testing::read_json(folder / "out" / "config.json");
    const auto refused = [&](const std::string& field, const nlohmann::json& value) {
        auto config = good;
        config["quantization_config"][field] = value;
        testing::write_file(folder / "out" / "config.json", config.dump());
        inspect_checkpoint(folder / "out");
    };
    EXPECT_REFUSED(refused("version", 2), ErrorKind::kUnsupported, "version 2");
    EXPECT_REFUSED(refused("group_size", 64), ErrorKind::kUnsupported, "group_size 64");
    EXPECT_REFUSED(refused("format", "q5"), ErrorKind::kUnsupported, "format \"q5\"");
    EXPECT_REFUSED(refused("levels", {1, 2, 3}), ErrorKind::kBadInput, "levels");
    EXPECT_REFUSED(refused("levels", std::vector<int>(16, 128)), ErrorKind::kBadInput, "levels");
    testing::write_file(folder / "out" / "config.json", good.dump());
    testing::Tensors tensors(folder / "out" / "model.safetensors");
    tensors.erase("model.layers.0.mlp.down_proj.scales");
    tensors.write(folder / "out" / "model.safetensors");
    EXPECT_REFUSED(inspect_checkpoint(folder / "out"), ErrorKind::kBadInput, "model.layers.0.mlp.down_proj.scales");
}

TEST(QuantizeRandomModels, HaveTheFormatsOfRealOnes) {
    const CheckpointInfo info = inspect_checkpoint(own_goldens() / "llama-wide");
    LoadOptions options;
    options.quantize = to(QuantKind::kQ4);
    const auto model = random_model(info.config, DType::kBf16, testing::reference_backend(), 1, options);
    EXPECT_EQ(model->weights().total_bytes(), planned_weight_bytes(info, *testing::reference_backend(), options.quantize));
    EXPECT_EQ(model->weights().layers[0].qkv.weight.format, WeightFormat::kQ4);
    EXPECT_EQ(model->weights().head.weight.format, WeightFormat::kQ8);
}

}  // namespace
}  // namespace hearth
