// A parsed template. Immutable once parsed; shared between threads.
//
// Chains (a + b - c, x.y[0]|f, a and b and c, elif) are kept flat, so
// that only real nesting makes the tree deep, and the parser bounds that.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat/template/values/value.h"

namespace hearth::jinja {

struct Expr {
    enum class Kind : uint8_t {
        kConstant,
        kName,
        kList,
        kTuple,
        kDict,
        kNegate,
        kPlus,
        kNot,
        kArithmetic,
        kConcat,
        kCompare,
        kAnd,
        kOr,
        kCondition,
        kPostfix
    };
    Expr(Kind k, int l) : kind(k), line(l) {}
    virtual ~Expr() = default;
    const Kind kind;
    const int line;
};
using ExprPtr = std::unique_ptr<const Expr>;

struct ConstantExpr : Expr {
    ConstantExpr(int l, Value v) : Expr(Kind::kConstant, l), value(std::move(v)) {}
    Value value;
};

/// Names are numbers: index into Program::names.
using NameId = int32_t;

struct NameExpr : Expr {
    NameExpr(int l, NameId n) : Expr(Kind::kName, l), name(n) {}
    NameId name;
};

/// kList, kTuple, kDict (keys and values in turn), kNegate, kPlus, kNot (one), kConcat, kAnd, kOr, kCondition (then, if, else or null).
struct GroupExpr : Expr {
    using Expr::Expr;
    std::vector<ExprPtr> items;
};

/// first op rest[0] op rest[1] ..., from the left.
struct ArithmeticExpr : Expr {
    explicit ArithmeticExpr(int l) : Expr(Kind::kArithmetic, l) {}
    ExprPtr first;
    std::vector<std::pair<Arithmetic, ExprPtr>> rest;
};

enum class Comparison : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kIn, kNotIn };

struct CompareExpr : Expr {
    explicit CompareExpr(int l) : Expr(Kind::kCompare, l) {}
    ExprPtr first;
    std::vector<std::pair<Comparison, ExprPtr>> rest;
};

struct Arguments {
    std::vector<ExprPtr> positional;
    std::vector<std::pair<std::string, ExprPtr>> named;
    ExprPtr spread, spread_named;  // *list, **dict
};

struct FilterRow;
struct TestRow;

/// One step behind a value.
struct Postfix {
    enum class Kind : uint8_t { kAttribute, kItem, kSlice, kCall, kFilter, kTest };
    Kind kind;
    int line;
    bool negated = false;               // a test
    TextPtr name = nullptr;             // attribute, filter, test
    const FilterRow* filter = nullptr;  // null: unknown, an error when it is reached
    const TestRow* test = nullptr;
    ExprPtr item = nullptr, end = nullptr, step = nullptr;  // item or slice; each of a slice may be null
    Arguments arguments = {};
};

struct PostfixExpr : Expr {
    explicit PostfixExpr(int l) : Expr(Kind::kPostfix, l) {}
    ExprPtr base;  // null in a set block or filter block: the text of the block
    std::vector<Postfix> steps;
};

struct Statement {
    enum class Kind : uint8_t { kData, kOutput, kIf, kFor, kSet, kSetBlock, kMacro, kCallBlock, kFilterBlock, kWith, kBreak, kContinue };
    Statement(Kind k, int l) : kind(k), line(l) {}
    virtual ~Statement() = default;
    const Kind kind;
    const int line;
};
using Block = std::vector<std::unique_ptr<const Statement>>;

struct DataStatement : Statement {
    DataStatement(int l, TextPtr t) : Statement(Kind::kData, l), text(std::move(t)) {}
    TextPtr text;
};

struct OutputStatement : Statement {
    OutputStatement(int l, ExprPtr e) : Statement(Kind::kOutput, l), value(std::move(e)) {}
    ExprPtr value;
};

struct IfStatement : Statement {
    explicit IfStatement(int l) : Statement(Kind::kIf, l) {}
    std::vector<std::pair<ExprPtr, Block>> branches;
    Block otherwise;
};

/// Where a value goes: a name, a name's field (a namespace), or several for a sequence.
struct Target {
    NameId name = -1;
    std::string field;
    std::vector<Target> parts;  // not empty: takes a sequence apart
};

struct ForStatement : Statement {
    explicit ForStatement(int l) : Statement(Kind::kFor, l) {}
    Target target;
    ExprPtr items, condition;  // condition may be null
    bool recursive = false;
    Block body, otherwise;
};

/// kSet: the value; kSetBlock: the text of the body, through the filter chain if there is one.
struct SetStatement : Statement {
    using Statement::Statement;
    Target target;
    ExprPtr value;
    Block body;
};

struct Parameter {
    NameId name;
    ExprPtr otherwise;  // may be null
};

/// kMacro; kCallBlock: the body is the caller, `call` what is called. `name` is -1 then.
struct MacroStatement : Statement {
    using Statement::Statement;
    NameId name = -1;
    std::vector<Parameter> parameters;
    Block body;
    ExprPtr call;
    bool takes_varargs = false, takes_kwargs = false, takes_caller = false;  // mentions these names
};

struct FilterStatement : Statement {
    explicit FilterStatement(int l) : Statement(Kind::kFilterBlock, l) {}
    ExprPtr filters;  // PostfixExpr without base
    Block body;
};

struct WithStatement : Statement {
    explicit WithStatement(int l) : Statement(Kind::kWith, l) {}
    std::vector<std::pair<Target, ExprPtr>> values;
    Block body;
};

/// break, continue.
struct JumpStatement : Statement {
    using Statement::Statement;
};

/// The parser's result.
struct Program {
    std::vector<TextPtr> names;  // by NameId
    Block body;
};

}  // namespace hearth::jinja
