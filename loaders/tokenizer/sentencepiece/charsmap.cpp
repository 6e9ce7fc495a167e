// The compiled rules are a double-array trie: each unit holds an offset by which one jumps to its children, unchecked in the library. Here
// every place that any text could lead to is visited once and proven to lie inside.
#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "loaders/tokenizer/sentencepiece/model_file.h"

namespace hearth {

namespace {

constexpr size_t kMaxCharsmap = 8 << 20;
constexpr uint8_t kMaxMatches = 31;     // rules on one path; the library has room for 32
constexpr size_t kMaxReplacement = 64;  // bytes that one rule writes, for one byte at least; U+FDFA becomes 33

uint32_t label(uint32_t unit) { return unit & 0x800000FFu; }
uint32_t offset(uint32_t unit) { return (unit >> 10) << ((unit & 0x200u) >> 6); }
bool has_leaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t value(uint32_t unit) { return unit & 0x7FFFFFFFu; }

class TrieCheck {
public:
    TrieCheck(std::vector<uint32_t> units, std::string_view texts, const std::string& file)
        : units_(std::move(units)), state_(units_.size(), kNew), depth_(units_.size()), texts_(texts), file_(file) {}

    /// Depth first with a stack of our own. Nodes may be shared between paths but not be their own ancestors; depth_ is the largest number
    /// of rules on a path from a node down.
    void run() {
        open(0);
        while (!stack_.empty()) {
            Frame& frame = stack_.back();
            if (frame.next_byte == 256) {
                close();
                continue;
            }
            const uint32_t byte = frame.next_byte++;
            const uint32_t child = frame.children ^ byte;
            if (child >= units_.size()) fail("leads outside its table");
            if (label(units_[child]) != byte) continue;
            if (state_[child] == kOpen) fail("leads back to itself");
            if (state_[child] == kNew) {
                open(child);
            } else {
                frame.deepest = std::max(frame.deepest, depth_[child]);
            }
        }
    }

private:
    enum State : uint8_t { kNew, kOpen, kDone };
    struct Frame {
        uint32_t node, children;
        uint32_t next_byte = 0;
        bool has_leaf = false;
        uint8_t deepest = 0;
    };

    [[noreturn]] void fail(const char* what) const {
        throw Error(ErrorKind::kBadInput, cat(file_, ": the normalisation rules are damaged: their trie ", what));
    }

    void open(uint32_t node) {
        const uint32_t unit = units_[node];
        const uint32_t children = node ^ offset(unit);
        if (children >= units_.size()) fail("leads outside its table");
        if (has_leaf(unit)) check_replacement(value(units_[children]));
        state_[node] = kOpen;
        stack_.push_back({.node = node, .children = children, .next_byte = 0, .has_leaf = has_leaf(unit), .deepest = 0});
    }

    void check_replacement(size_t at) const {
        if (at >= texts_.size()) fail("points past the replacement texts");
        if (texts_.substr(at, kMaxReplacement + 1).find('\0') == std::string_view::npos)
            throw Error(ErrorKind::kTooLarge, cat(file_, ": a normalisation rule writes more than ", kMaxReplacement, " bytes"));
    }

    void close() {
        const Frame frame = stack_.back();
        stack_.pop_back();
        const int depth = frame.deepest + (frame.has_leaf ? 1 : 0);
        if (depth > kMaxMatches) fail("has more rules on one path than the library has room for");
        state_[frame.node] = kDone;
        depth_[frame.node] = static_cast<uint8_t>(depth);
        if (!stack_.empty()) stack_.back().deepest = std::max(stack_.back().deepest, depth_[frame.node]);
    }

    std::vector<uint32_t> units_;
    std::vector<uint8_t> state_, depth_;
    std::vector<Frame> stack_;
    std::string_view texts_;  // each ends in a NUL, the last one too
    const std::string& file_;
};

uint32_t read_u32(std::string_view bytes, size_t at) {
    uint32_t out = 0;
    for (size_t i = 0; i < 4; ++i) out |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
    return out;
}

}  // namespace

void check_charsmap(std::string_view charsmap, const std::string& file) {
    if (charsmap.empty()) return;
    const auto fail = [&](const auto&... what) {
        throw Error(ErrorKind::kBadInput, cat(file, ": the normalisation rules are damaged: ", what...));
    };
    if (charsmap.size() < 4 || charsmap.size() > kMaxCharsmap) fail(charsmap.size(), " bytes, expected 4 to ", kMaxCharsmap);
    const size_t trie_bytes = read_u32(charsmap, 0);
    if (trie_bytes < 1024 || trie_bytes % 4 != 0 || trie_bytes >= charsmap.size() - 4)
        fail("a trie of ", trie_bytes, " bytes in ", charsmap.size());
    if (charsmap.back() != '\0') fail("the last replacement text does not end");
    std::vector<uint32_t> units(trie_bytes / 4);
    for (size_t i = 0; i < units.size(); ++i) units[i] = read_u32(charsmap, 4 + 4 * i);
    TrieCheck(std::move(units), charsmap.substr(4 + trie_bytes), file).run();
}

}  // namespace hearth
