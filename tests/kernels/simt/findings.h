// What tests of the emulator share: assertions on a report.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "kernels/simt/emulator/emulator.h"
#include "kernels/simt/simt.h"

namespace hearth::simt {

/// The report has a finding of this kind, which names the kernel and this line of this file.
#define EXPECT_FOUND(gpu, kind_, kernel_, line_)                                                        \
    do {                                                                                                \
        const Finding* found_ = (gpu).report().find(kind_);                                             \
        ASSERT_NE(found_, nullptr) << "no such finding; the report is: " << (gpu).report().to_string(); \
        EXPECT_EQ(found_->kernel, kernel_);                                                             \
        EXPECT_EQ(found_->where.line, line_) << found_->to_string();                                    \
        EXPECT_EQ(std::string(found_->where.file), __FILE__);                                           \
    } while (false)

#define EXPECT_CLEAN(gpu) EXPECT_TRUE((gpu).report().clean()) << (gpu).report().to_string()

}  // namespace hearth::simt
