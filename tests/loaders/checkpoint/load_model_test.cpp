#include "loaders/load_model.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <set>
#include <thread>

#include "kernels/make_backend.h"
#include "loaders/checkpoint/checkpoint.h"
#include "loaders/config/config.h"
#include "loaders/random_model.h"
#include "loaders/weights/plan_weights.h"
#include "tests/loaders/checkpoint/files.h"
#include "tests/support/open_counter.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using testing::copy_golden;
using testing::own_goldens;
using testing::TempFolder;

std::shared_ptr<const Backend> backend() {
    static const auto kBackend = make_backend({.device = "reference"});
    return kBackend;
}

/// Expects rows [first, first + rows of the tensor) of `weight` to be the tensor's.
void expect_rows(const Weight& weight, int64_t first, const Checkpoint& checkpoint, const std::string& name) {
    const Checkpoint::Entry* entry = checkpoint.find(name);
    ASSERT_TRUE(entry) << name;
    const DType type = *entry->tensor->type->dtype;
    const int64_t n = entry->tensor->shape[0], k = entry->tensor->shape[1];
    ASSERT_EQ(weight.k, k) << name;
    ASSERT_LE(first + n, weight.n) << name;
    ByteBuffer aligned;
    entry->read(aligned);
    std::vector<float> row(static_cast<size_t>(k));
    for (int64_t i = 0; i < n; ++i) {
        unpack_row(weight, first + i, row.data());
        for (int64_t j = 0; j < k; ++j)
            ASSERT_EQ(row[static_cast<size_t>(j)], load_float(aligned.data(), type, i * k + j)) << name << " at " << i << ", " << j;
    }
}

void expect_vector(const DeviceVector& vector, int64_t first, const Checkpoint& checkpoint, const std::string& name) {
    const Checkpoint::Entry* entry = checkpoint.find(name);
    ASSERT_TRUE(entry) << name;
    ByteBuffer aligned;
    entry->read(aligned);
    const int64_t n = entry->tensor->shape[0];
    ASSERT_LE(first + n, vector.size) << name;
    for (int64_t i = 0; i < n; ++i)
        ASSERT_EQ(vector.view()(first + i), load_float(aligned.data(), *entry->tensor->type->dtype, i)) << name << " at " << i;
}

void expect_layer(const LayerWeights& layer, const ModelConfig& c, const Checkpoint& from, const std::string& at) {
    const int64_t q = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
    expect_vector(layer.attention_norm, 0, from, at + "input_layernorm.weight");
    expect_vector(layer.mlp_norm, 0, from, at + "post_attention_layernorm.weight");
    expect_rows(layer.qkv.weight, 0, from, at + "self_attn.q_proj.weight");
    expect_rows(layer.qkv.weight, q, from, at + "self_attn.k_proj.weight");
    expect_rows(layer.qkv.weight, q + kv, from, at + "self_attn.v_proj.weight");
    expect_rows(layer.out.weight, 0, from, at + "self_attn.o_proj.weight");
    EXPECT_EQ(layer.qkv_bias.size, c.qkv_bias ? c.qkv_rows() : 0);
    if (c.qkv_bias) {
        expect_vector(layer.qkv_bias, 0, from, at + "self_attn.q_proj.bias");
        expect_vector(layer.qkv_bias, q, from, at + "self_attn.k_proj.bias");
        expect_vector(layer.qkv_bias, q + kv, from, at + "self_attn.v_proj.bias");
    }
    EXPECT_EQ(layer.out_bias.size, c.o_bias ? c.hidden : 0);
    if (c.o_bias) expect_vector(layer.out_bias, 0, from, at + "self_attn.o_proj.bias");
    EXPECT_EQ(layer.q_norm.size, c.qk_norm ? c.head_dim : 0);
    if (c.qk_norm) {
        expect_vector(layer.q_norm, 0, from, at + "self_attn.q_norm.weight");
        expect_vector(layer.k_norm, 0, from, at + "self_attn.k_norm.weight");
    }
    ASSERT_EQ(static_cast<int64_t>(layer.expert_gate.size()), c.experts);
    if (c.experts > 0) {
        expect_rows(layer.router.weight, 0, from, at + "block_sparse_moe.gate.weight");
        for (int64_t e = 0; e < c.experts; ++e) {
            const std::string expert = at + "block_sparse_moe.experts." + std::to_string(e) + ".";
            expect_rows(layer.expert_gate[static_cast<size_t>(e)], 0, from, expert + "w1.weight");
            expect_rows(layer.expert_up[static_cast<size_t>(e)], 0, from, expert + "w3.weight");
            expect_rows(layer.expert_down[static_cast<size_t>(e)], 0, from, expert + "w2.weight");
        }
        return;
    }
    expect_rows(layer.gate.weight, 0, from, at + "mlp.gate_proj.weight");
    expect_rows(layer.up.weight, 0, from, at + "mlp.up_proj.weight");
    expect_rows(layer.down.weight, 0, from, at + "mlp.down_proj.weight");
    EXPECT_EQ(layer.down_bias.size, c.mlp_bias ? c.hidden : 0);
    if (!c.mlp_bias) return;
    expect_vector(layer.gate_bias, 0, from, at + "mlp.gate_proj.bias");
    expect_vector(layer.up_bias, 0, from, at + "mlp.up_proj.bias");
    expect_vector(layer.down_bias, 0, from, at + "mlp.down_proj.bias");
}

