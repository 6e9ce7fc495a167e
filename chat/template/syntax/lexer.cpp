#include "chat/template/syntax/lexer.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "chat/template/values/number.h"
#include "chat/template/values/unicode.h"

namespace hearth::jinja {

void fail_syntax(int line, const std::string& message) {
    throw Error(ErrorKind::kBadInput, cat("chat template, line ", line, ": ", message));
}

namespace {

/// Line ends become \n; one at the very end is dropped.
std::string normalized(std::string_view source) {
    std::string out;
    out.reserve(source.size());
    for (size_t i = 0; i < source.size(); ++i) {
        if (source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n') continue;
        out += source[i] == '\r' ? '\n' : source[i];
    }
    if (out.ends_with('\n')) out.pop_back();
    return out;
}

class Lexer {
public:
    explicit Lexer(std::string source) : source_(std::move(source)) {}

    std::vector<Token> run() {
        while (at_ < source_.size()) data();
        push(Token::Kind::kEnd, "");
        return std::move(tokens_);
    }

private:
    std::string_view rest() const { return std::string_view(source_).substr(at_); }
    bool next_is(std::string_view text) const { return rest().starts_with(text); }

    void push(Token::Kind kind, std::string text) {
        Token token;
        token.kind = kind;
        token.line = line_;
        token.text = std::move(text);
        tokens_.push_back(std::move(token));
    }

    void advance(size_t bytes) {
        line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                             source_.begin() + static_cast<std::ptrdiff_t>(at_ + bytes), '\n'));
        at_ += bytes;
    }

    void skip_space() { advance(rest().size() - strip_space(rest(), true, false).size()); }

    /// Text up to the next tag, then the tag.
    void data() {
        const size_t begin = at_;
        size_t tag = begin;
        for (;; ++tag) {
            tag = source_.find('{', tag);
            if (tag == std::string::npos || tag + 1 >= source_.size()) {
                tag = source_.size();
                break;
            }
            const char c = source_[tag + 1];
            if (c == '{' || c == '%' || c == '#') break;
        }
        const bool at_line_start = begin == 0 || source_[begin - 1] == '\n';
        std::string_view text = std::string_view(source_).substr(begin, tag - begin);
        if (tag < source_.size()) text = left_stripped(text, tag, at_line_start);
        if (!text.empty()) push(Token::Kind::kData, std::string(text));
        advance(tag - begin);
        if (at_ < source_.size()) this->tag();
    }

    /// What is left of `text` before the tag at `tag`.
    std::string_view left_stripped(std::string_view text, size_t tag, bool at_line_start) const {
        const char sign = tag + 2 < source_.size() ? source_[tag + 2] : ' ';
        if (sign == '-') return strip_space(text, false, true);
        if (sign == '+' || source_[tag + 1] == '{') return text;
        const size_t newline = text.rfind('\n');
        if (newline == std::string_view::npos && !at_line_start) return text;
        const size_t line = newline == std::string_view::npos ? 0 : newline + 1;
        return strip_space(text.substr(line)).empty() ? text.substr(0, line) : text;
    }

    void tag() {
        const char kind = source_[at_ + 1];
        const int line = line_;
        advance(2);
        const bool signed_tag = next_is("-") || next_is("+");
        if (signed_tag) advance(1);
        if (kind == '#') return comment(line);
        if (kind == '%' && raw(line)) return;
        push(kind == '{' ? Token::Kind::kOutputBegin : Token::Kind::kBlockBegin, "");
        inside(kind == '%', line);
    }

    /// What stands behind a comment's or a block's end: `sign` is '-', '+' or none, and lies before the two characters of the end.
    void after_end(char sign) {
        if (sign == '-') {
            skip_space();
        } else if (sign != '+' && next_is("\n")) {
            advance(1);
        }
    }

    void comment(int line) {
        if (at_ >= source_.size()) return;  // Jinja2 lets the two characters stand at the very end
        const size_t end = source_.find("#}", at_);
        if (end == std::string::npos) fail_syntax(line, "a comment without its end '#}'");
        const char sign = end > at_ ? source_[end - 1] : ' ';
        advance(end + 2 - at_);
        after_end(sign);
    }

