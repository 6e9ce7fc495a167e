#include "runtime/engine/engine.h"

#include <utility>

#include "base/error.h"

namespace hearth {

std::string_view name_of(FinishReason reason) {
    switch (reason) {
        case FinishReason::kStop: return "stop";
        case FinishReason::kLength: return "length";
        case FinishReason::kCancelled: return "cancelled";
        case FinishReason::kTimeout: return "timeout";
        case FinishReason::kNumericError: return "numeric_error";
        case FinishReason::kError: return "error";
    }
    return "?";
}

std::shared_ptr<TokenStream> submit_or_throw(Engine& engine, Request request) {
    Admission admission = engine.submit(std::move(request));
    if (admission.refusal) throw Error(ErrorKind::kNoResources, admission.refusal->message);
    return std::move(admission.stream);
}

}  // namespace hearth
