// compressed-tensors: int4 and int8 packed into words, with zero points or a group for each column, int8 and FP8 as plain tensors of their
// type, MXFP4. Scales for a tensor, a row (channel), a group of columns or a block. Activations are not quantised, whatever
// input_activations says. Which module has which of the config's groups is told by regular expressions there; here the tensors tell, and
// config.json only what may be among them.
#include <algorithm>

#include "base/checked.h"
#include "base/text.h"
#include "loaders/schemes/scheme.h"

namespace hearth {
namespace {

constexpr const char* kFormats = "pack-quantized, int-quantized, float-quantized, naive-quantized, mxfp4-pack-quantized, mixed-precision";

/// Twice the values of e2m1, so that they are integers.
constexpr Levels kE2m1Levels = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/// The weights of one of the config's groups.
struct Group {
    int64_t columns = 0;                        // that share a scale; 0: all
    int64_t block_rows = 0, block_columns = 0;  // of strategy "block"
    bool symmetric = true;
};

void check_format(const ConfigFields& section) {
    const std::string format = section.text("format", "");
    const std::vector<std::string> known = split(kFormats, ',');
    const bool found = std::ranges::any_of(known, [&](const std::string& one) { return trim(one) == format; });
    if (section.has("format") && !found) section.unsupported("format", kFormats);
}

Group read_weights(const ConfigFields& weights, const std::string& format) {
    Group out;
    const std::string type = weights.text("type", "int"), strategy = weights.text("strategy", "");
    if (type != "int" && type != "float") weights.unsupported("type", "int, float");
    const int64_t bits = weights.integer("num_bits", 0, 64, 8);
    const bool mx = format == "mxfp4-pack-quantized";
    if (type == "float" && bits != (mx ? 4 : 8)) weights.unsupported("num_bits", mx ? "4" : "8 for type float");
    if (type == "int" && bits != 4 && bits != 8) weights.unsupported("num_bits", "4, 8");
    for (const char* known : {"", "tensor", "channel", "group", "block"}) {
        if (strategy == known) break;
        if (std::string_view(known) == "block") weights.unsupported("strategy", "tensor, channel, group, block");
    }
    out.symmetric = weights.flag("symmetric", true);
    if (type == "float" && !out.symmetric) weights.unsupported("symmetric", "true for type float");
    if (strategy == "group" || strategy.empty()) out.columns = read_group_size(weights, "group_size");
    if (strategy != "block") return out;
    const auto block = weights.integers("block_structure", 1, int64_t{1} << 30);
    if (block.size() != 2) weights.refuse("block_structure", "two numbers, rows and columns");
    if (block[1] % kQuantGroup != 0) weights.unsupported("block_structure", cat("blocks of a multiple of ", kQuantGroup, " columns"));
    out.block_rows = block[0];
    out.block_columns = block[1];
    return out;
}

class CompressedTensors : public Scheme {
public:
    explicit CompressedTensors(const ConfigFields& section) {
        check_format(section);
        format_ = section.text("format", "");
        if (section.is_object("sparsity_config")) {
            const ConfigFields sparsity = section.object("sparsity_config");
            if (sparsity.text("format", "dense") != "dense") sparsity.unsupported("format", "dense");
        }
        if (section.is_object("transform_config") && section.object("transform_config").is_object("config_groups") &&
            !section.object("transform_config").object("config_groups").keys().empty()) {
            section.unsupported("transform_config", "none");
        }
        if (!section.is_object("config_groups")) section.refuse("config_groups", "an object of groups");
        const ConfigFields groups = section.object("config_groups");
        for (const std::string& key : groups.keys()) {
            if (!groups.is_object(key)) groups.refuse(key, "an object");
            const ConfigFields group = groups.object(key);
            check_format(group);
            if (group.is_object("weights")) groups_.push_back(read_weights(group.object("weights"), group.text("format", format_)));
        }
    }

    std::string name() const override { return format_.empty() ? "compressed-tensors" : cat("compressed-tensors, ", format_); }

