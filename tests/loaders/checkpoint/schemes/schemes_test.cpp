// Checkpoints that others quantised: what is taken beyond the goldens, what is refused and how it is said. The numbers are the goldens'
// business (tests/models/quantized_goldens_test.cpp).
#include <cmath>
#include <cstring>

#include "loaders/weights/plan_weights.h"
#include "tests/loaders/checkpoint/changed_golden.h"

namespace hearth {
namespace {

using nlohmann::json;
using testing::ChangedGolden;
using testing::own_goldens;
using testing::packed_weights;
using testing::Tensors;

const std::string kQ = "model.layers.0.self_attn.q_proj", kO = "model.layers.0.self_attn.o_proj", kDown = "model.layers.0.mlp.down_proj";

TEST(Schemes, SayTheirMethodAndCountParametersNotWords) {
    const std::vector<std::pair<std::string, std::string>> names = {{"awq-g128", "awq, 4 bits"},
                                                                    {"ct-w8a16", "compressed-tensors, pack-quantized"},
                                                                    {"fp8-block", "fp8, blocks of 128 x 128"},
                                                                    {"gptq-8bit", "gptq, 8 bits"}};
    for (const auto& [golden, name] : names) {
        const CheckpointInfo info = inspect_checkpoint(own_goldens() / golden);
        EXPECT_EQ(info.quantization, name);
        EXPECT_EQ(info.parameters, 721'664) << golden;
        EXPECT_LT(info.file_bytes, 1'000'000) << golden;
    }
}

TEST(Schemes, RefuseSettingsByFieldFoundAndSupported) {
    struct Case {
        std::string golden, field;
        json value;
        std::string part;
    };
    const std::vector<Case> cases = {
        {"gptq-g128-sym", "bits", 2, "bits 2 is not supported; supported: 4, 8"},
        {"gptq-g128-sym", "group_size", 16, "group_size 16 is not supported; supported: multiples of 32"},
        {"gptq-g128-sym", "group_size", 48, "group_size 48"},
        {"gptq-g128-sym", "checkpoint_format", "marlin", "checkpoint_format \"marlin\" is not supported; supported: gptq, gptq_v2"},
        {"gptq-g128-sym", "pack_dtype", "int16", "pack_dtype \"int16\""},
        {"gptq-g128-sym", "quant_method", "hqq", "method hqq"},
        {"awq-g128", "version", "gemv", "version \"gemv\" is not supported; supported: gemm"},
        {"awq-g128", "bits", 8, "bits 8 is not supported; supported: 4"},
        {"awq-g128", "zero_point", false, "zero_point false"},
        {"fp8-block", "weight_block_size", {128, 100}, "weight_block_size"},
        {"fp8-block", "fmt", "e5m2", "fmt \"e5m2\""},
        {"ct-w4a16-g128", "format", "marlin-24", "format \"marlin-24\""},
        {"ct-w4a16-g128", "sparsity_config", {{"format", "sparse-24-bitmask"}}, "format \"sparse-24-bitmask\""},
        {"ct-w4a16-g128", "transform_config", {{"config_groups", {{"R1", {{"type", "hadamard"}}}}}}, "transform_config"},
    };
    for (const Case& one : cases) {
        const ChangedGolden folder(one.golden, {}, [&](json& section) { section[one.field] = one.value; });
        EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kUnsupported, one.part);
    }
    const auto weights = [](const char* field, const json& value) {
        return [=](json& section) { section["config_groups"]["group_0"]["weights"][field] = value; };
    };
    EXPECT_REFUSED(inspect_checkpoint(ChangedGolden("ct-w4a16-g128", {}, weights("num_bits", 3)).path()), ErrorKind::kUnsupported,
                   "num_bits 3");
    EXPECT_REFUSED(inspect_checkpoint(ChangedGolden("ct-w4a16-g128", {}, weights("group_size", 24)).path()), ErrorKind::kUnsupported,
                   "group_size 24");
    EXPECT_REFUSED(inspect_checkpoint(ChangedGolden("ct-w4a16-g128", {}, weights("strategy", "tensor_group")).path()),
                   ErrorKind::kUnsupported, "tensor_group");
}

TEST(Schemes, NameATensorThatIsMissingOrOfAnotherShapeOrType) {
    const std::vector<std::pair<std::string, std::string>> tensors = {{"gptq-g128-sym", "scales"},
                                                                      {"gptq-g128-sym", "qzeros"},
                                                                      {"gptq-g128-sym", "qweight"},
                                                                      {"awq-g128", "scales"},
                                                                      {"awq-g128", "qzeros"},
                                                                      {"awq-g128", "qweight"},
                                                                      {"ct-w4a16-asym-g32", "weight_scale"},
                                                                      {"ct-w4a16-asym-g32", "weight_zero_point"},
                                                                      {"ct-w8a16", "weight_scale"},
                                                                      {"ct-w8a8-int8", "weight_scale"},
                                                                      {"fp8-block", "weight_scale_inv"},
                                                                      {"ct-mxfp4", "weight_scale"}};
    for (const auto& [golden, tensor] : tensors) {
        const std::string name = kDown + "." + tensor;
        const ChangedGolden missing(golden, [&](Tensors& t) { t.erase(name); });
        EXPECT_REFUSED(inspect_checkpoint(missing.path()), ErrorKind::kBadInput, kDown);
        const ChangedGolden longer(golden, [&](Tensors& t) {
            auto& made = t.at(name);
            made.bytes += made.bytes;
            made.shape[0] *= 2;
        });
        EXPECT_REFUSED(inspect_checkpoint(longer.path()), ErrorKind::kBadInput,
                       kDown);  // or another of its tensors: shapes tell bits and groups
        const ChangedGolden other(golden, [&](Tensors& t) {
            auto& made = t.at(name);
            made.dtype = made.bytes.size() % 8 == 0 ? "F64" : "BOOL";
            made.shape = {static_cast<int64_t>(made.bytes.size()) / (made.dtype == "F64" ? 8 : 1)};
        });
        EXPECT_REFUSED(inspect_checkpoint(other.path()), ErrorKind::kBadInput, name);
    }
}

TEST(Schemes, RefuseAModuleThatIsThereTwice) {
    for (const auto& [golden, k] : {std::pair<std::string, int64_t>{"gptq-g128-sym", 512}, {"awq-g128", 512}, {"ct-w4a16-g128", 512}}) {
        const int64_t columns = k;
        const ChangedGolden folder(golden, [&](Tensors& t) {
            t.all().push_back({kDown + ".weight", "F16", {256, columns}, std::string(static_cast<size_t>(2 * 256 * columns), '\0')});
        });
        EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kBadInput, "quantised and plain");
    }
}

TEST(Schemes, RefuseGroupsOutOfRangeAndGroupsThatAreNoWhole32s) {
    for (const auto& [golden, tensor] :
         {std::pair<std::string, std::string>{"gptq-g32-actorder", kO + ".g_idx"}, {"ct-w4a16-actorder", kO + ".weight_g_idx"}}) {
        const std::string name = tensor;
        for (const int32_t group : {-1, 8, INT32_MAX}) {
            const ChangedGolden folder(golden, [&](Tensors& t) { testing::set_word(t.at(name), 17, group); });
            EXPECT_REFUSED(testing::load(folder.path()), ErrorKind::kBadInput, name);
        }
        const ChangedGolden uneven(golden, [&](Tensors& t) {
            auto& groups = t.at(name);
            testing::set_word(groups, 17, testing::word_at(groups, 17) == 0 ? 1 : 0);
        });
        EXPECT_REFUSED(testing::load(uneven.path()), ErrorKind::kUnsupported, "multiple of it");
    }
    EXPECT_REFUSED(
        testing::load(ChangedGolden("ct-w4a16-g128", [](Tensors& t) { testing::set_word(t.at(kDown + ".weight_shape"), 0, 255); }).path()),
        ErrorKind::kBadInput, "weight_shape");
}

TEST(Schemes, ReadTheSecondVersionOfGptqWithZeroPointsAsTheyAre) {
    for (const std::string golden : {"gptq-g128-sym", "gptq-8bit"}) {
        const auto first = testing::load(own_goldens() / golden);
        const uint32_t one = golden == "gptq-8bit" ? 0x01010101 : 0x11111111;
        const ChangedGolden second(
            golden,
            [&](Tensors& t) {
                for (auto& tensor : t.all()) {
                    if (!tensor.name.ends_with("qzeros")) continue;
                    for (size_t i = 0; i < tensor.bytes.size() / 4; ++i)
                        testing::set_word(tensor, i, static_cast<int32_t>(static_cast<uint32_t>(testing::word_at(tensor, i)) + one));
                }
            },
            [](json& section) { section["checkpoint_format"] = section["format"] = "gptq_v2"; });
        EXPECT_EQ(packed_weights(*first), packed_weights(*testing::load(second.path())));
        EXPECT_FALSE(first->weights().layers[0].down.weight.has_zeros);  // symmetric: none in memory
    }
}

TEST(Schemes, KeepZeroPointsThatAreNotTheMiddle) {
    const auto plain = testing::load(own_goldens() / "gptq-g128-sym");
    const ChangedGolden shifted("gptq-g128-sym",
                                [](Tensors& t) { testing::set_word(t.at(kDown + ".qzeros"), 0, 0x77777775); });  // row 0, group 0: 6, not 8
    const auto model = testing::load(shifted.path());
    const Weight &before = plain->weights().layers[0].down.weight, &after = model->weights().layers[0].down.weight;
    EXPECT_TRUE(after.has_zeros);
    const auto a = testing::row_of(before, 0), b = testing::row_of(after, 0);
    const float step = (b[0] - a[0]) / 2;
    EXPECT_GT(std::abs(step), 0);
    for (size_t i = 0; i < 128; ++i) EXPECT_FLOAT_EQ(b[i] - a[i], 2 * step) << i;
    for (size_t i = 128; i < a.size(); ++i) EXPECT_EQ(a[i], b[i]);
    EXPECT_EQ(testing::row_of(before, 1), testing::row_of(after, 1));
}

TEST(Schemes, ReadAsFloatsWhatF16CannotHold) {
    const auto shrink = [](Tensors& t) {  // every scale times 2^-16: exact in bf16, lost in f16
        auto& scales = t.at(kDown + ".weight_scale");
        for (size_t i = 0; i < scales.bytes.size(); i += 2) {
            uint16_t bits = 0;
            std::memcpy(&bits, scales.bytes.data() + i, 2);
            bits = static_cast<uint16_t>(bits - (16 << 7));
            std::memcpy(scales.bytes.data() + i, &bits, 2);
        }
    };
    const auto before = testing::load(own_goldens() / "ct-w8a16"), after = testing::load(ChangedGolden("ct-w8a16", shrink).path());
    const Weight &a = before->weights().layers[0].down.weight, &b = after->weights().layers[0].down.weight;
    EXPECT_EQ(a.format, WeightFormat::kQ8);
    EXPECT_EQ(b.format, WeightFormat::kF32);
    for (const int64_t row : {0, 255}) {
        const auto x = testing::row_of(a, row), y = testing::row_of(b, row);
        for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(x[i] * 0x1p-16f, y[i]);
    }
}

TEST(Schemes, TakeARowOfNothingBesideLargerOnes) {
    const ChangedGolden folder("ct-w8a16", [](Tensors& t) {
        auto& scales = t.at(kDown + ".weight_scale");
        const uint16_t tiny = 0x3400;  // 1.2e-7
        std::memcpy(scales.bytes.data(), &tiny, 2);
    });
    EXPECT_EQ(testing::load(folder.path())->weights().layers[0].down.weight.format, WeightFormat::kQ8);
}

TEST(Schemes, TakePlainMatricesAmongQuantisedOnesAndStackThemAsFloats) {
    const auto whole = testing::load(own_goldens() / "ct-w8a8-int8");
    const Weight& qkv = whole->weights().layers[0].qkv.weight;
    const ChangedGolden mixed("ct-w8a8-int8", [&](Tensors& t) {
        std::string bytes;
        for (int64_t row = 0; row < 256; ++row) {
            const auto values = testing::row_of(qkv, row);
            bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * 4);
        }
        t.at(kQ + ".weight") = {kQ + ".weight", "F32", {256, 256}, bytes};
        t.erase(kQ + ".weight_scale");
    });
    const auto model = testing::load(mixed.path());
    const LayerWeights& layer = model->weights().layers[0];
    EXPECT_EQ(layer.qkv.weight.format, WeightFormat::kF32);
    EXPECT_EQ(layer.out.weight.format, WeightFormat::kQ8);
    for (const int64_t row : {int64_t{0}, qkv.n - 1}) EXPECT_EQ(testing::row_of(qkv, row), testing::row_of(layer.qkv.weight, row));
    const CheckpointInfo info = inspect_checkpoint(mixed.path());
    EXPECT_EQ(planned_weight_bytes(info, *testing::reference_backend()), model->weights().total_bytes());
}

