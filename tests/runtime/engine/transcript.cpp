#include "tests/runtime/engine/transcript.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <span>

#include "base/error.h"
#include "base/text.h"
#include "kernels/make_backend.h"

namespace hearth::testing {
namespace {

bool same_bits(float a, float b) { return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b); }

std::string difference(const Token& a, const Token& b) {
    if (a.id != b.id) return cat("id ", a.id, " and ", b.id);
    if (!same_bits(a.log_probability, b.log_probability)) return cat("log-probability ", a.log_probability, " and ", b.log_probability);
    if (a.top.size() != b.top.size()) return cat(a.top.size(), " and ", b.top.size(), " of the most likely");
    for (size_t i = 0; i < a.top.size(); ++i) {
        if (a.top[i].id != b.top[i].id || !same_bits(a.top[i].log_probability, b.top[i].log_probability))
            return cat("place ", i, " of the most likely: id ", a.top[i].id, " (", a.top[i].log_probability, ") and ", b.top[i].id, " (",
                       b.top[i].log_probability, ")");
    }
    return {};
}

std::string difference(std::string_view what, std::span<const Token> a, std::span<const Token> b, bool cut_short) {
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        if (const std::string found = difference(a[i], b[i]); !found.empty()) return cat(what, " ", i, ": ", found);
    }
    if (b.size() > a.size() || (!cut_short && b.size() < a.size())) return cat(what, ": ", a.size(), " and ", b.size(), " of them");
    return {};
}

}  // namespace

std::vector<int32_t> Transcript::ids() const {
    std::vector<int32_t> out;
    for (const Token& token : tokens) out.push_back(token.id);
    return out;
}

Transcript read_transcript(TokenStream& stream) {
    Transcript out;
    while (true) {
        auto event = stream.next();
        if (event->finish) {
            out.end = *event;
            break;
        }
        out.tokens.push_back(std::move(event->token));
    }
    out.scores = stream.prompt_scores();
    out.embedding = stream.embedding();
    out.stats = stream.stats();
    return out;
}

Transcript run_request(Engine& engine, Request request) { return read_transcript(*submit_or_throw(engine, std::move(request))); }

std::string difference(const Transcript& a, const Transcript& b, bool cut_short) {
    if (b.end.finish != a.end.finish && !b.end.error.empty())
        return cat("ends: ", name_of(*a.end.finish), " and ", name_of(*b.end.finish), " '", b.end.error, "'");
    if (std::string found = difference("token", a.tokens, b.tokens, cut_short); !found.empty()) return found;
    if (std::string found = difference("score", a.scores, b.scores, cut_short); !found.empty()) return found;
    if (cut_short) return {};
    if (a.embedding.size() != b.embedding.size()) return cat("embeddings of ", a.embedding.size(), " and ", b.embedding.size(), " numbers");
    for (size_t i = 0; i < a.embedding.size(); ++i) {
        if (!same_bits(a.embedding[i], b.embedding[i])) return cat("embedding, ", i, ": ", a.embedding[i], " and ", b.embedding[i]);
    }
    if (a.end.finish != b.end.finish || a.end.context_full != b.end.context_full || a.end.error != b.end.error)
        return cat("ends: ", name_of(*a.end.finish), " '", a.end.error, "' and ", name_of(*b.end.finish), " '", b.end.error, "'");
    return {};
}

std::vector<std::string> devices_here() {
    std::vector<std::string> out = {"reference"};
    for (const std::string level : {"cpu:portable", "cpu:avx2", "cpu:avx512", "cpu:amx"}) {
        try {
            make_backend({.device = level, .threads = 1});
            out.push_back(level);
        } catch (const Error&) {  // not on this machine
        }
    }
    return out;
}

int trial_size(int few) {
    const char* asked = std::getenv("HEARTH_TRIAL_SCHEDULES");
    return asked ? std::max(few, std::atoi(asked)) : few;
}

bool is_trial() { return std::getenv("HEARTH_TRIAL_SCHEDULES") != nullptr; }

}  // namespace hearth::testing
