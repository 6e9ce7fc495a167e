// Values and operators: what Python would say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support.h"

namespace hearth {
namespace {

using testing::error_of;
using testing::expect_all;
using testing::expect_errors;
using ::testing::HasSubstr;
using testing::Json;
using testing::rendered;

TEST(TemplateExpression, PrintsValuesAsPythonDoes) {
    expect_all({{"none", "None"},
                {"true", "True"},
                {"[1, 'a', none, 2.5, {'k': (1,)}]", "[1, 'a', None, 2.5, {'k': (1,)}]"},
                {"\"it's\" ~ ['it\\'s', 'a\"b', 'a\\n\\\\é\\x00']", "it's[\"it's\", 'a\"b', 'a\\n\\\\é\\x00']"},
                {"undefined_name", ""},
                {"[undefined_name]", "[Undefined]"},
                {"{}.items()", "dict_items([])"}});
}

TEST(TemplateExpression, WritesFloatsWithTheFewestDigits) {
    expect_all({{"0.1 + 0.2", "0.30000000000000004"},
                {"1e16", "1e+16"},
                {"1e15", "1000000000000000.0"},
                {"123456789012345680.0", "1.2345678901234568e+17"},
                {"0.0001", "0.0001"},
                {"0.00001", "1e-05"},
                {"100 / 10", "10.0"},
                {"-0.0", "-0.0"},
                {"1e308 * 10", "inf"}});
}

TEST(TemplateExpression, DividesAndTakesRemaindersDownwards) {
    expect_all({{"-7 // 2", "-4"},
                {"-7 % 3", "2"},
                {"7 % -3", "-2"},
                {"-7.5 // 2", "-4.0"},
                {"7.5 % -2", "-0.5"},
                {"7 / 2", "3.5"},
                {"2 ** 10", "1024"},
                {"2 ** -1", "0.5"},
                {"true + true", "2"}});
    expect_errors({"1 / 0", "1 // 0", "1 % 0", "1.0 / 0", "0 ** -1"});
}

TEST(TemplateExpression, AnIntegerBeyond64BitsIsAnError) {
    expect_all({{"9223372036854775807", "9223372036854775807"},
                {"-9223372036854775807 - 1", "-9223372036854775808"},
                {"2 ** 62", "4611686018427387904"}});
    for (const char* each : {"9223372036854775807 + 1", "2 ** 63", "2 ** 1000000000", "-9223372036854775807 - 2", "3037000500 * 3037000500",
                             "(-9223372036854775807 - 1) // -1", "-(-9223372036854775807 - 1)", "(-9223372036854775807 - 1)|abs"}) {
        EXPECT_THROW(rendered(std::string("{{ ") + each + " }}"), Error) << each;
    }
    EXPECT_THAT(error_of("{{ ('9' * 30)|int }}"), HasSubstr("64 bits"));
    expect_all({{"(-9223372036854775807 - 1) % -1", "0"}});
}

TEST(TemplateExpression, ComparesAsPythonDoes) {
    expect_all({{"1 == 1.0 == true", "True"},
                {"'a' == 1", "False"},
                {"'a' < 'b' <= 'b'", "True"},
                {"'Z' < 'a'", "True"},
                {"[1, 2] < [1, 3]", "True"},
                {"[1] == (1,)", "False"},
                {"{'a': 1, 'b': 2} == {'b': 2, 'a': 1.0}", "True"},
                {"none == none", "True"},
                {"nothing == nowhere", "True"},
                {"nothing == none", "False"},
                {"1 != 2", "True"}});
    expect_errors({"1 < 'a'", "none < 1", "{} < {}", "nothing < 1", "[1] < [none]"});
}

TEST(TemplateExpression, FindsMembersInWhatHasThem) {
    expect_all({{"'ell' in 'hello'", "True"},
                {"'' in ''", "True"},
                {"1 in [1.0]", "True"},
                {"'k' in {'k': 1}", "True"},
                {"1 not in {'k': 1}", "True"},
                {"'x' in nothing", "False"},
                {"2 in range(3)", "True"}});
    expect_errors({"1 in 'a'", "'a' in none", "'a' in 1", "[1] in {}"});
}

TEST(TemplateExpression, KnowsWhatIsTrue) {
    expect_all({{"[] or 'a'", "a"},
                {"'' or 0 or {}", "{}"},
                {"1 and 'b'", "b"},
                {"0 and nothing.x.y", "0"},
                {"not ''", "True"},
                {"not nothing", "True"},
                {"0.0 or none", "None"}});
}

TEST(TemplateExpression, JoinsAndRepeats) {
    expect_all({{"'a' + 'b' * 3", "abbb"},
                {"[1] + [2] * 2", "[1, 2, 2]"},
                {"'a' * -1", ""},
                {"1 ~ none ~ 'x' ~ nothing", "1Nonex"},
                {"(1,) + (2,)", "(1, 2)"},
                {"2 * 'ab'", "abab"}});
    expect_errors(
        {"'a' + 1", "'a' + none", "none + 'a'", "[1] + (1,)", "'a' - 'b'", "nothing + 'a'", "'a' + nothing", "'a' * 'b'", "{} + {}"});
}

TEST(TemplateExpression, IndexesAndSlicesByCharacters) {
    const Json context = {{"s", "aé世😀z"}, {"l", {1, 2, 3, 4, 5}}};
    expect_all({{"s[1]", "é"},
                {"s[-2]", "😀"},
                {"s[99] is defined", "False"},
                {"s[1:4]", "é世😀"},
                {"s[::-1]", "z😀世éa"},
                {"s[::2]", "a世z"},
                {"s[-3:]", "世😀z"},
                {"s[:-1]", "aé世😀"},
                {"l[1:]", "[2, 3, 4, 5]"},
                {"l[::-1]", "[5, 4, 3, 2, 1]"},
                {"l[3:1]", "[]"},
                {"l[3:0:-2]", "[4, 2]"},
                {"l[-100:100]", "[1, 2, 3, 4, 5]"},
                {"l[-1]", "5"},
                {"l[true]", "2"},
                {"l[7] is defined", "False"},
                {"(1, 2, 3)[1:]", "(2, 3)"},
                {"range(10)[2:4]|list", "[2, 3]"},
                {"l[9223372036854775807:]", "[]"},
                {"l[::-9223372036854775807]", "[5]"}},
               context);
    expect_errors({"l[::0]", "l['a':]", "{'a': 1}[1:]", "nothing[0]", "nothing[1:]"}, context);
}

TEST(TemplateExpression, LooksForAttributesFirstWithADotAndForItemsFirstWithBrackets) {
    const Json context = {{"d", {{"items", "mine"}, {"a", {{"b", 1}}}, {"pop", 1}}}};
    expect_all({{"d.a.b", "1"},
                {"d['items']", "mine"},
                {"d.items() | length", "3"},
                {"d['a']['b']", "1"},
                {"d['keys']()|list", "['items', 'a', 'pop']"},
                {"d.pop is defined", "False"},
                {"d['pop']", "1"},
                {"d.nothing is defined", "False"},
                {"'abc'.nothing is undefined", "True"},
                {"none.x is undefined", "True"},
                {"d.get('a').get('zz', 7)", "7"},
                {"d.get('zz')", "None"}},
               context);
    EXPECT_EQ(error_of("\n{{ d.x.y }}", context), "chat template, line 2: 'x' is undefined");
    EXPECT_EQ(error_of("{{ x.y }}"), "chat template, line 1: 'x' is undefined");
    EXPECT_EQ(error_of("{{ x() }}"), "chat template, line 1: 'x' is undefined");
}

TEST(TemplateExpression, ADictKeepsItsOrderAndTheLastOfEqualKeys) {
    expect_all({{"{'b': 1, 'a': 2, 'b': 3}", "{'b': 3, 'a': 2}"},
                {"{1: 'a', 1.0: 'b', true: 'c'}", "{1: 'c'}"},
                {"{(1, 'a'): 2}[(1, 'a')]", "2"},
                {"{none: 1}[none]", "1"}});
    expect_errors({"{[1]: 2}", "{{}: 2}"});
    // Enough keys for an index.
    EXPECT_EQ(rendered("{% set d = {'a':1,'b':2,'c':3,'d':4,'e':5,'f':6,'g':7,'h':8,'i':9,'j':10,'a':11} %}{{ d.a }}{{ d.j }}{{ d|length "
                       "}}{{ d.k is defined }}"),
              "111010False");
}

TEST(TemplateExpression, MarkupEscapesWhatIsAddedToItAsInPython) {
    expect_all({{"'<b>'|safe + '<i>'", "<b>&lt;i&gt;"},
                {"'<i>' + '<b>'|safe", "&lt;i&gt;<b>"},
                {"'<b>'|safe ~ '<i>'", "<b><i>"},
                {"'<&>'|e", "&lt;&amp;&gt;"},
                {"'<&>'|e|e", "&lt;&amp;&gt;"},
                {"('%s'|safe) % '<'", "&lt;"},
                {"('a'|safe).replace('a', '<')", "&lt;"}});
}

}  // namespace
}  // namespace hearth
