#include "loaders/pool/load_settings.h"

#include "base/text.h"

namespace hearth {

std::string settings_key(const LoadSettings& s) {
    std::string out = cat("context ", s.context, ", cache ", name_of(s.cache_dtype), ", sequences ", s.max_sequences, ", draft \"", s.draft,
                          "\", ", s.quantize.kind ? name_of(*s.quantize.kind) : "as stored");
    for (const KeepRule& rule : s.quantize.keep) out += cat(", ", rule.name, "=", rule.kind ? name_of(*rule.kind) : "float");
    return out;
}

}  // namespace hearth
