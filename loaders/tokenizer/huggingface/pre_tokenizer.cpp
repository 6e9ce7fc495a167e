#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "loaders/tokenizer/bpe/growth.h"
#include "loaders/tokenizer/huggingface/components.h"
#include "loaders/tokenizer/json_fields.h"

namespace hearth {

namespace {

using nlohmann::json;

SplitBehavior parse_behavior(const std::string& name, const std::string& where) {
    if (name == "Isolated") return SplitBehavior::kIsolated;
    if (name == "Removed") return SplitBehavior::kRemoved;
    if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
    if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
    if (name == "Contiguous") return SplitBehavior::kContiguous;
    throw Error(ErrorKind::kUnsupported,
                cat(where, ": behavior \"", printable(name, 40),
                    "\" is not supported; Isolated, Removed, MergedWithPrevious, MergedWithNext and Contiguous are"));
}

void add_split(ParsedPreTokenizer& out, const json& node, const std::string& where) {
    const json& pattern = fields::required(fields::object(node, "pattern", where), "pattern", where);
    auto regex = fields::string(pattern, "Regex", where);
    if (!regex) regex = literal_pattern(fields::required(fields::string(pattern, "String", where), "pattern.String", where));
    const auto behavior = parse_behavior(fields::required(fields::string(node, "behavior", where), "behavior", where), where);
    out.removes |= behavior == SplitBehavior::kRemoved;
    out.steps.add(std::make_unique<SplitStep>(Regex(*regex, where), behavior, fields::boolean(node, "invert", where).value_or(false)));
}

void add_metaspace(ParsedPreTokenizer& out, const json& node, const std::string& where) {
    const std::string replacement = fields::string(node, "replacement", where).value_or("\xE2\x96\x81");
    if (replacement.empty() || replacement.size() > 4)
        throw Error(ErrorKind::kBadInput, cat(where, ": replacement should be one character, found ", printable(replacement, 40)));
    PrependScheme scheme = fields::boolean(node, "add_prefix_space", where).value_or(true) ? PrependScheme::kAlways : PrependScheme::kNever;
    if (const auto name = fields::string(node, "prepend_scheme", where)) {
        if (*name != "never" && *name != "first" && *name != "always") {
            throw Error(ErrorKind::kUnsupported,
                        cat(where, ": prepend_scheme \"", printable(*name, 40), "\" is not supported; never, first and always are"));
        }
        scheme = *name == "never" ? PrependScheme::kNever : *name == "first" ? PrependScheme::kFirst : PrependScheme::kAlways;
    }
    out.prepends |= scheme != PrependScheme::kNever;
    out.steps.add(std::make_unique<MetaspaceStep>(replacement, scheme, fields::boolean(node, "split", where).value_or(true)));
}

void add_byte_level(ParsedPreTokenizer& out, const json& node, std::optional<bool> prefix, const std::string& where) {
    if (prefix.value_or(fields::boolean(node, "add_prefix_space", where).value_or(true))) {
        out.prepends = true;
        out.steps.add(std::make_unique<PrefixSpaceStep>());
    }
    if (fields::boolean(node, "use_regex", where).value_or(true)) {
        out.steps.add(std::make_unique<SplitStep>(Regex(kGpt2Pattern, where), SplitBehavior::kIsolated, false));
    }
    out.byte_level = true;
}

void add(ParsedPreTokenizer& out, const json& node, std::optional<bool> prefix, const std::string& file) {
    const std::string type = fields::required(fields::string(node, "type", file + ": pre_tokenizer"), "type", file + ": pre_tokenizer");
    const std::string where = cat(file, ": pre_tokenizer ", printable(type, 40));
    if (out.byte_level) throw Error(ErrorKind::kUnsupported, cat(where, " after ByteLevel is not supported; ByteLevel should be the last"));
    if (type == "Sequence") {
        for (const json& step : fields::required(fields::array(node, "pretokenizers", where), "pretokenizers", where))
            add(out, step, std::nullopt, file);
    } else if (type == "Split") {
        add_split(out, node, where);
    } else if (type == "ByteLevel") {
        add_byte_level(out, node, prefix, where);
    } else if (type == "Digits") {
        const auto behavior =
            fields::boolean(node, "individual_digits", where).value_or(false) ? SplitBehavior::kIsolated : SplitBehavior::kContiguous;
        out.steps.add(std::make_unique<SplitStep>(Regex("\\p{N}", where), behavior, false));
    } else if (type == "Metaspace") {
        add_metaspace(out, node, where);
    } else {
        throw Error(ErrorKind::kUnsupported, cat(where, " is not supported; Sequence, Split, ByteLevel, Digits and Metaspace are"));
    }
}

}  // namespace

ParsedPreTokenizer parse_pre_tokenizer(const json* node, std::optional<bool> add_prefix_space, const std::string& file) {
    ParsedPreTokenizer out;
    if (node) add(out, *node, add_prefix_space, file);
    check_steps(out.steps.size(), file + ": pre_tokenizer");
    return out;
}

}  // namespace hearth
