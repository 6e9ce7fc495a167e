// inspect, tokenize, devices, perplexity: the subcommands that say what things are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/support/shared.h"
#include "tests/support/temp_folder.h"
#include "tests/tools/program.h"

namespace hearth::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Inspect, DescribesEmber) {
    const auto outcome = run_hearth({"inspect"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("llama"), HasSubstr("4 heads of 64, 2 for keys and values"), HasSubstr("tied embeddings"),
                                   HasSubstr("4,096")));
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("KV cache"), HasSubstr("<|user|>"), HasSubstr("Chat template"), HasSubstr("6 x")));
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("qkv"), HasSubstr("attention"), HasSubstr("gate_up"), HasSubstr("matmul")));
    EXPECT_THAT(outcome.out, AllOf(Not(HasSubstr("\033")), Not(HasSubstr("none  "))));
}

TEST(Inspect, WritesJson) {
    const json report = json::parse(run_hearth({"inspect", "--json", "--tensors", "--context", "512"}).out);
    EXPECT_EQ(report["config"]["layers"], 6);
    EXPECT_EQ(report["config"]["context"], 1024);
    EXPECT_EQ(report["memory"]["context"], 512);
    EXPECT_EQ(report["memory"]["cache_bytes_per_token"], 6 * 2 * 2 * 64 * 2);  // layers, k and v, heads, head size, bf16
    const json small = json::parse(run_hearth({"inspect", "--json", "--context", "512", "--cache", "q8"}).out);
    EXPECT_EQ(small["memory"]["cache_bytes_per_token"], 6 * 2 * 2 * (64 + 4));  // codes of a byte, and a scale
    const auto& memory = report["memory"];
    EXPECT_EQ(memory["total_bytes"].get<int64_t>(), memory["weights_bytes"].get<int64_t>() + memory["cache_bytes"].get<int64_t>() +
                                                        memory["activation_bytes"].get<int64_t>() + memory["scratch_bytes"].get<int64_t>());
    EXPECT_EQ(report["tokenizer"]["vocab_size"], 4096);
    EXPECT_GE(report["tokenizer"]["specials"].size(), 6U);
    EXPECT_THAT(report["template"]["source"].get<std::string>(), HasSubstr("message"));
    ASSERT_EQ(report["tensors"].size(), report["num_tensors"].get<size_t>());
    int64_t numbers = 0;
    for (const auto& tensor : report["tensors"]) {
        int64_t size = 1;
        for (const int64_t extent : tensor["shape"]) size *= extent;
        numbers += tensor["used"].get<bool>() ? size : 0;
    }
    EXPECT_EQ(report["parameters"], numbers);
    for (const auto& kernel : report["kernels"]) {
        const std::string stage = kernel["stage"];
        EXPECT_THAT(kernel["decode"].get<std::string>(), StartsWith(stage.substr(0, stage.find(' ')) + "/"));
        EXPECT_THAT(kernel["prefill"].get<std::string>(), StartsWith(stage.substr(0, stage.find(' ')) + "/"));
    }
}

TEST(Inspect, ShowsTheKernelThatIsForced) {
    const auto outcome = run_hearth({"inspect", "--json"}, {.environment = {{"HEARTH_FORCE", "attention/reference"}}});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const json forced = json::parse(outcome.out);
    int64_t found = 0;
    for (const auto& kernel : forced["kernels"]) {
        if (kernel["stage"] != "attention") continue;
        ++found;
        EXPECT_EQ(kernel["decode"], "attention/reference");
    }
    EXPECT_EQ(found, 1);
    const json reference = json::parse(run_hearth({"inspect", "--json", "--device", "reference"}).out);
    for (const auto& kernel : reference["kernels"]) EXPECT_THAT(kernel["decode"].get<std::string>(), HasSubstr("/reference"));
}

TEST(Inspect, ListsTheVariantsOfPrimitives) {
    const auto outcome = run_hearth({"inspect", "--json"}, {.environment = {{"HEARTH_FORCE", "norm/reference,sample/reference"}}});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    std::map<std::string, std::string> decode;
    const json report = json::parse(outcome.out);  // outlives the loop, unlike a temporary
    for (const auto& kernel : report["kernels"]) decode[kernel["stage"]] = kernel["decode"];
    for (const char* stage : {"norm (qkv)", "norm (gate_up)", "norm (head)"}) EXPECT_EQ(decode[stage], "norm/reference") << stage;
    EXPECT_EQ(decode["sample"], "sample/reference");
    EXPECT_THAT(decode["rope_append"], StartsWith("rope_append/"));
}

