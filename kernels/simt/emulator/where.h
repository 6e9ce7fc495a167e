// A line of a kernel's source: what every finding of the emulator names.
#pragma once

namespace hearth::simt {

/// Default arguments of type `Where` are evaluated where the kernel calls, so a kernel never writes one.
/// (The compilers' builtins rather than std::source_location: clang 14 lacks the latter.)
struct Where {
    const char* file = "";
    int line = 0;

    static constexpr Where here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) { return {file, line}; }
    friend constexpr bool operator==(const Where& a, const Where& b) { return a.line == b.line && a.file == b.file; }
};

/// An index together with the line that it stands in: operators take no default arguments, conversions do.
struct At {
    long long index;
    Where where;

    template <class Integer>
    constexpr At(Integer i, Where w = Where::here()) : index(static_cast<long long>(i)), where(w) {}
};

}  // namespace hearth::simt
