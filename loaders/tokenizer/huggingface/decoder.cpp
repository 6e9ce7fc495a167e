#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "loaders/tokenizer/bpe/byte_level.h"
#include "loaders/tokenizer/bpe/growth.h"
#include "loaders/tokenizer/huggingface/components.h"
#include "loaders/tokenizer/json_fields.h"

namespace hearth {

namespace {

using nlohmann::json;

/// Decoders work on a list of tokens, and on one text after Fuse. We want to know what one token means, so what is done before Fuse must be
/// done to each token alone, and what comes after it may only be the prefix space.
struct Builder {
    ParsedDecoder out;
    bool fused = false;
    const std::string& file;

    void add(const json& node) {
        const std::string type = fields::required(fields::string(node, "type", file + ": decoder"), "type", file + ": decoder");
        const std::string where = cat(file, ": decoder ", printable(type, 40));
        if (type == "Sequence") {
            for (const json& step : fields::required(fields::array(node, "decoders", where), "decoders", where)) add(step);
        } else if (type == "ByteLevel") {
            out.byte_level = true;
        } else if (type == "ByteFallback") {
            out.byte_fallback = true;
        } else if (type == "Fuse") {
            fused = true;
        } else if (type == "Replace") {
            const json& pattern = fields::required(fields::object(node, "pattern", where), "pattern", where);
            add_replace(fields::required(fields::string(pattern, "String", where), "pattern.String", where),
                        fields::required(fields::string(node, "content", where), "content", where), where);
        } else if (type == "Metaspace") {
            const bool prefix = fields::string(node, "prepend_scheme", where).value_or("always") != "never" &&
                                fields::boolean(node, "add_prefix_space", where).value_or(true);
            out.drops_prefix_space |= prefix;
            add_replace(fields::string(node, "replacement", where).value_or("\xE2\x96\x81"), " ", where);
        } else if (type == "Strip") {
            add_strip(node, where);
        } else {
            throw Error(ErrorKind::kUnsupported,
                        cat(where, " is not supported; Sequence, ByteLevel, ByteFallback, Fuse, Replace, Metaspace and Strip are"));
        }
    }

    void add_replace(std::string from, std::string to, const std::string& where) {
        if (from.empty()) throw Error(ErrorKind::kBadInput, cat(where, ": replaces the empty text"));
        if (fused) throw Error(ErrorKind::kUnsupported, cat(where, " after Fuse is not supported"));
        out.replaces.emplace_back(std::move(from), std::move(to));
        check_steps(out.replaces.size(), file + ": decoder");
    }

    void add_strip(const json& node, const std::string& where) {
        const std::string content = fields::string(node, "content", where).value_or(" ");
        const int64_t start = fields::integer(node, "start", where).value_or(0), stop = fields::integer(node, "stop", where).value_or(0);
        if (!fused || content != " " || start < 0 || start > 1 || stop != 0) {
            throw Error(ErrorKind::kUnsupported,
                        cat(where, " with content \"", printable(content, 20), "\", start ", start, ", stop ", stop,
                            fused ? "" : " before Fuse", " is not supported; one space at the start after Fuse is"));
        }
        out.drops_prefix_space |= start == 1;
    }
};

}  // namespace

ParsedDecoder parse_decoder(const json* node, bool byte_level, const std::string& file) {
    Builder builder{{}, false, file};
    if (node) {
        builder.add(*node);
        // ByteLevel makes bytes of whole tokens, after which no spelling is left to replace in: such steps would be left out in silence.
        if (builder.out.byte_level && !builder.out.replaces.empty())
            throw Error(ErrorKind::kUnsupported, cat(file, ": decoder Replace or Metaspace beside ByteLevel is not supported"));
    } else {
        builder.out.byte_level = byte_level;
    }
    return std::move(builder.out);
}

std::string decode_token(const ParsedDecoder& decoder, const std::string& token, const std::string& file) {
    if (decoder.byte_level) {
        if (auto bytes = bytes_of_byte_level(token)) return *std::move(bytes);
    }
    if (decoder.byte_fallback) {
        if (const auto byte = parse_byte_token(token)) return std::string(1, static_cast<char>(*byte));
    }
    const size_t limit = kMaxDecodedGrowth * token.size();
    const auto refuse = [&] {
        throw Error(ErrorKind::kTooLarge,
                    cat(file, ": decoder: makes more than ", kMaxDecodedGrowth, " bytes of each of token \"", printable(token, 40), "\""));
    };
    std::string out = token;
    for (const auto& [from, to] : decoder.replaces) {
        std::string next;
        size_t at = 0;
        for (size_t found; (found = out.find(from, at)) != std::string::npos; at = found + from.size()) {
            next.append(out, at, found - at);
            next += to;
            if (next.size() > limit) refuse();
        }
        next.append(out, at);
        if (next.size() > limit) refuse();
        out = std::move(next);
    }
    return out;
}

}  // namespace hearth
