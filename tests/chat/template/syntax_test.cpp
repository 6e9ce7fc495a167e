// White space, tags, literals: what the lexer and the parser make of a source.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace hearth {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::rendered;

TEST(TemplateSyntax, DropsTheNewlineBehindABlockButNotBehindAnOutput) {
    EXPECT_EQ(rendered("{% if true %}\na\n{% endif %}\nb\n{{ 1 }}\nc"), "a\nb\n1\nc");
    EXPECT_EQ(rendered("{# note #}\na"), "a");
    EXPECT_EQ(rendered("{% if true %}\n\na{% endif %}"), "\na");
}

TEST(TemplateSyntax, StripsTheIndentOfABlockAloneOnItsLineAndOnlyThen) {
    EXPECT_EQ(rendered("x\n   {% if true %}y{% endif %}"), "x\ny");
    EXPECT_EQ(rendered("   {% if true %}y{% endif %}"), "y");
    EXPECT_EQ(rendered("x  {% if true %}y{% endif %}"), "x  y");
    EXPECT_EQ(rendered("x\n  {{ 1 }}"), "x\n  1");
    EXPECT_EQ(rendered("x\n  {# c #}y"), "x\ny");
    EXPECT_EQ(rendered("{% if true %}  {% endif %}"), "  ");
}

TEST(TemplateSyntax, MinusStripsAllWhiteSpaceAndPlusKeepsIt) {
    EXPECT_EQ(rendered("a \n\t {%- if true -%} \n b \n {%- endif -%} \n c"), "abc");
    EXPECT_EQ(rendered("a \n {{- 1 -}} \n b"), "a1b");
    EXPECT_EQ(rendered("a\n  {%+ if true +%}\nb{% endif %}"), "a\n  \nb");
    EXPECT_EQ(rendered("a {#- c -#} b"), "ab");
    EXPECT_EQ(rendered("a\u3000{{- 1 }}"), "a1");
}

TEST(TemplateSyntax, DropsOneNewlineAtTheVeryEndAndKnowsAllLineEnds) {
    EXPECT_EQ(rendered("a\n"), "a");
    EXPECT_EQ(rendered("a\n\n"), "a\n");
    EXPECT_EQ(rendered("a\r\nb\rc\r\n"), "a\nb\nc");
    EXPECT_EQ(rendered("{{ 'x' }}\n"), "x");
    EXPECT_EQ(rendered(""), "");
}

TEST(TemplateSyntax, RawIsLeftAlone) {
    EXPECT_EQ(rendered("{% raw %}{{ x }}{% if %}{% endraw %}!"), "{{ x }}{% if %}!");
    EXPECT_EQ(rendered("a {%- raw -%}  {{ x }} {%- endraw -%}  b"), "a{{ x }}b");
    EXPECT_THAT(error_of("{% raw %}{{ x }}"), HasSubstr("endraw"));
}

TEST(TemplateSyntax, ABraceThatIsClosedInsideDoesNotEndAnOutput) {
    EXPECT_EQ(rendered("{{ {'a': {'b': 1}}['a']['b'] }}"), "1");
    EXPECT_EQ(rendered("{{ {'a': {}} }}"), "{'a': {}}");
    EXPECT_EQ(rendered("{{ '}}' ~ \"%}\" }}"), "}}%}");
}

TEST(TemplateSyntax, ReadsTheEscapesOfStrings) {
    EXPECT_EQ(rendered(R"({{ 'a\n\t\\\'\"\x41\u00e9\U0001F600\101' }})"), "a\n\t\\'\"A\u00e9\U0001F600A");
    EXPECT_EQ(rendered(R"({{ '\d\(' }})"), R"(\d\()");
    EXPECT_EQ(rendered("{{ 'a\\\nb' }}"), "ab");
    EXPECT_EQ(rendered("{{ 'a' \"b\" 'c' }}"), "abc");
}

TEST(TemplateSyntax, ReadsNumbers) {
    EXPECT_EQ(rendered("{{ 1_000 }} {{ 0x1F }} {{ 0b11 }} {{ 0o17 }} {{ 1.5e3 }} {{ 2e-2 }} {{ 1_0.5 }}"), "1000 31 3 15 1500.0 0.02 10.5");
    EXPECT_EQ(rendered("{{ [[1, 2], 3].0.1 }}"), "2");
    EXPECT_THAT(error_of("{{ 9223372036854775808 }}"), HasSubstr("64 bits"));
}

TEST(TemplateSyntax, BindsOperatorsAsJinjaDoes) {
    EXPECT_EQ(rendered("{{ 1 + 2 * 3 ** 2 - 4 // 3 }}"), "18");
    EXPECT_EQ(rendered("{{ 'a' ~ 2 * 3 }} {{ -2 ** 2 }} {{ 2 ** 3 ** 2 }} {{ -1|abs }}"), "a6 4 64 1");
    EXPECT_EQ(rendered("{{ not 1 == 2 }} {{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 in [1] and not 2 in [1] }}"), "True True False True");
    EXPECT_EQ(rendered("{{ 1 if false else 2 if false else 3 }}"), "3");
    EXPECT_EQ(rendered("{{ 'yes' if x is not defined or x else 'no' }}"), "yes");
}

TEST(TemplateSyntax, NamesTheLineAndWhatWasExpected) {
    EXPECT_EQ(error_of("a\n{% if x %}\nb"), "chat template, line 3: expected 'endif', found the end of the template");
    EXPECT_EQ(error_of("\n\n{{ 1 + }}"), "chat template, line 3: expected an expression, found '}}'");
    EXPECT_EQ(error_of("{% frobnicate %}"), "chat template, line 1: unknown statement 'frobnicate'");
    EXPECT_EQ(error_of("{{ x|frobnicate }}"), "chat template, line 1: no filter named 'frobnicate'");
    EXPECT_EQ(error_of("{{ x is frobnicate }}"), "chat template, line 1: no test named 'frobnicate'");
    EXPECT_EQ(error_of("{% break %}"), "chat template, line 1: 'break' outside of a loop");
    EXPECT_THAT(error_of("{{ a"), HasSubstr("without its end"));
    EXPECT_THAT(error_of("{# a"), HasSubstr("comment"));
    EXPECT_THAT(error_of("{{ 'a }}"), HasSubstr("a string without its end"));
    EXPECT_THAT(error_of("{{ (1] }}"), HasSubstr("unexpected ']'"));
    EXPECT_THAT(error_of("{{ a ? b }}"), HasSubstr("unexpected character '?'"));
}

TEST(TemplateSyntax, AnUnknownFilterUnderAConditionMattersOnlyWhenReached) {
    EXPECT_EQ(rendered("{% if false %}{{ x|from_json }}{% endif %}ok"), "ok");
    EXPECT_THAT(error_of("{% if true %}{{ x|from_json }}{% endif %}"), HasSubstr("no filter named 'from_json'"));
}

TEST(TemplateSyntax, RefusesWhatReachesOutsideOfTheTemplate) {
    for (const char* tag : {"{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}", "{% from 'x' import y %}", "{% do x %}"}) {
        EXPECT_THAT(error_of(tag), HasSubstr("unknown statement")) << tag;
    }
}

TEST(TemplateSyntax, GenerationAndBlockTagsOnlyMark) {
    EXPECT_EQ(rendered("{% generation %}\na{% endgeneration %}{% block x %}b{% endblock %}"), "ab");
}

TEST(TemplateSyntax, TemplatesMustBeUtf8) { EXPECT_EQ(error_of("a\xFF"), "chat template: not UTF-8"); }

}  // namespace
}  // namespace hearth