TEST(LoadModel, PutsEveryNumberOfEveryGoldenInItsPlace) {
    for (const fs::path& folder : testing::golden_folders(testing::golden_dir(), false)) {
        SCOPED_TRACE(folder);
        const CheckpointInfo info = inspect_checkpoint(folder);
        const auto model = load_model(info, backend());
        const Checkpoint from = Checkpoint::open(folder);
        const Weights& weights = model->weights();
        const ModelConfig& c = info.config;
        expect_rows(weights.embed.weight, 0, from, "model.embed_tokens.weight");
        expect_rows(weights.head.weight, 0, from, c.tied_embeddings ? "model.embed_tokens.weight" : "lm_head.weight");
        EXPECT_EQ(weights.embed.bytes == weights.head.bytes, c.tied_embeddings);
        EXPECT_EQ(weights.embed.weight.layout == WeightLayout::kRows, !c.tied_embeddings);
        expect_vector(weights.final_norm, 0, from, "model.norm.weight");
        ASSERT_EQ(static_cast<int64_t>(weights.layers.size()), c.layers);
        for (size_t i = 0; i < weights.layers.size(); ++i)
            expect_layer(weights.layers[i], c, from, "model.layers." + std::to_string(i) + ".");
        EXPECT_EQ(model->max_context(), c.context);
    }
}

TEST(LoadModel, TakesWhatItPlanned) {
    for (const fs::path& folder : testing::golden_folders(testing::own_goldens(), false)) {
        const std::string name = folder.filename().string();
        const CheckpointInfo info = inspect_checkpoint(own_goldens() / name);
        EXPECT_EQ(planned_weight_bytes(info, *backend()), load_model(info, backend())->weights().total_bytes()) << name;
    }
}

TEST(LoadModel, PlansFromABareConfigWhatRandomWeightsTake) {
    for (const fs::path& folder : testing::golden_folders(testing::own_goldens(), false)) {
        const std::string name = folder.filename().string();
        const CheckpointInfo info = read_config(own_goldens() / name / "config.json");
        const DType type = info.config.stored_dtype == "f32" ? DType::kF32 : info.config.stored_dtype == "f16" ? DType::kF16 : DType::kBf16;
        EXPECT_EQ(planned_weight_bytes(info, *backend()), random_model(info.config, type, backend(), 1)->weights().total_bytes()) << name;
    }
}

TEST(LoadModel, KeepsToTheContextItIsGiven) {
    const CheckpointInfo info = inspect_checkpoint(own_goldens() / "llama-plain");
    EXPECT_EQ(load_model(info, backend(), {.max_context = 48, .progress = {}})->max_context(), 48);
}

