#include "loaders/checkpoint/check_tensors.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "loaders/weights/matrix_source.h"

namespace hearth {
namespace {

constexpr size_t kMaxListed = 5;  // missing tensors that a message names

std::string shape_text(const std::vector<int64_t>& shape) {
    std::vector<std::string> parts;
    for (int64_t extent : shape) parts.push_back(cat(extent));
    return cat("[", join(parts, ", "), "]");
}

/// Looks every needed tensor up; reads no byte of any.
class Checker : public WeightVisitor {
public:
    Checker(const Checkpoint& checkpoint, const Scheme* scheme) : checkpoint_(checkpoint), scheme_(scheme) {}

    void matrix(const std::vector<NeededTensor>& parts, WeightUse, DeviceWeight&) override { check(parts); }
    void vector(const std::vector<NeededTensor>& parts, DeviceVector&) override { check(parts); }

    TensorUse take() {
        if (!missing_.empty()) throw_missing("");
        return std::move(use_);
    }

private:
    void check(const std::vector<NeededTensor>& parts) {
        for (const NeededTensor& needed : parts) {
            const Checkpoint::Entry* entry = checkpoint_.find(needed.name);
            if (const auto layout = needed.k > 0 ? find_layout(checkpoint_, scheme_, needed) : std::nullopt) {
                use_.parameters += needed.n * needed.k;
                for (const Checkpoint::Entry* part : layout->entries()) note_used(*part);
            } else if (entry) {
                check(needed, *entry);
            } else {
                note_missing(needed.name);
            }
        }
    }

    void check(const NeededTensor& needed, const Checkpoint::Entry& entry) {
        const StoredTensor& tensor = *entry.tensor;
        const std::string who = cat(entry.file->file().name(), ": tensor \"", needed.name, "\"");
        const auto type = tensor.type->dtype;
        if (type != DType::kBf16 && type != DType::kF16 && type != DType::kF32) {
            throw Error(ErrorKind::kUnsupported,
                        cat(who, " is of ", tensor.type->name, "; supported: BF16, F16, F32 (is the checkpoint quantised?)"));
        }
        const std::vector<int64_t> shape = needed.k == 0 ? std::vector<int64_t>{needed.n} : std::vector<int64_t>{needed.n, needed.k};
        if (tensor.shape != shape) {
            throw Error(ErrorKind::kBadInput,
                        cat(who, " has shape ", shape_text(tensor.shape), ", config.json asks for ", shape_text(shape)));
        }
        use_.parameters += tensor.numel();
        note_used(entry);
    }

    void note_used(const Checkpoint::Entry& entry) {
        use_.names.insert(entry.tensor->name);
        use_.bytes += entry.tensor->bytes();
    }

    void note_missing(const std::string& name) {
        // What the usual schemes put in a weight's place.
        const std::string stem = name.ends_with(".weight") ? name.substr(0, name.size() - 6) : name + ".";
        for (const char* quantised : {"qweight", "weight_packed", "weight_q", "SCB", "codes"}) {
            if (checkpoint_.find(stem + quantised)) {
                refuse_quantization(checkpoint_.folder().string(), cat("(by its tensors: ", stem, quantised, ")"));
            }
        }
        missing_.push_back(name);
        if (missing_.size() == kMaxListed) throw_missing(" and perhaps more");
    }

    [[noreturn]] void throw_missing(std::string_view more) const {
        throw Error(ErrorKind::kBadInput, cat(checkpoint_.folder().string(), ": no tensor ", join(missing_, ", "), more, " among the ",
                                              checkpoint_.entries().size(), " of the checkpoint; config.json asks for it"));
    }

    const Checkpoint& checkpoint_;
    const Scheme* scheme_;
    TensorUse use_;
    std::vector<std::string> missing_;
};

}  // namespace

TensorUse check_tensors(const Checkpoint& checkpoint, const Scheme* scheme, const ModelConfig& config, const TensorNames& names) {
    Checker checker(checkpoint, scheme);
    visit_weights(config, names, checker);
    return checker.take();
}

}  // namespace hearth
