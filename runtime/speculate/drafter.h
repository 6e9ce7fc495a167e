// Where drafts come from besides the text itself.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "runtime/engine/engine.h"
#include "runtime/schedule/sequence.h"

namespace hearth {

/// Guesses how sequences go on. Belongs to the engine's thread.
class Drafter {
public:
    virtual ~Drafter() = default;

    struct Ask {
        Sequence* sequence = nullptr;
        int64_t most = 0;  // drafts
    };

    /// Puts up to `most` drafts, or none, behind each sequence's tokens and counts them in Sequence::drafted.
    virtual void draft(std::span<const Ask> asks) = 0;

    /// The sequence ends: nothing need be kept for it.
    virtual void forget(const Sequence& sequence) noexcept = 0;

    /// Milliseconds that one drafted token takes, of late; 0 while nobody knows.
    virtual double token_ms() const = 0;
};

/// Makes one for an engine of these options, all of them filled in.
using MakeDrafter = std::function<std::unique_ptr<Drafter>(const EngineOptions& options)>;

}  // namespace hearth
