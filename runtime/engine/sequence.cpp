#include "runtime/engine/sequence.h"

#include "runtime/engine/token_stream.h"

namespace hearth {

Sequence::~Sequence() {
    if (channel) channel->abandon();
}

}  // namespace hearth
