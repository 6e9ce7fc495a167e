// FP8 e4m3 with one scale for each block of the matrix (`weight_scale_inv`, a factor despite its name), or for the whole of it
// (`weight_scale`). Activations are not quantised, whatever activation_scheme says: weights alone are what a bandwidth pays for.
#include "base/checked.h"
#include "base/text.h"
#include "loaders/schemes/scheme.h"

namespace hearth {
namespace {

class Fp8 : public Scheme {
public:
    explicit Fp8(const ConfigFields& section) {
        const std::string format = section.text("fmt", "e4m3");
        if (format != "e4m3") section.unsupported("fmt", "e4m3");
        const auto block = section.integers("weight_block_size", 1, int64_t{1} << 30);
        if (block.empty()) return;
        if (block.size() != 2) section.refuse("weight_block_size", "two numbers, rows and columns");
        if (block[1] % kQuantGroup != 0) section.unsupported("weight_block_size", cat("blocks of a multiple of ", kQuantGroup, " columns"));
        rows_ = block[0];
        columns_ = block[1];
    }

    std::string name() const override { return rows_ > 0 ? cat("fp8, blocks of ", rows_, " x ", columns_) : "fp8"; }

    std::optional<QuantLayout> find(const Checkpoint& checkpoint, const std::string& module, int64_t n, int64_t k) const override {
        const Checkpoint::Entry* weight = checkpoint.find(module + ".weight");
        if (!weight || weight->tensor->type->dtype != DType::kF8E4M3) return std::nullopt;
        QuantLayout out;
        out.n = n;
        out.k = k;
        out.kind = QuantKind::kF8;
        out.codes = &need_tensor(checkpoint, module + ".weight", {DType::kF8E4M3}, {n, k});
        out.row_bytes = k;
        const Types types = {DType::kF32, DType::kBf16, DType::kF16};
        if (const Checkpoint::Entry* whole = checkpoint.find(module + ".weight_scale"); whole && rows_ == 0) {
            check_type(*whole, types);
            if (whole->tensor->numel() != 1) refuse_shape(*whole, "one number");
            out.scales = whole;
            out.scale_rows = n;
            out.scale_columns = k;
            return out;
        }
        out.scale_rows = rows_ > 0 ? rows_ : n;
        out.scale_columns = columns_ > 0 ? columns_ : k;
        out.scales = &need_tensor(checkpoint, module + ".weight_scale_inv", types, {ceil_div(n, out.scale_rows), out.groups()});
        return out;
    }

private:
    int64_t rows_ = 0, columns_ = 0;  // of a block; 0: one scale for all
};

}  // namespace

extern const SchemeRow kFp8;
const SchemeRow kFp8{"fp8", [](const ConfigFields& section) -> std::unique_ptr<const Scheme> { return std::make_unique<Fp8>(section); }};

}  // namespace hearth
