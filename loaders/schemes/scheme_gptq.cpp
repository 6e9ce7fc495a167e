// GPTQ, as AutoGPTQ and GPTQModel write it: 4 or 8 bits, packed down the columns' axis, with or without columns sorted by activation.
#include "base/checked.h"
#include "base/text.h"
#include "loaders/schemes/scheme.h"

namespace hearth {
namespace {

class Gptq : public Scheme {
public:
    explicit Gptq(const ConfigFields& section) {
        bits_ = section.integer("bits", 0, 64);
        if (bits_ != 4 && bits_ != 8) section.unsupported("bits", "4, 8");
        group_ = read_group_size(section, "group_size");
        for (const char* field : {"checkpoint_format", "format"}) {  // GPTQModel writes both
            if (!section.has(field)) continue;
            const std::string format = section.text(field, "");
            if (format != "gptq" && format != "gptq_v2") section.unsupported(field, "gptq, gptq_v2");
            second_version_ = format == "gptq_v2";
            break;
        }
        if (section.text("pack_dtype", "int32") != "int32") section.unsupported("pack_dtype", "int32");
        if (section.flag("is_marlin_format", false)) section.unsupported("is_marlin_format", "false");
    }

    std::string name() const override { return cat("gptq, ", bits_, " bits"); }

    std::optional<QuantLayout> find(const Checkpoint& checkpoint, const std::string& module, int64_t n, int64_t k) const override {
        const Checkpoint::Entry* codes = checkpoint.find(module + ".qweight");
        if (!codes) return std::nullopt;
        check_not_plain(checkpoint, module);
        check_type(*codes, {DType::kI32});
        QuantLayout out;
        out.n = n;
        out.k = k;
        out.codes = codes;
        out.order = CodeOrder::kDown;
        read_bits(*codes, out);
        read_scales(checkpoint, module, out);
        const int64_t groups = out.groups();
        out.zeros = &need_tensor(checkpoint, module + ".qzeros", {DType::kI32}, {groups, n * out.bits() / 32});
        out.zero_order = ZeroOrder::kAlong;
        // The first version stores zero points minus one. Its writers subtract the ones from whole words, so that a zero point of 0 borrows
        // from the field to its left; adding them to whole words takes every borrow back.
        if (!second_version_) out.zero_word_offset = out.bits() == 4 ? 0x11111111 : 0x01010101;
        out.zero_offset = -(1 << (out.bits() - 1));
        if (checkpoint.find(module + ".g_idx")) out.g_idx = &need_tensor(checkpoint, module + ".g_idx", {DType::kI32}, {k});
        return out;
    }

private:
    /// A module may have other bits than config.json's (GPTQModel's "dynamic"): the shape tells.
    void read_bits(const Checkpoint::Entry& codes, QuantLayout& out) const {
        for (const int64_t bits : {4, 8}) {
            if (out.k % (32 / bits) != 0 || out.n % (32 / bits) != 0 ||
                codes.tensor->shape != std::vector<int64_t>{out.k * bits / 32, out.n})
                continue;
            out.kind = bits == 4 ? QuantKind::kQ4 : QuantKind::kQ8;
            out.unsigned_codes = bits == 8;
            return;
        }
        refuse_shape(codes, cat("[", out.k * bits_ / 32, ", ", out.n, "] for ", bits_, " bits"));
    }

    void read_scales(const Checkpoint& checkpoint, const std::string& module, QuantLayout& out) const {
        const Checkpoint::Entry* scales = checkpoint.find(module + ".scales");
        const int64_t whole = group_ == 0 ? out.k : group_;
        int64_t groups = ceil_div(out.k, whole);
        out.scale_columns = whole;
        if (scales && scales->tensor->shape.size() == 2 && scales->tensor->shape[0] != groups) {  // "dynamic" again
            groups = scales->tensor->shape[0];
            if (groups <= 0 || out.k % groups != 0 || out.k / groups % kQuantGroup != 0)
                refuse_shape(*scales, cat("[", ceil_div(out.k, whole), ", ", out.n, "], groups of ", whole, " columns"));
            out.scale_columns = out.k / groups;
        }
        out.scales = &need_tensor(checkpoint, module + ".scales", {DType::kF16, DType::kBf16, DType::kF32}, {groups, out.n});
        out.scales_by_group = true;
    }

    int64_t bits_ = 4, group_ = 0;  // 0: all columns
    bool second_version_ = false;   // zero points as they are; the first stores them minus one
};

}  // namespace

extern const SchemeRow kGptq;
const SchemeRow kGptq{"gptq", [](const ConfigFields& section) -> std::unique_ptr<const Scheme> { return std::make_unique<Gptq>(section); }};

}  // namespace hearth
