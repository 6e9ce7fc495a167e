// tokenizer.model as SentencePiece writes it: read and checked by us before the library sees any of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth {

enum class PieceType : uint8_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

struct SentencePieceEntry {
    std::string text;
    float score = 0;
    PieceType type = PieceType::kNormal;
    uint8_t byte = 0;  // kByte
};

/// What of the file decides over encoding. Everything else in it (training settings, self tests) is read past.
struct SentencePieceModel {
    enum class Algorithm : uint8_t { kUnigram = 1, kBpe = 2 };

    std::vector<SentencePieceEntry> pieces;  // by id
    Algorithm algorithm = Algorithm::kUnigram;
    bool byte_fallback = false;
    int64_t bos_id = 1, eos_id = 2;  // -1: none
    std::string charsmap;            // compiled normalisation rules, or empty
    std::string normalizer_name;
    bool add_dummy_prefix = true, remove_extra_whitespaces = true, escape_whitespaces = true;
};

/// Whether `bytes` begin like such a file.
bool is_sentencepiece(std::string_view bytes);

/// Throws Error{kBadInput, kUnsupported} naming `file` and what is wrong: bounds of every field, pieces of 1 byte to 4 KiB in UTF-8 (a NUL
/// byte is fine: real models have such), none twice, exactly one unknown piece, byte pieces spelt "<0xNN>" and all 256 or none, scores that
/// are numbers, rules whose every step stays inside their table.
SentencePieceModel parse_sentencepiece(std::string_view bytes, const std::string& file);

/// The model for the library: only what was checked.
std::string serialize_for_library(const SentencePieceModel& model);

/// Throws Error naming `file` unless the library can follow any text through `charsmap` without leaving it: the double array of rules and
/// the replacement texts behind it.
void check_charsmap(std::string_view charsmap, const std::string& file);

}  // namespace hearth
