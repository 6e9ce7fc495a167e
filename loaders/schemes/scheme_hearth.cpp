// What `hearth quantize` writes: NAME.codes in row order (I8 for q8, U8
// with two codes a byte for q4) and NAME.scales, f16, one for 32 columns.
#include <algorithm>

#include "base/checked.h"
#include "base/text.h"
#include "loaders/schemes/scheme.h"

namespace hearth {
namespace {

class Hearth : public Scheme {
public:
    explicit Hearth(const ConfigFields& section) {
        if (section.integer("version", 0, 1 << 20) != 1) section.unsupported("version", "1");
        if (section.integer("group_size", 0, 1 << 20) != kQuantGroup) section.unsupported("group_size", cat(kQuantGroup));
        format_ = section.text("format", "");
        if (format_ != "q4" && format_ != "q8") section.unsupported("format", "q4, q8");
        const auto levels = section.integers("levels", -128, 127);
        if (levels.size() != levels_.size()) section.refuse("levels", cat(levels_.size(), " numbers"));
        std::ranges::transform(levels, levels_.begin(), [](int64_t x) { return static_cast<int8_t>(x); });
    }

    std::string name() const override { return format_; }

    std::optional<QuantLayout> find(const Checkpoint& checkpoint, const std::string& module, int64_t n, int64_t k) const override {
        const Checkpoint::Entry* codes = checkpoint.find(module + ".codes");
        if (!codes) return std::nullopt;
        check_not_plain(checkpoint, module);
        check_type(*codes, {DType::kI8, DType::kU8});
        QuantLayout out;
        out.n = n;
        out.k = k;
        out.kind = codes->tensor->type->dtype == DType::kI8 ? QuantKind::kQ8 : QuantKind::kQ4;
        out.levels = levels_;
        out.row_bytes = code_bytes(out.kind, k);
        out.codes = &need_tensor(checkpoint, module + ".codes", {DType::kI8, DType::kU8}, {n, out.row_bytes});
        out.scale_columns = kQuantGroup;
        out.scales = &need_tensor(checkpoint, module + ".scales", {DType::kF16}, {n, ceil_div(k, kQuantGroup)});
        return out;
    }

private:
    std::string format_;  // of most matrices
    Levels levels_{};
};

}  // namespace

extern const SchemeRow kHearth;
const SchemeRow kHearth{"hearth",
                        [](const ConfigFields& section) -> std::unique_ptr<const Scheme> { return std::make_unique<Hearth>(section); }};

}  // namespace hearth