    /// {% raw %} ... {% endraw %}: false when the block is another one.
    bool raw(int line) {
        size_t at = at_;
        if (!word(at, "raw")) return false;
        const bool strips = at < source_.size() && source_[at] == '-';
        if (strips) ++at;
        if (!std::string_view(source_).substr(at).starts_with("%}")) return false;
        advance(at + 2 - at_);
        if (strips) skip_space();
        for (size_t tag = source_.find("{%", at_); tag != std::string::npos; tag = source_.find("{%", tag + 2)) {
            size_t end = tag + 2;
            if (end < source_.size() && (source_[end] == '-' || source_[end] == '+')) ++end;
            if (!word(end, "endraw")) continue;
            const char sign = end < source_.size() ? source_[end] : ' ';
            if (sign == '-' || sign == '+') ++end;
            if (!std::string_view(source_).substr(end).starts_with("%}")) continue;
            const bool at_line_start = source_[at_ - 1] == '\n';
            const auto text = left_stripped(std::string_view(source_).substr(at_, tag - at_), tag, at_line_start);
            if (!text.empty()) push(Token::Kind::kData, std::string(text));
            advance(end + 2 - at_);
            after_end(sign);
            return true;
        }
        fail_syntax(line, "'raw' without its 'endraw'");
    }

    /// White space, `name`, white space at `at`, which moves behind them.
    bool word(size_t& at, std::string_view name) const {
        const auto skip = [&] { at += source_.size() - at - strip_space(std::string_view(source_).substr(at), true, false).size(); };
        skip();
        if (!std::string_view(source_).substr(at).starts_with(name)) return false;
        at += name.size();
        skip();
        return true;
    }

    /// The tokens of a block or an output, with its end.
    void inside(bool block, int line) {
        const std::string_view end = block ? "%}" : "}}";
        std::string open;  // brackets: an end inside them is an operator, as in {{ {'a': {}} }}
        for (;;) {
            skip_space();
            if (at_ >= source_.size()) fail_syntax(line, cat("a tag without its end '", end, "'"));
            if (open.empty()) {
                const char sign = (next_is("-") || (block && next_is("+"))) && rest().substr(1).starts_with(end) ? source_[at_] : ' ';
                if (sign != ' ' || next_is(end)) {
                    advance(sign != ' ' ? 3 : 2);
                    push(block ? Token::Kind::kBlockEnd : Token::Kind::kOutputEnd, "");
                    if (block || sign == '-') after_end(sign);
                    return;
                }
            }
            const char c = source_[at_];
            if (c == '\'' || c == '"') {
                text(c);
            } else if (c >= '0' && c <= '9') {
                number();
            } else if (!name()) {
                sign(open);
            }
        }
    }

    bool name() {
        const auto part = [&](size_t at) {
            const auto c = static_cast<unsigned char>(source_[at]);
            return c >= 0x80 || c == '_' || std::isalnum(c) != 0;
        };
        size_t end = at_;
        while (end < source_.size() && part(end)) ++end;
        if (end == at_) return false;
        push(Token::Kind::kName, source_.substr(at_, end - at_));
        advance(end - at_);
        return true;
    }

    void sign(std::string& open) {
        constexpr std::string_view kSigns[] = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
                                               "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};
        const auto found = std::find_if(std::begin(kSigns), std::end(kSigns), [&](std::string_view s) { return next_is(s); });
        if (found == std::end(kSigns))
            fail_syntax(line_, cat("unexpected character '", printable(rest().substr(0, next_utf8(rest()).length)), "'"));
        const char c = found->front();
        if (c == '(' || c == '[' || c == '{') open += c == '(' ? ')' : c == '[' ? ']' : '}';
        if (c == ')' || c == ']' || c == '}') {
            if (open.empty() || open.back() != c) fail_syntax(line_, cat("unexpected '", *found, "'"));
            open.pop_back();
        }
        push(Token::Kind::kSign, std::string(*found));
        advance(found->size());
    }

    /// End of a run of digits (and underscores between them) from `at`.
    size_t digits(size_t at) const {
        const auto digit = [&](size_t i) { return i < source_.size() && source_[i] >= '0' && source_[i] <= '9'; };
        while (digit(at) || (at < source_.size() && source_[at] == '_' && digit(at - 1) && digit(at + 1))) ++at;
        return at;
    }

