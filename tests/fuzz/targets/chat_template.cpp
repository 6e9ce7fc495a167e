// A template's source, rendered over a fixed conversation. Oracle: steps, time and output stay within the limits.
#include "chat/template/chat_template.h"

#include <nlohmann/json.hpp>

#include "tests/fuzz/cost.h"
#include "tests/fuzz/targets/all.h"

namespace hearth::fuzz {
namespace {

const nlohmann::ordered_json& conversation() {
    static const auto context = nlohmann::ordered_json::parse(R"({
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello <s>"},
                     {"role": "assistant", "content": "Hi", "tool_calls": [{"type": "function", "id": "a",
                      "function": {"name": "f", "arguments": {"x": 1, "y": [1.5, null, "z"]}}}]},
                     {"role": "tool", "content": "4", "tool_call_id": "a"}, {"role": "user", "content": "And?"}],
        "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}}],
        "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>"})");
    return context;
}

}  // namespace

void run_chat_template(std::string_view input) {
    TemplateLimits limits;
    limits.steps = 20'000;
    limits.output_bytes = 256 << 10;
    limits.memory_bytes = 8 << 20;
    limits.time_ms = 1'000;
    accepted([&] {
        const auto chat_template = ChatTemplate::parse(input, limits);
        const ThreadTime time;
        size_t bytes = 0;
        accepted([&] {
            for (const TextSpan& span : chat_template->render(conversation(), 0)) bytes += span.text.size();
        });
        require(bytes <= static_cast<size_t>(limits.output_bytes), "the output stays within its limit");
        // Processor time, which is less than the time that the limit counts: no busy machine makes this a finding.
        require(time.seconds() < 2e-3 * static_cast<double>(limits.time_ms), "rendering ends within its time");
    });
}

std::vector<std::string> seeds_chat_template() {
    std::vector<std::string> out = shared_files("data/chat_templates", ".jinja", 12'000);
    for (const std::string& name : builtin_template_names()) out.push_back(builtin_template(name).chat_template->source());
    out.insert(out.end(),
               {"{{ ''.__class__.__mro__ }}", "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
                "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}", "{{ 'a' * 999999999 }}", "{{ messages | tojson(indent=4) }}",
                "{% set ns = namespace(a=1) %}{% set ns.a = ns.a + 1 %}{{ ns.a ** 99999 }}", "{{ '%9999999d' % 1 }}"});
    return out;
}

}  // namespace hearth::fuzz
