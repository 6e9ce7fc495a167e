#include "base/text.h"
#include "chat/template/library/library.h"
#include "chat/template/syntax/parser.h"

namespace hearth::jinja {
namespace {

ExprPtr constant(int line, Value value) { return std::make_unique<ConstantExpr>(line, std::move(value)); }

ExprPtr group(Expr::Kind kind, int line, ExprPtr first) {
    auto out = std::make_unique<GroupExpr>(kind, line);
    out->items.push_back(std::move(first));
    return out;
}

/// Gathers a chain of operators of one precedence: `sign_at` says which one stands here, `operand` parses what follows.
template <class Sign, class Operand>
ExprPtr chain(int line, ExprPtr first, Sign sign_at, Operand operand) {
    std::unique_ptr<ArithmeticExpr> out;
    while (const std::optional<Arithmetic> op = sign_at()) {
        if (!out) {
            out = std::make_unique<ArithmeticExpr>(line);
            out->first = std::move(first);
        }
        out->rest.emplace_back(*op, operand());
    }
    return out ? ExprPtr(std::move(out)) : std::move(first);
}

/// One node for operands that the same operator joins, which `take` takes: `a or b or c`.
template <class Operand, class Take>
ExprPtr joined(Expr::Kind kind, int line, Operand operand, Take take) {
    ExprPtr first = operand();
    if (!take()) return first;
    auto out = std::make_unique<GroupExpr>(kind, line);
    out->items.push_back(std::move(first));
    do out->items.push_back(operand());
    while (take());
    return out;
}

}  // namespace

bool Parser::at_tuple_end(std::string_view end_name) const {
    return now().is(Token::Kind::kOutputEnd) || now().is(Token::Kind::kBlockEnd) || now().is_sign(")") ||
           (!end_name.empty() && now().is_name(end_name));
}

ExprPtr Parser::tuple(bool with_condition, bool parenthesized, std::string_view end_name) {
    const int line = now().line;
    std::vector<ExprPtr> items;
    bool is_tuple = false;
    for (;;) {
        if (!items.empty()) expect_sign(",");
        if (at_tuple_end(end_name)) break;
        items.push_back(expression(with_condition));
        if (!now().is_sign(",")) break;
        is_tuple = true;
    }
    if (!is_tuple && !items.empty()) return std::move(items.front());
    if (!is_tuple && !parenthesized) fail_here("an expression");
    auto out = std::make_unique<GroupExpr>(Expr::Kind::kTuple, line);
    out->items = std::move(items);
    return out;
}

ExprPtr Parser::expression(bool with_condition) {
    const Deeper deeper(*this);
    const int line = now().line;
    ExprPtr value = logical_or();
    if (with_condition && now().is_name("if")) {
        const bool soft = std::exchange(soft_, true);
        take();
        auto out = std::make_unique<GroupExpr>(Expr::Kind::kCondition, line);
        out->items.push_back(std::move(value));
        out->items.push_back(logical_or());
        out->items.push_back(take_name("else") ? expression() : nullptr);
        if (now().is_name("if")) fail_here("an 'else' before another 'if'");
        value = std::move(out);
        soft_ = soft;
    }
    return value;
}

ExprPtr Parser::logical_or() {
    return joined(
        Expr::Kind::kOr, now().line, [this] { return logical_and(); }, [this] { return take_name("or"); });
}

ExprPtr Parser::logical_and() {
    return joined(
        Expr::Kind::kAnd, now().line, [this] { return logical_not(); }, [this] { return take_name("and"); });
}

ExprPtr Parser::logical_not() {
    if (!now().is_name("not")) return comparison();
    const Deeper deeper(*this);
    const int line = take().line;
    return group(Expr::Kind::kNot, line, logical_not());
}

ExprPtr Parser::comparison() {
    constexpr std::string_view kSigns[] = {"==", "!=", "<", "<=", ">", ">="};
    const int line = now().line;
    ExprPtr first = sum();
    std::unique_ptr<CompareExpr> out;
    for (;;) {
        std::optional<Comparison> op;
        for (size_t i = 0; i < std::size(kSigns); ++i) {
            if (now().is_sign(kSigns[i])) op = static_cast<Comparison>(i);
        }
        if (now().is_name("in")) op = Comparison::kIn;
        if (now().is_name("not") && ahead().is_name("in")) {
            op = Comparison::kNotIn;
            take();
        }
        if (!op) break;
        take();
        if (!out) {
            out = std::make_unique<CompareExpr>(line);
            out->first = std::move(first);
        }
        out->rest.emplace_back(*op, sum());
    }
    return out ? ExprPtr(std::move(out)) : std::move(first);
}

ExprPtr Parser::sum() {
    const int line = now().line;
    const auto sign = [this]() -> std::optional<Arithmetic> {
        if (take_sign("+")) return Arithmetic::kAdd;
        if (take_sign("-")) return Arithmetic::kSubtract;
        return std::nullopt;
    };
    ExprPtr first = concatenation();
    return chain(line, std::move(first), sign, [this] { return concatenation(); });
}

ExprPtr Parser::concatenation() {
    return joined(
        Expr::Kind::kConcat, now().line, [this] { return product(); }, [this] { return take_sign("~"); });
}

ExprPtr Parser::product() {
    const int line = now().line;
    const auto sign = [this]() -> std::optional<Arithmetic> {
        if (take_sign("*")) return Arithmetic::kMultiply;
        if (take_sign("/")) return Arithmetic::kDivide;
        if (take_sign("//")) return Arithmetic::kFloorDivide;
        if (take_sign("%")) return Arithmetic::kModulo;
        return std::nullopt;
    };
    ExprPtr first = power();
    return chain(line, std::move(first), sign, [this] { return power(); });
}

ExprPtr Parser::power() {
    const int line = now().line;
    const auto sign = [this] { return take_sign("**") ? std::optional(Arithmetic::kPower) : std::nullopt; };
    ExprPtr first = unary();
    return chain(line, std::move(first), sign, [this] { return unary(); });
}

ExprPtr Parser::unary(bool filters) {
    const int line = now().line;
    ExprPtr value;
    if (now().is_sign("-") || now().is_sign("+")) {
        const Deeper deeper(*this);
        const auto kind = take().text == "-" ? Expr::Kind::kNegate : Expr::Kind::kPlus;
        value = group(kind, line, unary(false));
    } else {
        value = primary();
    }
    value = with_postfix(std::move(value));
    return filters ? with_filters(std::move(value)) : std::move(value);
}

ExprPtr Parser::name_or_literal() {
    const Token token = take();
    if (token.text == "true" || token.text == "True") return constant(token.line, true);
    if (token.text == "false" || token.text == "False") return constant(token.line, false);
    if (token.text == "none" || token.text == "None") return constant(token.line, None{});
    return std::make_unique<NameExpr>(token.line, name_id(token.text));
}

ExprPtr Parser::primary() {
    const int line = now().line;
    switch (now().kind) {
        case Token::Kind::kName: return name_or_literal();
        case Token::Kind::kInt: return constant(line, take().integer);
        case Token::Kind::kFloat: return constant(line, take().number);
        case Token::Kind::kText: {
            std::string text;
            while (now().is(Token::Kind::kText)) text += take().text;
            return constant(line, constant_text(std::move(text)));
        }
        default: break;
    }
    if (take_sign("(")) {
        ExprPtr value = tuple(true, true);
        expect_sign(")");
        return value;
    }
    if (now().is_sign("[")) return list();
    if (now().is_sign("{")) return dict();
    fail_here("an expression");
}

ExprPtr Parser::list() {
    auto out = std::make_unique<GroupExpr>(Expr::Kind::kList, take().line);
    while (!now().is_sign("]")) {
        if (!out->items.empty()) expect_sign(",");
        if (now().is_sign("]")) break;
        out->items.push_back(expression());
    }
    expect_sign("]");
    return out;
}

ExprPtr Parser::dict() {
    auto out = std::make_unique<GroupExpr>(Expr::Kind::kDict, take().line);
    while (!now().is_sign("}")) {
        if (!out->items.empty()) expect_sign(",");
        if (now().is_sign("}")) break;
        out->items.push_back(expression());
        expect_sign(":");
        out->items.push_back(expression());
    }
    expect_sign("}");
    return out;
}

namespace {

/// `base` with one more step; a chain grows in place.
ExprPtr extended(ExprPtr base, Postfix step, std::unique_ptr<PostfixExpr>& chain) {
    if (!chain) {
        chain = std::make_unique<PostfixExpr>(step.line);
        chain->base = std::move(base);
    }
    chain->steps.push_back(std::move(step));
    return nullptr;
}

}  // namespace

ExprPtr Parser::with_postfix(ExprPtr base) {
    std::unique_ptr<PostfixExpr> chain;
    for (;;) {
        if (now().is_sign(".") || now().is_sign("[")) {
            base = extended(std::move(base), subscript(), chain);
        } else if (now().is_sign("(")) {
            Postfix call{.kind = Postfix::Kind::kCall, .line = now().line};
            call.arguments = arguments();
            base = extended(std::move(base), std::move(call), chain);
        } else {
            return chain ? ExprPtr(std::move(chain)) : std::move(base);
        }
    }
}

ExprPtr Parser::with_filters(ExprPtr base) {
    std::unique_ptr<PostfixExpr> chain;
    for (;;) {
        if (now().is_sign("|")) {
            base = extended(std::move(base), filter(), chain);
        } else if (now().is_name("is")) {
            base = extended(std::move(base), test(), chain);
        } else if (now().is_sign("(")) {
            Postfix call{.kind = Postfix::Kind::kCall, .line = now().line};
            call.arguments = arguments();
            base = extended(std::move(base), std::move(call), chain);
        } else {
            return chain ? ExprPtr(std::move(chain)) : std::move(base);
        }
    }
}

Postfix Parser::subscript() {
    Postfix out{.kind = Postfix::Kind::kItem, .line = now().line};
    if (take_sign(".")) {
        const Token token = take();
        if (token.is(Token::Kind::kName)) {
            out.kind = Postfix::Kind::kAttribute;
            out.name = constant_text(token.text);
        } else if (token.is(Token::Kind::kInt)) {
            out.item = constant(token.line, token.integer);
        } else {
            fail_syntax(token.line, "expected a name or a number after '.'");
        }
        return out;
    }
    expect_sign("[");
    if (!now().is_sign(":")) {
        out.item = tuple();
        if (take_sign("]")) return out;
    }
    out.kind = Postfix::Kind::kSlice;
    expect_sign(":");
    if (!now().is_sign(":") && !now().is_sign("]")) out.end = expression();
    if (take_sign(":") && !now().is_sign("]")) out.step = expression();
    expect_sign("]");
    return out;
}

Arguments Parser::arguments() {
    Arguments out;
    expect_sign("(");
    for (bool first = true; !now().is_sign(")"); first = false) {
        if (!first) expect_sign(",");
        if (now().is_sign(")")) break;
        if (take_sign("*")) {
            if (out.spread || out.spread_named) fail_here("one '*' and no argument behind '**'");
            out.spread = expression();
        } else if (take_sign("**")) {
            if (out.spread_named) fail_here("one '**'");
            out.spread_named = expression();
        } else if (now().is(Token::Kind::kName) && ahead().is_sign("=")) {
            std::string name = take().text;
            take();
            out.named.emplace_back(std::move(name), expression());
        } else {
            if (out.spread || out.spread_named || !out.named.empty()) fail_here("no plain argument behind a named one");
            out.positional.push_back(expression());
        }
    }
    expect_sign(")");
    return out;
}

Postfix Parser::filter() {
    expect_sign("|");
    Postfix out{.kind = Postfix::Kind::kFilter, .line = now().line};
    std::string name = expect_any_name();
    while (take_sign(".")) name += "." + expect_any_name();
    out.filter = find_filter(name);
    if (!out.filter && !soft_) fail_syntax(out.line, cat("no filter named '", printable(name), "'"));
    out.name = constant_text(std::move(name));
    if (now().is_sign("(")) out.arguments = arguments();
    return out;
}

Postfix Parser::test() {
    expect_name("is");
    Postfix out{.kind = Postfix::Kind::kTest, .line = now().line};
    out.negated = take_name("not");
    std::string name = expect_any_name();
    while (take_sign(".")) name += "." + expect_any_name();
    out.test = find_test(name);
    if (!out.test && !soft_) fail_syntax(out.line, cat("no test named '", printable(name), "'"));
    out.name = constant_text(std::move(name));
    const bool value_follows = now().is(Token::Kind::kName) || now().is(Token::Kind::kText) || now().is(Token::Kind::kInt) ||
                               now().is(Token::Kind::kFloat) || now().is_sign("[") || now().is_sign("{");
    if (now().is_sign("(")) {
        out.arguments = arguments();
    } else if (value_follows && !now().is_name("else") && !now().is_name("or") && !now().is_name("and")) {
        if (now().is_name("is")) fail_here("one 'is'");
        const Deeper deeper(*this);
        out.arguments.positional.push_back(with_postfix(primary()));
    }
    return out;
}

}  // namespace hearth::jinja
