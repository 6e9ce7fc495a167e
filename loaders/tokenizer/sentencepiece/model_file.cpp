#include "loaders/tokenizer/sentencepiece/model_file.h"

#include <array>
#include <bit>
#include <cmath>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "loaders/tokenizer/bpe/byte_level.h"
#include "loaders/tokenizer/sentencepiece/wire.h"
#include "loaders/tokenizer/vocabulary.h"

namespace hearth {

namespace {

constexpr size_t kMaxPiece = 4096;  // the library recurses over pieces

// Field numbers of the format.
enum : uint32_t {
    kModelPiece = 1,
    kModelTrainer = 2,
    kModelNormalizer = 3,
    kModelDenormalizer = 5,
    kPieceText = 1,
    kPieceScore = 2,
    kPieceType = 3,
    kTrainerAlgorithm = 3,
    kTrainerSuffixSpace = 24,
    kTrainerByteFallback = 35,
    kTrainerBosId = 41,
    kTrainerEosId = 42,
    kTrainerUnkPiece = 45,
    kNormalizerName = 1,
    kNormalizerCharsmap = 2,
    kNormalizerDummyPrefix = 3,
    kNormalizerRemoveExtra = 4,
    kNormalizerEscape = 5,
};

[[noreturn]] void fail_piece(const std::string& where, const std::string& what) {
    throw Error(ErrorKind::kBadInput, cat(where, ": ", what));
}

SentencePieceEntry parse_piece(std::string_view message, const std::string& where) {
    SentencePieceEntry out;
    WireReader reader(message, where);
    WireField field;
    while (reader.next(field)) {
        switch (field.number) {
            case kPieceText:
                reader.expect(field, 2);
                out.text = field.bytes;
                break;
            case kPieceScore:
                reader.expect(field, 5);
                out.score = std::bit_cast<float>(static_cast<uint32_t>(field.value));
                break;
            case kPieceType:
                reader.expect(field, 0);
                if (field.value < 1 || field.value > 6) fail_piece(where, cat("type ", field.value, ", expected 1 to 6"));
                out.type = static_cast<PieceType>(field.value);
                break;
            default: break;
        }
    }
    if (out.text.empty() || out.text.size() > kMaxPiece)
        fail_piece(where, cat("a text of ", out.text.size(), " bytes, expected 1 to ", kMaxPiece));
    if (!is_utf8(out.text)) fail_piece(where, "its text is not UTF-8");
    if (std::isnan(out.score)) fail_piece(where, "its score is not a number");
    if (out.type == PieceType::kByte) {
        const auto byte = parse_byte_token(out.text);
        if (!byte) fail_piece(where, cat("a byte piece spelt \"", printable(out.text, 40), "\", expected \"<0x00>\" to \"<0xFF>\""));
        out.byte = *byte;
    }
    return out;
}

void parse_trainer(SentencePieceModel& model, std::string_view message, const std::string& file) {
    WireReader reader(message, file + ": trainer_spec");
    WireField field;
    while (reader.next(field)) {
        const auto id = static_cast<int64_t>(static_cast<int32_t>(field.value));
        if (field.number == kTrainerAlgorithm) {
            reader.expect(field, 0);
            if (field.value != 1 && field.value != 2) {
                throw Error(ErrorKind::kUnsupported,
                            cat(reader.where(), ": model_type ", field.value, " is not supported; 1 (unigram) and 2 (bpe) are"));
            }
            model.algorithm = static_cast<SentencePieceModel::Algorithm>(field.value);
        } else if (field.number == kTrainerByteFallback) {
            reader.expect(field, 0);
            model.byte_fallback = field.value != 0;
        } else if (field.number == kTrainerSuffixSpace && field.value != 0) {
            throw Error(ErrorKind::kUnsupported, cat(reader.where(), ": treat_whitespace_as_suffix is not supported"));
        } else if (field.number == kTrainerBosId) {
            model.bos_id = id;
        } else if (field.number == kTrainerEosId) {
            model.eos_id = id;
        }
    }
}

void parse_normalizer(SentencePieceModel& model, std::string_view message, const std::string& file) {
    WireReader reader(message, file + ": normalizer_spec");
    WireField field;
    while (reader.next(field)) {
        switch (field.number) {
            case kNormalizerName:
                reader.expect(field, 2);
                model.normalizer_name = printable(field.bytes, 64);
                break;
            case kNormalizerCharsmap:
                reader.expect(field, 2);
                model.charsmap = field.bytes;
                break;
            case kNormalizerDummyPrefix:
                reader.expect(field, 0);
                model.add_dummy_prefix = field.value != 0;
                break;
            case kNormalizerRemoveExtra:
                reader.expect(field, 0);
                model.remove_extra_whitespaces = field.value != 0;
                break;
            case kNormalizerEscape:
                reader.expect(field, 0);
                model.escape_whitespaces = field.value != 0;
                break;
            default: break;
        }
    }
    check_charsmap(model.charsmap, file);
}

void refuse_denormalizer(std::string_view message, const std::string& file) {
    WireReader reader(message, file + ": denormalizer_spec");
    WireField field;
    while (reader.next(field)) {
        if (field.number == kNormalizerCharsmap && !field.bytes.empty())
            throw Error(ErrorKind::kUnsupported, cat(reader.where(), ": rules for decoding are not supported"));
    }
}

void check_pieces(const SentencePieceModel& model, const std::string& file) {
    if (model.pieces.empty()) throw Error(ErrorKind::kBadInput, cat(file, ": no pieces"));
    std::unordered_set<std::string_view> seen;
    seen.reserve(model.pieces.size());
    std::array<bool, 256> bytes{};
    int64_t num_bytes = 0, num_unknown = 0;
    for (size_t id = 0; id < model.pieces.size(); ++id) {
        const SentencePieceEntry& piece = model.pieces[id];
        if (!seen.insert(piece.text).second)
            throw Error(ErrorKind::kBadInput, cat(file, ": piece ", id, ", \"", printable(piece.text, 40), "\", stands twice"));
        num_unknown += piece.type == PieceType::kUnknown;
        num_bytes += piece.type == PieceType::kByte;
        if (piece.type == PieceType::kByte) bytes[piece.byte] = true;
    }
    if (num_unknown != 1) throw Error(ErrorKind::kBadInput, cat(file, ": ", num_unknown, " unknown pieces, expected 1"));
    if (model.byte_fallback ? num_bytes != 256 : num_bytes != 0) {
        throw Error(ErrorKind::kBadInput, cat(file, ": ", num_bytes, " byte pieces, expected ",
                                              model.byte_fallback ? "256, for byte_fallback is on" : "none, for byte_fallback is off"));
    }
}

}  // namespace

bool is_sentencepiece(std::string_view bytes) {
    // Field 1 as bytes, its length, and in it field 1 as bytes: a piece with its text.
    return bytes.size() > 3 && bytes[0] == '\n' && (bytes[2] == '\n' || bytes[3] == '\n');
}

SentencePieceModel parse_sentencepiece(std::string_view bytes, const std::string& file) {
    SentencePieceModel model;
    WireReader reader(bytes, file);
    WireField field;
    std::string trainer, normalizer;  // sub-messages that stand more than once are merged
    bool has_trainer = false, has_normalizer = false;
    while (reader.next(field)) {
        if (field.number < kModelPiece || field.number > kModelDenormalizer) continue;
        reader.expect(field, 2);
        if (field.number == kModelPiece) {
            if (model.pieces.size() == static_cast<size_t>(kMaxVocabulary))
                throw Error(ErrorKind::kTooLarge, cat(file, ": more than ", kMaxVocabulary, " pieces"));
            model.pieces.push_back(parse_piece(field.bytes, cat(file, ": piece ", model.pieces.size())));
        } else if (field.number == kModelTrainer) {
            trainer += field.bytes;
            has_trainer = true;
        } else if (field.number == kModelNormalizer) {
            normalizer += field.bytes;
            has_normalizer = true;
        } else if (field.number == kModelDenormalizer) {
            refuse_denormalizer(field.bytes, file);
        }
    }
    // Every writer ends with both; a file that was cut between two messages would else mean something else in silence.
    if (!has_trainer || !has_normalizer)
        throw Error(ErrorKind::kBadInput,
                    cat(file, ": ", has_trainer ? "normalizer_spec" : "trainer_spec", " is missing: the file is cut short"));
    parse_trainer(model, trainer, file);
    parse_normalizer(model, normalizer, file);
    check_pieces(model, file);
    return model;
}

std::string serialize_for_library(const SentencePieceModel& model) {
    std::string out, part, unknown;
    for (const SentencePieceEntry& piece : model.pieces) {
        part.clear();
        append_bytes_field(part, kPieceText, piece.text);
        append_float_field(part, kPieceScore, piece.score);
        append_varint_field(part, kPieceType, static_cast<uint64_t>(piece.type));
        append_bytes_field(out, kModelPiece, part);
        if (piece.type == PieceType::kUnknown) unknown = piece.text;
    }
    part.clear();
    append_varint_field(part, kTrainerAlgorithm, static_cast<uint64_t>(model.algorithm));
    append_varint_field(part, kTrainerByteFallback, model.byte_fallback);
    append_bytes_field(part, kTrainerUnkPiece, unknown);
    append_bytes_field(out, kModelTrainer, part);
    part.clear();
    append_bytes_field(part, kNormalizerName, model.normalizer_name);
    append_bytes_field(part, kNormalizerCharsmap, model.charsmap);
    append_varint_field(part, kNormalizerDummyPrefix, model.add_dummy_prefix);
    append_varint_field(part, kNormalizerRemoveExtra, model.remove_extra_whitespaces);
    append_varint_field(part, kNormalizerEscape, model.escape_whitespaces);
    append_bytes_field(out, kModelNormalizer, part);
    return out;
}

}  // namespace hearth
