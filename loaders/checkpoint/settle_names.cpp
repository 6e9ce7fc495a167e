#include "loaders/checkpoint/settle_names.h"

#include "base/error.h"
#include "base/text.h"
#include "loaders/weights/matrix_source.h"

namespace hearth {
namespace {

/// "; an unknown tensor "output.weight" has its shape": the missing table,
/// most likely, under a name that we do not know. "" where there is none.
std::string stranger_of_its_shape(const Checkpoint& checkpoint, const std::string& table, const ModelConfig& config) {
    const std::vector<int64_t> shape = {config.vocab, config.hidden};
    for (const auto& [name, entry] : checkpoint.entries()) {
        if (name != table && name.find("layers.") == std::string::npos && entry.tensor->shape == shape)
            return cat("; an unknown tensor \"", printable(name), "\" of ", entry.file->file().name(), " has its shape");
    }
    return "";
}

/// Which of the two [V, hidden] tables is there. With both, the head has weights of its own, whatever the flag says: who stored it
/// trained it. One alone is a tie only where config.json does not deny it: a head that was lost must not be replaced in silence.
void settle_tie(const Checkpoint& checkpoint, const std::string& embed, CheckpointInfo& info, TensorNames& names) {
    const std::string head = "lm_head.weight";
    ModelConfig& config = info.config;
    const auto have = [&](const std::string& name) {
        return checkpoint.find(name) || find_layout(checkpoint, info.scheme.get(), {name, config.vocab, config.hidden});
    };
    const bool have_embed = have(embed), have_head = have(head);
    if (!have_embed && !have_head) {
        throw Error(ErrorKind::kBadInput, cat(checkpoint.folder().string(), ": neither ", embed, " nor ", head, " is among its ",
                                              checkpoint.entries().size(), " tensors"));
    }
    config.tied_embeddings = !(have_embed && have_head);
    names.embed = have_embed ? embed : head;
    if (!config.tied_embeddings || info.tie_flag == true) return;
    const std::string& missing = have_embed ? head : embed;
    const std::string stranger = stranger_of_its_shape(checkpoint, names.embed, config);
    if (info.tie_flag == false) {
        throw Error(ErrorKind::kBadInput,
                    cat(checkpoint.folder().string(), ": no tensor ", missing, " among its ", checkpoint.entries().size(),
                        ", and tie_word_embeddings in config.json is false, so that ", names.embed, " does not stand for it", stranger));
    }
    if (!stranger.empty()) {
        throw Error(ErrorKind::kBadInput, cat(checkpoint.folder().string(), ": no tensor ", missing, ", and config.json has no ",
                                              "tie_word_embeddings that lets ", names.embed, " stand for it", stranger));
    }
    info.notices.push_back(cat("no tensor ", missing, ", and config.json has no tie_word_embeddings: ", names.embed, " stands for it"));
}

/// A bias that is there was trained, whatever the flag says; a flag without its tensors is found later.
void settle_biases(const Checkpoint& checkpoint, const std::string& prefix, ModelConfig& config) {
    for (const auto& [name, entry] : checkpoint.entries()) {
        if (!name.ends_with("_proj.bias") || !name.starts_with(prefix + "layers.")) continue;
        config.qkv_bias |= name.ends_with(".self_attn.q_proj.bias") || name.ends_with(".self_attn.k_proj.bias") ||
                           name.ends_with(".self_attn.v_proj.bias");
        config.o_bias |= name.ends_with(".self_attn.o_proj.bias");
        config.mlp_bias |= config.experts == 0 && name.find(".mlp.") != std::string::npos;
    }
}

}  // namespace

TensorNames settle_names(const Checkpoint& checkpoint, CheckpointInfo& info) {
    TensorNames names;
    names.family = find_family(info.config.family);
    if (!checkpoint.find("model.norm.weight") && checkpoint.find("norm.weight")) names.prefix = "";
    settle_tie(checkpoint, names.prefix + "embed_tokens.weight", info, names);
    settle_biases(checkpoint, names.prefix, info.config);
    return names;
}

}  // namespace hearth
