// Filters, tests and methods.
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

TEST(TemplateMethods, StripKnowsUnicodeSpacesAndSetsOfCharacters) {
    expect_all({{"' \\t\\u3000a b\\xa0\\n'.strip()", "a b"},
                {"'xxaxx'.lstrip('x')", "axx"},
                {"'xyaxy'.rstrip('yx')", "xya"},
                {"'éaé'.strip('é')", "a"},
                {"'  '.strip()", ""},
                {"' a '.strip(none)", "a"}});
}

TEST(TemplateMethods, SplitCutsFromBothSides) {
    expect_all({{"' a  b c '.split()", "['a', 'b', 'c']"},
                {"' a  b c '.split(none, 1)", "['a', 'b c ']"},
                {"' a  b c '.rsplit(none, 1)", "[' a  b', 'c']"},
                {"'a,b,,c'.split(',')", "['a', 'b', '', 'c']"},
                {"'a,b,c'.split(',', 1)", "['a', 'b,c']"},
                {"'a,b,c'.rsplit(',', maxsplit=1)", "['a,b', 'c']"},
                {"''.split(',')", "['']"},
                {"''.split()", "[]"},
                {"'a\\nb\\r\\nc\\n'.splitlines()", "['a', 'b', 'c']"},
                {"'k=v=w'.partition('=')", "('k', '=', 'v=w')"},
                {"'k=v=w'.rpartition('=')", "('k=v', '=', 'w')"},
                {"'kv'.rpartition('=')", "('', '', 'kv')"}});
    expect_errors({"'a'.split('')", "'a'.split(1)", "'a'.split(',', 'x')"});
}

TEST(TemplateMethods, FindReplaceAndCountGoByCharacters) {
    expect_all({{"'aé世é'.find('é')", "1"},
                {"'aé世é'.rfind('é')", "3"},
                {"'abc'.find('z')", "-1"},
                {"'abcabc'.find('a', 1)", "3"},
                {"'abcabc'.find('c', -3, -1)", "-1"},
                {"'aaaa'.count('aa')", "2"},
                {"'aé'.count('')", "3"},
                {"'aXbX'.replace('X', 'YY')", "aYYbYY"},
                {"'aXbX'.replace('X', '', 1)", "abX"},
                {"'ab'.replace('', '-')", "-a-b-"},
                {"'abc'.startswith('ab')", "True"},
                {"'abc'.startswith(('x', 'a'))", "True"},
                {"'abc'.endswith('bc', 2)", "False"},
                {"'prefix-x'.removeprefix('prefix-')", "x"},
                {"'x.py'.removesuffix('.py')", "x"}});
    expect_errors({"'a'.index('z')", "'a'.startswith(1)", "'a'.replace('a')", "'a'.replace('a', 1)"});
}

TEST(TemplateMethods, ChangesCase) {
    expect_all({{"'hello WORLD-x it\\'s'.title()", "Hello World-X It'S"},
                {"'hello WORLD-x it\\'s'|title", "Hello World-X It's"},
                {"'éA ß'.upper()", "ÉA SS"},
                {"'ÉA'.lower()", "éa"},
                {"'hELLO wORLD'.capitalize()", "Hello world"},
                {"'aB'.swapcase()", "Ab"},
                {"'Abc'.istitle()", "True"},
                {"'12'.isdigit()", "True"},
                {"''.isdigit()", "False"},
                {"'aé'.isalpha()", "True"}});
}

TEST(TemplateMethods, PadsAndJoins) {
    expect_all({{"'ab'.center(5, '*')", "**ab*"},
                {"'abc'.center(6, '*')", "*abc**"},
                {"'ab'.ljust(4)", "ab  "},
                {"'-5'.zfill(4)", "-005"},
                {"'-'.join(['a', 'b'])", "a-b"},
                {"','.join('abc')", "a,b,c"}});
    expect_errors({"','.join([1])", "'a'.center(3, 'xx')", "'a'.ljust(1000000000000)"});
}

