// What tests of the emulator share: assertions on what it found.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "kernels/simt/emulator/check.h"
#include "kernels/simt/emulator/emulator.h"
#include "kernels/simt/simt.h"

namespace hearth::simt {

inline Report report_of(const Emulator& gpu) { return gpu.report(); }
inline Report report_of(const Report& report) { return report; }

/// The emulator's report, or this report, has a finding of the kind, which names the kernel and this line of the file.
inline void expect_found(const Report& report, Kind kind, const std::string& kernel, int line, const char* file) {
    const Finding* found = report.find(kind);
    ASSERT_NE(found, nullptr) << "no " << name_of(kind) << "; the report is: " << report.to_string();
    EXPECT_EQ(found->kernel, kernel);
    EXPECT_EQ(found->where.line, line) << found->to_string();
    EXPECT_EQ(std::string(found->where.file), file);
}

#define EXPECT_FOUND(what, kind, kernel, line)                     \
    do {                                                           \
        SCOPED_TRACE("here");                                      \
        const Report report_found = report_of(what); /* may run */ \
        expect_found(report_found, kind, kernel, line, __FILE__);  \
    } while (false)

#define EXPECT_CLEAN(what) EXPECT_EQ(report_of(what).to_string(), "")

}  // namespace hearth::simt
