#include "loaders/quantize/rules.h"

#include <functional>

#include "base/error.h"
#include "base/text.h"

namespace hearth {
namespace {

/// `part` stands in `name` with nothing or a dot before it, and nothing, a dot or an underscore behind it.
bool has_part(std::string_view name, std::string_view part) {
    for (size_t at = name.find(part); at != std::string_view::npos; at = name.find(part, at + 1)) {
        const char before = at == 0 ? '.' : name[at - 1], behind = at + part.size() < name.size() ? name[at + part.size()] : '.';
        if (before == '.' && (behind == '.' || behind == '_')) return true;
    }
    return false;
}

/// Notes which rules fit something.
class RuleUse : public WeightVisitor {
public:
    using Fits = std::function<bool(size_t rule, const NeededTensor&, WeightUse)>;
    RuleUse(size_t count, Fits fits) : used(count), fits_(std::move(fits)) {}

    void matrix(const std::vector<NeededTensor>& parts, WeightUse use, DeviceWeight&) override {
        for (size_t i = 0; i < used.size(); ++i) {
            for (const NeededTensor& part : parts) used[i] = used[i] || fits_(i, part, use);
        }
    }
    void vector(const std::vector<NeededTensor>&, DeviceVector&) override {}

    std::vector<bool> used;

private:
    Fits fits_;
};

}  // namespace

std::string_view name_of(QuantKind kind) { return kind == QuantKind::kQ8 ? "q8" : kind == QuantKind::kQ4 ? "q4" : "f8"; }

QuantKind parse_quant_kind(std::string_view text, std::string_view option) {
    if (text == "q8") return QuantKind::kQ8;
    if (text == "q4") return QuantKind::kQ4;
    throw Error(ErrorKind::kBadInput, cat(option, ": '", printable(text, 40), "' is no format to quantise to; there are q8 and q4"));
}

std::vector<KeepRule> parse_keep(std::string_view list, std::string_view option) {
    std::vector<KeepRule> out;
    if (trim(list).empty()) return out;
    for (const std::string& item : split(list, ',')) {
        const std::string_view rule = trim(item);
        const size_t at = rule.find('=');
        if (at == std::string_view::npos || at == 0) {
            throw Error(ErrorKind::kBadInput,
                        cat(option, ": '", printable(rule, 60),
                            "' is no rule; expected NAME=q8, NAME=q4 or NAME=float, as in lm_head=q8,layers.0=float"));
        }
        const std::string_view format = rule.substr(at + 1);
        KeepRule made{std::string(rule.substr(0, at)), std::nullopt};
        if (format != "float") made.kind = parse_quant_kind(format, cat(option, " ", printable(rule, 60)));
        out.push_back(std::move(made));
    }
    return out;
}

QuantizeRules::QuantizeRules(const QuantizeOptions& options, const TensorNames& names) : options_(options) {
    if (names.family && !names.family->experts.router.empty()) router_ = names.family->experts.router;
    HEARTH_CHECK(options.kind != QuantKind::kF8);
}

bool QuantizeRules::fits(const KeepRule& rule, const NeededTensor& tensor, WeightUse use) const {
    if (rule.name == "router") return !router_.empty() && tensor.name.ends_with(router_);
    // A table that is embedding and head in one is read as the head.
    if (rule.name == "lm_head" && use == WeightUse::kMatmul && has_part(tensor.name, "embed_tokens")) return true;
    return has_part(tensor.name, rule.name);
}

std::optional<QuantKind> QuantizeRules::kind_of(const NeededTensor& tensor, WeightUse use) const {
    for (auto rule = options_.keep.rbegin(); rule != options_.keep.rend(); ++rule) {
        if (fits(*rule, tensor, use)) return rule->kind;
    }
    if (!router_.empty() && tensor.name.ends_with(router_)) return std::nullopt;
    const bool table = has_part(tensor.name, "embed_tokens") || has_part(tensor.name, "lm_head");
    return table ? QuantKind::kQ8 : options_.kind;
}

std::optional<QuantKind> QuantizeRules::kind_of(const std::vector<NeededTensor>& parts, WeightUse use) const {
    if (!options_.kind) return std::nullopt;
    const auto first = kind_of(parts[0], use);
    for (const NeededTensor& part : parts) {
        if (kind_of(part, use) == first) continue;
        throw Error(ErrorKind::kBadInput,
                    cat("the rules give ", printable(parts[0].name), " and ", printable(part.name),
                        " different formats, but they are multiplied as one matrix; expected one format for all of them"));
    }
    return first;
}

void check_rules(const ModelConfig& config, const TensorNames& names, const QuantizeOptions& options) {
    if (options.keep.empty()) return;
    if (!options.kind) throw Error(ErrorKind::kBadInput, "rules for single tensors are given, but no format to quantise the others to");
    const QuantizeRules rules(options, names);
    RuleUse use(options.keep.size(),
                [&](size_t i, const NeededTensor& tensor, WeightUse as) { return rules.fits(options.keep[i], tensor, as); });
    visit_weights(config, names, use);
    for (size_t i = 0; i < use.used.size(); ++i) {
        if (use.used[i]) continue;
        throw Error(
            ErrorKind::kBadInput,
            cat("the rule for '", printable(options.keep[i].name, 60),
                "' fits no matrix of this model; names are parts of tensor names, such as lm_head, embed, q_proj, down_proj, layers.0"));
    }
}

}  // namespace hearth
