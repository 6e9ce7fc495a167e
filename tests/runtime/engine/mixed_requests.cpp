#include "tests/runtime/engine/mixed_requests.h"

#include <limits>
#include <random>

#include "tests/runtime/engine/scripted_constraint.h"

namespace hearth::testing {
namespace {

class Maker {
public:
    Maker(int number, int64_t vocab) : random_(static_cast<uint32_t>(number) * 7919 + 17), vocab_(vocab) {}

    Request make() {
        Request r;
        r.owner = below(3);
        add_prompt(r.prompt);
        r.max_tokens = one_in(12) ? -1 : 1 + below(60);
        add_sampling(r.sampling);
        add_steering(r);
        add_looks(r);
        return r;
    }

private:
    int64_t below(int64_t end) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(end)); }
    bool one_in(int64_t n) { return below(n) == 0; }
    int32_t id() { return static_cast<int32_t>(below(vocab_)); }

    /// Most begin with a part of one of three texts.
    void add_prompt(std::vector<int32_t>& prompt) {
        if (!one_in(3)) {
            std::mt19937 text(static_cast<uint32_t>(below(3)));
            const int64_t length = 1 + below(140);
            for (int64_t i = 0; i < length; ++i) prompt.push_back(static_cast<int32_t>(text() % static_cast<uint64_t>(vocab_)));
        }
        for (int64_t rest = one_in(4) ? 0 : below(40); rest > 0; --rest) prompt.push_back(id());
        if (prompt.empty()) prompt.push_back(id());
    }

    void add_sampling(SampleParams& p) {
        p.seed = random_() | uint64_t{random_()} << 32;
        p.temperature = one_in(3) ? 0.0f : 0.2f + 0.1f * static_cast<float>(below(12));
        if (one_in(4)) p.top_k = static_cast<int32_t>(1 + below(20));
        if (one_in(4)) p.top_p = 0.3f + 0.1f * static_cast<float>(below(7));
        if (one_in(6)) p.min_p = 0.05f;
        if (one_in(4)) p.repetition_penalty = 1.25f;
        if (one_in(5)) p.frequency_penalty = 0.4f;
        if (one_in(5)) p.presence_penalty = -0.3f;
    }

    void add_steering(Request& r) {
        if (one_in(3)) {
            for (int i = 0; i < 6; ++i) r.stop_tokens.push_back(id());
            if (r.max_tokens > 0 && one_in(2)) r.min_tokens = 1 + below(r.max_tokens);
        }
        if (one_in(5)) {
            for (int i = 0; i < 4; ++i) r.logit_bias.push_back({.id = id(), .value = static_cast<float>(below(9)) - 4});
            r.logit_bias.push_back({.id = id(), .value = -std::numeric_limits<float>::infinity()});
        }
        if (one_in(6)) r.constraint = only_even(static_cast<int32_t>(vocab_));
        if (r.constraint) r.stop_tokens.clear(), r.min_tokens = 0;
    }

    void add_looks(Request& r) {
        if (!one_in(3)) r.top_log_probabilities = static_cast<int32_t>(below(6));
        r.score_prompt = one_in(7);
        if (r.score_prompt && one_in(3)) r.max_tokens = r.min_tokens = 0;
        if (!r.score_prompt && one_in(12)) r.goal = Request::Goal::kEmbedding;
    }

    std::mt19937 random_;
    int64_t vocab_;
};

}  // namespace

Request mixed_request(int number, int64_t vocab) { return Maker(number, vocab).make(); }

}  // namespace hearth::testing
