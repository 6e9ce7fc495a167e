// Whole folders: what inspect_checkpoint takes, and everything that it must refuse.
#include <unistd.h>

#include <cstring>
#include <functional>
#include <map>

#include "loaders/checkpoint.h"
#include "loaders/check_tensors.h"
#include "loaders/load_model.h"
#include "loaders/settle_names.h"
#include "tests/loaders/checkpoint/files.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::change_config;
using testing::copy_golden;
using testing::own_goldens;
using testing::read_file;
using testing::read_json;
using testing::TempFolder;
using testing::write_file;

/// A golden's single file taken apart, to be put together differently.
struct Parts {
    Json header;
    std::string data;

    explicit Parts(const fs::path& file) {
        const std::string bytes = read_file(file);
        uint64_t length = 0;
        std::memcpy(&length, bytes.data(), sizeof length);
        header = Json::parse(bytes.substr(8, length));
        data = bytes.substr(8 + length);
    }
    std::string whole() const { return testing::safetensors(header.dump(), data); }
};

/// A copy of a golden whose header `change` edits.
void write_changed(const TempFolder& folder, const std::string& golden, const std::function<void(Parts&)>& change) {
    copy_golden(golden, folder.path());
    Parts parts(folder / "model.safetensors");
    change(parts);
    write_file(folder / "model.safetensors", parts.whole());
}

/// The same bytes under another name.
void rename_tensor(Parts& parts, const std::string& from, const std::string& to) {
    parts.header[to] = parts.header.at(from);
    parts.header.erase(from);
}

/// A new tensor at the end of the data.
void add_tensor(Parts& parts, const std::string& name, const std::string& dtype, const Json& shape, size_t bytes) {
    parts.header[name] = {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {parts.data.size(), parts.data.size() + bytes}}};
    parts.data.append(bytes, '\1');
}

// ----------------------------------------------------------------------------------------------------------------- taken

TEST(Inspect, CountsTheParametersOfEveryPlainGolden) {
    for (const fs::path& folder : testing::golden_folders(testing::golden_dir(), false)) {
        const CheckpointInfo info = inspect_checkpoint(folder);
        int64_t parameters = 0, bytes = 0, ignored = 0;
        for (const TensorInfo& tensor : list_tensors(folder)) {
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
    const auto folders = testing::golden_folders(own_goldens(), false);
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
    EXPECT_EQ(info.generation.temperature, 0.3f);
    EXPECT_TRUE(info.config.tied_embeddings);
}

TEST(Inspect, CountsUnknownTensorsAndIgnoresThem) {
    TempFolder folder;
    write_changed(folder, "llama-plain", [](Parts& parts) {
        add_tensor(parts, "model.layers.0.self_attn.rotary_emb.inv_freq", "F32", {8}, 32);
        add_tensor(parts, "vision_tower.weight", "U8", {3}, 3);
    });
    const CheckpointInfo info = inspect_checkpoint(folder.path());
    EXPECT_EQ(info.ignored_tensors, 2);
    EXPECT_EQ(info.parameters, 119104);
    int used = 0, unused = 0;
    for (const TensorInfo& tensor : list_tensors(folder.path())) (tensor.used ? used : unused)++;
    EXPECT_EQ(unused, 2);
    EXPECT_GT(used, 10);
    EXPECT_TRUE(info.notices.empty());
}

TEST(Inspect, SaysThatWeightsOfALayerAreNotUsed) {
    TempFolder folder;
    write_changed(folder, "llama-plain", [](Parts& parts) { add_tensor(parts, "model.layers.1.self_attn.q_norm.weight", "F32", {8}, 32); });
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
        write_changed(folder, "llama-f16-tied", [](Parts& parts) { rename_tensor(parts, "model.embed_tokens.weight", "lm_head.weight"); });
        const CheckpointInfo info = inspect_checkpoint(folder.path());
        EXPECT_TRUE(info.config.tied_embeddings);
        EXPECT_TRUE(info.notices.empty());
        EXPECT_EQ(info.parameters, inspect_checkpoint(own_goldens() / "llama-f16-tied").parameters);
    }
    {
        TempFolder folder;
        write_changed(folder, "llama-f16-tied", [](Parts& parts) { rename_tensor(parts, "model.embed_tokens.weight", "wte.weight"); });
        EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput, "neither model.embed_tokens.weight nor lm_head.weight");
    }
    {
        TempFolder folder;  // a head under a name that we do not know is no tie
        write_changed(folder, "llama-plain", [](Parts& parts) { rename_tensor(parts, "lm_head.weight", "output.weight"); });
        EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput, "an unknown tensor \"output.weight\" of ");
        change_config(folder, {{"tie_word_embeddings", nullptr}});
        EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput, "an unknown tensor \"output.weight\" of ");
    }
}

