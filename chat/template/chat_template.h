// How a conversation becomes text with marked spans: a checkpoint's own Jinja template, run in a sandbox.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "chat/template/template_limits.h"
#include "loaders/tokenizer/tokenizer.h"  // TextSpan

namespace hearth {

/// A parsed template. Immutable: any thread may render.
///
/// The subset of Jinja2 that published templates use, under the settings of transformers (trim_blocks, lstrip_blocks, loop controls,
/// raise_exception, strftime_now, tojson). Values are JSON-like; there are no host objects and no attributes but those of values.
class ChatTemplate {
public:
    /// Throws Error{kBadInput} with line and what was expected.
    static std::shared_ptr<const ChatTemplate> parse(std::string_view source, const TemplateLimits& limits = {});

    /// `context`: an object with messages, add_generation_prompt, bos_token, eos_token, tools, ... Its strings are text of people
    /// (untrusted), except bos_token, eos_token and the value of a message's "role", which are template text. A string made from both
    /// keeps which bytes are whose through concatenation, slicing, strip, replace, join, case and the other filters; where a filter
    /// loses track, the result is untrusted as a whole if any input was.
    /// `context` is ordered, because tojson writes the keys of a tool in the order in which its author did.
    /// Text that is not UTF-8 is sanitised (U+FFFD). `now`: seconds since 1970 for strftime_now, read as local time.
    /// Throws Error{kBadInput}: raise_exception's text as it is, undefined values used, limits exceeded (named with their number).
    std::vector<TextSpan> render(const nlohmann::ordered_json& context, int64_t now) const;

    const std::string& source() const { return source_; }
    ~ChatTemplate();

private:
    ChatTemplate();
    struct Program;
    std::unique_ptr<Program> program_;
    std::string source_;
    TemplateLimits limits_;
};

/// A template and where it came from.
struct FoundTemplate {
    std::shared_ptr<const ChatTemplate> chat_template;
    std::string origin;  // "chat_template.jinja", "tokenizer_config.json", "built-in: chatml"
};

/// The template of a checkpoint folder: chat_template.jinja, else tokenizer_config.json's chat_template (a string, or a list of named
/// ones: "default", or "tool_use" where `with_tools` and there is one). Nothing when the folder has none.
std::optional<FoundTemplate> find_template(const std::filesystem::path& folder, bool with_tools = false);

/// Templates for checkpoints that come without: llama2, llama3, mistral, zephyr, chatml, alpaca, vicuna, plain.
/// Throws Error{kBadInput} listing the names.
FoundTemplate builtin_template(std::string_view name);
std::vector<std::string> builtin_template_names();

}  // namespace hearth
