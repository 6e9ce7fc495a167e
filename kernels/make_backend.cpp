#include "kernels/make_backend.h"

#include "base/error.h"
#include "base/text.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/reference/reference.h"

namespace hearth {

std::vector<std::string> parse_forced(std::string_view list, const Tables& tables) {
    std::vector<std::string> forced;
    for (const std::string& part : split(list, ',')) {
        const std::string name(trim(part));
        if (name.empty()) continue;
        bool known = false;
        std::vector<std::string> of_stage, stages;
        for_each_table(tables, [&](std::string_view stage, auto table) {
            stages.emplace_back(stage);
            for (const auto& variant : table) {
                known |= variant.name == name;
                if (name.starts_with(cat(stage, '/'))) of_stage.emplace_back(variant.name);
            }
        });
        if (!known) {
            throw Error(ErrorKind::kBadInput,
                        of_stage.empty() ? cat("HEARTH_FORCE: '", printable(name), "' names no stage; there are ", join(stages, ", "))
                                         : cat("HEARTH_FORCE: no kernel '", printable(name), "'; there are ", join(of_stage, ", ")));
        }
        forced.push_back(name);
    }
    return forced;
}

std::shared_ptr<const Backend> make_backend(const BackendOptions& options) {
    if (options.device == "reference") return make_reference_backend(options);
    if (options.device == "cpu" || options.device.starts_with("cpu:")) return make_cpu_backend(options);
    const bool gpu = options.device.starts_with("cuda") || options.device.starts_with("gpu");
    throw Error(ErrorKind::kUnsupported, cat("device '", printable(options.device), gpu ? "': GPUs are not served yet; this" : "': this",
                                             " build has cpu (cpu:portable, cpu:avx2, cpu:avx512, cpu:amx) and reference"));
}

}  // namespace hearth