TEST(Inspect, NoFormatHidesBehindAnother) {
    const std::vector<std::string> mixed = {"inspect", "--quant", "q4", "--keep", "layers.0=q8"};
    auto arguments = mixed;
    arguments.emplace_back("--json");
    const json report = json::parse(run_hearth(arguments).out);
    EXPECT_EQ(report["formats"], "q4+q8");
    std::map<std::string, std::string> format;
    for (const auto& weight : report["weights"]) format[weight["name"]] = weight["format"];
    EXPECT_EQ(format["layers.0.down"], "q8");
    EXPECT_EQ(format["layers.1.down"], "q4");
    EXPECT_EQ(format["layers.5.qkv"], "q4");
    EXPECT_EQ(format["head"], "q8");
    const auto text = run_hearth(mixed).out;
    EXPECT_THAT(text, AllOf(HasSubstr("Weights as they run: q4+q8"), HasSubstr("5 x")));
    EXPECT_THAT(run_hearth({"inspect"}).out, HasSubstr("Weights as they run: bf16\n"));
}

TEST(Inspect, NamesWhatAContextWouldNeed) {
    const auto outcome = run_hearth({"inspect", "--context", "4096"});
    EXPECT_EQ(outcome.code, 3);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("4096"), HasSubstr("1024")));
}

/// A golden in a folder of its own with its config.json changed.
class ChangedConfig {
public:
    ChangedConfig(const std::string& golden, const json& more) {
        for (const auto& file : std::filesystem::directory_iterator(golden_dir() / golden)) {
            if (file.path().filename() != "config.json")
                std::filesystem::create_symlink(file.path(), folder_.path() / file.path().filename());
        }
        std::ifstream in(golden_dir() / golden / "config.json");
        json config = json::parse(in);
        config.merge_patch(more);
        std::ofstream(folder_ / "config.json") << config;
    }

    std::string path() const { return folder_.path().string(); }

private:
    const TempFolder folder_;
};

TEST(Inspect, ShowsTheContextThatIsStatedAndTheOneThatIsMeant) {
    const ChangedConfig yarn("llama-rope-yarn", {{"max_position_embeddings", 64}});
    EXPECT_THAT(run_hearth({"inspect", "--model", yarn.path()}).out, HasSubstr("256 tokens; max_position_embeddings is 64"));
    const json report = json::parse(run_hearth({"inspect", "--json", "--context", "200", "--model", yarn.path()}).out);
    EXPECT_EQ(report["config"]["context"], 256);
    EXPECT_EQ(report["config"]["longest_context"], 256);
    EXPECT_EQ(report["config"]["max_position_embeddings"], 64);
    EXPECT_EQ(report["memory"]["context"], 200);

    const ChangedConfig linear("llama-rope-linear", {{"max_position_embeddings", 64}});
    EXPECT_THAT(run_hearth({"inspect", "--model", linear.path()}).out, HasSubstr("64 tokens, up to 256 on request"));
    EXPECT_EQ(run_hearth({"inspect", "--context", "256", "--model", linear.path()}).code, 0);
    EXPECT_EQ(run_hearth({"inspect", "--context", "257", "--model", linear.path()}).code, 3);
}

TEST(Inspect, SaysWhatTheFolderLeftToGuess) {
    const ChangedConfig untold("llama-f16-tied", {{"tie_word_embeddings", nullptr}});
    EXPECT_THAT(run_hearth({"inspect", "--model", untold.path()}).out, HasSubstr("note            no tensor lm_head.weight"));
    EXPECT_EQ(json::parse(run_hearth({"inspect", "--json", "--model", untold.path()}).out)["notices"].size(), 1u);
}

TEST(Inspect, DescribesEveryPlainGolden) {
    for (const auto* name : {"llama-plain", "llama-sharded", "llama-bias", "llama-mqa", "llama-rope-llama3", "llama-rope-yarn",
                             "mistral-window", "mixtral", "qwen2", "qwen3"}) {
        const auto outcome = run_hearth({"inspect", "--json", "--tensors", "--model", (golden_dir() / name).string()});
        ASSERT_EQ(outcome.code, 0) << name << ": " << outcome.err;
        const json report = json::parse(outcome.out);
        EXPECT_GT(report["parameters"], 0) << name;
        EXPECT_TRUE(report["tokenizer"].contains("error")) << name << ": these folders have no tokenizer";
        for (const auto& kernel : report["kernels"]) EXPECT_NE(kernel["decode"], "none") << name << " " << kernel["stage"];
    }
}