TEST(TemplateMethods, FormatsLikePython) {
    expect_all({{"'%s and %r' % ('a', 'b')", "a and 'b'"},
                {"'%05.1f|%-4d|%+d|%x|%o|%e|%%' % (3.14159, 7, 5, 255, 8, 12345.678)", "003.1|7   |+5|ff|10|1.234568e+04|%"},
                {"'%(a)s' % {'a': 1}", "1"},
                {"'%s' % none", "None"},
                {"'%.2s|%5s|%-5s|' % ('abc', 'é', 'é')", "ab|    é|é    |"},
                {"'{} {0!r:>5} {x}'.format('a', x=2)", "a   'a' 2"},
                {"'{:>5}|{:<5}|{:^5}|{:05d}|{:,}|{:.2f}|{:x}|{{}}'.format('a', 'b', 'c', 42, 1234567, 2.5, 255)",
                 "    a|b    |  c  |00042|1,234,567|2.50|ff|{}"},
                {"'{a.b} {a[b]}'.format(a={'b': 1})", "1 1"},
                {"'%s-%s'|format('a', 1)", "a-1"}});
    expect_errors({"'%d' % 'a'", "'%s %s' % 'a'", "'%s' % (1, 2)", "'%q' % 1", "'%' % 1", "'{}'.format()", "'{'.format(1)",
                   "'{:d}'.format('a')", "'{x}'.format(1)"});
}

TEST(TemplateMethods, WhatWouldChangeAValueIsRefused) {
    EXPECT_THAT(error_of("{{ [1].append(2) }}"), HasSubstr("'append' would change a list"));
    EXPECT_THAT(error_of("{{ {}.update({}) }}"), HasSubstr("'update' would change a dict"));
    EXPECT_EQ(rendered("{{ [].append is defined }}"), "False");
}

TEST(TemplateFilters, TojsonIsThatOfTransformers) {
    const Json context = {{"d", {{"b", {1, 2.0, nullptr, true, "é\"\\\n\x01\x7f<&'"}}, {"a", Json::object()}, {"e", Json::array()}}}};
    EXPECT_EQ(rendered("{{ d|tojson }}", context), "{\"b\": [1, 2.0, null, true, \"é\\\"\\\\\\n\\u0001\x7f<&'\"], \"a\": {}, \"e\": []}");
    EXPECT_EQ(rendered("{{ {'b': [1, {}], 'a': 'x'}|tojson(indent=2, sort_keys=true) }}"),
              "{\n  \"a\": \"x\",\n  \"b\": [\n    1,\n    {}\n  ]\n}");
    EXPECT_EQ(rendered("{{ [1, {'a': 2}]|tojson(separators=(',', ':')) }}"), "[1,{\"a\":2}]");
    EXPECT_EQ(rendered("{{ 'é😀\\x7f'|tojson(ensure_ascii=true) }}"), "\"\\u00e9\\ud83d\\ude00\\u007f\"");
    EXPECT_EQ(rendered("{{ [1]|tojson(indent='\\t') }}{{ [1]|tojson(indent=0) }}"), "[\n\t1\n][\n1\n]");
    EXPECT_EQ(rendered("{{ {1: 2, none: 3, true: 4, 1.5: 5}|tojson }}"), "{\"1\": 4, \"null\": 3, \"1.5\": 5}");
    EXPECT_EQ(rendered("{{ (1, 2)|tojson }}{{ 1e400|tojson }}"), "[1, 2]Infinity");
    expect_errors(
        {"nothing|tojson", "{}.items()|tojson", "[1]|map('string')|tojson", "namespace()|tojson", "{(1,): 2}|tojson", "range(3)|tojson"});
}

