#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "loaders/tokenizer/bpe/growth.h"
#include "loaders/tokenizer/huggingface/components.h"
#include "loaders/tokenizer/json_fields.h"
#include "loaders/tokenizer/unicode.h"

namespace hearth {

namespace {

using nlohmann::json;

class Prepend : public NormalizerStep {
public:
    explicit Prepend(std::string text) : text_(std::move(text)) {}
    void apply(std::string& text, size_t from) const override {
        if (text.empty()) return;
        check_growth(text.size() + text_.size(), growth_limit(from), from, "the normaliser");
        text.insert(0, text_);
    }
    bool prepends() const override { return true; }

private:
    std::string text_;
};

class ReplaceText : public NormalizerStep {
public:
    ReplaceText(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}
    void apply(std::string& text, size_t from) const override {
        const std::string_view view = text;
        BoundedText out(from);
        size_t at = 0;
        for (size_t found; (found = view.find(from_, at)) != std::string_view::npos; at = found + from_.size()) {
            out.append(view.substr(at, found - at));
            out.append(to_);
        }
        if (at == 0) return;
        out.append(view.substr(at));
        text = out.take();
    }

private:
    std::string from_, to_;
};

class ReplacePattern : public NormalizerStep {
public:
    ReplacePattern(Regex pattern, std::string to) : pattern_(std::move(pattern)), to_(std::move(to)) {}
    void apply(std::string& text, size_t from) const override {
        if (text.empty()) return;
        const std::string_view view = text;
        BoundedText out(from);
        size_t at = 0;
        for (const auto& [begin, end] : pattern_.find_all(text, {text.size()})) {
            out.append(view.substr(at, begin - at));
            out.append(to_);
            at = end;
        }
        out.append(view.substr(at));
        text = out.take();
    }

private:
    Regex pattern_;
    std::string to_;
};

class ToNormalForm : public NormalizerStep {
public:
    explicit ToNormalForm(NormalForm form) : form_(form) {}
    void apply(std::string& text, size_t from) const override {
        text = normalize(text, form_);  // at most 11 times as long
        check_growth(text.size(), growth_limit(from), from, "the normaliser");
    }

private:
    NormalForm form_;
};

void add_replace(ParsedNormalizer& out, const json& node, const std::string& where) {
    const json& pattern = fields::required(fields::object(node, "pattern", where), "pattern", where);
    std::string to = fields::required(fields::string(node, "content", where), "content", where);
    if (auto text = fields::string(pattern, "String", where)) {
        if (text->empty()) throw Error(ErrorKind::kBadInput, cat(where, ": replaces the empty text"));
        out.rewrites |= *text != " " || to != "\xE2\x96\x81";
        out.steps.push_back(std::make_unique<ReplaceText>(*std::move(text), std::move(to)));
    } else {
        const std::string regex = fields::required(fields::string(pattern, "Regex", where), "pattern.Regex", where);
        out.rewrites = true;
        out.steps.push_back(std::make_unique<ReplacePattern>(Regex(regex, where), std::move(to)));
    }
}

void add(ParsedNormalizer& out, const json& node, const std::string& file) {
    const std::string type = fields::required(fields::string(node, "type", file + ": normalizer"), "type", file + ": normalizer");
    const std::string where = cat(file, ": normalizer ", printable(type, 40));
    const auto form = [&](NormalForm f) {
        out.rewrites = true;
        out.steps.push_back(std::make_unique<ToNormalForm>(f));
    };
    if (type == "Sequence") {  // the depth of the document is bounded
        for (const json& step : fields::required(fields::array(node, "normalizers", where), "normalizers", where)) add(out, step, file);
    } else if (type == "Prepend") {
        std::string text = fields::required(fields::string(node, "prepend", where), "prepend", where);
        out.rewrites |= text != "\xE2\x96\x81";
        out.prepends = true;
        out.steps.push_back(std::make_unique<Prepend>(std::move(text)));
    } else if (type == "Replace") {
        add_replace(out, node, where);
    } else if (type == "NFC") {
        form(NormalForm::kNfc);
    } else if (type == "NFD") {
        form(NormalForm::kNfd);
    } else if (type == "NFKC") {
        form(NormalForm::kNfkc);
    } else if (type == "NFKD") {
        form(NormalForm::kNfkd);
    } else {
        throw Error(ErrorKind::kUnsupported, cat(where, " is not supported; Sequence, Prepend, Replace, NFC, NFD, NFKC and NFKD are"));
    }
}

}  // namespace

ParsedNormalizer parse_normalizer(const json* node, const std::string& file) {
    ParsedNormalizer out;
    if (node) add(out, *node, file);
    check_steps(out.steps.size(), file + ": normalizer");
    return out;
}

}  // namespace hearth
