#include "runtime/engine/token_channel.h"

#include <chrono>
#include <utility>

#include "base/error.h"

namespace hearth {

void TokenChannel::push(std::span<const Token> tokens, const RequestStats& stats) {
    {
        const std::lock_guard lock(mutex_);
        HEARTH_CHECK(!end_);
        for (const Token& token : tokens) tokens_.push_back({token, stats.decode_ms});
        stats_ = stats;
    }
    changed_.notify_one();
}

void TokenChannel::push_scores(std::span<const Token> scores) {
    if (scores.empty()) return;
    const std::lock_guard lock(mutex_);
    scores_.insert(scores_.end(), scores.begin(), scores.end());
}

void TokenChannel::push_embedding(std::vector<float> embedding) {
    const std::lock_guard lock(mutex_);
    embedding_ = std::move(embedding);
}

void TokenChannel::finish(TokenEvent end, const RequestStats& stats) {
    {
        const std::lock_guard lock(mutex_);
        HEARTH_CHECK(!end_ && end.finish);
        end_ = std::move(end);
        stats_ = stats;
    }
    changed_.notify_all();
}

void TokenChannel::abandon() noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (end_) return;
        // Short enough to need no memory, which is what was lacking.
        end_ = TokenEvent{.token = {}, .finish = FinishReason::kError, .context_full = false, .error = "out of memory"};
    }
    changed_.notify_all();
}

std::optional<TokenEvent> TokenChannel::next(int64_t timeout_ms) {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return !tokens_.empty() || end_; };
    if (timeout_ms < 0) {
        changed_.wait(lock, ready);
    } else if (!changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), ready)) {
        return std::nullopt;
    }
    if (tokens_.empty()) return end_;
    TokenEvent event;
    event.token = std::move(tokens_.front().token);
    event.decode_ms = tokens_.front().decode_ms;
    tokens_.pop_front();
    return event;
}

std::vector<Token> TokenChannel::prompt_scores() const {
    const std::lock_guard lock(mutex_);
    return scores_;
}

std::vector<float> TokenChannel::embedding() const {
    const std::lock_guard lock(mutex_);
    return embedding_;
}

RequestStats TokenChannel::stats() const {
    const std::lock_guard lock(mutex_);
    return stats_;
}

namespace {

class ChannelReader final : public TokenStream {
public:
    explicit ChannelReader(std::shared_ptr<TokenChannel> channel) : channel_(std::move(channel)) {}
    ~ChannelReader() override { channel_->cancel(); }
    std::optional<TokenEvent> next(int64_t timeout_ms) override { return channel_->next(timeout_ms); }
    void cancel() override { channel_->cancel(); }
    RequestStats stats() const override { return channel_->stats(); }
    std::vector<Token> prompt_scores() const override { return channel_->prompt_scores(); }
    std::vector<float> embedding() const override { return channel_->embedding(); }

private:
    std::shared_ptr<TokenChannel> channel_;
};

}  // namespace

std::shared_ptr<TokenStream> make_token_stream(std::shared_ptr<TokenChannel> channel) {
    return std::make_shared<ChannelReader>(std::move(channel));
}

}  // namespace hearth
