// Loops, variables and their scopes, macros, blocks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "support.h"

namespace hearth {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::Json;
using testing::rendered;

TEST(TemplateStatement, ChoosesTheFirstTrueBranch) {
    const char* source = "{% if x == 1 %}one{% elif x == 2 %}two{% else %}many{% endif %}";
    EXPECT_EQ(rendered(source, {{"x", 1}}), "one");
    EXPECT_EQ(rendered(source, {{"x", 2}}), "two");
    EXPECT_EQ(rendered(source, {{"x", 3}}), "many");
}

TEST(TemplateStatement, ALoopKnowsWhereItIs) {
    EXPECT_EQ(rendered("{% for x in 'abc' %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ "
                       "loop.last }}{{ loop.length }} {% endfor %}"),
              "1032TrueFalse3 2121FalseFalse3 3210FalseTrue3 ");
    EXPECT_EQ(rendered("{% for x in [1,2,3] %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}"), "<1>2 1<2>3 2<3> ");
    EXPECT_EQ(rendered("{% for x in [1,1,2] %}{{ loop.cycle('a','b') }}{{ loop.changed(x) }} {% endfor %}"), "aTrue bFalse aTrue ");
    EXPECT_EQ(rendered("{% for x in [1,2] %}{% for y in [1] %}{{ loop.length }}{% endfor %}{{ loop.index }}{% endfor %}"), "1112");
}

TEST(TemplateStatement, ALoopFiltersBreaksContinuesAndMayBeEmpty) {
    EXPECT_EQ(rendered("{% for x in range(10) if x % 2 %}{{ x }}{{ loop.length }} {% endfor %}"), "15 35 55 75 95 ");
    EXPECT_EQ(
        rendered(
            "{% for x in range(10) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}"),
        "0134");
    EXPECT_EQ(rendered("{% for x in [] %}x{% else %}none{% endfor %}{% for x in nothing %}x{% else %}none{% endfor %}"), "nonenone");
    EXPECT_EQ(rendered("{% for x in [1] %}{% else %}none{% endfor %}"), "");
    EXPECT_EQ(rendered("{% for x in [1] %}{% break %}{% else %}none{% endfor %}"), "none") << "as Jinja2 does, unlike Python";
    EXPECT_EQ(rendered("{% for x in [1, 2] %}{% if x == 2 %}{% continue %}{% endif %}{% else %}none{% endfor %}"), "");
    EXPECT_THAT(error_of("{% for x in none %}{% endfor %}"), HasSubstr("'NoneType' object is not iterable"));
}

TEST(TemplateStatement, ALoopTakesItsItemsApart) {
    EXPECT_EQ(rendered("{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{% endfor %}"), "a1b2");
    EXPECT_EQ(rendered("{% for i, (a, b) in [(1, (2, 3))] %}{{ i }}{{ a }}{{ b }}{% endfor %}"), "123");
    EXPECT_EQ(rendered("{% for k in {'a': 1} %}{{ k }}{% endfor %}"), "a");
    EXPECT_THAT(error_of("{% for a, b in [(1,)] %}{% endfor %}"), HasSubstr("cannot take 1 values apart into 2 names"));
}

TEST(TemplateStatement, ALoopMayCallItself) {
    const Json tree = {{"tree", {{{"n", "a"}, {"c", {{{"n", "b"}, {"c", Json::array()}}}}}, {{"n", "d"}, {"c", Json::array()}}}}};
    EXPECT_EQ(rendered("{% for x in tree recursive %}{{ x.n }}{{ loop.depth }}({{ loop(x.c) }}){% endfor %}", tree), "a1(b2())d1()");
}

TEST(TemplateStatement, WhatALoopSetsEndsWithItsRound) {
    EXPECT_EQ(rendered("{% set x = 0 %}{% for i in [1,2] %}{{ x }}{% set x = i %}{{ x }}{% endfor %}{{ x }}"), "01020");
    EXPECT_EQ(rendered("{% if true %}{% set x = 1 %}{% endif %}{{ x }}"), "1");
    EXPECT_EQ(rendered("{% set ns = namespace(x=0) %}{% for i in [1,2] %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}"), "3");
    EXPECT_EQ(rendered("{% for x in [1] %}{% endfor %}{{ x is defined }}"), "False");
    EXPECT_EQ(rendered("{% with a = 1, b = 2 %}{{ a + b }}{% set c = 3 %}{% endwith %}{{ a is defined or c is defined }}"), "3False");
}

TEST(TemplateStatement, SetTakesApartAndTakesBlocks) {
    EXPECT_EQ(rendered("{% set a, b = 1, 2 %}{{ b }}{{ a }}"), "21");
    EXPECT_EQ(rendered("{% set t = 1, 2 %}{{ t }}"), "(1, 2)");
    EXPECT_EQ(rendered("{% set x %}a{{ 1 }}{% endset %}[{{ x }}]"), "[a1]");
    EXPECT_EQ(rendered("{% set x | upper | trim %} ab {% endset %}[{{ x }}]"), "[AB]");
    EXPECT_EQ(rendered("{% filter upper %}a{{ 'b' }}{% endfilter %}"), "AB");
    EXPECT_THAT(error_of("{% set x.y = 1 %}"), HasSubstr("namespace"));
}

TEST(TemplateStatement, NamespacesHoldWhatTheyAreGiven) {
    EXPECT_EQ(rendered("{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}{{ ns.c is defined }}{{ ns['b'] }}"), "12False2");
    EXPECT_EQ(rendered("{% set ns = namespace() %}{% set ns.self = ns %}{{ ns.self.self is sameas ns }}"), "True");
}

TEST(TemplateStatement, MacrosTakeArgumentsByPlaceByNameAndByDefault) {
    const std::string f = "{% macro f(a, b=2, c=a) %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}";
    EXPECT_EQ(rendered(f + "{{ f(1) }} {{ f(1, 3) }} {{ f(1, c=9) }} {{ f(b=1, a=0) }} {{ f() }}"), "1-2-1 1-3-1 1-2-9 0-1-0 -2-");
    EXPECT_THAT(error_of(f + "{{ f(1, 2, 3, 4) }}"), HasSubstr("too many arguments"));
    EXPECT_THAT(error_of(f + "{{ f(d=1) }}"), HasSubstr("no parameter 'd'"));
    EXPECT_THAT(error_of(f + "{{ f(1, a=1) }}"), HasSubstr("two values for 'a'"));
    EXPECT_EQ(rendered("{% macro f(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, 3, x=4) }}"), "1(2, 3){'x': 4}");
    EXPECT_EQ(rendered("{% macro f(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ f(*[1, 2]) }}{{ f(**{'b': 3}) }}"), "123");
    EXPECT_EQ(rendered("{% macro f() %}x{% endmacro %}{{ f().upper() }}{{ f.name }}"), "Xf");
}

TEST(TemplateStatement, AMacroSeesWhatIsAroundItsDefinitionWhenItIsCalled) {
    EXPECT_EQ(rendered("{% macro f() %}{{ x }}{% endmacro %}{% set x = 1 %}{{ f() }}{% set x = 2 %}{{ f() }}"), "12");
    EXPECT_EQ(rendered("{% macro f() %}{% set x = 5 %}{{ x }}{% endmacro %}{% set x = 1 %}{{ f() }}{{ x }}"), "51");
    EXPECT_EQ(rendered("{% macro f() %}{{ y is defined }}{% endmacro %}{% for y in [1] %}{{ f() }}{% endfor %}"), "False");
    EXPECT_EQ(rendered("{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}"), "3210");
}

TEST(TemplateStatement, CallHandsABlockToAMacro) {
    EXPECT_EQ(
        rendered("{% macro f(t) %}<{{ t }}>{{ caller() }}</{{ t }}>{% endmacro %}{% set x = 1 %}{% call f('b') %}in {{ x }}{% endcall %}"),
        "<b>in 1</b>");
    EXPECT_EQ(
        rendered("{% macro f() %}{% for i in [1,2] %}{{ caller(i) }}{% endfor %}{% endmacro %}{% call(n) f() %}[{{ n }}]{% endcall %}"),
        "[1][2]");
    EXPECT_THAT(error_of("{% macro f() %}{% endmacro %}{% call f() %}x{% endcall %}"), HasSubstr("caller"));
}

TEST(TemplateStatement, RaiseExceptionGivesItsTextAsItIs) {
    EXPECT_EQ(error_of("{{ raise_exception('Roles must ' ~ 'alternate!') }}"), "Roles must alternate!");
    EXPECT_EQ(rendered("{% if false %}{{ raise_exception('x') }}{% endif %}"), "");
    EXPECT_EQ(error_of("{{ raise_exception('no \\x00 end') }}"), "no \\x00 end") << "a NUL byte ends no message";
}

TEST(TemplateStatement, StrftimeNowReadsTheClockItIsGiven) {
    std::tm time{};
    time.tm_year = 126;
    time.tm_mon = 10;
    time.tm_mday = 3;
    time.tm_hour = 15;
    time.tm_min = 4;
    time.tm_isdst = -1;
    const auto now = static_cast<int64_t>(std::mktime(&time));
    const auto at = [&](const std::string& format) {
        return testing::joined(ChatTemplate::parse("{{ strftime_now('" + format + "') }}")->render(Json::object(), now));
    };
    EXPECT_EQ(at("%d %b %Y"), "03 Nov 2026");
    EXPECT_EQ(at("%-d %B %y, %H:%M:%S %p %A %%"), "3 November 26, 15:04:00 PM Tuesday %");
    EXPECT_EQ(at("%999999999d|%Z|%f"), "%999999999d||000000") << "a width is not for templates";
    EXPECT_EQ(at("é%"), "é%");
}

TEST(TemplateStatement, RangeCountsAsPythonDoes) {
    EXPECT_EQ(rendered("{{ range(3)|list }}{{ range(1, 4)|list }}{{ range(5, 0, -2)|list }}{{ range(0)|list }}{{ range(-3)|list }}"),
              "[0, 1, 2][1, 2, 3][5, 3, 1][][]");
    EXPECT_EQ(rendered("{{ range(2, 9223372036854775807, 4611686018427387904)|list }}"), "[2, 4611686018427387906]");
    EXPECT_THAT(error_of("{{ range(1, 2, 0) }}"), HasSubstr("step is 0"));
}

}  // namespace
}  // namespace hearth