    std::optional<QuantLayout> find(const Checkpoint& checkpoint, const std::string& module, int64_t n, int64_t k) const override {
        QuantLayout out;
        out.n = n;
        out.k = k;
        if (const Checkpoint::Entry* packed = checkpoint.find(module + ".weight_packed")) {
            check_not_plain(checkpoint, module);
            if (packed->tensor->type->dtype == DType::kU8) return mxfp4(checkpoint, module, out);
            read_packed(checkpoint, module, *packed, out);
        } else {
            const Checkpoint::Entry* weight = checkpoint.find(module + ".weight");
            const auto type = weight ? weight->tensor->type->dtype : std::nullopt;
            if (type != DType::kI8 && type != DType::kF8E4M3) return std::nullopt;
            out.kind = type == DType::kI8 ? QuantKind::kQ8 : QuantKind::kF8;
            out.codes = &need_tensor(checkpoint, module + ".weight", {*type}, {n, k});
            out.row_bytes = k;
        }
        read_scales(checkpoint, module, out);
        if (out.kind != QuantKind::kF8) read_zeros(checkpoint, module, out);
        if (checkpoint.find(module + ".weight_g_idx")) out.g_idx = &need_tensor(checkpoint, module + ".weight_g_idx", {DType::kI32}, {k});
        return out;
    }

private:
    static void read_packed(const Checkpoint& checkpoint, const std::string& module, const Checkpoint::Entry& packed, QuantLayout& out) {
        check_type(packed, {DType::kI32});
        out.codes = &packed;
        const auto shape_of = [&](int64_t bits) { return std::vector<int64_t>{out.n, ceil_div(out.k, 32 / bits)}; };
        if (packed.tensor->shape == shape_of(4)) {
            out.kind = QuantKind::kQ4;
        } else if (packed.tensor->shape == shape_of(8)) {
            out.kind = QuantKind::kQ8;
            out.unsigned_codes = true;
        } else {
            refuse_shape(packed, cat("[", out.n, ", ", shape_of(4)[1], "] for 4 bits or [", out.n, ", ", shape_of(8)[1], "] for 8"));
        }
        out.row_bytes = 4 * packed.tensor->shape[1];
        if (!checkpoint.find(module + ".weight_shape")) return;
        const Checkpoint::Entry& shape = need_tensor(checkpoint, module + ".weight_shape", {DType::kI64, DType::kI32}, {2});
        const bool wide = shape.tensor->type->dtype == DType::kI64;
        const auto at = [&](int i) {
            int64_t value = 0;  // little-endian: a positive int32 leaves the upper half zero
            shape.read(i * (wide ? 8 : 4), wide ? 8 : 4, reinterpret_cast<std::byte*>(&value));
            return value;
        };
        if (at(0) != out.n || at(1) != out.k)
            refuse_shape(shape, cat("to hold ", out.n, " and ", out.k, ", found ", at(0), " and ", at(1)));
    }

    std::optional<QuantLayout> mxfp4(const Checkpoint& checkpoint, const std::string& module, QuantLayout& out) const {
        out.kind = QuantKind::kQ4;
        out.levels = kE2m1Levels;
        out.row_bytes = ceil_div<int64_t>(out.k, 2);
        out.codes = &need_tensor(checkpoint, module + ".weight_packed", {DType::kU8}, {out.n, out.row_bytes});
        out.scale_columns = kQuantGroup;
        out.scale_factor = 0.5f;  // of the doubled levels
        out.scales = &need_tensor(checkpoint, module + ".weight_scale", {DType::kU8}, {out.n, out.groups()});
        return out;
    }

    /// Which of the config's groups a module belongs to is told by the shape of its scales.
    void read_scales(const Checkpoint& checkpoint, const std::string& module, QuantLayout& out) const {
        const Checkpoint::Entry* scales = checkpoint.find(module + ".weight_scale");
        if (!scales) need_tensor(checkpoint, module + ".weight_scale", {DType::kBf16}, {out.n, 1});
        check_type(*scales, {DType::kBf16, DType::kF16, DType::kF32});
        out.scales = scales;
        const std::vector<int64_t>& shape = scales->tensor->shape;
        out.scale_columns = out.k;
        if (shape == std::vector<int64_t>{out.n, 1} || shape == std::vector<int64_t>{out.n}) return;
        if (scales->tensor->numel() == 1) {
            out.scale_rows = out.n;
            return;
        }
        for (const Group& group : groups_) {
            const int64_t rows = group.block_rows > 0 ? group.block_rows : 1,
                          columns = group.block_rows > 0 ? group.block_columns : group.columns;
            if (columns == 0 || shape != std::vector<int64_t>{ceil_div(out.n, rows), ceil_div(out.k, columns)}) continue;
            out.scale_rows = rows;
            out.scale_columns = columns;
            return;
        }
        refuse_shape(*scales, cat("one number, [", out.n, ", 1], or as a group of quantization_config has it"));
    }

    void read_zeros(const Checkpoint& checkpoint, const std::string& module, QuantLayout& out) const {
        const std::string name = module + ".weight_zero_point";
        const Checkpoint::Entry* zeros = checkpoint.find(name);
        if (!zeros) {
            const bool all = !groups_.empty() && std::ranges::none_of(groups_, &Group::symmetric);
            if (all) need_tensor(checkpoint, name, {DType::kI32}, {ceil_div<int64_t>(out.n, 32 / out.bits()), out.groups()});
            return;
        }
        out.zeros = zeros;
        if (zeros->tensor->type->dtype == DType::kI32) {
            need_tensor(checkpoint, name, {DType::kI32}, {ceil_div<int64_t>(out.n, 32 / out.bits()), out.groups()});
            out.zero_order = ZeroOrder::kDownRows;
            out.zero_offset = -(1 << (out.bits() - 1));
        } else {  // not packed, as older versions wrote them
            need_tensor(checkpoint, name, {DType::kI8, DType::kI32}, out.scales->tensor->shape);
            out.zero_order = ZeroOrder::kAsScales;
        }
    }

    std::string format_;
    std::vector<Group> groups_;
};

}  // namespace

extern const SchemeRow kCompressedTensors;
const SchemeRow kCompressedTensors{"compressed-tensors", [](const ConfigFields& section) -> std::unique_ptr<const Scheme> {
                                       return std::make_unique<CompressedTensors>(section);
                                   }};

}  // namespace hearth
