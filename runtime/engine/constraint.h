// What an answer may consist of, token by token: the seam between the engine and whoever knows grammars.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace hearth {

/// Follows one answer from its first token on. The engine's thread alone calls it. What it throws ends its own answer with kError and the
/// exception's text, and nobody else's: an implementation throws rather than take longer than its budget of steps.
class TokenConstraint {
public:
    virtual ~TokenConstraint() = default;

    /// Sets bit i of the words where id i may come next: `allowed` has ceil(vocab / 32) words, all of them to be written. One bit at least;
    /// none is an error of the answer. Where the answer may end, its stop tokens are among the bits.
    virtual void mask(std::span<uint32_t> allowed) = 0;

    /// The answer goes on with `token`. False, and nothing changes, where the mask does not allow it.
    virtual bool accept(int32_t token) = 0;

    /// Forgets the last `count` accepted tokens: drafts that were refused. At most as many as one step drafts (EngineOptions::max_drafts).
    virtual void rollback(int64_t count) = 0;

    /// Another one in the same state: several answers to one prompt.
    virtual std::unique_ptr<TokenConstraint> copy() const = 0;
};

}  // namespace hearth
