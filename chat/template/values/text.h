// A string that knows which of its bytes are template text and which a person wrote.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chat/template/values/runtime.h"

namespace hearth::jinja {

/// Immutable, valid UTF-8. Provenance alternates at `borders`; nearly all texts have none, so they cost nothing.
class Text : public Counted {
public:
    /// `borders`: rising, each in (0, bytes.size()), on character boundaries. `runtime` may be null: a constant of a template.
    Text(Runtime* runtime, std::string bytes, bool first_trusted, std::vector<size_t> borders = {}, bool markup = false)
        : Counted(runtime, static_cast<int64_t>(bytes.size() + borders.size() * sizeof(size_t) + sizeof(Text))),
          bytes_(std::move(bytes)),
          borders_(std::move(borders)),
          first_trusted_(first_trusted),
          markup_(markup) {}

    std::string_view bytes() const { return bytes_; }
    size_t size() const { return bytes_.size(); }
    bool markup() const { return markup_; }  // came from `safe` or `escape`: what is added to it gets escaped, as in Python
    bool all_trusted() const { return bytes_.empty() || (first_trusted_ && borders_.empty()); }
    bool trusted_at(size_t at) const;

    /// Calls f(std::string_view piece, bool trusted) for the runs within [begin, end).
    template <class F>
    void for_each_run(size_t begin, size_t end, F f) const {
        auto border = std::upper_bound(borders_.begin(), borders_.end(), begin);
        bool trusted = first_trusted_ != ((border - borders_.begin()) % 2 == 1);
        while (begin < end) {
            const size_t next = border == borders_.end() ? end : std::min(*border++, end);
            f(std::string_view(bytes_).substr(begin, next - begin), trusted);
            begin = next;
            trusted = !trusted;
        }
    }
    template <class F>
    void for_each_run(F f) const {
        for_each_run(0, size(), f);
    }

private:
    const std::string bytes_;
    const std::vector<size_t> borders_;
    const bool first_trusted_, markup_;
};

using TextPtr = std::shared_ptr<const Text>;

/// Puts texts together, keeping provenance. Throws Error when the text grows over the runtime's limit.
class TextBuilder {
public:
    explicit TextBuilder(Runtime& runtime) : runtime_(runtime) {}

    TextBuilder& add(std::string_view bytes, bool trusted);
    TextBuilder& add(const Text& text) { return add(text, 0, text.size()); }
    TextBuilder& add(const Text& text, size_t begin, size_t end);

    size_t size() const { return bytes_.size(); }
    std::string_view bytes() const { return bytes_; }
    Runtime& runtime() const { return runtime_; }

    /// The text so far; the builder is empty afterwards.
    TextPtr finish(bool markup = false);

private:
    Runtime& runtime_;
    std::string bytes_;
    std::vector<size_t> borders_;
    bool first_trusted_ = true, last_trusted_ = true;
};

inline TextPtr make_text(Runtime& runtime, std::string bytes, bool trusted) {
    runtime.check_text(bytes.size());
    return std::make_shared<const Text>(&runtime, std::move(bytes), trusted);
}

/// A constant of a template.
inline TextPtr constant_text(std::string bytes) { return std::make_shared<const Text>(nullptr, std::move(bytes), true); }

/// Bytes [begin, end) of `text`; the same object when that is all.
TextPtr slice(Runtime& runtime, const TextPtr& text, size_t begin, size_t end);

/// `text` with the flag set or cleared.
TextPtr with_markup(Runtime& runtime, const TextPtr& text, bool markup);

/// & < > ' " as entities; markup.
TextPtr escape(Runtime& runtime, const Text& text);

}  // namespace hearth::jinja