TEST(TemplateFilters, SelectsAndMaps) {
    const Json context = {{"l", {{{"n", "x"}, {"v", 2}}, {{"n", "y"}, {"v", 0}}, {{"n", "Z"}}}}};
    expect_all({{"l|map(attribute='n')|list", "['x', 'y', 'Z']"},
                {"l|map(attribute='v', default=9)|list", "[2, 0, 9]"},
                {"l|selectattr('v')|map(attribute='n')|join(',')", "x"},
                {"l|selectattr('v', 'defined')|list|length", "2"},
                {"l|rejectattr('n', 'equalto', 'x')|map(attribute='n')|list", "['y', 'Z']"},
                {"[1, 'a', none]|select('string')|list", "['a']"},
                {"[0, 1, 2]|select|list", "[1, 2]"},
                {"[0, 1, 2]|reject('in', [1])|list", "[0, 2]"},
                {"['a', 'b']|map('upper')|join", "AB"},
                {"['a ', ' b']|map('trim')|map('replace', 'a', 'c')|list", "['c', 'b']"},
                {"none|selectattr('x')|list", "[]"},
                {"[[1, 2], [3]]|map('first')|list", "[1, 3]"},
                {"[{'a': {'b': [5]}}]|map(attribute='a.b.0')|list", "[5]"}},
               context);
    expect_errors({"[1]|map('nope')|list", "[1]|select('nope')|list", "(l|map(attribute='n'))|length", "(l|map(attribute='n'))[0].x"},
                  context);
    EXPECT_EQ(rendered("{% set g = [1, 2]|map('string') %}{{ g|join }}-{{ g|join }}"), "12-") << "a generator is used up";
}

TEST(TemplateFilters, SortsStablyAndIgnoringCase) {
    expect_all(
        {{"['b', 'A', 'a', 'B']|sort", "['A', 'a', 'b', 'B']"},
         {"['b', 'A', 'a']|sort(case_sensitive=true)", "['A', 'a', 'b']"},
         {"[3, 1, 2]|sort(reverse=true)", "[3, 2, 1]"},
         {"[{'k': 2, 'n': 'a'}, {'k': 1, 'n': 'b'}, {'k': 2, 'n': 'c'}]|sort(attribute='k', reverse=true)|map(attribute='n')|join", "acb"},
         {"[{'k': 2, 'n': 'a'}, {'k': 1, 'n': 'b'}, {'k': 2, 'n': '0'}]|sort(attribute='k,n')|map(attribute='n')|join", "b0a"},
         {"{'b': 1, 'A': 2}|dictsort", "[('A', 2), ('b', 1)]"},
         {"{'b': 1, 'A': 2}|dictsort(by='value')", "[('b', 1), ('A', 2)]"},
         {"['a', 'A', 'b']|unique|list", "['a', 'b']"},
         {"[{'k': 1, 'n': 'a'}, {'k': 2, 'n': 'b'}, {'k': 1, 'n': 'c'}]|groupby('k')|length", "2"},
         {"[2, 1]|min ~ [2, 1]|max ~ []|max", "12"},
         {"[1, 2.5]|sum ~ [{'v': 1}]|sum(attribute='v', start=5)", "3.56"}});
    expect_errors({"[1, 'a']|sort", "[none, 1]|min", "['a']|sum"});
}

TEST(TemplateFilters, LooksAtSequences) {
    expect_all({{"'aé'|length", "2"},
                {"nothing|length", "0"},
                {"[1, 2]|first ~ [1, 2]|last ~ 'abc'|last", "12c"},
                {"[]|first is undefined", "True"},
                {"'abc'|list", "['a', 'b', 'c']"},
                {"'abc'|reverse", "cba"},
                {"[1, 2]|reverse|list", "[2, 1]"},
                {"{'a': 1}|items|list", "[('a', 1)]"},
                {"nothing|items|list", "[]"},
                {"[1, 2, 3]|batch(2)|list", "[[1, 2], [3]]"},
                {"[1, 2, 3]|batch(2, 0)|list", "[[1, 2], [3, 0]]"},
                {"[1, 2, 3]|slice(2)|list", "[[1, 2], [3]]"},
                {"[1, none, 'a']|join('-')", "1-None-a"},
                {"nothing|join(',') ~ '.'", "."},
                {"[{'a': 1}, {'a': 2}]|join(',', attribute='a')", "1,2"}});
    expect_errors({"1|length", "none|length", "none|join", "none|items", "1|list", "1|first"});
}

