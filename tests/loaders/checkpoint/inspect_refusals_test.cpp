// Whole folders that inspect_checkpoint must refuse, or read as they were meant.
#include <cstring>
#include <map>
#include <tuple>

#include "loaders/checkpoint/check_tensors.h"
#include "loaders/checkpoint/checkpoint.h"
#include "loaders/checkpoint/settle_names.h"
#include "tests/loaders/checkpoint/changed_golden.h"

namespace hearth::testing {
namespace {

namespace fs = std::filesystem;

TEST(Inspect, RefusesQuantisedTensorsWhoseConfigIsSilent) {
    for (const fs::path& golden : golden_folders(own_goldens(), true)) {
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
            write_changed(folder, golden, [&](Parts& parts) { parts.rename(name, "elsewhere"); });
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
        std::vector<nlohmann::json> shapes;
        const nlohmann::json& shape = item.value()["shape"];
        if (shape.size() == 1) {
            shapes = {{1, shape[0]}, {shape[0], 1}};
        } else {
            shapes = {{shape[0].get<int64_t>() * shape[1].get<int64_t>()},
                      {shape[0], shape[1], 1},
                      {shape[0].get<int64_t>() / 2, shape[1].get<int64_t>() * 2}};
        }
        for (const nlohmann::json& other : shapes) {
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
    for (const nlohmann::json& other :
         {nlohmann::json{{"hidden_size", 128}}, nlohmann::json{{"num_hidden_layers", 3}}, nlohmann::json{{"num_hidden_layers", 1024}},
          nlohmann::json{{"vocab_size", 257}}, nlohmann::json{{"intermediate_size", 161}}, nlohmann::json{{"head_dim", 32}},
          nlohmann::json{{"num_key_value_heads", 1}}, nlohmann::json{{"model_type", "qwen3"}}, nlohmann::json{{"model_type", "mixtral"}},
          nlohmann::json{{"attention_bias", true}}, nlohmann::json{{"mlp_bias", true}},
          nlohmann::json{
              {"num_hidden_layers", 1024}, {"hidden_size", 131072}, {"intermediate_size", 1 << 20}, {"vocab_size", 4'000'000}}}) {
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
                poke(folder / "model.safetensors", i, static_cast<char>(bytes[i] ^ mask));
                try {
                    ASSERT_EQ(reading_of(folder.path()), expected) << golden << " byte " << i << " mask " << mask;
                    ++same;
                } catch (const Error& e) {
                    ASSERT_FALSE(std::string(e.what()).empty());
                    ++refused;
                }
            }
            poke(folder / "model.safetensors", i, bytes[i]);
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
}  // namespace hearth::testing
