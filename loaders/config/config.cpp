#include "loaders/config/config.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "loaders/checkpoint/checkpoint.h"
#include "loaders/config/generation_config.h"
#include "loaders/config/rope.h"
#include "loaders/config/unusable.h"
#include "loaders/families/families.h"
#include "loaders/io/json_file.h"
#include "loaders/schemes/scheme.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxLayers = 1024, kMaxHidden = 131072, kMaxIntermediate = 1 << 20, kMaxVocab = 4'000'000;
constexpr int64_t kMaxHeads = 4096, kMaxHeadDim = 1024, kMaxContext = int64_t{1} << 27;

const Family& read_family(const ConfigFields& fields) {
    std::vector<std::string> known;
    for (const Family* family : families()) known.emplace_back(family->model_type);
    const std::string type = fields.text("model_type", "");
    if (type.empty()) fields.refuse("model_type", cat("one of ", join(known, ", ")));
    const Family* family = find_family(type);
    if (!family) fields.unsupported("model_type", join(known, ", "));
    return *family;
}

/// A classifier has a language model's tensors but for its head: without this check it would chat, badly.
void check_architecture(const ConfigFields& fields) {
    const auto names = fields.texts("architectures");
    const auto fits = [](const std::string& name) {
        return name.ends_with("ForCausalLM") || name.ends_with("Model") || name.ends_with("LMHeadModel");
    };
    if (!names.empty() && std::none_of(names.begin(), names.end(), fits))
        fields.unsupported("architectures", "language models, named ...ForCausalLM");
}

void read_sizes(const ConfigFields& fields, const FamilyDefaults& defaults, ModelConfig& config) {
    config.layers = fields.integer("num_hidden_layers", 1, kMaxLayers);
    config.hidden = fields.integer("hidden_size", 1, kMaxHidden);
    config.intermediate = fields.integer("intermediate_size", 1, kMaxIntermediate);
    config.vocab = fields.integer("vocab_size", 1, kMaxVocab);
    config.context = config.stated_context = fields.integer("max_position_embeddings", 1, kMaxContext, defaults.context);
    config.heads = fields.integer("num_attention_heads", 1, kMaxHeads);
    // null: as many as heads, in every family; absent: what the family's class assumes
    const int64_t silent = fields.mentions("num_key_value_heads") || defaults.kv_heads == 0 ? config.heads : defaults.kv_heads;
    config.kv_heads = fields.integer("num_key_value_heads", 1, config.heads, silent);
    if (config.kv_heads > config.heads || config.heads % config.kv_heads != 0) {
        fields.refuse("num_key_value_heads", cat("a divisor of num_attention_heads, which is ", config.heads));
    }
    if (fields.has("head_dim")) {
        config.head_dim = fields.integer("head_dim", 2, kMaxHeadDim);
    } else if (defaults.head_dim > 0 && !fields.mentions("head_dim")) {
        config.head_dim = defaults.head_dim;
    } else {
        if (config.hidden % config.heads != 0)
            fields.refuse("num_attention_heads", cat("a divisor of hidden_size, which is ", config.hidden, ", or a field head_dim"));
        config.head_dim = config.hidden / config.heads;
    }
    if (config.head_dim % 2 != 0 || config.head_dim > kMaxHeadDim)
        fields.refuse("head_dim", cat("even and at most ", kMaxHeadDim, "; it works out to ", config.head_dim));
    if (config.heads * config.head_dim > kMaxIntermediate)
        fields.refuse("head_dim", cat("at most ", kMaxIntermediate, " numbers in all heads"));
    config.rms_eps = static_cast<float>(fields.number("rms_norm_eps", 0, 1, defaults.rms_eps));
}

/// YaRN's numbers say which context they stretch, so that max_position_embeddings may name the one before or the one after.
int64_t stretched_context(const ModelConfig& config) {
    if (config.rope.kind != RopeConfig::Kind::kYarn) return config.stated_context;
    const double stretched = config.rope.original_context * config.rope.factor;
    return std::max(config.stated_context, static_cast<int64_t>(std::min(stretched, static_cast<double>(kMaxContext))));
}

void check_layer_types(const ConfigFields& fields, const Family& family, const ModelConfig& config) {
    const auto types = fields.texts("layer_types");
    if (types.empty()) return;
    if (static_cast<int64_t>(types.size()) != config.layers)
        fields.refuse("layer_types", cat("one for each of ", config.layers, " layers, found ", types.size()));
    std::vector<std::string> known = {"full_attention"};
    known.insert(known.end(), family.layer_types.begin(), family.layer_types.end());
    for (const std::string& type : types) {
        if (std::ranges::find(known, type) != known.end()) continue;
        throw Error(ErrorKind::kUnsupported, cat(fields.where(), ": layer_types names \"", printable(type, 40), "\" for a ",
                                                 family.model_type, " model; supported: ", join(known, ", ")));
    }
}

/// "bfloat16" -> "bf16"; what we have no name for stays as it is, for people. The tensors decide.
std::string short_dtype(const std::string& name) {
    const std::string bare = name.starts_with("torch.") ? name.substr(6) : name;
    if (bare == "bfloat16") return "bf16";
    if (bare == "float16" || bare == "half") return "f16";
    if (bare == "float32" || bare == "float") return "f32";
    return printable(bare, 32);
}

}  // namespace

CheckpointInfo read_config(const fs::path& config_json) {
    const nlohmann::json json = read_json_object(config_json, kMaxConfigBytes);
    const ConfigFields fields(json, config_json.string());
    const Family& family = read_family(fields);
    check_architecture(fields);
    if (fields.text("hidden_act", "silu") != "silu" && fields.text("hidden_act", "") != "swish") fields.unsupported("hidden_act", "silu");

    CheckpointInfo info;
    info.folder = config_json.parent_path();
    info.scheme = read_scheme(fields);
    if (info.scheme) info.quantization = info.scheme->name();
    ModelConfig& config = info.config;
    config.family = family.model_type;
    read_sizes(fields, family.defaults, config);
    check_layer_types(fields, family, config);
    config.rope = read_rope(fields, config.stated_context, family.defaults.rope_theta);
    config.context = stretched_context(config);
    family.read(fields, config);
    if (fields.has("tie_word_embeddings")) info.tie_flag = fields.flag("tie_word_embeddings", false);
    config.tied_embeddings = info.tie_flag.value_or(false);
    const auto dtype =
        unless_unusable(info.notices, [&] { return fields.text(fields.has("dtype") ? "dtype" : "torch_dtype", "bfloat16"); });
    config.stored_dtype = short_dtype(dtype.value_or("bfloat16"));
    read_token_ids(fields, info);
    return info;
}

}  // namespace hearth
