// Values of a file on which no number of the model depends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace hearth {

/// What `read` returns; nothing where it throws Error, whose message then becomes a notice: such a value is left aside, not refused.
template <class Read>
auto unless_unusable(std::vector<std::string>& notices, Read&& read) -> std::optional<decltype(read())> {
    try {
        return read();
    } catch (const Error& error) {
        notices.push_back(cat(error.what(), "; left aside"));
        return std::nullopt;
    }
}

}  // namespace hearth
