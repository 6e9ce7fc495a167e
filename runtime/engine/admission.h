// What the engine takes: options and requests are checked before anything is made or queued.
#pragma once

#include <memory>
#include <utility>

#include "runtime/engine/engine.h"
#include "runtime/engine/token_channel.h"
#include "runtime/schedule/sequence.h"

namespace hearth {

/// `options` with every default filled in. Throws Error{kBadInput, kTooLarge} naming the option, what was expected and what was found.
EngineOptions resolve_options(EngineOptions options, int64_t max_context);

/// Throws as Engine::submit says.
void check_request(const Request& request, int64_t vocab, int64_t context);

/// A checked request as a sequence, and the channel to its reader.
std::pair<std::unique_ptr<Sequence>, std::shared_ptr<TokenChannel>> make_sequence(Request request, int64_t vocab, int64_t context);

}  // namespace hearth
