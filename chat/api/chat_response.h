// What POST /v1/chat/completions answers: one object, or the chunks of a stream.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "chat/api/answer.h"

namespace hearth {

/// Writes the JSON of one answer. The same id and time throughout.
class ChatResponse {
public:
    /// A new id; the time is now.
    explicit ChatResponse(std::string model);

    /// The whole answer, once it is over.
    std::string whole(const Answer& answer, const std::string& text) const;

    // Server-sent events, each with its empty line.
    std::string first_event() const;
    std::string text_event(std::string_view text) const;
    std::string last_event(const Answer& answer) const;   // finish_reason and timings
    std::string usage_event(const Answer& answer) const;  // only where it was asked for
    static std::string done_event() { return "data: [DONE]\n\n"; }
    static std::string error_event(const std::string& error_body) { return "data: " + error_body + "\n\n"; }
    static std::string keep_alive() { return ": the model is still reading\n\n"; }

private:
    std::string model_, id_;
    int64_t created_;
};

}  // namespace hearth
