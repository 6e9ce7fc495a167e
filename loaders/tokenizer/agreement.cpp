#include "loaders/tokenizer/agreement.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace hearth {

void check_agreement(const Vocabulary& a, const std::string& a_file, const Vocabulary& b, const std::string& b_file) {
    const size_t both = std::min(a.entries.size(), b.entries.size());
    for (size_t id = 0; id < both; ++id) {
        const VocabularyEntry &x = a.entries[id], &y = b.entries[id];
        if (x.control || y.control || x.name.empty() || y.name.empty() || x.bytes == y.bytes) continue;
        throw Error(ErrorKind::kBadInput, cat(a_file, " and ", b_file, " do not belong together: token ", id, " is \"",
                                              printable(x.name, 40), "\" in the first and \"", printable(y.name, 40), "\" in the second"));
    }
}

}  // namespace hearth
