// All that came of a request, and whether two of them are the same to the last bit.
#pragma once

#include <string>
#include <vector>

#include "runtime/engine/engine.h"

namespace hearth::testing {

struct Transcript {
    std::vector<Token> tokens;  // of the answer
    std::vector<Token> scores;  // of the prompt
    std::vector<float> embedding;
    TokenEvent end;
    RequestStats stats;

    std::vector<int32_t> ids() const;
};

/// Reads an answer to its end.
Transcript read_transcript(TokenStream& stream);

/// Submits a request, which must be taken, and reads its answer to its end.
Transcript run_request(Engine& engine, Request request);

/// Where `b` differs from `a` in a token, a log-probability, a list of the most likely, a score, an embedding or the way it ended, in
/// words; empty where every bit is the same. `cut_short`: `b` was cancelled, and is compared as far as it came.
std::string difference(const Transcript& a, const Transcript& b, bool cut_short = false);

/// The reference and each level of this machine's CPU, as names for make_backend: "reference", "cpu:portable", "cpu:avx2", ...
std::vector<std::string> devices_here();

/// How often a promise is tried: `few` in the suite; a trial sets HEARTH_TRIAL_SCHEDULES, and that many.
int trial_size(int few);

/// Whether HEARTH_TRIAL_SCHEDULES asks for the long form.
bool is_trial();

}  // namespace hearth::testing
