// One answer: a conversation goes in, text comes out.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "chat/api/chat_request.h"
#include "chat/api/stop_strings.h"
#include "chat/session.h"

namespace hearth {

/// Renders, encodes and submits a request to a model, and turns its tokens into text: never a part of a character, never a part of a
/// stop text. One thread at a time. The model must outlive it. Letting it go cancels.
class Answer {
public:
    /// Throws ApiError: 400 when the template refuses the conversation, 400 context_length_exceeded when it does not fit.
    Answer(LoadedModel& model, const ChatRequest& request);

    /// Text that can be shown now, or "" when none came for `timeout_ms` or the answer is over.
    std::string next(int timeout_ms);

    void cancel() { stream_->cancel(); }

    bool over() const { return finish_.has_value(); }
    FinishReason finish() const { return *finish_; }     // once over; a stop text counts as kStop
    bool context_full() const { return context_full_; }  // with kLength
    const std::string& error() const { return error_; }  // with kError and kNumericError
    bool begun() const { return begun_; }                // a token came, or the end
    RequestStats stats() const { return stream_->stats(); }

private:
    std::string end(const TokenEvent& event);

    TextDecoder decoder_;
    StopStrings stops_;
    std::shared_ptr<TokenStream> stream_;
    std::optional<FinishReason> finish_;
    bool context_full_ = false, begun_ = false;
    std::string error_;
};

}  // namespace hearth
