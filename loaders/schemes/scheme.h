// The ways in which others (and `hearth quantize`) store quantised matrices.
// A new one: one loaders/schemes/scheme_x.cpp, one row in schemes.cpp.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "loaders/config/fields.h"
#include "loaders/schemes/quant_layout.h"

namespace hearth {

/// The quantisation of one checkpoint, as its config.json has it. Immutable.
class Scheme {
public:
    virtual ~Scheme() = default;

    /// For people: "gptq, 4 bits".
    virtual std::string name() const = 0;

    /// How `module`.weight [n, k] lies in the checkpoint. Nothing where none of the scheme's tensors is there: then it is a plain tensor,
    /// whatever lists of exceptions config.json has. Looks at names, dtypes and shapes only. Throws Error naming the tensor.
    virtual std::optional<QuantLayout> find(const Checkpoint& checkpoint, const std::string& module, int64_t n, int64_t k) const = 0;
};

/// One value of quantization_config's quant_method.
struct SchemeRow {
    std::string_view method;
    /// Throws Error{kUnsupported} naming the field, what was found and what is supported.
    std::unique_ptr<const Scheme> (*read)(const ConfigFields& section);
};

std::span<const SchemeRow* const> schemes();

/// The scheme of config.json; null for plain weights. Throws Error{kUnsupported} for a method without a row.
std::shared_ptr<const Scheme> read_scheme(const ConfigFields& config);

/// The scheme of one section, whose quant_method is `method`. Throws as read_scheme does.
std::unique_ptr<const Scheme> read_scheme_section(const ConfigFields& section, std::string method);

/// Throws Error{kUnsupported}: `where` says that the weights are quantised by `method`.
[[noreturn]] void refuse_quantization(const std::string& where, const std::string& method);

// ---- for the schemes

using Types = std::initializer_list<DType>;

/// A tensor that must be there, of one of these types and this shape. Throws Error naming it.
const Checkpoint::Entry& need_tensor(const Checkpoint& checkpoint, const std::string& name, Types types, const std::vector<int64_t>& shape);

/// Throws Error{kBadInput} unless the tensor is of one of these types.
void check_type(const Checkpoint::Entry& entry, Types types);

[[noreturn]] void refuse_shape(const Checkpoint::Entry& entry, std::string_view expected);

/// Throws Error{kBadInput} where a plain `module`.weight lies beside the quantised one: which of them is meant?
void check_not_plain(const Checkpoint& checkpoint, const std::string& module);

/// group_size of a section: the columns that share a scale, 0 for all. Refuses what is not a multiple of 32.
int64_t read_group_size(const ConfigFields& section, std::string_view field);

}  // namespace hearth
