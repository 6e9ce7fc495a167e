// Templates for checkpoints that come without one: the formats that models of a kind were trained on.
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "chat/template/chat_template.h"

namespace hearth {
namespace {

struct Builtin {
    std::string_view name, source;
};

// System text opens the first user turn; every answer ends with the end token, every user turn begins with the beginning token.
constexpr std::string_view kLlama2 = R"({%- set ns = namespace(system='') -%}
{%- for message in messages -%}
    {%- if message.role == 'system' -%}
        {%- set ns.system = '<<SYS>>\n' + message.content + '\n<</SYS>>\n\n' -%}
    {%- elif message.role == 'assistant' -%}
        {{- ' ' + message.content | trim + ' ' + eos_token -}}
    {%- else -%}
        {{- bos_token + '[INST] ' + (ns.system + message.content) | trim + ' [/INST]' -}}
        {%- set ns.system = '' -%}
    {%- endif -%}
{%- endfor -%})";

constexpr std::string_view kLlama3 = R"({{- bos_token -}}
{%- for message in messages -%}
    {{- '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' + message.content | trim + '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}
{%- endif -%})";

constexpr std::string_view kMistral = R"({{- bos_token -}}
{%- set ns = namespace(system='') -%}
{%- for message in messages -%}
    {%- if message.role == 'system' -%}
        {%- set ns.system = message.content + '\n\n' -%}
    {%- elif message.role == 'assistant' -%}
        {{- ' ' + message.content | trim + eos_token -}}
    {%- else -%}
        {{- '[INST] ' + ns.system + message.content + ' [/INST]' -}}
        {%- set ns.system = '' -%}
    {%- endif -%}
{%- endfor -%})";

constexpr std::string_view kZephyr = R"({%- for message in messages -%}
    {{- '<|' + message.role + '|>\n' + message.content + eos_token + '\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<|assistant|>\n' -}}
{%- endif -%})";

constexpr std::string_view kChatml = R"({%- for message in messages -%}
    {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<|im_start|>assistant\n' -}}
{%- endif -%})";

constexpr std::string_view kAlpaca = R"({{- bos_token -}}
{%- for message in messages -%}
    {%- if message.role == 'user' -%}
        {{- '### Instruction:\n' + message.content | trim + '\n\n' -}}
    {%- elif message.role == 'assistant' -%}
        {{- '### Response:\n' + message.content | trim + eos_token + '\n\n' -}}
    {%- else -%}
        {{- message.content | trim + '\n\n' -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '### Response:\n' -}}
{%- endif -%})";

constexpr std::string_view kVicuna = R"({{- bos_token -}}
{%- for message in messages -%}
    {%- if message.role == 'user' -%}
        {{- 'USER: ' + message.content | trim + ' ' -}}
    {%- elif message.role == 'assistant' -%}
        {{- 'ASSISTANT: ' + message.content | trim + eos_token -}}
    {%- else -%}
        {{- message.content | trim + ' ' -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- 'ASSISTANT:' -}}
{%- endif -%})";

// For models that were never taught a format: names in plain words.
constexpr std::string_view kPlain = R"({{- bos_token -}}
{%- for message in messages -%}
    {%- if message.role == 'system' -%}
        {{- message.content | trim + '\n\n' -}}
    {%- else -%}
        {{- message.role | capitalize + ': ' + message.content | trim + '\n' -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- 'Assistant:' -}}
{%- endif -%})";

constexpr Builtin kBuiltins[] = {
    {"llama2", kLlama2}, {"llama3", kLlama3}, {"mistral", kMistral}, {"zephyr", kZephyr},
    {"chatml", kChatml}, {"alpaca", kAlpaca}, {"vicuna", kVicuna},   {"plain", kPlain},
};

}  // namespace

std::vector<std::string> builtin_template_names() {
    std::vector<std::string> names;
    for (const Builtin& each : kBuiltins) names.emplace_back(each.name);
    return names;
}

FoundTemplate builtin_template(std::string_view name) {
    for (const Builtin& each : kBuiltins) {
        if (each.name == name) return {ChatTemplate::parse(each.source), cat("built-in: ", name)};
    }
    throw Error(ErrorKind::kBadInput, cat("chat template '", printable(name), "': expected one of ", join(builtin_template_names(), ", ")));
}

}  // namespace hearth