    void number() {
        const auto at = [&](size_t i) { return i < source_.size() ? source_[i] : ' '; };
        const auto digit = [&](size_t i) { return at(i) >= '0' && at(i) <= '9'; };
        size_t end = digits(at_);
        bool is_float = false;
        // "1.2.3" is an item of an item, not a float, where a dot stands before.
        const bool behind_dot = at_ > 0 && source_[at_ - 1] == '.';
        if (!behind_dot) {
            if (at(end) == '.' && digit(end + 1)) {
                end = digits(end + 1);
                is_float = true;
            }
            const size_t exponent = end + 1 + (at(end + 1) == '-' || at(end + 1) == '+');
            if ((at(end) == 'e' || at(end) == 'E') && digit(exponent)) {
                end = digits(exponent);
                is_float = true;
            }
        }
        const char mark = static_cast<char>(std::tolower(static_cast<unsigned char>(at(at_ + 1))));
        if (!is_float && source_[at_] == '0' && (mark == 'x' || mark == 'o' || mark == 'b')) {
            end = at_ + 2;
            while (std::isxdigit(static_cast<unsigned char>(at(end))) || at(end) == '_') ++end;
        }
        const std::string digits_of(source_.substr(at_, end - at_));
        push(is_float ? Token::Kind::kFloat : Token::Kind::kInt, digits_of);
        if (is_float) {
            tokens_.back().number = parse_float(digits_of).value_or(0);
        } else {
            const auto value = parse_int(digits_of, 0);
            if (!value) fail_syntax(line_, cat("'", printable(digits_of), "' is not an integer of 64 bits"));
            tokens_.back().integer = *value;
        }
        advance(end - at_);
    }

    void text(char quote) {
        size_t end = at_ + 1;
        while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
        if (end >= source_.size()) fail_syntax(line_, "a string without its end");
        push(Token::Kind::kText, unescaped(std::string_view(source_).substr(at_ + 1, end - at_ - 1)));
        advance(end + 1 - at_);
    }

    std::string unescaped(std::string_view text) const {
        std::string out;
        out.reserve(text.size());
        for (size_t i = 0; i < text.size(); ++i) {
            if (text[i] != '\\') {
                out += text[i];
                continue;
            }
            i = escape(out, text, i + 1);
        }
        return out;
    }

    /// The escape whose letter is at `i`; returns its last byte.
    size_t escape(std::string& out, std::string_view text, size_t i) const {
        constexpr std::string_view kLetters = "ntrabfv\\'\"", kMeanings = "\n\t\r\a\b\f\v\\'\"";
        const char c = text[i];
        if (const size_t known = kLetters.find(c); known != std::string_view::npos) {
            out += kMeanings[known];
        } else if (c == '\n') {
            // a line that goes on
        } else if (c >= '0' && c <= '7') {
            uint32_t code = 0;
            size_t end = i;
            for (; end < text.size() && end < i + 3 && text[end] >= '0' && text[end] <= '7'; ++end)
                code = code * 8 + static_cast<uint32_t>(text[end] - '0');
            append_utf8(out, code);
            return end - 1;
        } else if (c == 'x' || c == 'u' || c == 'U') {
            const size_t length = c == 'x' ? 2 : c == 'u' ? 4 : 8;
            uint32_t code = 0;
            for (size_t k = i + 1; k <= i + length; ++k) {
                if (k >= text.size() || !std::isxdigit(static_cast<unsigned char>(text[k])))
                    fail_syntax(line_, cat("a cut-short \\", c, " in a string"));
                code = code * 16 + static_cast<uint32_t>(parse_int(text.substr(k, 1), 16).value_or(0));
            }
            if (code > 0x10FFFF) fail_syntax(line_, "a \\U in a string that is no character");
            append_utf8(out, code);
            return i + length;
        } else if (c == 'N') {
            fail_syntax(line_, "\\N{...} in a string is not supported");
        } else {
            out += '\\';
            out += c;
        }
        return i;
    }

    const std::string source_;
    size_t at_ = 0;
    int line_ = 1;
    std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(normalized(source)).run(); }

}  // namespace hearth::jinja
