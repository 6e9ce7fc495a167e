// What is told beside config.json: quantisation in a file of its own, recommendations.
#include "tests/loaders/checkpoint/changed_golden.h"

namespace hearth {
namespace {

using Json = nlohmann::json;
using testing::change_config;
using testing::copy_golden;
using testing::own_goldens;
using testing::read_json;
using testing::TempFolder;
using testing::write_file;

TEST(SideFiles, RefusesQuantisationThatIsToldInAFileOfItsOwn) {
    const std::vector<std::array<std::string, 3>> cases = {
        {"hf_quant_config.json", R"({"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "FP8"}})", "method FP8"},
        {"compression_config.json", R"({"format": "x"})", "format \"x\" is not supported"},
        {"quantize_config.json", R"({"bits": 3, "group_size": 128})", "quantize_config.json: bits 3 is not supported"},
        {"quantize_config.json", R"({"quant_method": "marlin"})", "method marlin"}};
    for (const auto& [file, text, part] : cases) {
        TempFolder folder;
        copy_golden("gptq-g128-sym", folder.path());
        change_config(folder, {{"quantization_config", nullptr}});
        write_file(folder / file, text);
        EXPECT_REFUSED(inspect_checkpoint(folder.path()), ErrorKind::kUnsupported, part);
    }
    TempFolder folder;
    copy_golden("llama-plain", folder.path());
    write_file(folder / "hf_quant_config.json", R"({"quantization": {"quant_algo": null}})");
    EXPECT_NO_THROW(inspect_checkpoint(folder.path()));
}

/// A quantised golden whose section lies in a file of its own.
void move_section(const TempFolder& folder, const std::string& golden, const std::string& file, const std::vector<std::string>& without) {
    copy_golden(golden, folder.path());
    Json section = read_json(folder / "config.json")["quantization_config"];
    change_config(folder, {{"quantization_config", nullptr}});
    for (const std::string& field : without) section.erase(field);
    write_file(folder / file, section.dump());
}

TEST(SideFiles, ReadsQuantisationThatIsToldInAFileOfItsOwn) {
    struct Case {
        std::string golden, file;
        std::vector<std::string> without;
    };
    for (const Case& one :
         {Case{"gptq-g128-sym", "quantize_config.json", {"quant_method"}}, Case{"gptq-8bit", "quantize_config.json", {}},
          Case{"gptq-g32-actorder", "quantize_config.json", {"quant_method", "checkpoint_format", "format"}},
          Case{"awq-g128", "quant_config.json", {"quant_method"}}, Case{"ct-w4a16-g128", "compression_config.json", {}}}) {
        TempFolder folder;
        move_section(folder, one.golden, one.file, one.without);
        EXPECT_TRUE(testing::packed_weights(*testing::load(folder.path())) ==
                    testing::packed_weights(*testing::load(own_goldens() / one.golden)))
            << one.golden;
    }
    TempFolder awq;  // as AutoAWQ's own files spell it
    move_section(awq, "awq-g128", "quant_config.json", {"quant_method", "bits", "group_size", "version"});
    Json section = read_json(awq / "quant_config.json");
    section.update({{"w_bit", 4}, {"q_group_size", 128}, {"version", "GEMM"}});
    write_file(awq / "quant_config.json", section.dump());
    EXPECT_TRUE(testing::packed_weights(*testing::load(awq.path())) == testing::packed_weights(*testing::load(own_goldens() / "awq-g128")));
}

TEST(SideFiles, LeavesAStaleQuantisationFileBesidePlainWeights) {
    for (const char* file : {"quantize_config.json", "quant_config.json", "hf_quant_config.json"}) {
        TempFolder folder;  // of another version of the model: all weights are plain, so no number hangs on it
        copy_golden("llama-plain", folder.path());
        write_file(folder / file, R"({"bits": 3, "w_bit": 3, "quantization": {"quant_algo": "FP8"}})");
        const CheckpointInfo info = inspect_checkpoint(folder.path());
        EXPECT_EQ(info.quantization, "");
        ASSERT_EQ(info.notices.size(), 1u);
        EXPECT_NE(info.notices[0].find(file), std::string::npos) << info.notices[0];
        EXPECT_EQ(info.scheme, nullptr);
    }
}

TEST(SideFiles, LeavesAGenerationConfigAsideThatCannotBeRead) {
    for (const std::string content : {"[", "{\"temperature\": 1", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"}) {
        TempFolder folder;
        copy_golden("llama-plain", folder.path());
        write_file(folder / "generation_config.json", content);
        const CheckpointInfo info = inspect_checkpoint(folder.path());
        EXPECT_EQ(info.parameters, 119104);
        ASSERT_EQ(info.notices.size(), 1u);
        EXPECT_NE(info.notices[0].find("generation_config.json: "), std::string::npos) << info.notices[0];
        EXPECT_NE(info.notices[0].find("; left aside"), std::string::npos) << info.notices[0];
    }
}

}  // namespace
}  // namespace hearth
