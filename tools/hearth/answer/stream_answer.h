// One answer of a model, shown as it comes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/loaded_model.h"

namespace hearth::tool {

class Interrupts;

/// An answer that has ended.
struct StreamedAnswer {
    std::string text;
    std::vector<int32_t> ids;
    FinishReason finish = FinishReason::kStop;
    bool context_full = false;  // with kLength: the context ended it
    std::string error;          // of the engine
    RequestStats stats;
    std::optional<int> signal;  // that cut it short
};

/// Runs `request` and calls `show` with each piece of text, valid UTF-8. A signal in `interrupts` cancels the answer and not the program.
/// `begins_text`: nothing stands before the answer. Throws as Engine::submit does, and what `show` throws.
StreamedAnswer stream_answer(LoadedModel& model, Request request, bool begins_text, Interrupts& interrupts,
                             const std::function<void(std::string_view)>& show);

/// "12 tokens, 41.3 tokens/s; prompt 9 tokens (4 of them cached), first token after 0.08 s".
std::string speed_line(const RequestStats& stats);

/// Tokens per second after the first token, and of the part of the prompt that was computed; 0 where nothing was.
double decode_rate(const RequestStats& stats);
double prefill_rate(const RequestStats& stats);

/// Why the answer ended, where a person should be told; else "".
std::string ending_note(const StreamedAnswer& answer, int64_t context);

}  // namespace hearth::tool
