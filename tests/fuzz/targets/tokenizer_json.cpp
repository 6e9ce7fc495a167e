// tokenizer.json. Oracle: loading takes no longer than a second, and what loads encodes a text as tokenizing.h says.
#include "loaders/tokenizer/huggingface/tokenizer_json.h"

#include <nlohmann/json.hpp>
#include <set>

#include "loaders/tokenizer/bpe/byte_level.h"
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
    std::set<std::string> kept;
    for (const auto& [token, id] : vocab.items()) kept.insert(token);
    json["model"]["vocab"] = vocab;
    nlohmann::ordered_json merges = nlohmann::ordered_json::array();
    for (const auto& merge : json["model"].value("merges", nlohmann::ordered_json::array())) {
        const std::string pair =
            merge.is_string() ? merge.get<std::string>() : merge[0].get<std::string>() + " " + merge[1].get<std::string>();
        const size_t space = pair.find(' ');
        if (kept.contains(pair.substr(0, space)) && kept.contains(pair.substr(space + 1)) &&
            kept.contains(pair.substr(0, space) + pair.substr(space + 1)))
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

/// The 256 bytes, a few merges, and a pattern before them, as GPT-2's descendants have it.
std::string byte_level() {
    auto json = nlohmann::ordered_json::parse(R"({"added_tokens": [{"id": 300, "content": "<|end|>", "special": true}],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"},
             "behavior": "Isolated", "invert": false}, {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]},
        "decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "ignore_merges": true, "vocab": {}, "merges": []}})");
    auto& vocab = json["model"]["vocab"];
    for (int byte = 0; byte < 256; ++byte) vocab[byte_level_char(static_cast<uint8_t>(byte))] = byte;
    int id = 256;
    for (const char* merge : {"H e", "l l", "He ll", "Hell o", "1 2"}) {
        std::string token = merge;
        token.erase(token.find(' '), 1);
        vocab[token] = id++;
        json["model"]["merges"].push_back(merge);
    }
    return json.dump();
}

constexpr const char* kEveryComponent = R"({"added_tokens": [{"id": 9, "content": "<s>", "special": true, "lstrip": true},
        {"id": 10, "content": "  ", "special": false, "normalized": true, "single_word": false, "rstrip": true}],
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"},
        {"type": "Replace", "pattern": {"Regex": "x+"}, "content": "a"}, {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}, {"type": "NFKC"}]},
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": true},
        {"type": "Digits", "individual_digits": true}]},
    "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]},
    "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"},
        {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
    "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
        "vocab": {"<unk>": 0, "H": 1, "e": 2, "l": 3, "\u2581": 4, "He": 5, "Hel": 6, "\u2581Hel": 7, "<0x0A>": 8}, "merges": ["H e", ["He", "l"], "\u2581 Hel"]}})";

}  // namespace

std::vector<std::string> seeds_tokenizer_json() {
    std::vector<std::string> out = {byte_level(), kEveryComponent};
    std::vector<std::string> files = shared_files("data/tokenizers", ".json", 4 << 20);
    files.push_back(file_text(std::string(HEARTH_SOURCE_DIR) + "/tools/ember/tokenizer.json"));
    for (const std::string& file : files) {
        if (std::string small = shortened(file); !small.empty()) out.push_back(std::move(small));
    }
    return out;
}

}  // namespace hearth::fuzz
