// tokenizer.json. Oracle: loading takes no longer than a second, and what loads encodes a text as tokenizing.h says.
#include "loaders/tokenizer/huggingface/tokenizer_json.h"

#include <nlohmann/json.hpp>

#include "tests/fuzz/targets/all.h"
#include "tests/fuzz/targets/tokenizing.h"

namespace hearth::fuzz {

namespace {

/// The id of "unk_token" in a file that has loaded; -1: none.
int32_t unknown_of(std::string_view input) {
    const auto model = nlohmann::json::parse(input)["model"];
    const std::string text = model.value("unk_token", nlohmann::json()).is_string() ? model["unk_token"].get<std::string>() : "";
    return model["vocab"].value(text, -1);
}

}  // namespace

void run_tokenizer_json(std::string_view input) {
    accepted([&] {
        const ThreadTime time;
        const auto tokenizer = load_tokenizer_json(input, "fuzz/tokenizer.json", {});
        require(time.seconds() <= 10, "a file of a few kilobytes loads in a second, or ten under sanitizers");
        check_tokenizer(*tokenizer, kSampleText, unknown_of(input));
    });
}

namespace {

/// The first merges of a tokenizer.json and the tokens that they make: a fuzzer wants small inputs.
std::string shortened(const std::string& text) {
    auto json = nlohmann::ordered_json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("model") || !json["model"].contains("vocab") || !json["model"]["vocab"].is_object()) return "";
    nlohmann::ordered_json vocab = nlohmann::ordered_json::object();
    for (const auto& [token, id] : json["model"]["vocab"].items()) {
        if (id.get<int64_t>() < 400) vocab[token] = id;
    }
    json["model"]["vocab"] = vocab;
    nlohmann::ordered_json merges = nlohmann::ordered_json::array();
    for (const auto& merge : json["model"].value("merges", nlohmann::ordered_json::array())) {
        const std::string pair =
            merge.is_string() ? merge.get<std::string>() : merge[0].get<std::string>() + " " + merge[1].get<std::string>();
        const size_t space = pair.find(' ');
        if (vocab.contains(pair.substr(0, space)) && vocab.contains(pair.substr(space + 1)) &&
            vocab.contains(pair.substr(0, space) + pair.substr(space + 1)))
            merges.push_back(merge);
    }
    json["model"]["merges"] = merges;
    if (json.contains("added_tokens")) {
        auto& added = json["added_tokens"];
        if (added.size() > 6) added.erase(added.begin() + 6, added.end());
        int64_t next = 400;
        for (auto& token : added) {
            if (token.value("id", int64_t{0}) >= 400) token["id"] = next++;
        }
    }
    return json.dump();
}

}  // namespace

std::vector<std::string> seeds_tokenizer_json() {
    std::vector<std::string> out;
    std::vector<std::string> files = shared_files("data/tokenizers", ".json", 16 << 20);
    files.push_back(file_text(std::string(HEARTH_SOURCE_DIR) + "/tools/ember/tokenizer.json"));
    for (const std::string& file : files) {
        if (std::string small = shortened(file); !small.empty()) out.push_back(std::move(small));
    }
    return out;
}

}  // namespace hearth::fuzz
