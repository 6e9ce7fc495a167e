// Numbers and texts in fields: what %-formatting, str.format and `round` need.
#pragma once

#include <string_view>

#include "chat/template/values/value.h"

namespace hearth::jinja {

/// `format % argument` of Python.
Value format_percent(Runtime& runtime, const TextPtr& format, const Value& argument);

/// str.format.
Value format_braces(Runtime& runtime, const TextPtr& format, const Values& positional,
                    const std::vector<std::pair<std::string, Value>>& named);

}  // namespace hearth::jinja
