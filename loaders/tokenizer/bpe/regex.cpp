// How time is bounded. Most matches of a tokenizer's pattern are a word, found within a few hundred steps; one may be ten megabytes of
// spaces, which takes as many steps as it is long. So every match is first tried with a small limit; where that does not do, places are
// tried one by one with limits that grow, paid from an account that grows with the text. A pattern that goes on backtracking ends in an
// Error that depends on pattern and text only, never on the clock.
#include "loaders/tokenizer/bpe/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"

namespace hearth {

namespace {

constexpr uint32_t kBaseLimit = 2'000;
constexpr uint32_t kGrowth = 100;       // not less: what is scanned before a limit strikes is scanned again under the next
constexpr int64_t kStepsPerByte = 512;  // patterns in use need up to 2 on runs of one character, and pay up to kGrowth times that
constexpr int64_t kMinAccount = 50'000'000;

struct MatchDataDeleter {
    void operator()(pcre2_match_data* p) const { pcre2_match_data_free(p); }
};
struct MatchContextDeleter {
    void operator()(pcre2_match_context* p) const { pcre2_match_context_free(p); }
};

}  // namespace

struct Regex::Code {
    pcre2_code* code = nullptr;
    bool jit = false;
    ~Code() { pcre2_code_free(code); }
};

/// One pattern at work, with its account of steps.
struct Matches::Matcher {
    Matcher(const pcre2_code* pattern, const std::string& name)
        : code(pattern), where(name), data(pcre2_match_data_create(1, nullptr)), context(pcre2_match_context_create(nullptr)) {
        if (!data || !context) throw Error(ErrorKind::kNoResources, cat(where, ": no memory to match a pattern"));
        set_limit(kBaseLimit);
    }

    /// The first match in `text` at or after `at`, perhaps empty, or false.
    bool find(std::string_view text, size_t at, size_t& begin, size_t& end) {
        int rc = match(text, at, 0);
        if (rc == PCRE2_ERROR_MATCHLIMIT) rc = match_patiently(text, at);
        if (rc == PCRE2_ERROR_NOMATCH) return false;
        begin = pcre2_get_ovector_pointer(data.get())[0];
        end = pcre2_get_ovector_pointer(data.get())[1];
        return true;
    }

    void set_limit(uint32_t steps) {
        limit = steps;
        pcre2_set_match_limit(context.get(), steps);
    }

    int match(std::string_view text, size_t at, uint32_t options) {
        const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
        int rc = pcre2_match(code, subject, text.size(), at, options | PCRE2_NO_UTF_CHECK, data.get(), context.get());
        if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {  // the interpreter keeps its stack on the heap
            rc = pcre2_match(code, subject, text.size(), at, options | PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data.get(), context.get());
        }
        if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH || rc == PCRE2_ERROR_MATCHLIMIT) return rc;
        if (rc == PCRE2_ERROR_HEAPLIMIT || rc == PCRE2_ERROR_NOMEMORY || rc == PCRE2_ERROR_DEPTHLIMIT) too_slow();
        char message[120] = "";
        pcre2_get_error_message(rc, reinterpret_cast<PCRE2_UCHAR*>(message), sizeof message);
        throw Error(ErrorKind::kBadInput, cat(where, ": the pattern failed: ", message));
    }

    /// From `at` on, place by place, with larger limits where the small one does not do.
    int match_patiently(std::string_view text, size_t at) {
        for (; at < text.size(); at += next_utf8(text.substr(at)).length) {
            int rc = match(text, at, PCRE2_ANCHORED);
            while (rc == PCRE2_ERROR_MATCHLIMIT) {
                if (limit > UINT32_MAX / kGrowth) too_slow();
                set_limit(kGrowth * limit);
                account -= limit;
                if (account < 0) too_slow();
                rc = match(text, at, PCRE2_ANCHORED);
            }
            set_limit(kBaseLimit);
            if (rc != PCRE2_ERROR_NOMATCH) return rc;
        }
        return PCRE2_ERROR_NOMATCH;
    }

    [[noreturn]] void too_slow() const {
        throw Error(ErrorKind::kUnsupported, cat(where, ": the pattern takes more than ", kStepsPerByte, " steps a byte on this text"));
    }

    const pcre2_code* code;
    const std::string& where;
    std::unique_ptr<pcre2_match_data, MatchDataDeleter> data;
    std::unique_ptr<pcre2_match_context, MatchContextDeleter> context;
    uint32_t limit = 0;
    int64_t account = kMinAccount;
};

Matches::Matches(const Regex& regex, std::string_view text, const std::vector<size_t>& ends)
    : matcher_(std::make_unique<Matcher>(regex.code_->code, regex.where_)), text_(text), ends_(ends) {}

Matches::~Matches() = default;

/// Moves on to the next stretch of valid UTF-8 within one piece.
bool Matches::next_stretch() {
    begin_ = end_;
    while (piece_ < ends_.size()) {
        const size_t limit = ends_[piece_];
        size_t at = begin_;
        size_t invalid = 0;
        while (at < limit) {
            const Utf8Char c = next_utf8(text_.substr(at, limit - at));
            if (!c.valid) {
                invalid = c.length;
                break;
            }
            at += c.length;
        }
        if (at > begin_) {
            end_ = at;
            at_ = 0;
            matcher_->account += kStepsPerByte * static_cast<int64_t>(end_ - begin_);
            return true;
        }
        begin_ = at + invalid;
        if (begin_ >= limit) ++piece_;
    }
    return false;
}

bool Matches::next(size_t& begin, size_t& end) {
    while (true) {
        if (at_ == end_ - begin_ && !next_stretch()) return false;
        const std::string_view stretch = text_.substr(begin_, end_ - begin_);
        const size_t at = at_;
        if (!matcher_->find(stretch, at, begin, end)) {
            at_ = stretch.size();
        } else if (begin < end && begin >= at) {
            at_ = end;
            begin += begin_;
            end += begin_;
            return true;
        } else {  // empty: nothing to cut, on to the next character
            at_ = std::max(at, std::max(begin, end));
            if (at_ < stretch.size()) at_ += next_utf8(stretch.substr(at_)).length;
        }
    }
}

Regex::Regex(std::string_view pattern, const std::string& where) : where_(where) {
    const std::string translated = translate_pattern(pattern, where);
    int error = 0;
    size_t offset = 0;
    auto code = std::make_unique<Code>();
    code->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                               PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
    if (code->code == nullptr) {
        char message[120] = "";
        pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR*>(message), sizeof message);
        throw Error(ErrorKind::kBadInput,
                    cat(where, ": the pattern \"", printable(pattern, 60), "\" is not a regular expression: ", message));
    }
    uint32_t back_references = 0;
    pcre2_pattern_info(code->code, PCRE2_INFO_BACKREFMAX, &back_references);
    if (back_references > 0)
        throw Error(ErrorKind::kUnsupported, cat(where, ": the pattern uses back references, which are not supported"));
    code->jit = pcre2_jit_compile(code->code, PCRE2_JIT_COMPLETE) == 0;  // where there is none, the interpreter does the same, slower
    code_ = std::move(code);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;

std::vector<std::pair<size_t, size_t>> Regex::find_all(std::string_view text, const std::vector<size_t>& ends) const {
    std::vector<std::pair<size_t, size_t>> out;
    Matches matches(*this, text, ends);
    for (size_t begin = 0, end = 0; matches.next(begin, end);) out.emplace_back(begin, end);
    return out;
}

}  // namespace hearth