TEST(TemplateFilters, ConvertsNumbers) {
    expect_all({{"' 42 '|int", "42"},
                {"'3.9'|int", "3"},
                {"'x'|int", "0"},
                {"'x'|int(7)", "7"},
                {"'ff'|int(base=16)", "255"},
                {"none|int", "0"},
                {"-3.9|int", "-3"},
                {"'1_000'|int", "1000"},
                {"'1.5e3'|float", "1500.0"},
                {"'x'|float(2.5)", "2.5"},
                {"true|int", "1"},
                {"2.5|round", "2.0"},
                {"3.5|round", "4.0"},
                {"2.675|round(2)", "2.67"},
                {"42|round", "42"},
                {"2.1|round(0, 'ceil')", "3.0"},
                {"1.27|round(1, 'floor')", "1.2"},
                {"(-3)|abs", "3"}});
    expect_errors({"nothing|int", "nothing|float", "'a'|abs", "'a'|round", "1e30|int", "(1e400 - 1e400)|round(500)"});
}

TEST(TemplateFilters, ChangesTexts) {
    expect_all({{"'  a '|trim", "a"},
                {"5|trim ~ none|upper", "5NONE"},
                {"nothing|default('d') ~ ''|default('d') ~ ''|default('d', true) ~ none|d('x')", "ddNone"},
                {"'a\\nb\\n\\nc'|indent", "a\n    b\n\n    c"},
                {"'a\\nb'|indent(2, first=true)", "  a\n  b"},
                {"'a\\n\\nb'|indent('> ', blank=true)", "a\n> \n> b"},
                {"'aXbX'|replace('X', 1)", "a1b1"},
                {"'hello world foo'|truncate(8, end='..', leeway=0)", "hello.."},
                {"'a b'|urlencode", "a%20b"},
                {"'one two_3'|wordcount", "2"},
                {"1|string + 'a'", "1a"}});
}

TEST(TemplateTests, KnowTheKindsOfValues) {
    expect_all({{"nothing is defined", "False"},
                {"none is none", "True"},
                {"none is defined", "True"},
                {"'a' is string", "True"},
                {"{} is mapping", "True"},
                {"[] is mapping", "False"},
                {"'a' is iterable and [] is iterable and {} is iterable and nothing is iterable", "True"},
                {"1 is iterable", "False"},
                {"'a' is sequence and [] is sequence and {} is sequence", "True"},
                {"{}.items() is sequence", "False"},
                {"1 is number and 1.5 is number and true is number", "True"},
                {"true is integer", "False"},
                {"1 is integer", "True"},
                {"1.0 is float", "True"},
                {"true is true and 1 is not true", "True"},
                {"false is boolean", "True"},
                {"range is callable and 'a'.upper is callable and 1 is not callable", "True"},
                {"3 is odd and 4 is even and 9 is divisibleby(3)", "True"},
                {"1 is in [1, 2]", "True"},
                {"1 is eq 1.0 and 1 is ne 2 and 1 is lt 2 and 2 is ge(2)", "True"},
                {"none is sameas none and 1 is not sameas true", "True"},
                {"'a' is lower and 'A' is upper", "True"},
                {"'upper' is filter and 'nope' is not filter", "True"}});
    expect_errors({"1 is defined(1)", "1 is eq", "'a' is odd", "1 is in 1"});
}

}  // namespace
}  // namespace hearth
