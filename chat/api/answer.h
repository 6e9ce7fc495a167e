// One answer: a conversation goes in, text comes out.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chat/api/chat_request.h"
#include "chat/api/stop_strings.h"
#include "chat/loaded_model.h"

namespace hearth {

/// How an answer ended, once its last text was looked at: a stop string that it completed counts as kStop, but a failure stays a failure.
constexpr FinishReason finish_of(FinishReason reason, bool stop_string) {
    const bool well = reason == FinishReason::kStop || reason == FinishReason::kLength;
    return stop_string && well ? FinishReason::kStop : reason;
}

/// Renders, encodes and submits a request to a model, and turns its tokens into text: never a part of a character, never a part of a
/// stop string. One thread at a time. The model must outlive it. Letting it go cancels.
class Answer {
public:
    /// Throws ApiError: 400 when the template refuses the conversation, 400 context_length_exceeded when it does not fit.
    Answer(LoadedModel& model, const ChatRequest& request);

    /// The same for what was submitted already; `tokenizer` must outlive the answer.
    Answer(const Tokenizer& tokenizer, const std::vector<std::string>& stop, std::shared_ptr<TokenStream> stream);

    /// Text that can be shown now, or "" when none came for `timeout_ms` or the answer is over.
    std::string next(int timeout_ms);

    void cancel() { stream_->cancel(); }

    bool over() const { return finish_.has_value(); }
    FinishReason finish() const { return *finish_; }     // once over; a stop string counts as kStop
    bool context_full() const { return context_full_; }  // with kLength
    const std::string& error() const { return error_; }  // with kError and kNumericError
    bool begun() const { return begun_; }                // a token came, or the end

    /// Of the tokens that were taken from the engine, up to the one that completed a stop string and with it; an end token is none. The
    /// engine runs ahead of its reader, so that its own count differs from one time to the next.
    RequestStats stats() const;

private:
    std::string end(const TokenEvent& event);

    TextDecoder decoder_;
    StopStrings stops_;
    std::shared_ptr<TokenStream> stream_;
    std::optional<FinishReason> finish_;
    bool context_full_ = false, begun_ = false;
    int64_t taken_ = 0;     // tokens
    double decode_ms_ = 0;  // of the last of them
    std::string error_;
};

}  // namespace hearth