TEST(LoadModel, RefusesAContextWhoseRotationsFillTheMemory) {
    CheckpointInfo info = inspect_checkpoint(own_goldens() / "llama-plain");
    info.config.context = int64_t{1} << 27;
    EXPECT_REFUSED(load_model(info, backend()), ErrorKind::kTooLarge, "134217728 positions");
    EXPECT_REFUSED(random_model(info.config, DType::kBf16, backend(), 1), ErrorKind::kTooLarge, "at most 62500000");
    EXPECT_REFUSED(load_model(info, backend(), {.max_context = INT64_MAX, .progress = {}}), ErrorKind::kTooLarge, "positions");
    EXPECT_EQ(load_model(info, backend(), {.max_context = 64, .progress = {}})->max_context(), 64);
}

TEST(LoadModel, ReportsProgressInBytesFromNothingToAll) {
    const CheckpointInfo info = inspect_checkpoint(own_goldens() / "llama-sharded");
    std::vector<ProgressUpdate> updates;
    load_model(info, backend(), {.max_context = 0, .progress = [&](const ProgressUpdate& update) { updates.push_back(update); }});
    ASSERT_GE(updates.size(), 3u);
    EXPECT_EQ(updates.front().done, 0);
    EXPECT_EQ(updates.front().what, "loading llama-sharded");
    EXPECT_EQ(updates.back().done, info.file_bytes);
    for (size_t i = 0; i < updates.size(); ++i) {
        EXPECT_EQ(updates[i].total, info.file_bytes);
        if (i > 0) {
            EXPECT_GT(updates[i].done, updates[i - 1].done);
        }
    }
    EXPECT_LE(updates.size(), 102u);
}

TEST(LoadModel, StopsWhenProgressThrows) {
    const CheckpointInfo info = inspect_checkpoint(own_goldens() / "llama-plain");
    int calls = 0;
    const LoadOptions options{.max_context = 0, .progress = [&](const ProgressUpdate&) {
                                  if (++calls == 3) throw std::runtime_error("stop");
                              }};
    EXPECT_THROW(load_model(info, backend(), options), std::runtime_error);
    EXPECT_EQ(calls, 3);
}

TEST(LoadModel, WorksWhenTheFilesAreGoneAfterwards) {
    TempFolder folder;
    copy_golden("llama-plain", folder.path());
    const auto model = load_model(inspect_checkpoint(folder.path()), backend());
    fs::remove(folder / "model.safetensors");
    expect_rows(model->weights().head.weight, 0, Checkpoint::open(own_goldens() / "llama-plain"), "lm_head.weight");
}

TEST(LoadModel, SaysThatAFileBecameShorterWhileItWasRead) {
    TempFolder folder;
    copy_golden("llama-wide", folder.path());
    const CheckpointInfo info = inspect_checkpoint(folder.path());
    bool cut = false;
    const LoadOptions options{.max_context = 0, .progress = [&](const ProgressUpdate& update) {
                                  if (cut || update.done < update.total / 4) return;
                                  fs::resize_file(folder / "model.safetensors", 4096);
                                  cut = true;
                              }};
    EXPECT_REFUSED(load_model(info, backend(), options), ErrorKind::kIo, "changed while it was read: 4096 bytes now");
    EXPECT_TRUE(cut);
}

/// Cuts a file short, from another thread, some time after it was told to.
class Cutter {
public:
    Cutter(fs::path file, std::chrono::microseconds after)
        : thread_([file = std::move(file), after] {
              std::this_thread::sleep_for(after);
              std::error_code ignored;
              fs::resize_file(file, 4096, ignored);
          }) {}
    ~Cutter() {
        if (thread_.joinable()) thread_.join();
    }
    void wait() { thread_.join(); }  // until it has cut
    Cutter(const Cutter&) = delete;
    Cutter& operator=(const Cutter&) = delete;

private:
    std::thread thread_;
};