TEST(Tokenize, ComesBackThroughDecode) {
    const std::string text = "Hello, wörld! 你好 🙂\n\ttabs  and   spaces\n";
    const auto ids = run_hearth({"tokenize", "--ids"}, {.input = text});
    ASSERT_EQ(ids.code, 0) << ids.err;
    EXPECT_EQ(run_hearth({"tokenize", "--decode"}, {.input = ids.out}).out, text);
    EXPECT_EQ(run_hearth({"tokenize", "--ids", text}).out, ids.out);
}

TEST(Tokenize, NamesPieces) {
    const auto outcome = run_hearth({"tokenize", "Hello"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "    579  Hello\n");
    EXPECT_THAT(run_hearth({"tokenize", "--special", "--ids", "<|user|>"}).out, "4\n");
    EXPECT_THAT(run_hearth({"tokenize", "--ids", "<|user|>"}).out, Not("4\n"));
    EXPECT_EQ(run_hearth({"tokenize", "--special", "--decode", "4"}).out, "<|user|>");
    EXPECT_EQ(run_hearth({"tokenize", "--decode", "[4, 6]"}).out, "");
}

TEST(Tokenize, BeginsWithBosWhereTheVocabularyWantsIt) {
    HEARTH_NEEDS_SHARED_DATA();
    const std::string model = (shared_data() / "models/stories260K/hf").string();
    EXPECT_EQ(run_hearth({"tokenize", "--model", model, "--ids", "Once upon a time"}).out, "1 403 407 261 378\n");
    EXPECT_EQ(run_hearth({"tokenize", "--model", model, "--ids", "--no-bos", "Once upon a time"}).out, "403 407 261 378\n");
    EXPECT_EQ(run_hearth({"tokenize", "--model", model, "--decode", "1", "403", "407,261,378"}).out, "Once upon a time");
    EXPECT_THAT(run_hearth({"tokenize", "--model", model, "Once"}).out, StartsWith("      1  <s>\n"));
}

TEST(Tokenize, RefusesIdsOutsideTheVocabulary) {
    for (const auto* id : {"4096", "x", "1e3", "99999999999999999999"}) {
        const auto outcome = run_hearth({"tokenize", "--decode", id});
        EXPECT_EQ(outcome.code, 3) << id;
        EXPECT_THAT(outcome.err, AllOf(HasSubstr(id), HasSubstr("4095")));
    }
}

TEST(Tokenize, TakesAnyBytes) {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    const auto ids = run_hearth({"tokenize", "--ids"}, {.input = bytes});
    EXPECT_EQ(ids.code, 0) << ids.err;
    const auto back = run_hearth({"tokenize", "--decode"}, {.input = ids.out});
    EXPECT_EQ(back.out.substr(0, 128), bytes.substr(0, 128));
    EXPECT_EQ(run_hearth({"tokenize", "--ids", "--no-bos"}, {.input = ""}).out, "\n");
}

TEST(Devices, ListsWhatThereIs) {
    const auto outcome = run_hearth({"devices"});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_THAT(outcome.out,
                AllOf(HasSubstr("cpu"), HasSubstr("reference"), HasSubstr("cuda"), HasSubstr("physical"), HasSubstr("memory")));
    const json report = json::parse(run_hearth({"devices", "--json"}).out);
    EXPECT_EQ(report["devices"][0]["device"], "cpu");
    EXPECT_GT(report["devices"][0]["memory_bytes"], 0);
    EXPECT_GT(report["devices"][0]["physical_cores"], 0);
    for (const auto& level : report["devices"][0]["levels"]) {
        EXPECT_EQ(run_hearth({"inspect", "--json", "--device", "cpu:" + level.get<std::string>()}).code, 0) << level;
    }
}

TEST(Perplexity, IsTheSameHoweverManyThreadsRun) {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "Once upon a time there was a little girl named Lily. She liked to play in the garden. ";
    const auto score = [&](const std::string& threads) {
        const auto outcome = run_hearth({"perplexity", "--no-limits", "--json", "--context", "128", "--threads", threads}, {.input = text});
        EXPECT_EQ(outcome.code, 0) << outcome.err;
        return json::parse(outcome.out);
    };
    const json one = score("1"), two = score("2");
    EXPECT_EQ(one["mean_nll"], two["mean_nll"]);
    EXPECT_NEAR(one["perplexity"].get<double>(), std::exp(one["mean_nll"].get<double>()), 1e-9);
    EXPECT_EQ(one["stride"], 64);
    const auto ids = run_hearth({"tokenize", "--ids"}, {.input = text}).out;
    EXPECT_EQ(one["scored_tokens"].get<int64_t>(), std::count(ids.begin(), ids.end(), ' '));  // every token but the first
}

TEST(Perplexity, ScoresEachTokenOnceWhateverTheWindows) {
    const std::string text = "The quick brown fox jumps over the lazy dog, and the dog sleeps on in the warm sun of the afternoon.";
    const auto count = [&](const std::vector<std::string>& windows) {
        std::vector<std::string> line = {"perplexity", "--no-limits", "--json"};
        line.insert(line.end(), windows.begin(), windows.end());
        return json::parse(run_hearth(line, {.input = text}).out);
    };
    const json whole = count({});
    EXPECT_EQ(whole["windows"], 1);
    EXPECT_EQ(count({"--context", "8", "--stride", "3"})["scored_tokens"], whole["scored_tokens"]);
    EXPECT_EQ(count({"--context", "2", "--stride", "1"})["scored_tokens"], whole["scored_tokens"]);
    const json apart = count({"--context", "8", "--stride", "8"});  // the first of each window is predicted by nothing
    EXPECT_EQ(apart["scored_tokens"].get<int>(), whole["scored_tokens"].get<int>() - (apart["windows"].get<int>() - 1));
}

TEST(Perplexity, AgreesWithTransformers) {
    HEARTH_NEEDS_SHARED_DATA();
    std::ifstream file(shared_data() / "models/goldens.json");
    const json goldens = json::parse(file);
    for (const std::string name : {"stories260K/hf", "tinystories-656k"}) {
        const std::string model = (shared_data() / "models" / name).string();
        const auto outcome = run_hearth({"perplexity", "--no-limits", "--json", "--model", model}, {.input = goldens[name]["nll_text"]});
        ASSERT_EQ(outcome.code, 0) << outcome.err;
        const json score = json::parse(outcome.out);
        const double expected = goldens[name]["nll_mean"];
        EXPECT_EQ(score["scored_tokens"].get<size_t>() + 1, goldens[name]["nll_ids"].size());
        EXPECT_NEAR(score["mean_nll"].get<double>(), expected, 0.005 * expected) << name;
    }
}

TEST(Perplexity, SaysFiguresToPeopleAndProgressToStandardError) {
    const auto outcome = run_hearth({"perplexity"}, {.input = "Once upon a time there was a little girl."});
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("\narithmetic "), HasSubstr(" GFLOP/s"), HasSubstr("% of f32 FMA's"), HasSubstr("\nweights "),
                                   HasSubstr(" GB/s read")));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, AllOf(StartsWith("mean NLL "), HasSubstr("\nperplexity "), HasSubstr("\ntokens "), HasSubstr("\ntime ")));
    EXPECT_THAT(outcome.err, HasSubstr("scoring"));
    EXPECT_THAT(outcome.err, Not(HasSubstr("\r")));
    EXPECT_EQ(run_hearth({"perplexity"}, {.input = ""}).code, 3);
}

