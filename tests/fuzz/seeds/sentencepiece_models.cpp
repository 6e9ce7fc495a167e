#include "tests/fuzz/seeds/sentencepiece_models.h"

#include "base/error.h"
#include "base/text.h"
#include "loaders/tokenizer/sentencepiece/model_file.h"
#include "loaders/tokenizer/sentencepiece/wire.h"

namespace hearth::fuzz {
namespace {

using Algorithm = SentencePieceModel::Algorithm;

constexpr const char* kMark = "\xE2\x96\x81";

void add(SentencePieceModel& model, std::string text, PieceType type) {
    model.pieces.push_back({std::move(text), -static_cast<float>(model.pieces.size()), type, 0});
}

SentencePieceModel small(Algorithm algorithm, bool bytes) {
    SentencePieceModel model;
    model.algorithm = algorithm;
    model.byte_fallback = bytes;
    model.normalizer_name = "identity";
    model.remove_extra_whitespaces = !bytes;
    add(model, "<unk>", PieceType::kUnknown);
    add(model, "<s>", PieceType::kControl);
    add(model, "</s>", PieceType::kControl);
    if (bytes) {
        constexpr std::string_view kDigits = "0123456789ABCDEF";
        for (size_t byte = 0; byte < 256; ++byte) {
            add(model, cat("<0x", kDigits[byte / 16], kDigits[byte % 16], '>'), PieceType::kByte);
            model.pieces.back().byte = static_cast<uint8_t>(byte);
        }
    }
    for (const char* text : {"Hel", "lo", "He", "el", "12", "w\xC3\xB6r", "ld"}) add(model, text, PieceType::kNormal);
    add(model, cat(kMark, "Hel"), PieceType::kNormal);
    for (const char* text : {kMark, "H", "e", "l", "o", "w", "r", "d", "1", "2", "3", "\xC3\xB6"}) add(model, text, PieceType::kNormal);
    return model;
}

/// A double array whose only rule writes `replacement` for one byte, as the library reads it: 256 units for the root's children, then the
/// rule's own.
std::string charsmap(unsigned char byte, std::string_view replacement) {
    std::vector<uint32_t> units(512, 0);
    units[0] = 256u << 10;                         // the root: its children begin at 256
    units[256 ^ byte] = uint32_t{byte} | 1u << 8;  // that child ends a rule; offset filled in below
    const uint32_t leaf = 511;
    units[256 ^ byte] |= ((256u ^ byte) ^ leaf) << 10;
    units[leaf] = 0x80000000u;  // the rule writes the text at 0
    std::string out;
    const auto append = [&out](uint32_t word) {
        for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(word >> shift);
    };
    append(static_cast<uint32_t>(4 * units.size()));
    for (const uint32_t unit : units) append(unit);
    out += replacement;
    out += '\0';
    return out;
}

}  // namespace

std::vector<std::string> small_sentencepiece_models() {
    std::vector<std::string> out;
    for (const Algorithm algorithm : {Algorithm::kUnigram, Algorithm::kBpe}) {
        for (const bool bytes : {false, true}) out.push_back(serialize_for_library(small(algorithm, bytes)));
    }
    SentencePieceModel with_words = small(Algorithm::kBpe, false);
    for (const char* text : {"\n", "[REF]", "  "}) add(with_words, text, PieceType::kUserDefined);
    with_words.add_dummy_prefix = false;
    with_words.escape_whitespaces = false;
    out.push_back(serialize_for_library(with_words));
    SentencePieceModel with_rule = small(Algorithm::kUnigram, true);
    with_rule.charsmap = charsmap('H', "hh");
    out.push_back(serialize_for_library(with_rule));
    return out;
}

std::string first_pieces(std::string_view file, size_t count) {
    std::string out;
    size_t pieces = 0;
    try {
        WireReader reader(file, "seed");
        WireField field;
        while (reader.next(field)) {
            if (field.type != 2 || (field.number == 1 && pieces++ >= count)) continue;
            append_bytes_field(out, field.number, field.bytes);
        }
    } catch (const Error&) {
        return "";
    }
    return out;
}

}  // namespace hearth::fuzz
