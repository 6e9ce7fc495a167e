// Lines that a person types, or that another program writes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace hearth::tool {

class Interrupts;

/// What came instead of a line, or with one.
struct InputLine {
    enum class Kind : uint8_t { kText, kInterrupted, kTerminated, kEnd };
    Kind kind = Kind::kEnd;
    std::string text;        // UTF-8 where typed; may hold newlines that were pasted
    bool was_empty = false;  // kInterrupted: nothing had been typed
};

/// Standard input, line by line. With a terminal: editing, history of this run (never on disk), pasting of several lines at once.
class LineInput {
public:
    virtual ~LineInput() = default;

    /// Waits for a line, or a signal. `prompt` is shown to people only. Throws Error{kTooLarge, kIo}.
    virtual InputLine read(const std::string& prompt) = 0;
};

/// An editor where standard input and one of the outputs is a terminal, else a plain reader. `interrupts` outlives it.
std::unique_ptr<LineInput> make_line_input(Interrupts& interrupts);

std::unique_ptr<LineInput> make_line_editor(Interrupts& interrupts);  // line_editor.cpp, the only one that knows libedit

}  // namespace hearth::tool