TEST(Perplexity, WritesWhatEachTokenCost) {
    const TempFolder folder;
    const auto path = folder / "nll";
    const std::vector<std::string> arguments = {"perplexity", "--json", "--no-limits", "--nll", path.string()};
    const auto outcome = run_hearth(arguments, {.input = "The kettle sings. Tea is ready, and so am I.\n"});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const json report = json::parse(outcome.out);
    std::ifstream in(path);
    std::string line;
    ASSERT_TRUE(std::getline(in, line));
    EXPECT_EQ(line, "index\tid\tnll\ttext");
    double sum = 0;
    int64_t count = 0;
    while (std::getline(in, line)) {
        const size_t first = line.find('\t'), second = line.find('\t', first + 1);
        sum += std::stod(line.substr(second + 1));
        ++count;
    }
    EXPECT_EQ(count, report["scored_tokens"].get<int64_t>());
    EXPECT_NEAR(sum / static_cast<double>(count), report["mean_nll"].get<double>(), 1e-5);
    const auto again = run_hearth(arguments, {.input = "The kettle sings.\n"});
    EXPECT_EQ(again.code, 1) << "nothing is overwritten";
    EXPECT_THAT(again.err, HasSubstr("expected the name of a new file"));
    std::filesystem::remove(path);
    EXPECT_NE(run_hearth({"perplexity", "--nll", path.string(), "--model", "/nonexistent"}, {.input = "a b c"}).code, 0);
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Perplexity, HelpSaysHowToCompareWithLlamaCpp) {
    EXPECT_THAT(run_hearth({"perplexity", "--help"}).out,
                AllOf(HasSubstr("llama.cpp"), HasSubstr("--context 512 --stride 512 --skip 257")));
}

}  // namespace
}  // namespace hearth::testing
