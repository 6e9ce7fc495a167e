#include "tools/hearth/bench/plan.h"

#include "base/text.h"
#include "tools/hearth/commands.h"
#include "tools/hearth/options/command_line.h"

namespace hearth::tool {

namespace {

constexpr int64_t kMostTokens = int64_t{1} << 20;

/// The numbers of one option.
class NumberList {
public:
    NumberList(std::string option, const std::string& text, int64_t least) : option_(std::move(option)), text_(text), least_(least) {
        for (const std::string& part : split(text, ',')) add(part);
    }

    const std::vector<int64_t>& values() const { return values_; }

private:
    [[noreturn]] void refuse() const {
        throw UsageError(cat(option_, ": expected whole numbers from ", least_, " to ", kMostTokens,
                             " with commas between them, or ranges as 512-2048*2 or 0-96+32; found \"", printable(text_, 60), "\""));
    }

    int64_t number(std::string_view text) const {
        const auto value = parse_integer(text);
        if (!value || *value < least_ || *value > kMostTokens) refuse();
        return *value;
    }

    void add(std::string_view part) {
        const size_t dash = part.find('-', 1);  // a sign is not a range
        if (dash == std::string_view::npos) return values_.push_back(number(part));
        const size_t how = part.find_first_of("+*", dash);
        const int64_t first = number(part.substr(0, dash)),
                      last = number(part.substr(dash + 1, how == std::string_view::npos ? how : how - dash - 1));
        const bool multiply = how != std::string_view::npos && part[how] == '*';
        const auto step = how == std::string_view::npos ? 1 : parse_integer(part.substr(how + 1)).value_or(0);
        if (last < first || step < 1 || step > kMostTokens || (multiply && (step < 2 || first < 1))) refuse();
        for (int64_t value = first; value <= last; value = multiply ? value * step : value + step) {
            values_.push_back(value);
            if (std::ssize(values_) > kMostTests) throw UsageError(cat(option_, ": expected at most ", kMostTests, " numbers, found more"));
        }
    }

    std::string option_;
    const std::string& text_;
    int64_t least_;
    std::vector<int64_t> values_;
};

std::vector<BenchTest> read_pairs(const std::string& text) {
    std::vector<BenchTest> out;
    if (text.empty()) return out;
    const auto numbers = whole_numbers("-pg", text, 0);
    if (numbers.size() % 2 != 0)
        throw UsageError(cat("-pg: expected a prompt's and an answer's length, as in 512,128; found \"", printable(text, 60), "\""));
    for (size_t i = 0; i < numbers.size(); i += 2) out.push_back({.prompt = numbers[i], .generate = numbers[i + 1]});
    return out;
}

}  // namespace

std::vector<int64_t> whole_numbers(const std::string& option, const std::string& text, int64_t least) {
    return NumberList(option, text, least).values();
}

std::vector<DType> cache_dtypes(const std::string& names) {
    std::vector<DType> out;
    for (const std::string& name : split(names.empty() ? "bf16" : names, ',')) {
        if (name != "bf16" && name != "q8" && name != "f32")
            throw UsageError(cat("--cache: expected bf16, q8 or f32, with commas between several; found \"", printable(name, 60), "\""));
        out.push_back(name == "q8" ? DType::kI8 : name == "f32" ? DType::kF32 : DType::kBf16);
    }
    return out;
}

std::vector<BenchTest> plan_tests(const BenchSweep& sweep) {
    std::vector<BenchTest> shapes, tests;
    for (const int64_t prompt : whole_numbers("-p", sweep.prompts, 0)) shapes.push_back({.prompt = prompt});
    for (const int64_t generate : whole_numbers("-n", sweep.generates, 0)) shapes.push_back({.generate = generate});
    for (const BenchTest& pair : read_pairs(sweep.pairs)) shapes.push_back(pair);
    const auto depths = whole_numbers("-d", sweep.depths, 0),
               batches = whole_numbers("-b", sweep.batches.empty() ? "512" : sweep.batches, 1),
               sequences = whole_numbers("--parallel,--npl", sweep.sequences, 1);
    std::erase_if(shapes, [](const BenchTest& test) { return test.prompt + test.generate == 0; });
    if (shapes.empty()) throw UsageError("nothing to time: -p and -n are 0");
    for (BenchTest test : shapes) {
        for (const int64_t depth : depths) {
            for (const int64_t batch : batches) {
                for (const int64_t count : sequences) {
                    test.depth = depth, test.batch = batch, test.sequences = count;
                    tests.push_back(test);
                    if (std::ssize(tests) > kMostTests) throw UsageError(cat("expected at most ", kMostTests, " tests, found more"));
                }
            }
        }
    }
    return tests;
}

}  // namespace hearth::tool