TEST(LoadModel, OutlivesAFileThatIsCutAtAnyMoment) {
    for (const std::string golden : {"llama-wide", "gptq-g128-sym"}) {
        TempFolder folder;
        copy_golden(golden, folder.path());
        const std::string bytes = testing::read_file(folder / "model.safetensors");
        int refused = 0;
        for (int round = 0; round < 150; ++round) {
            testing::write_file(folder / "model.safetensors", bytes);
            try {
                Cutter cutter(folder / "model.safetensors", std::chrono::microseconds(round * 40));
                if (round == 0) cutter.wait();  // once before everything; the other rounds decide for themselves
                const CheckpointInfo info = inspect_checkpoint(folder.path());
                planned_weight_bytes(info, *backend());
                load_model(info, backend());
            } catch (const Error& error) {
                EXPECT_NE(std::string(error.what()).find("model.safetensors"), std::string::npos) << error.what();
                ++refused;
            }
        }
        EXPECT_GT(refused, 0) << golden;
    }
}

TEST(LoadModel, SaysThatAFileChangedSinceItWasInspected) {
    TempFolder folder;
    copy_golden("llama-plain", folder.path());
    const CheckpointInfo info = inspect_checkpoint(folder.path());
    fs::resize_file(folder / "model.safetensors", 100'000);
    EXPECT_REFUSED(load_model(info, backend()), ErrorKind::kIo, "model.safetensors: changed while it was read: 100000 bytes now");
    fs::copy_file(own_goldens() / "mixtral/model.safetensors", folder / "model.safetensors", fs::copy_options::overwrite_existing);
    EXPECT_REFUSED(load_model(info, backend()), ErrorKind::kIo, "model.safetensors: changed while it was read");
}

TEST(LoadModel, ReadsEachHeaderOnce) {
    for (const std::string golden : {"llama-sharded", "gptq-g128-sym"}) {
        TempFolder folder;
        copy_golden(golden, folder.path());
        std::vector<std::unique_ptr<testing::OpenCounter>> counters;
        for (const auto& file : fs::directory_iterator(folder.path())) {
            if (file.path().extension() == ".safetensors") counters.push_back(std::make_unique<testing::OpenCounter>(file.path()));
        }
        ASSERT_EQ(counters.size(), golden == "llama-sharded" ? 3u : 1u);
        const CheckpointInfo info = inspect_checkpoint(folder.path());
        EXPECT_FALSE(list_tensors(info).empty());
        EXPECT_EQ(load_model(info, backend())->weights().total_bytes(), planned_weight_bytes(info, *backend()));
        for (const auto& counter : counters) EXPECT_EQ(counter->count(), 1) << golden;
    }
}

TEST(LoadModel, LoadsWhatWasInspectedThoughItsNameIsGone) {
    TempFolder folder;
    copy_golden("llama-plain", folder.path());
    const CheckpointInfo info = inspect_checkpoint(folder.path());
    fs::remove(folder / "model.safetensors");
    const auto model = load_model(info, backend());
    expect_rows(model->weights().head.weight, 0, Checkpoint::open(own_goldens() / "llama-plain"), "lm_head.weight");
}

TEST(LoadModel, ReadsTensorsAtOddAddresses) {
    TempFolder folder;
    copy_golden("llama-f32", folder.path());
    const std::string bytes = testing::read_file(folder / "model.safetensors");
    uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof header);
    testing::write_file(folder / "model.safetensors", testing::safetensors(bytes.substr(8, header) + " ", bytes.substr(8 + header)));
    const auto model = load_model(inspect_checkpoint(folder.path()), backend());
    const Checkpoint from = Checkpoint::open(own_goldens() / "llama-f32");
    expect_vector(model->weights().final_norm, 0, from, "model.norm.weight");
    expect_rows(model->weights().head.weight, 0, from, "lm_head.weight");
    expect_rows(model->weights().layers[1].down.weight, 0, from, "model.layers.1.mlp.down_proj.weight");
}

}  // namespace
}  // namespace hearth
