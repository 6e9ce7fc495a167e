// tokenizer.model (SentencePiece). Oracle: what loads encodes a text within its vocabulary in time that is linear in the text, and gives
// the ids that the sentencepiece library gives which has read the same file by itself.
#include <sentencepiece_processor.h>

#include <algorithm>

#include "base/text.h"
#include "loaders/tokenizer/added_tokens.h"
#include "loaders/tokenizer/sentencepiece/model_file.h"
#include "loaders/tokenizer/sentencepiece/tokenizer.h"
#include "tests/fuzz/seeds/sentencepiece_models.h"
#include "tests/fuzz/targets/all.h"
#include "tests/fuzz/targets/tokenizing.h"

namespace hearth::fuzz {
namespace {

/// A text that the model's own pieces can spell, beside the one that every tokenizer gets.
std::string text_for(const SentencePieceModel& model) {
    std::string out(kSampleText);
    for (size_t id = 0; id < model.pieces.size() && id < 400 && out.size() < 2000; id += 7) out += model.pieces[id].text;
    return out;
}

int32_t unknown_of(const SentencePieceModel& model) {
    const auto found = std::ranges::find(model.pieces, PieceType::kUnknown, &SentencePieceEntry::type);
    return static_cast<int32_t>(found - model.pieces.begin());
}

/// User-defined pieces that look like markup are found in templates alone, on purpose: the library finds them in any text.
bool reads_as_the_library(const SentencePieceModel& model) {
    return std::none_of(model.pieces.begin(), model.pieces.end(),
                        [](const auto& piece) { return piece.type == PieceType::kUserDefined && looks_like_markup(piece.text); });
}

void compare(std::string_view file, const SentencePieceModel& model, std::string_view text, const std::vector<int32_t>& ids) {
    if (!reads_as_the_library(model)) return;
    sentencepiece::SentencePieceProcessor library;
    try {
        if (!library.LoadFromSerializedProto(std::string(file)).ok()) return;  // for fields that we do not read
    } catch (const std::exception&) {
        return;
    }
    std::vector<int> theirs;
    require(library.Encode(sanitize_utf8(text), &theirs).ok(), "what the library loads it encodes with");
    require(std::equal(ids.begin(), ids.end(), theirs.begin(), theirs.end()), "the ids are the library's");
}

}  // namespace

void run_tokenizer_model(std::string_view input) {
    accepted([&] {
        const auto tokenizer = load_sentencepiece(input, "fuzz/tokenizer.model", {});
        const SentencePieceModel model = parse_sentencepiece(input, "fuzz/tokenizer.model");
        const std::string text = text_for(model);
        compare(input, model, text, check_tokenizer(*tokenizer, text, unknown_of(model)));
    });
}

std::vector<std::string> seeds_tokenizer_model() {
    std::vector<std::string> out = small_sentencepiece_models();
    std::vector<std::string> files = shared_files("data/tokenizers", "tokenizer.model", 4 << 20);
    for (std::string& v1 : shared_files("data/tokenizers", "tokenizer.model.v1", 4 << 20)) files.push_back(std::move(v1));
    files.push_back(file_text(std::string(HEARTH_SOURCE_DIR) + "/tools/ember/tokenizer.model"));
    for (const std::string& file : files) {
        if (!is_sentencepiece(file)) continue;
        if (std::string small = first_pieces(file, 300); !small.empty()) out.push_back(std::move(small));
    }
    return out;
}

}  // namespace hearth::fuzz