TEST(Inspect, RefusesAFolderThatDeniesATieAndLacksATable) {
    for (const std::string table : {"lm_head.weight", "model.embed_tokens.weight"}) {
        TempFolder folder;
        write_changed(folder, "llama-f16-tied", [&](Parts& parts) {
            if (table != "lm_head.weight") rename_tensor(parts, "model.embed_tokens.weight", "lm_head.weight");
        });
        change_config(folder, {{"tie_word_embeddings", false}});
        EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput,
                       "no tensor " + table + " among its 20, and tie_word_embeddings in config.json is false");
    }
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
        Json bare;
        for (const auto& [name, value] : parts.header.items()) bare[name.starts_with("model.") ? name.substr(6) : name] = value;
        parts.header = bare;
    });
    EXPECT_EQ(inspect_checkpoint(folder.path()).parameters, inspect_checkpoint(own_goldens() / "llama-f16-tied").parameters);
}

// --------------------------------------------------------------------------------------------------------------- refused

TEST(Inspect, ListsTheTensorsOfQuantisedGoldensAlsoOfThoseThatItRefuses) {
    for (const fs::path& folder : testing::golden_folders(own_goldens(), true)) {
        const std::string name = folder.filename().string();
        const bool refused = name.ends_with("refuse") || name == "ct-nvfp4a16";
        if (refused) {
            EXPECT_REFUSED(inspect_checkpoint(folder), ErrorKind::kUnsupported, "supported: ");
        } else {
            EXPECT_NE(inspect_checkpoint(folder).quantization, "") << name;
        }
        int64_t used = 0;
        for (const TensorInfo& tensor : list_tensors(folder)) used += tensor.used;
        EXPECT_EQ(used > 0, !refused) << name;
        EXPECT_GT(list_tensors(folder).size(), 0u);
    }
    EXPECT_EQ(testing::golden_folders(own_goldens(), true).size(), 16u);
}

TEST(Inspect, RefusesQuantisedTensorsWhoseConfigIsSilent) {
    for (const fs::path& golden : testing::golden_folders(own_goldens(), true)) {
        TempFolder folder;
        copy_golden(golden.filename().string(), folder.path());
        change_config(folder, {{"quantization_config", nullptr}});
        EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kUnsupported, "quantis");
    }
}

TEST(Inspect, NamesEachTensorThatIsMissing) {
    for (const std::string golden : {"llama-bias", "mixtral", "qwen2", "qwen3"}) {
        const Parts whole(own_goldens() / golden / "model.safetensors");
        for (const auto& item : whole.header.items()) {
            const std::string& name = item.key();
            if (name == "__metadata__") continue;
            TempFolder folder;
            write_changed(folder, golden, [&](Parts& parts) { rename_tensor(parts, name, "elsewhere"); });
            EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput, name);
        }
    }
}

TEST(Inspect, NamesEachTensorOfAnotherShape) {
    const std::string golden = "llama-bias";
    const Parts whole(own_goldens() / golden / "model.safetensors");
    for (const auto& item : whole.header.items()) {
        const std::string& name = item.key();
        if (name == "__metadata__") continue;
        std::vector<Json> shapes;
        const Json& shape = item.value()["shape"];
        if (shape.size() == 1) {
            shapes = {{1, shape[0]}, {shape[0], 1}};
        } else {
            shapes = {{shape[0].get<int64_t>() * shape[1].get<int64_t>()},
                      {shape[0], shape[1], 1},
                      {shape[0].get<int64_t>() / 2, shape[1].get<int64_t>() * 2}};
        }
        for (const Json& other : shapes) {
            TempFolder folder;
            write_changed(folder, golden, [&](Parts& parts) { parts.header[name]["shape"] = other; });
            EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput, "tensor \"" + name + "\" has shape");
        }
    }
}

TEST(Inspect, RefusesNumbersThatAreNoFloats) {
    for (const char* dtype : {"I16", "U16"}) {
        TempFolder folder;
        write_changed(folder, "llama-plain", [&](Parts& parts) { parts.header["model.norm.weight"]["dtype"] = dtype; });
        EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kUnsupported, std::string("\"model.norm.weight\" is of ") + dtype);
    }
}

TEST(Inspect, RefusesAConfigThatAsksForAnotherModel) {
    for (const Json& other :
         {Json{{"hidden_size", 128}}, Json{{"num_hidden_layers", 3}}, Json{{"num_hidden_layers", 1024}}, Json{{"vocab_size", 257}},
          Json{{"intermediate_size", 161}}, Json{{"head_dim", 32}}, Json{{"num_key_value_heads", 1}}, Json{{"model_type", "qwen3"}},
          Json{{"model_type", "mixtral"}}, Json{{"attention_bias", true}}, Json{{"mlp_bias", true}},
          Json{{"num_hidden_layers", 1024}, {"hidden_size", 131072}, {"intermediate_size", 1 << 20}, {"vocab_size", 4'000'000}}}) {
        TempFolder folder;
        copy_golden("llama-plain", folder.path());
        change_config(folder, other);
        EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput, "config.json asks for");
    }
}

