// What steps take on this machine, learned from those that ran.
#pragma once

#include <algorithm>
#include <cstdint>

namespace hearth {

/// Two questions: how much of a prompt may be computed in a step while others wait for their next token, and what a step of so many tokens
/// takes. The answers change how work is cut into steps and never what comes out. Not thread-safe.
class StepCost {
public:
    /// A step of `decode_tokens` of answers (drafts among them) and `prefill_tokens` of prompts took `ms`.
    void add(int64_t decode_tokens, int64_t prefill_tokens, double ms) {
        if (prefill_tokens == 0) return add_decode(static_cast<double>(decode_tokens), ms);
        const double rest = decode_tokens > 0 ? std::max(ms - decode_ms(decode_tokens), ms / 4) : ms;
        follow(prefill_token_ms_, rest / static_cast<double>(prefill_tokens), 0.3);
    }

    /// Tokens of prompts that take no longer than 100 ms, or than two decode steps where those are longer; at least 32: less would compute
    /// most prompts at a fraction of the speed.
    int64_t prefill_tokens() const {
        constexpr double kPauseMs = 100;
        constexpr int64_t kLeast = 32;
        if (prefill_token_ms_ <= 0) return kLeast;
        const double most = std::max(kPauseMs, 2 * last_decode_ms_) / prefill_token_ms_;
        return std::max(kLeast, static_cast<int64_t>(std::min(most, 1e6)));
    }

    /// What a step of `tokens` decodes and drafts takes: a straight line through the steps of late; 0 while there were none.
    double decode_ms(int64_t tokens) const {
        if (weight_ <= 0) return 0;
        const double mean_x = sum_x_ / weight_, mean_y = sum_y_ / weight_;
        return std::max(mean_y / 4, mean_y + slope() * (static_cast<double>(tokens) - mean_x));
    }

private:
    static void follow(double& value, double seen, double share) { value = value <= 0 ? seen : value + share * (seen - value); }

    void add_decode(double tokens, double ms) {
        constexpr double kKept = 0.97;  // of what older steps count
        last_decode_ms_ = ms;
        if (weight_ > 8) ms = std::min(ms, 4 * decode_ms(static_cast<int64_t>(tokens)));  // the machine was away
        for (double* sum : {&weight_, &sum_x_, &sum_y_, &sum_xx_, &sum_xy_}) *sum *= kKept;
        weight_ += 1;
        sum_x_ += tokens;
        sum_y_ += ms;
        sum_xx_ += tokens * tokens;
        sum_xy_ += tokens * ms;
    }

    /// Milliseconds a token. Where all steps were of one size nobody knows: a small share of the step, so that drafting is tried.
    double slope() const {
        const double mean_x = sum_x_ / weight_, mean_y = sum_y_ / weight_;
        const double variance = sum_xx_ / weight_ - mean_x * mean_x, covariance = sum_xy_ / weight_ - mean_x * mean_y;
        if (variance < 0.05) return 0.1 * mean_y / std::max(1.0, mean_x);
        return std::clamp(covariance / variance, 0.0, mean_y / std::max(1.0, mean_x));
    }

    double prefill_token_ms_ = 0, last_decode_ms_ = 0;
    double weight_ = 0, sum_x_ = 0, sum_y_ = 0, sum_xx_ = 0, sum_xy_ = 0;
};

}  // namespace hearth
