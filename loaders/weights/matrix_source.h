// Where the matrices of a checkpoint come from: plain tensors, quantised ones, plain ones to be quantised while they are packed.
#pragma once

#include <optional>
#include <vector>

#include "loaders/quantize/rules.h"
#include "loaders/schemes/scheme.h"

namespace hearth {

/// The parts of one weight as a backend takes them, and the memory under them. Reading the next weight into it uses that memory again.
struct MatrixParts {
    MatrixParts() = default;
    MatrixParts(MatrixParts&&) = default;  // not to be copied: matrices point into the others

    std::vector<HostMatrix> matrices;  // one for each part; what follows has as many at least
    std::vector<ByteBuffer> plain;     // bytes of plain tensors
    std::vector<QuantBytes> stored;    // of quantised ones
    std::vector<QuantPlan> plans;
    std::vector<QuantBuffers> buffers;
    std::vector<std::vector<float>> floats;
};

/// Knows for each weight how it is stored and what it becomes.
///
/// Parts that are stacked into one weight (q, k and v) stay quantised when they are of one kind with the same levels and the same order of
/// columns; where they differ, and where f16 cannot hold the scales, the quantised parts are read as float32.
class MatrixSource {
public:
    /// `scheme` may be null. All are borrowed.
    MatrixSource(const Checkpoint& checkpoint, const Scheme* scheme, const QuantizeRules& rules)
        : checkpoint_(checkpoint), scheme_(scheme), rules_(rules) {}

    /// The tensors that a part is read from.
    std::vector<const Checkpoint::Entry*> tensors(const NeededTensor& part) const;

    /// For Backend::plan: without data. Reads scales, zero points and groups of quantised matrices.
    MatrixParts plan(const std::vector<NeededTensor>& parts, WeightUse use) const;

    /// For Backend::prepare. Throws Error{kIo} when the files cannot be read any more.
    void read(const std::vector<NeededTensor>& parts, WeightUse use, Stream& stream, MatrixParts& out) const;

private:
    std::optional<QuantLayout> layout_of(const NeededTensor& part) const;
    void make(const std::vector<NeededTensor>& parts, WeightUse use, Stream* stream, MatrixParts& out) const;

    const Checkpoint& checkpoint_;
    const Scheme* scheme_;
    const QuantizeRules& rules_;
};

/// How `part` is stored by `scheme` (null: plain weights); nothing for a plain tensor.
std::optional<QuantLayout> find_layout(const Checkpoint& checkpoint, const Scheme* scheme, const NeededTensor& part);

}  // namespace hearth
