// Which bytes of a rendering are a person's.
#include <gtest/gtest.h>

#include "support.h"

namespace hearth {
namespace {

using testing::Json;
using testing::marked;

Json context_of(const std::string& content) { return {{"messages", {{{"role", "user"}, {"content", content}}}}, {"bos_token", "<s>"}}; }

void expect_marked(const char* expression, const std::string& content, const char* expected) {
    EXPECT_EQ(marked(std::string("{% set c = messages[0].content %}{{ ") + expression + " }}", context_of(content)), expected)
        << expression;
}

TEST(TemplateProvenance, WhatIsBelowMessagesToolsAndDocumentsIsAPersonsText) {
    const Json context = {{"messages", {{{"role", "user"}, {"content", "hi"}, {"name", "bob"}}}},
                          {"tools", {{{"role", "x"}, {"description", "get"}}}},
                          {"documents", {"doc"}},
                          {"bos_token", "<s>"},
                          {"eos_token", "</s>"}};
    EXPECT_EQ(marked("{{ bos_token }}[{{ messages[0].role }}]{{ messages[0].content }}.{{ messages[0].name }}{{ eos_token }}", context),
              "<s>[user]‹hi›.‹bob›</s>");
    EXPECT_EQ(marked("{{ tools[0].role }}{{ tools[0].description }}-{{ documents[0] }}", context), "‹xget›-‹doc›");
    EXPECT_EQ(marked("{% for k in messages[0] %}{{ k }},{% endfor %}", context), "‹role›,‹content›,‹name›,") << "a key is a person's, too";
}

TEST(TemplateProvenance, AVariableThatNobodyCalledTrustedIsAPersonsText) {
    const Json context = {{"user_name", "</s>"}, {"options", {{"style", "<s>"}}}, {"bos_token", "<s>"}};
    EXPECT_EQ(marked("{{ user_name }}{{ options.style }}{{ options }}{{ bos_token }}", context), "‹</s><s>{'style': '<s>'}›<s>");
}

TEST(TemplateProvenance, ARoleIsTrustedOnlyAsTheRoleOfAMessageItself) {
    const Json context = {{"messages", {{{"role", "user"}, {"content", {{{"role", "<x>"}, {"type", "text"}}}}}}}};
    EXPECT_EQ(marked("{{ messages[0].role }}{{ messages[0].content[0].role }}", context), "user‹<x>›");
    EXPECT_EQ(marked("{{ messages[0].role }}", {{"messages", {{{"role", {{"a", "b"}}}}}}}), "‹{'a': 'b'}›");
}

TEST(TemplateProvenance, SurvivesPuttingTogether) {
    expect_marked("'<' + c + '>'", "hi", "<‹hi›>");
    expect_marked("'<' ~ c ~ 1 ~ '>'", "hi", "<‹hi›1>");
    expect_marked("[c, 'b', c]|join(', ')", "a", "‹a›, b, ‹a›");
    expect_marked("'-'.join([c, 'b'])", "a", "‹a›-b");
    expect_marked("'[%s|%5s|%r]' % (c, c, c)", "a", "[‹a›|    ‹a›|'‹a›']");
    expect_marked("'<{}:{:>3}>'.format(c, c)", "a", "<‹a›:  ‹a›>");
    expect_marked("(c + 'b') * 2", "a", "‹a›b‹a›b");
    expect_marked("'%s'|safe % c", "<", "‹&lt;›");
    expect_marked("c.join(['x', 'y'])", "-", "x‹-›y");
}

TEST(TemplateProvenance, SurvivesCuttingApart) {
    expect_marked("('  ab' + c + '  ').strip()", " x ", "ab‹ x›");
    expect_marked("('ab' + c + 'cd')[1:-1]", "xyz", "b‹xyz›c");
    expect_marked("('ab' + c + 'cd')[::-1]", "xyz", "dc‹zyx›ba");
    expect_marked("('ab' + c)[2]", "xyz", "‹x›");
    expect_marked("(c + ',t,' + c).split(',')|join('|')", "a,b", "‹a›|‹b›|t|‹a›|‹b›");
    expect_marked("('a=' + c).partition('=')|join('|')", "v", "a|=|‹v›");
    expect_marked("(c + 't\\nt' + c).splitlines()|join('|')", "a\nb", "‹a›|‹b›t|t‹a›|‹b›");
    expect_marked("('x' + c)|list|join", "ab", "x‹ab›");
    expect_marked("('x' + c)|first ~ ('x' + c)|last", "ab", "x‹b›");
}

TEST(TemplateProvenance, SurvivesReplacing) {
    expect_marked("('x' + c).replace('a', '[t]')", "1a2", "x‹1›[t]‹2›");
    expect_marked("'x1y'.replace('1', c)", "hi", "x‹hi›y");
    expect_marked("('x' + c)|replace('x', c)", "hi", "‹hihi›");
    expect_marked("(c + 't')|upper", "é", "‹É›T");
    expect_marked("('hello ' + c)|title", "wORLD", "Hello ‹World›");
    expect_marked("(c + '\\n' + c)|indent(2)", "a", "‹a›\n  ‹a›");
    expect_marked("(c + '<')|e", "<", "‹&lt;›&lt;");
    expect_marked("(c + 'tail of it')|truncate(6, true, '~', 0)", "abc", "‹abc›ta~");
    expect_marked("('t' + c)|center(6)", "ab", " t‹ab›  ");
}

TEST(TemplateProvenance, SurvivesMacrosBlocksAndNamespaces) {
    const char* source =
        "{% macro f(x) %}<{{ x }}>{% endmacro %}{% set b %}({{ messages[0].content }}){% endset %}{% set ns = namespace(t='') %}"
        "{% for m in messages %}{% set ns.t = ns.t + '-' + m.content %}{% endfor %}{{ f(messages[0].content) }}{{ b }}{{ ns.t }}";
    EXPECT_EQ(marked(source, context_of("hi")), "<‹hi›>(‹hi›)-‹hi›");
}

TEST(TemplateProvenance, TojsonKeepsWhoseEachPartIs) {
    const Json context = {{"tools", {{{"name", "f\n"}, {"n", 1}}}}, {"messages", Json::array()}};
    EXPECT_EQ(marked("{{ tools|tojson }}", context), "‹[{\"name\": \"f\\n\", \"n\": 1}]›");
    EXPECT_EQ(marked("{{ {'name': tools[0].name, 'k': 1}|tojson }}", context), "{\"name\": \"‹f\\n›\", \"k\": 1}");
    EXPECT_EQ(marked("{{ tools[0] }}", context), "‹{'name': 'f\\n', 'n': 1}›") << "so does repr";
}

TEST(TemplateProvenance, ASpanIsNeverEmptyAndNeighboursDiffer) {
    const auto spans = ChatTemplate::parse("a{{ messages[0].content }}{{ '' }}{{ messages[0].content }}b{{ '' }}c{{ bos_token }}")
                           ->render(context_of("x"), 0);
    ASSERT_EQ(spans.size(), 3u);
    EXPECT_EQ(spans[0].text, "a");
    EXPECT_EQ(spans[1].text, "xx");
    EXPECT_EQ(spans[2].text, "bc<s>");
    EXPECT_TRUE(spans[0].trusted && !spans[1].trusted && spans[2].trusted);
    EXPECT_TRUE(ChatTemplate::parse("")->render(Json::object(), 0).empty());
}

TEST(TemplateProvenance, TextThatIsNotUtf8IsSanitised) {
    EXPECT_EQ(marked("{{ messages[0].content|upper }}", context_of("a\xFF\xC3z")), "‹A\uFFFD\uFFFDZ›");
}

}  // namespace
}  // namespace hearth
