// What is said to the server: conversations, each a function of its number.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "perf/serve/load/load_options.h"

namespace hearth::perf {

struct Message {
    std::string role, text;
};

/// One conversation before any answer. Turn i says turns[i]; what the server answers goes between turn i and turn i + 1.
struct Conversation {
    std::vector<std::vector<Message>> turns;  // messages that a turn adds; at least one turn, at least one message each
    std::vector<int64_t> answer_tokens;       // most of each turn's answer
};

/// Conversations by number. Unchanging once made; the same options give the same conversations.
class Prompts {
public:
    /// Reads the file, where there is one. Throws Error naming the file and the line.
    explicit Prompts(const LoadOptions& options);

    /// `index` from 0; the lines of a file begin anew after the last.
    Conversation conversation(int64_t index) const;

private:
    Conversation random_conversation(int64_t index) const;

    LoadOptions options_;
    std::vector<std::vector<std::vector<Message>>> lines_;  // turns of each line of the file
    std::vector<std::string> prefixes_;
};

}  // namespace hearth::perf
