#include "loaders/schemes/scheme_beside.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "loaders/checkpoint/check_tensors.h"
#include "loaders/checkpoint/settle_names.h"
#include "loaders/io/json_file.h"
#include "loaders/io/model_files.h"
#include "loaders/schemes/scheme.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

struct SideFile {
    const char* name;
    const char* method;  // where the file names none
};
constexpr SideFile kSideFiles[] = {{"hf_quant_config.json", ""},
                                   {"quantize_config.json", "gptq"},
                                   {"quant_config.json", "awq"},
                                   {"compression_config.json", "compressed-tensors"}};

/// The scheme that `file` tells of; null where it says that nothing is quantised. Throws Error naming the file.
std::unique_ptr<const Scheme> read_side_file(const fs::path& path, const SideFile& file) {
    const nlohmann::json json = read_json_object(path, kMaxConfigBytes);
    const ConfigFields fields(json, path.string());
    if (fields.is_object("quantization")) {  // modelopt; a null stands for plain weights
        const std::string algorithm = fields.object("quantization").text("quant_algo", "");
        if (algorithm.empty()) return nullptr;
        refuse_quantization(path.string(), algorithm);
    }
    const std::string method = fields.text("quant_method", file.method);
    return method.empty() ? nullptr : read_scheme_section(fields, method);
}

/// Every weight that the model needs is there as plain floats.
bool is_plain(const Checkpoint& checkpoint, CheckpointInfo info) {
    try {
        const TensorNames names = settle_names(checkpoint, info);
        check_tensors(checkpoint, nullptr, info.config, names);
        return true;
    } catch (const Error&) {
        return false;  // what it is is said by whoever reads it with a scheme, or without
    }
}

}  // namespace

void find_scheme_beside(const Checkpoint& checkpoint, CheckpointInfo& info) {
    for (const SideFile& file : kSideFiles) {
        const fs::path path = info.folder / file.name;
        if (!model_file_exists(path)) continue;
        if (is_plain(checkpoint, info)) {
            info.notices.push_back(cat(file.name, " is left aside: all weights are plain"));
            return;
        }
        info.scheme = read_side_file(path, file);
        if (!info.scheme) continue;
        info.quantization = info.scheme->name();
        return;
    }
}

}  // namespace hearth
