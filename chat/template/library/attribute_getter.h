// The `attribute` argument of filters: "name", "function.name", 0.
#pragma once

#include "chat/template/library/library.h"

namespace hearth::jinja {

/// Gets one attribute path of each item. Without an attribute, the item itself.
class AttributeGetter {
public:
    /// `attribute`: absent, none, an int, or a text of names and numbers with dots between. `otherwise`: for what is undefined, if given.
    AttributeGetter(Runtime& runtime, const Value& attribute, const Value& otherwise = {});
    Value operator()(const Value& item) const;

private:
    Runtime& runtime_;
    Values path_;
    Value otherwise_;
};

/// Texts in lower case, all else as it is: how Jinja2 compares unless told otherwise.
Value ignoring_case(Runtime& runtime, const Value& value, bool case_sensitive);

}  // namespace hearth::jinja