TEST(Schemes, ReadOneFp8ScaleForAWholeMatrix) {
    const ChangedGolden folder(
        "fp8-block",
        [](Tensors& t) {
            for (auto& tensor : t.all()) {
                if (!tensor.name.ends_with("weight_scale_inv")) continue;
                const float half = 0.5f;
                tensor = {tensor.name.substr(0, tensor.name.size() - 4), "F32", {}, std::string(reinterpret_cast<const char*>(&half), 4)};
            }
        },
        [](json& section) { section["weight_block_size"] = nullptr; });
    const auto model = testing::load(folder.path());
    Tensors stored(folder.path() / "model.safetensors");
    const auto row = testing::row_of(model->weights().layers[0].down.weight, 3);
    for (size_t i = 0; i < row.size(); ++i)
        EXPECT_EQ(row[i], 0.5f * e4m3_to_float(static_cast<uint8_t>(stored.at(kDown + ".weight").bytes[3 * row.size() + i])));
}

/// Loads, or refuses with an Error; anything else ends the test program.
bool loads(const std::filesystem::path& folder) {
    try {
        testing::load(folder);
        return true;
    } catch (const Error&) {
        return false;
    }
}

TEST(Schemes, SurviveEveryTensorOfOtherTypesAndShapes) {
    int64_t refused = 0, tried = 0;
    for (const auto& golden : testing::golden_folders(own_goldens(), true)) {
        const std::string name = golden.filename().string();
        if (name.ends_with("refuse") || name == "ct-nvfp4a16") continue;
        Tensors stored(golden / "model.safetensors");
        for (const auto& tensor : stored.all()) {
            if (tensor.name.find("self_attn.k_proj") == std::string::npos) continue;
            const auto bytes = static_cast<int64_t>(tensor.bytes.size());
            for (const auto& [dtype, size] :
                 {std::pair<std::string, int64_t>{"I8", 1}, {"F8_E4M3", 1}, {"U8", 1}, {"BF16", 2}, {"I32", 4}, {"I64", 8}}) {
                if (bytes % size != 0) continue;
                for (const int64_t columns : {int64_t{1}, int64_t{128}, int64_t{256}}) {
                    if (bytes / size % columns != 0) continue;
                    const ChangedGolden folder(name, [&, type = dtype, width = size](Tensors& t) {
                        auto& changed = t.at(tensor.name);
                        changed.dtype = type;
                        changed.shape = {bytes / width / columns, columns};
                    });
                    refused += !loads(folder.path());
                    ++tried;
                }
            }
        }
    }
    EXPECT_GT(tried, 300);
    EXPECT_GT(refused, tried * 3 / 4);
}

TEST(Schemes, SurviveNoiseInEverySmallTensor) {
    uint32_t seed = 1;
    for (const auto& golden : testing::golden_folders(own_goldens(), true)) {
        const std::string name = golden.filename().string();
        if (name.ends_with("refuse") || name == "ct-nvfp4a16") continue;
        int loaded = 0;
        for (int round = 0; round < 3; ++round) {
            const ChangedGolden folder(name, [&](Tensors& t) {
                for (auto& tensor : t.all()) {
                    const bool codes =
                        tensor.name.ends_with("qweight") || tensor.name.ends_with("packed") || tensor.name.ends_with(".weight");
                    const bool groups = tensor.name.ends_with("g_idx") || tensor.name.ends_with("weight_shape");
                    if (codes || (groups && round < 2)) continue;
                    for (char& byte : tensor.bytes) byte = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
                }
            });
            loaded += loads(folder.path());
        }
        EXPECT_GE(loaded, 2) << name;
    }
}

}  // namespace
}  // namespace hearth
