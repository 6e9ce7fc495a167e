#include "perf/compare/compare.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "perf/compare/verdict.h"

namespace hearth::perf {

namespace {

std::vector<double> speeds(const Result& result) {
    std::vector<double> out = result.samples;
    if (!result.is_rate) {
        for (double& value : out) value = 1e9 / value;
    }
    return out;
}

/// "512.30 t/s [500.10, 520.77] of 5"; times in ms, or us where that leaves digits.
std::string samples_text(const Result& result) {
    const double middle = median(result.samples);
    const bool small = middle < 1e5;  // ns
    const double scale = result.is_rate ? 1 : small ? 1e3 : 1e6;
    const auto number = [&](double value) { return fixed(value / scale, result.is_rate ? 2 : 3); };
    const auto [least, most] = std::ranges::minmax(result.samples);
    return cat(number(middle),
               result.is_rate ? cat(" ", result.unit, " [")
               : small        ? " us ["
                              : " ms [",
               number(least), ", ", number(most), "] of ", result.samples.size());
}

std::string interval_text(const Judgement& judgement) {
    if (!std::isfinite(judgement.high)) return cat(fixed(judgement.ratio, 3), " [too few samples]");
    return cat(fixed(judgement.ratio, 3), " [", fixed(judgement.low, 3), ", ", fixed(judgement.high, 3), "]");
}

const Result* find(const ResultFile& file, const std::string& name) {
    const auto at = std::ranges::find(file.results, name, &Result::name);
    return at == file.results.end() ? nullptr : &*at;
}

void note_differences(const Result& a, const Result& b, std::string& notes) {
    if (a.setup != b.setup) notes += cat("- ", a.name, ": ", a.setup, " against ", b.setup, "\n");
    if (!a.greedy_hash.empty() && !b.greedy_hash.empty() && a.greedy_hash != b.greedy_hash)
        notes += cat("- ", a.name, ": the greedy tokens differ (", a.greedy_hash, " against ", b.greedy_hash, ")\n");
}

void note_missing(const ResultFile& in, const ResultFile& from, std::string& notes) {
    for (const Result& result : in.results) {
        if (find(from, result.name) == nullptr) notes += cat("- only in ", in.path, ": ", result.name, "\n");
    }
}

}  // namespace

Comparison compare(const ResultFile& a, const ResultFile& b, const CompareOptions& options) {
    if (a.machine != b.machine && !options.any_machine) {
        throw Error(ErrorKind::kBadInput, cat("expected measurements of one machine, found \"", a.machine, "\" in ", a.path, " and \"",
                                              b.machine, "\" in ", b.path, "; --any-machine compares them all the same"));
    }
    Comparison out;
    std::string rows, notes;
    for (const Result& first : a.results) {
        const Result* second = find(b, first.name);
        if (second == nullptr) continue;
        if (first.is_rate != second->is_rate)
            throw Error(ErrorKind::kBadInput, cat(first.name, ": expected one unit, found tokens a second and nanoseconds"));
        const Judgement judgement = judge(speeds(first), speeds(*second), options.within);
        int& count = judgement.verdict == Verdict::kSame     ? out.same
                     : judgement.verdict == Verdict::kFaster ? out.faster
                     : judgement.verdict == Verdict::kSlower ? out.slower
                                                             : out.unclear;
        ++count;
        rows += cat("| ", first.name, " | ", samples_text(first), " | ", samples_text(*second), " | ", interval_text(judgement), " | ",
                    name_of(judgement.verdict), " |\n");
        note_differences(first, *second, notes);
    }
    if (rows.empty())
        throw Error(ErrorKind::kBadInput, cat("expected a test that both files have; ", a.path, " has for instance \"",
                                              a.results.front().name, "\", ", b.path, " \"", b.results.front().name, "\""));
    note_missing(a, b, notes);
    note_missing(b, a, notes);
    out.text = cat("A: ", a.path, ", ", a.machine, ", ", a.date, "\nB: ", b.path, ", ", b.machine, ", ", b.date,
                   "\n\n| test | A: median [least, most] | B | speed of B over A [95 %] | B is |\n|---|---|---|---|---|\n", rows, "\n",
                   notes, notes.empty() ? "" : "\n", out.same, " same, ", out.faster, " faster, ", out.slower, " slower, ", out.unclear,
                   " unclear; differences within ", fixed(100 * options.within, 1), " % are none\n");
    return out;
}

}  // namespace hearth::perf