TEST(Inspect, RefusesFoldersThatAreNotWhole) {
    TempFolder folder;
    EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kNotFound, "config.json");
    EXPECT_REFUSED(inspect_checkpoint(folder / "none"), ErrorKind::kNotFound, "none");
    write_file(folder / "model.Q4_0.gguf", "x");
    EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kUnsupported, "no config.json; expected a Hugging Face folder");
    fs::remove(folder / "model.Q4_0.gguf");
    write_file(folder / "file", "x");
    EXPECT_REFUSED(inspect_checkpoint(folder / "file"), ErrorKind::kBadInput, "this is a file");
    copy_golden("llama-plain", folder.path());
    fs::remove(folder / "model.safetensors");
    EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kNotFound, "no weights");
    fs::create_directory(folder / "model.safetensors");
    EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput, "found a folder");
}

TEST(Inspect, RefusesEveryPrefixOfEveryFileAtSteps) {
    for (const std::string golden : {"llama-plain", "llama-sharded"}) {
        TempFolder folder;
        copy_golden(golden, folder.path());
        for (const fs::directory_entry& entry : fs::directory_iterator(folder.path())) {
            if (entry.path().extension() != ".safetensors") continue;
            const std::string bytes = read_file(entry.path());
            for (auto size = static_cast<int64_t>(bytes.size()) - 1; size >= 0;
                 size -= std::min<int64_t>(1024, std::max<int64_t>(size, 1))) {
                fs::resize_file(entry.path(), static_cast<uintmax_t>(size));
                EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput, entry.path().filename().string());
                if (size == 0) break;
            }
            write_file(entry.path(), bytes);
        }
        EXPECT_NO_THROW(inspect_checkpoint(folder.path()));
    }
}

// ------------------------------------------------------------------------------------------------------------- bit flips

/// What a model reads: each used tensor's type, shape and place.
using Reading = std::map<std::string, std::tuple<std::string, std::vector<int64_t>, int64_t, int64_t>>;

Reading reading_of(const fs::path& folder) {
    CheckpointInfo info = inspect_checkpoint(folder);
    const Checkpoint checkpoint = Checkpoint::open(folder);
    const TensorNames names = settle_names(checkpoint, info);
    const TensorUse use = check_tensors(checkpoint, info.scheme.get(), info.config, names);
    Reading out;
    for (const std::string& name : use.names) {
        const StoredTensor& t = *checkpoint.find(name)->tensor;
        out[name] = {std::string(t.type->name), t.shape, t.begin, t.end};
    }
    return out;
}

TEST(Inspect, RefusesAFlippedHeaderByteOrReadsTheSameAllTheSame) {
    int refused = 0, same = 0;
    for (const std::string golden : {"llama-plain", "llama-f16-tied", "llama-bias", "mixtral"}) {
        TempFolder folder;
        copy_golden(golden, folder.path());
        const Reading expected = reading_of(folder.path());
        const std::string bytes = read_file(folder / "model.safetensors");
        uint64_t header = 0;
        std::memcpy(&header, bytes.data(), sizeof header);
        for (size_t i = 0; i < 8 + header; ++i) {
            for (const int mask : {0x01, 0x10, 0xFF}) {
                testing::poke(folder / "model.safetensors", i, static_cast<char>(bytes[i] ^ mask));
                try {
                    ASSERT_EQ(reading_of(folder.path()), expected) << golden << " byte " << i << " mask " << mask;
                    ++same;
                } catch (const Error& e) {
                    ASSERT_FALSE(std::string(e.what()).empty());
                    ++refused;
                }
            }
            testing::poke(folder / "model.safetensors", i, bytes[i]);
        }
    }
    EXPECT_GT(refused, 10'000);
    EXPECT_GT(same, 0);  // metadata and white space mean nothing
}

TEST(Inspect, NeverCrashesOnABrokenIndexOrConfig) {
    for (const std::string file : {"model.safetensors.index.json", "config.json"}) {
        TempFolder folder;
        copy_golden("llama-sharded", folder.path());
        const std::string bytes = read_file(folder / file);
        int refused = 0;
        for (size_t i = 0; i < bytes.size(); ++i) {
            for (const int mask : {0x01, 0x80}) {
                std::string changed = bytes;
                changed[i] = static_cast<char>(bytes[i] ^ mask);
                write_file(folder / file, changed);
                try {
                    inspect_checkpoint(folder.path());
                } catch (const Error&) {
                    ++refused;
                }
            }
            if (bytes.find_first_not_of(" \n", i) == std::string::npos) continue;  // nothing was lost
            write_file(folder / file, bytes.substr(0, i));
            EXPECT_THROW(inspect_checkpoint(folder.path()), Error) << file << " cut at " << i;
        }
        EXPECT_GT(refused, static_cast<int>(bytes.size() / 2)) << file;
    }
}

}  // namespace
}  // namespace hearth
