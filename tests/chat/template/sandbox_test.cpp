// Templates that want more than they may have: each ends in an Error that says which limit it met.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "support.h"

namespace hearth {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using testing::Json;
using testing::rendered;

// Steps and sizes decide here, never the clock of a busy machine.
constexpr TemplateLimits kUntimed{.steps = 1'000'000, .time_ms = 3'600'000};

std::string error_of(std::string_view source, const Json& context = Json::object(), const TemplateLimits& limits = kUntimed) {
    return testing::error_of(source, context, limits);
}

std::string repeated(const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

TEST(TemplateSandbox, StepsAreCounted) {
    const TemplateLimits few{.steps = 1000, .time_ms = 3'600'000};
    EXPECT_THAT(error_of("{% for i in range(1000) %}{% for j in range(1000) %}{% endfor %}{% endfor %}", Json::object(), few),
                HasSubstr("more than 1000 steps"));
    EXPECT_EQ(rendered("{% for i in range(10) %}{{ i }}{% endfor %}", Json::object(), few), "0123456789");
    EXPECT_THAT(
        error_of("{% for i in range(99999) %}{% for j in range(99999) %}{% for k in range(99999) %}{% endfor %}{% endfor %}{% endfor %}"),
        AnyOf(HasSubstr("steps"), HasSubstr("ms")));
    EXPECT_THAT(error_of("{% macro f() %}{% for i in range(9999) %}{{ f() }}{% endfor %}{% endmacro %}{{ f() }}"), HasSubstr("more than"));
}

TEST(TemplateSandbox, TimeIsLimitedWhereStepsAreNot) {
    const TemplateLimits limits{.steps = INT64_MAX / 2, .time_ms = 20};
    EXPECT_THAT(error_of("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", Json::object(), limits),
                HasSubstr("takes more than 20 ms"));
}

TEST(TemplateSandbox, AThousandMessagesMayEachLookAtAllTheOthers) {
    Json messages = Json::array();
    for (int i = 0; i < 1000; ++i) messages.push_back({{"role", i % 2 ? "assistant" : "user"}, {"content", "x"}});
    const char* source =
        "{% set ns = namespace(n=0) %}{% for m in messages %}{% for k in messages %}{% if k.role == 'system' %}{% set ns.n = 1 %}"
        "{% endif %}{% endfor %}{% endfor %}{{ ns.n }}";
    const TemplateLimits usual{.steps = TemplateLimits{}.steps, .time_ms = 3'600'000};
    EXPECT_EQ(rendered(source, {{"messages", messages}}, usual), "0");
}

TEST(TemplateSandbox, RangeIsBounded) {
    EXPECT_THAT(error_of("{{ range(10**9) }}"), HasSubstr("range() of more than 100000 items"));
    EXPECT_THAT(error_of("{{ range(-9223372036854775807, 9223372036854775807) }}"), HasSubstr("range() of more than"));
    EXPECT_EQ(rendered("{{ range(100000)|length }}"), "100000");
}

TEST(TemplateSandbox, CallsNestOnlySoDeep) {
    EXPECT_THAT(error_of("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"), HasSubstr("calls nested more than 64 deep"));
    EXPECT_THAT(error_of("{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ f() }}"), HasSubstr("64 deep"));
    EXPECT_THAT(error_of("{% macro f(x=f()) %}{% endmacro %}{{ f() }}"), HasSubstr("64 deep"));
    EXPECT_THAT(error_of("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}"), HasSubstr("64 deep"));
    EXPECT_THAT(error_of("{% macro f() %}{{ caller() }}{% call f() %}{{ caller() }}{% endcall %}{% endmacro %}{% call f() %}{% endcall %}"),
                AnyOf(HasSubstr("deep"), HasSubstr("undefined")));
}

TEST(TemplateSandbox, DeepExpressionsInDeepCallsStayWithinTheStack) {
    // A thread's stack is what a server renders on; the deepest tree in the deepest calls must fit.
    const std::string source = "{% macro f() %}" + repeated("{% if true %}", 50) + "{{ " + repeated("(1 + [", 25) + "f()" +
                               repeated("][0])", 25) + " }}" + repeated("{% endif %}", 50) + "{% endmacro %}{{ f() }}";
    std::string error;
    std::thread([&] { error = error_of(source); }).join();
    EXPECT_THAT(error, HasSubstr("deep"));
}

TEST(TemplateSandbox, ParsingNestsOnlySoDeep) {
    const int many = 100'000;
    for (const auto& source : {
             "{{ " + repeated("(", many) + "1" + repeated(")", many) + " }}",
             "{{ " + repeated("[", many) + repeated("]", many) + " }}",
             "{{ " + repeated("{1:", many) + "1" + repeated("}", many) + " }}",
             "{{ " + repeated("not ", many) + "1 }}",
             "{{ " + repeated("-", many) + "1 }}",
             "{{ " + repeated("a if b else ", many / 2) + "1 }}",
             "{{ " + repeated("f(", many) + repeated(")", many) + " }}",
             "{{ " + repeated("a[", many) + "1" + repeated("]", many) + " }}",
             "{{ 1" + repeated(" is eq (1", many / 2) + repeated(")", many / 2) + " }}",
             repeated("{% if a %}", many / 2),
             repeated("{% for a in b %}", many / 2),
             "{% for " + repeated("(", many) + "a" + repeated(")", many) + " in b %}{% endfor %}",
         }) {
        EXPECT_THAT(error_of(source), HasSubstr("nested more than 128 deep")) << source.substr(0, 20);
    }
}

TEST(TemplateSandbox, LongChainsAreNotDeep) {
    const int many = 20'000;
    EXPECT_EQ(rendered("{{ 0" + repeated(" + 1", many) + " }}"), std::to_string(many));
    EXPECT_EQ(rendered("{{ (''" + repeated(" ~ 'a'", many) + ")|length }}"), std::to_string(many));
    EXPECT_EQ(rendered("{{ true" + repeated(" and true", many) + " }}"), "True");
    EXPECT_EQ(rendered("{{ 'a'" + repeated("|upper", many) + " }}"), "A");
    EXPECT_EQ(rendered("{{ 1" + repeated(" <= 1", many) + " }}"), "True");
    EXPECT_EQ(rendered("{% if false %}" + repeated("{% elif false %}", many) + "{% else %}x{% endif %}"), "x");
}

TEST(TemplateSandbox, ATemplateOfTenMegabytesIsRefused) {
    EXPECT_THAT(error_of(std::string(10'000'000, 'a')), HasSubstr("10000000 bytes, at most 1048576"));
    EXPECT_THAT(error_of(repeated("{{ x }}", 1'500'000)), HasSubstr("at most 1048576"));
}

TEST(TemplateSandbox, TextsAreBounded) {
    EXPECT_THAT(error_of("{{ 'a' * 10**9 }}"), HasSubstr("text of more than 16777216 bytes"));
    EXPECT_THAT(error_of("{{ 'a' * 9223372036854775807 }}"), HasSubstr("text of more than"));
    EXPECT_THAT(error_of("{{ 'abc' * 9223372036854775807 }}"), HasSubstr("64 bits"));
    EXPECT_THAT(error_of("{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}"),
                HasSubstr("text of more than"));
    EXPECT_THAT(
        error_of("{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(99) %}{% set ns.x = ns.x.replace('a', 'aaaa') %}{% endfor %}"),
        HasSubstr("more than"));
    EXPECT_THAT(error_of("{% for i in range(99999) %}{{ 'a' * 1000 }}{% endfor %}"), HasSubstr("text of more than"));
    EXPECT_THAT(error_of("{{ 'a'.center(10**12) }}"), HasSubstr("more than"));
    EXPECT_THAT(error_of("{{ 'a'|indent(10**12) }}"), HasSubstr("more than"));
    EXPECT_THAT(error_of("{{ ('a' * 10**6)|list|join('b' * 10**6) }}"), HasSubstr("more than"));
    EXPECT_EQ(rendered("{{ '' * 10**15 }}"), "");
}

TEST(TemplateSandbox, MemoryIsBounded) {
    EXPECT_THAT(
        error_of(
            "{% set a = 'a' * 10**6 %}{% set ns = namespace(l=[]) %}{% for i in range(999) %}{% set ns.l = ns.l + [a ~ i] %}{% endfor %}"),
        HasSubstr("values take more than"));
    EXPECT_THAT(error_of("{{ [0] * 10**9 }}"), HasSubstr("values take more than"));
    EXPECT_THAT(error_of("{{ [0] * 9223372036854775807 }}"), HasSubstr("values take more than"));
    EXPECT_THAT(error_of("{{ ('a' * 10**7)|list|length }}"), HasSubstr("more than"));
    EXPECT_THAT(error_of("{% set ns = namespace(l=[0]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}"),
                AnyOf(HasSubstr("steps"), HasSubstr("take more")));
}

TEST(TemplateSandbox, ValuesNestOnlySoDeep) {
    EXPECT_THAT(error_of("{% set ns = namespace(x=[]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}"),
                HasSubstr("nested more than 200 deep"));
    EXPECT_THAT(error_of("{% set ns = namespace(x={}) %}{% for i in range(9999) %}{% set ns.x = {'a': ns.x} %}{% endfor %}"),
                HasSubstr("nested more than 200 deep"));
    Json deep = Json::array();
    for (int i = 0; i < 2000; ++i) deep = Json::array({std::move(deep)});
    EXPECT_THAT(error_of("", {{"x", deep}}), HasSubstr("nested more than 200 deep"));
}

TEST(TemplateSandbox, WalkingAValueThatHoldsItselfManyTimesIsCharged) {
    const std::string twice =
        "{% set ns = namespace(x=[1], t=(1,)) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.t = (ns.t, ns.t) %}{% "
        "endfor %}";
    EXPECT_THAT(error_of(twice + "{{ ns.x|tojson }}"), HasSubstr("more than"));
    EXPECT_THAT(error_of(twice + "{{ ns.x }}"), HasSubstr("more than"));
    EXPECT_THAT(error_of(twice + "{{ ns.x == ns.x[0] or ns.x[0] == ns.x[1] }}"), HasSubstr("more than"));
    EXPECT_THAT(error_of(twice + "{{ ns.x < ns.x }}"), HasSubstr("more than"));
    EXPECT_THAT(error_of(twice + "{{ {ns.t: 1} }}"), HasSubstr("cannot be the key"));
}

TEST(TemplateSandbox, FormatsAreBounded) {
    EXPECT_THAT(error_of("{{ '%1000000000d' % 1 }}"), HasSubstr("wider than"));
    EXPECT_THAT(error_of("{{ '%.1000000000f' % 1.5 }}"), HasSubstr("wider than"));
    EXPECT_THAT(error_of("{{ '{:1000000000}'.format(1) }}"), HasSubstr("wider than"));
    EXPECT_THAT(error_of("{{ '{:99999999999999999999}'.format(1) }}"), HasSubstr("wider than"));
    EXPECT_THAT(error_of("{{ '%99999999999999999999999d' % 1 }}"), HasSubstr("wider than"));
    EXPECT_EQ(rendered("{{ '%.300f' % 1e308 }}").size(), 309u + 1 + 300);
    EXPECT_EQ(rendered("{{ 1e308|round(300) }}"), "1e+308");
}

TEST(TemplateSandbox, PayloadsThatReachForTheHostFindNothing) {
    const Json context = {{"messages", {{{"role", "user"}, {"content", "x"}}}}, {"s", "a"}, {"d", {{"k", 1}}}, {"l", {1}}};
    for (const char* object :
         {"''", "s", "d", "l", "messages", "1", "range", "namespace()", "namespace", "raise_exception", "none", "'a'.upper"}) {
        for (const char* name :
             {"__class__", "__mro__", "__globals__", "__init__", "__subclasses__", "__builtins__", "__dict__", "func_globals", "mro"}) {
            EXPECT_EQ(
                rendered(std::string("{{ ") + object + "." + name + " is defined or " + object + "['" + name + "'] is defined }}", context),
                "False")
                << object << "." << name;
        }
    }
    for (const char* payload : {
             "{{ ''.__class__.__mro__[1].__subclasses__() }}",
             "{{ self.__init__.__globals__ }}",
             "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
             "{{ lipsum.__globals__['os'].popen('id').read() }}",
             "{{ joiner.__init__.__globals__.os }}",
             "{{ config.items() }}",
             "{{ request|attr('application') }}{{ x.y }}",
             "{{ (''|attr('__class__')).mro() }}",
             "{{ '{0.__class__.__mro__}'.format('') }}{{ x.y }}",
             "{{ namespace.__init__.__globals__ }}",
             "{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}",
         }) {
        EXPECT_THROW(rendered(payload, context), Error) << payload;
    }
    EXPECT_EQ(rendered("{{ cycler is defined or joiner is defined or lipsum is defined or self is defined }}"), "False");
}

TEST(TemplateSandbox, SearchingIsLinear) {
    const char* source =
        "{% set a = 'a' * 4000000 %}{% set b = 'a' * 1000000 + 'b' %}{% set c = 'b' + 'a' * 1000000 %}"
        "{{ b in a }} {{ a.find(b) }} {{ a.rfind(c) }} {{ a.split(b)|length }} {{ a.rsplit(c)|length }}";
    EXPECT_EQ(rendered(source, Json::object(), kUntimed), "False -1 -1 1 1");  // a naive search would take hours
}

TEST(TemplateSandbox, EveryBeginningOfATemplateParsesOrIsRefused) {
    const std::string source =
        "{% macro f(a, b=[1, {'k': 'v\\n'}], *c) %}{{- a.b['c'][1:2]|join(',') is not none -}}{% endmacro %}{# x #}{% raw %}{{{% endraw %}"
        "{% set ns = namespace(a=1) %}{% for x, y in z if x %}{% break %}{% else %}{{ 1.5e3 // 2 ** -x ~ 'é' }}{% endfor %}";
    for (size_t size = 0; size <= source.size(); ++size) {
        error_of(source.substr(0, size));
        for (const char c : {'{', '}', '%', '\'', '(', '\\', '\xFF'}) {
            std::string changed = source;
            if (size < source.size()) changed[size] = c;
            EXPECT_FALSE(error_of(changed).empty());
        }
    }
}

TEST(TemplateSandbox, TheSameTemplateRendersOnManyThreadsAtOnce) {
    const auto shared =
        ChatTemplate::parse("{% macro f(x) %}<{{ x }}>{% endmacro %}{% for i in range(50) %}{{ f(i) }}{{ 'a'|upper }}{% endfor %}");
    const std::string expected = testing::joined(shared->render(Json::object(), 0));
    std::vector<std::thread> threads;
    std::vector<int> wrong(4, 0);
    for (size_t t = 0; t < wrong.size(); ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i) wrong[t] += testing::joined(shared->render(Json::object(), 0)) != expected;
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST(TemplateSandbox, AContextMustBeAnObjectWithinReason) {
    EXPECT_THROW(ChatTemplate::parse("")->render(Json::array(), 0), Error);
    EXPECT_THAT(error_of("", {{"x", UINT64_MAX}}), HasSubstr("more than 64 bits"));
}

}  // namespace
}  // namespace hearth
