#include "runtime/engine/token_stream.h"

#include <chrono>
#include <utility>

#include "base/error.h"

namespace hearth {

TokenChannel::TokenChannel(int64_t prompt_tokens, int64_t tokens) {
    tokens_.reserve(static_cast<size_t>(tokens));
    stats_.prompt_tokens = prompt_tokens;
}

void TokenChannel::push(int32_t token, const RequestStats& stats) {
    {
        const std::lock_guard lock(mutex_);
        HEARTH_CHECK(!end_);
        tokens_.push_back({token, static_cast<float>(stats.decode_ms)});
        stats_ = stats;
    }
    changed_.notify_one();
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
        end_ = TokenEvent{.token = -1, .finish = FinishReason::kError, .context_full = false, .error = "out of memory"};
    }
    changed_.notify_all();
}

std::optional<TokenEvent> TokenChannel::next(int64_t timeout_ms) {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return read_ < tokens_.size() || end_; };
    if (timeout_ms < 0) {
        changed_.wait(lock, ready);
    } else if (!changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), ready)) {
        return std::nullopt;
    }
    if (read_ == tokens_.size()) return end_;
    const Drawn& drawn = tokens_[read_++];
    return TokenEvent{.token = drawn.token, .finish = {}, .context_full = false, .error = {}, .decode_ms = double{drawn.decode_ms}};
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

private:
    std::shared_ptr<TokenChannel> channel_;
};

}  // namespace

std::shared_ptr<TokenStream> make_token_stream(std::shared_ptr<TokenChannel> channel) {
    return std::make_shared<ChannelReader>(std::move(channel));
}

}  // namespace hearth
