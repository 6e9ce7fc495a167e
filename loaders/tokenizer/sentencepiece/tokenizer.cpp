#include "loaders/tokenizer/sentencepiece/tokenizer.h"

#include <sentencepiece_processor.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "loaders/tokenizer/sentencepiece/model_file.h"

namespace hearth {

namespace {

using Processor = sentencepiece::SentencePieceProcessor;

std::unique_ptr<const Processor> make_processor(const SentencePieceModel& model, const std::string& file) {
    auto out = std::make_unique<Processor>();
    try {
        const auto status = out->LoadFromSerializedProto(serialize_for_library(model));
        if (!status.ok()) throw Error(ErrorKind::kBadInput, cat(file, ": sentencepiece refuses it: ", status.ToString()));
    } catch (const Error&) {
        throw;
    } catch (const std::exception& e) {  // its trie builder throws
        throw Error(ErrorKind::kBadInput, cat(file, ": sentencepiece refuses it: ", e.what()));
    }
    return out;
}

class SentencePieceEncoder : public TextEncoder {
public:
    /// `always_prefix`: every text gets the prefix space, not just one that nothing stands before.
    SentencePieceEncoder(SentencePieceModel model, bool always_prefix, std::string file) : file_(std::move(file)) {
        at_start_ = make_processor(model, file_);
        if (model.add_dummy_prefix && !always_prefix) {
            model.add_dummy_prefix = false;
            later_ = make_processor(model, file_);
        }
    }

    void encode(std::string_view text, const TextPlace& place, std::vector<int32_t>& out) const override {
        const Processor& processor = place.at_start || !later_ ? *at_start_ : *later_;
        std::vector<int> ids;
        const auto status = processor.Encode(sanitize_utf8(text), &ids);
        if (!status.ok()) throw Error(ErrorKind::kBadInput, cat(file_, ": sentencepiece cannot encode this text: ", status.ToString()));
        out.insert(out.end(), ids.begin(), ids.end());
    }

private:
    std::string file_;
    std::unique_ptr<const Processor> at_start_, later_;  // later_: without the prefix space; null where both are the same
};

/// U+2581 stands for a space.
std::string spaces_restored(std::string_view text) {
    constexpr std::string_view kMark = "\xE2\x96\x81";
    std::string out;
    while (!text.empty()) {
        const size_t mark = text.find(kMark);
        out += text.substr(0, mark);
        if (mark == std::string_view::npos) break;
        out += ' ';
        text.remove_prefix(mark + kMark.size());
    }
    return out;
}

VocabularyEntry make_entry(const SentencePieceEntry& piece) {
    switch (piece.type) {
        case PieceType::kByte: return {piece.text, std::string(1, static_cast<char>(piece.byte)), false};
        case PieceType::kControl:
        case PieceType::kUnknown: return {piece.text, piece.text, true};
        default: return {piece.text, spaces_restored(piece.text), false};
    }
}

std::optional<int32_t> checked_piece(const SentencePieceModel& model, int64_t id) {
    if (id < 0 || id >= static_cast<int64_t>(model.pieces.size()) || model.pieces[id].type != PieceType::kControl) return std::nullopt;
    return static_cast<int32_t>(id);
}

RoundTrip promise(const SentencePieceModel& model) {
    // A mark that is no piece becomes three bytes, which decode to the mark and not to a space.
    const bool has_mark = std::ranges::any_of(model.pieces, [](const SentencePieceEntry& piece) {
        return piece.text == "\xE2\x96\x81" && (piece.type == PieceType::kNormal || piece.type == PieceType::kUserDefined);
    });
    return has_mark && model.byte_fallback && model.charsmap.empty() && !model.remove_extra_whitespaces && model.escape_whitespaces
               ? RoundTrip::kSanitizedText
               : RoundTrip::kUpToUnknown;
}

/// The library finds a piece in any text; one that the folder calls special is for templates alone.
void hide_special_pieces(SentencePieceModel& model, const TokenizerConfig& config) {
    for (const AddedToken& added : config.added) {
        const auto id = static_cast<size_t>(added.token.id);
        if (added.anywhere || id >= model.pieces.size()) continue;
        PieceType& type = model.pieces[id].type;
        if (type == PieceType::kByte)
            throw Error(ErrorKind::kBadInput, cat(config.file, ": the byte piece ", id, " is called special, so that text could write it"));
        if (type != PieceType::kUnknown) type = PieceType::kControl;
    }
}

}  // namespace

std::shared_ptr<const VocabularyTokenizer> load_sentencepiece(std::string_view bytes, const std::string& file,
                                                              const TokenizerConfig& config) {
    SentencePieceModel model = parse_sentencepiece(bytes, file);
    if (config.add_prefix_space) model.add_dummy_prefix = *config.add_prefix_space;
    Vocabulary vocabulary;
    vocabulary.kind = "sentencepiece";
    vocabulary.drops_prefix_space = model.add_dummy_prefix;
    vocabulary.round_trip = promise(model);
    for (const SentencePieceEntry& piece : model.pieces) vocabulary.entries.push_back(make_entry(piece));
    for (size_t id = 0; id < model.pieces.size(); ++id) {
        SentencePieceEntry& piece = model.pieces[id];
        const bool markup = piece.type == PieceType::kUserDefined && looks_like_markup(piece.text);
        if (piece.type != PieceType::kControl && piece.type != PieceType::kUnknown && !markup) continue;
        AddedToken token;
        token.token = {.id = static_cast<int32_t>(id), .text = piece.text, .control = !markup};
        vocabulary.add(std::move(token), file);
        // The library finds user-defined pieces in any text; those that look like markup are for templates alone.
        if (markup) piece.type = PieceType::kControl;
    }
    vocabulary.bos = checked_piece(model, model.bos_id);
    vocabulary.eos = checked_piece(model, model.eos_id);
    vocabulary.adds_bos = vocabulary.bos.has_value();
    apply_config(vocabulary, config);
    hide_special_pieces(model, config);
    const bool always_prefix = config.legacy.value_or(true);
    if (always_prefix && model.add_dummy_prefix && vocabulary.cuts_any_text())
        vocabulary.round_trip = RoundTrip::kUpToUnknown;  // a space comes in behind each such token
    auto encoder = std::make_unique<SentencePieceEncoder>(std::move(model), always_prefix, file);
    return std::make_shared<VocabularyTokenizer>(std::move(vocabulary), std::move(encoder));
}

}  // namespace hearth
