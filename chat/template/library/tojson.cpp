// The tojson of transformers: json.dumps with ensure_ascii=False by default.
#include <algorithm>

#include "base/text.h"
#include "chat/template/library/library.h"
#include "chat/template/values/number.h"
#include "chat/template/values/unicode.h"

namespace hearth::jinja {
namespace {

class JsonWriter {
public:
    JsonWriter(Runtime& runtime, const Bound& args)
        : runtime_(runtime), out_(runtime), ascii_(args.truth(0, false)), sorted_(args.truth(3, false)) {
        if (args.has(1) && !args[1].is_none()) {
            indents_ = true;
            indent_ = args[1].is_text() ? std::string(args[1].bytes())
                                        : std::string(static_cast<size_t>(std::clamp<int64_t>(args.integer(1, 0), 0, 100)), ' ');
            between_items_ = ",";
        }
        if (!args.has(2) || args[2].is_none()) return;
        const ListPtr both = iterate(runtime, args[2]);
        if (both->size() != 2 || !both->items()[0].is_text() || !both->items()[1].is_text())
            runtime.fail("tojson: 'separators' must be two texts");
        between_items_ = both->items()[0].bytes();
        behind_key_ = both->items()[1].bytes();
    }

    TextPtr write(const Value& value) {
        add(value, true);
        return out_.finish();
    }

private:
    void line(bool trusted) {
        if (!indents_) return;
        out_.add("\n", trusted);
        for (int i = 0; i < depth_; ++i) out_.add(indent_, trusted);
    }

    void text(const Text& value, bool trusted) {
        out_.add("\"", trusted);
        value.for_each_run([this](std::string_view piece, bool from_template) {
            std::string escaped;
            for (size_t at = 0; at < piece.size();) escape(escaped, piece, at);
            out_.add(escaped, from_template);
        });
        out_.add("\"", trusted);
    }

    void escape(std::string& out, std::string_view piece, size_t& at) const {
        const size_t begin = at;
        const uint32_t c = take_character(piece, at);
        constexpr std::string_view kPlain = "\"\\\n\r\t\f\b", kLetters = "\"\\nrtfb";
        const size_t known = c < 0x80 ? kPlain.find(static_cast<char>(c)) : std::string_view::npos;
        char buffer[16];
        if (known != std::string_view::npos) {
            out += '\\';
            out += kLetters[known];
        } else if (c < 0x20 || (ascii_ && c > 0x7E && c < 0x10000)) {
            std::snprintf(buffer, sizeof buffer, "\\u%04x", c);
            out += buffer;
        } else if (ascii_ && c >= 0x10000) {
            std::snprintf(buffer, sizeof buffer, "\\u%04x\\u%04x", 0xD800 + ((c - 0x10000) >> 10), 0xDC00 + ((c - 0x10000) & 0x3FF));
            out += buffer;
        } else {
            out += piece.substr(begin, at - begin);
        }
    }

    static std::string float_text(double value) {
        std::string text = float_repr(value);
        return text == "nan" ? "NaN" : text == "inf" ? "Infinity" : text == "-inf" ? "-Infinity" : text;
    }

    /// `trusted`: whether what is not text (quotes, digits) counts as the template's, which the list or dict around decides.
    void add(const Value& value, bool trusted) {
        runtime_.step();
        switch (value.kind()) {
            case Value::Kind::kNone: out_.add("null", trusted); return;
            case Value::Kind::kBool: out_.add(value.boolean() ? "true" : "false", trusted); return;
            case Value::Kind::kInt: out_.add(std::to_string(value.integer()), trusted); return;
            case Value::Kind::kFloat: out_.add(float_text(value.number()), trusted); return;
            case Value::Kind::kText: text(*value.text(), trusted); return;
            case Value::Kind::kDict: add_dict(*value.dict()); return;
            case Value::Kind::kList:
                if (value.list()->sort() <= List::Sort::kTuple) return add_list(*value.list());
                [[fallthrough]];
            default: runtime_.fail(cat("Object of type ", type_name(value), " is not JSON serializable"));
        }
    }

    void add_list(const List& list) {
        out_.add("[", list.trusted());
        ++depth_;
        for (size_t i = 0; i < list.size(); ++i) {
            if (i > 0) out_.add(between_items_, list.trusted());
            line(list.trusted());
            add(list.items()[i], list.trusted());
        }
        --depth_;
        if (list.size() > 0) line(list.trusted());
        out_.add("]", list.trusted());
    }

    void add_key(const Value& key, bool trusted) {
        if (key.is_text()) return text(*key.text(), trusted);
        if (!key.is_number() && !key.is_none()) runtime_.fail(cat("tojson: a ", type_name(key), " cannot be a key"));
        out_.add("\"", trusted);
        add(key, trusted);
        out_.add("\"", trusted);
    }

    void add_dict(const Dict& dict) {
        std::vector<const std::pair<Value, Value>*> entries;
        for (const auto& entry : dict.entries()) entries.push_back(&entry);
        if (sorted_)
            std::stable_sort(entries.begin(), entries.end(), [this](auto* a, auto* b) { return order(runtime_, a->first, b->first) < 0; });
        out_.add("{", dict.trusted());
        ++depth_;
        for (size_t i = 0; i < entries.size(); ++i) {
            if (i > 0) out_.add(between_items_, dict.trusted());
            line(dict.trusted());
            add_key(entries[i]->first, dict.trusted());
            out_.add(behind_key_, dict.trusted());
            add(entries[i]->second, dict.trusted());
        }
        --depth_;
        if (!entries.empty()) line(dict.trusted());
        out_.add("}", dict.trusted());
    }

    Runtime& runtime_;
    TextBuilder out_;
    const bool ascii_, sorted_;
    bool indents_ = false;
    std::string indent_, between_items_ = ", ", behind_key_ = ": ";
    int depth_ = 0;
};

}  // namespace

Value filter_tojson(Runtime& runtime, const Value& subject, const Args& args) {
    const Bound bound(runtime, "tojson", args, {"ensure_ascii", "indent", "separators", "sort_keys"});
    return JsonWriter(runtime, bound).write(subject);
}

}  // namespace hearth::jinja
