// AWQ in the layout of its "gemm" kernels: 4 bits with zero points, eight rows of one column in a word.
#include <algorithm>
#include <cctype>

#include "base/checked.h"
#include "base/text.h"
#include "loaders/schemes/scheme.h"

namespace hearth {
namespace {

class Awq : public Scheme {
public:
    explicit Awq(const ConfigFields& section) {
        const char* bits = section.has("bits") ? "bits" : "w_bit";
        if (section.integer(bits, 0, 64, 4) != 4) section.unsupported(bits, "4");
        group_ = read_group_size(section, section.has("group_size") ? "group_size" : "q_group_size");
        std::string version = section.text("version", "gemm");
        std::ranges::transform(version, version.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        if (version != "gemm") section.unsupported("version", "gemm");
        if (!section.flag("zero_point", true)) section.unsupported("zero_point", "true");
    }

    std::string name() const override { return "awq, 4 bits"; }

    std::optional<QuantLayout> find(const Checkpoint& checkpoint, const std::string& module, int64_t n, int64_t k) const override {
        if (!checkpoint.find(module + ".qweight")) return std::nullopt;
        check_not_plain(checkpoint, module);
        QuantLayout out;
        out.n = n;
        out.k = k;
        out.kind = QuantKind::kQ4;
        out.codes = &need_tensor(checkpoint, module + ".qweight", {DType::kI32}, {k, ceil_div<int64_t>(n, 8)});
        if (n % 8 != 0) refuse_shape(*out.codes, "a number of rows that 8 divides");
        out.order = CodeOrder::kAwq;
        out.scale_columns = group_ == 0 ? k : group_;
        out.scales = &need_tensor(checkpoint, module + ".scales", {DType::kF16, DType::kBf16, DType::kF32}, {out.groups(), n});
        out.scales_by_group = true;
        out.zeros = &need_tensor(checkpoint, module + ".qzeros", {DType::kI32}, {out.groups(), n / 8});
        out.zero_order = ZeroOrder::kAwq;
        out.zero_offset = -8;
        return out;
    }

private:
    int64_t group_ = 0;  // 0: all columns
};

}  // namespace

extern const SchemeRow kAwq;
const SchemeRow kAwq{"awq", [](const ConfigFields& section) -> std::unique_ptr<const Scheme> { return std::make_unique<Awq>(section); }};

}  // namespace hearth
