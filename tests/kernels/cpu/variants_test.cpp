// A variant of the CPU is one file and one line of the list: no other line of the project may have to name it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "kernels/make_backend.h"
#include "tests/kernels/inputs.h"

namespace hearth::testing {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// Where `name` stands in `text` as a whole word.
int64_t count_word(std::string_view text, std::string_view name) {
    int64_t count = 0;
    for (size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
        count += (at == 0 || !is_word(text[at - 1])) && !is_word(text[at + name.size()]);
    }
    return count;
}

/// Sources of the CPU by path below the project.
std::map<std::string, std::string> cpu_sources() {
    const fs::path root(HEARTH_SOURCE_DIR);
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(root / "kernels/cpu")) {
        const std::string kind = entry.path().extension();
        if (kind == ".h" || kind == ".cpp") out[fs::relative(entry.path(), root)] = contents(entry.path());
    }
    return out;
}

/// Names that a source defines as `const Variant<...> NAME{`.
std::vector<std::string> defined_in(const std::string& source) {
    std::vector<std::string> out;
    constexpr std::string_view kStart = "\nconst Variant<";
    for (size_t at = source.find(kStart); at != std::string::npos; at = source.find(kStart, at + 1)) {
        const size_t begin = source.find(' ', at + kStart.size()) + 1,
                     end = source.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", begin);
        out.push_back(source.substr(begin, end - begin));
    }
    return out;
}

TEST(CpuVariants, AVariantIsNamedInItsFileAndInOneRowAlone) {
    const auto sources = cpu_sources();
    int64_t defined = 0;
    for (const auto& [path, source] : sources) {
        for (const std::string& name : defined_in(source)) {
            ++defined;
            for (const auto& [other, text] : sources) {
                const int64_t expected = other == path || other == "kernels/cpu/variants.h" ? 1 : 0;
                EXPECT_EQ(count_word(text, name), expected) << name << " of " << path << " in " << other;
            }
        }
    }
    EXPECT_GE(defined, 20);
}

TEST(CpuVariants, EveryListedVariantIsInATableThatEndsWithTheReference) {
    const auto backend = make_backend({.device = "cpu:portable"});
    int64_t fast = 0, defined = 0;
    for (const auto& [path, source] : cpu_sources()) defined += std::ssize(defined_in(source));
    for_each_table(backend->tables(), [&](std::string_view stage, auto table) {
        ASSERT_FALSE(table.empty()) << stage;
        EXPECT_EQ(table.back().name, cat(stage, "/reference"));
        for (const auto& variant : table) {
            EXPECT_TRUE(variant.name.starts_with(cat(stage, "/"))) << variant.name;
            fast += !variant.name.ends_with("/reference") && !variant.name.ends_with("/composite");
        }
    });
    EXPECT_EQ(fast, defined);
}

TEST(CpuVariants, NoLibraryOfOthersMultiplies) {  // it was never chosen, and brought OpenCL and OpenMP into the program
    const auto backend = make_backend({.device = "cpu:portable"});
    for (const auto& variant : backend->tables().matmul)
        EXPECT_THAT(std::string(variant.name), ::testing::Not(::testing::HasSubstr("onednn")));
}

}  // namespace
}  // namespace hearth::testing
