#include "base/text.h"
#include "chat/template/run/interpreter.h"

namespace hearth::jinja {

namespace {
constexpr int64_t kMaxFrames = 3000;  // of evaluate and execute: about 1 MB of stack
}

Interpreter::Deeper::Deeper(Interpreter& interpreter) : interpreter_(interpreter) {
    if (++interpreter_.depth_ > kMaxFrames) {
        --interpreter_.depth_;
        interpreter_.runtime_.fail(cat("calls and expressions nested more than ", kMaxFrames, " deep"));
    }
}

Value Interpreter::look_up(NameId name) const {
    for (const Scope* scope = scope_; scope; scope = scope->parent) {
        for (const auto& [id, value] : scope->variables) {
            if (id == name) return value;
        }
    }
    if (const auto& global = globals_[static_cast<size_t>(name)]) return *global;
    return Undefined{program_.names[static_cast<size_t>(name)]};
}

Value Interpreter::evaluate(const Expr& expr) {
    const Deeper deeper(*this);
    runtime_.at_line(expr.line);
    runtime_.step();
    switch (expr.kind) {
        case Expr::Kind::kConstant: return static_cast<const ConstantExpr&>(expr).value;
        case Expr::Kind::kName: return look_up(static_cast<const NameExpr&>(expr).name);
        case Expr::Kind::kArithmetic: return evaluate_arithmetic(static_cast<const ArithmeticExpr&>(expr));
        case Expr::Kind::kCompare: return evaluate_compare(static_cast<const CompareExpr&>(expr));
        case Expr::Kind::kPostfix: return evaluate_postfix(static_cast<const PostfixExpr&>(expr), std::nullopt);
        default: return evaluate_group(static_cast<const GroupExpr&>(expr));
    }
}

Value Interpreter::evaluate_group(const GroupExpr& expr) {
    const auto& items = expr.items;
    switch (expr.kind) {
        case Expr::Kind::kDict: return evaluate_dict(expr);
        case Expr::Kind::kConcat: return evaluate_concat(expr);
        case Expr::Kind::kNegate: return negate(runtime_, evaluate(*items[0]));
        case Expr::Kind::kPlus: return negate(runtime_, negate(runtime_, evaluate(*items[0])));
        case Expr::Kind::kNot: return !truthy(evaluate(*items[0]));
        case Expr::Kind::kCondition:
            if (truthy(evaluate(*items[1]))) return evaluate(*items[0]);
            return items[2] ? evaluate(*items[2]) : Value();
        case Expr::Kind::kAnd:
        case Expr::Kind::kOr: {
            const bool stops_at = expr.kind == Expr::Kind::kOr;
            Value value;
            for (const ExprPtr& item : items) {
                value = evaluate(*item);
                if (truthy(value) == stops_at) break;
            }
            return value;
        }
        default: break;
    }
    Values values;
    values.reserve(items.size());
    for (const ExprPtr& item : items) values.push_back(evaluate(*item));
    return make_list(runtime_, std::move(values), expr.kind == Expr::Kind::kTuple ? List::Sort::kTuple : List::Sort::kList);
}

Value Interpreter::evaluate_dict(const GroupExpr& expr) {
    DictBuilder dict(runtime_);
    for (size_t i = 0; i < expr.items.size(); i += 2) {
        Value key = evaluate(*expr.items[i]);
        dict.set(std::move(key), evaluate(*expr.items[i + 1]));
    }
    return dict.finish();
}

Value Interpreter::evaluate_concat(const GroupExpr& expr) {
    TextBuilder out(runtime_);
    for (const ExprPtr& item : expr.items) print(out, evaluate(*item));
    return out.finish();
}

Value Interpreter::evaluate_arithmetic(const ArithmeticExpr& expr) {
    Value value = evaluate(*expr.first);
    for (const auto& [op, operand] : expr.rest) {
        const Value right = evaluate(*operand);
        runtime_.at_line(expr.line);
        value = calculate(runtime_, op, value, right);
    }
    return value;
}

bool Interpreter::compares(Comparison op, const Value& a, const Value& b) {
    switch (op) {
        case Comparison::kEqual: return equal(runtime_, a, b);
        case Comparison::kNotEqual: return !equal(runtime_, a, b);
        case Comparison::kIn: return contains(runtime_, b, a);
        case Comparison::kNotIn: return !contains(runtime_, b, a);
        default: break;
    }
    const int sign = order(runtime_, a, b);
    if (sign == kUnordered) return false;
    switch (op) {
        case Comparison::kLess: return sign < 0;
        case Comparison::kLessEqual: return sign <= 0;
        case Comparison::kGreater: return sign > 0;
        default: return sign >= 0;
    }
}

Value Interpreter::evaluate_compare(const CompareExpr& expr) {
    Value left = evaluate(*expr.first);
    for (const auto& [op, operand] : expr.rest) {
        Value right = evaluate(*operand);
        if (!compares(op, left, right)) return false;
        left = std::move(right);
    }
    return true;
}

/// `base`: what the chain begins with where its own expression has none.
Value Interpreter::evaluate_postfix(const PostfixExpr& expr, std::optional<Value> base) {
    Value value = base ? std::move(*base) : evaluate(*expr.base);
    for (size_t i = 0; i < expr.steps.size(); ++i) {
        const Postfix& step = expr.steps[i];
        runtime_.at_line(step.line);
        runtime_.step();
        if (step.kind == Postfix::Kind::kAttribute && i + 1 < expr.steps.size() && expr.steps[i + 1].kind == Postfix::Kind::kCall) {
            // The usual x.strip() without a value for x.strip.
            if (auto result = call_attribute(value, step.name, expr.steps[i + 1].arguments)) {
                value = std::move(*result);
                ++i;
                continue;
            }
        }
        value = apply(value, step);
    }
    return value;
}

Value Interpreter::apply(const Value& value, const Postfix& step) {
    switch (step.kind) {
        case Postfix::Kind::kAttribute: return attribute(value, step.name);
        case Postfix::Kind::kItem: return get_item(runtime_, value, evaluate(*step.item));
        case Postfix::Kind::kSlice: {
            const Value start = optional(step.item), end = optional(step.end);
            return get_slice(runtime_, value, start, end, optional(step.step));
        }
        case Postfix::Kind::kCall: return call(value, evaluate_arguments(step.arguments));
        case Postfix::Kind::kFilter: {
            if (!step.filter) runtime_.fail(cat("no filter named '", printable(step.name->bytes()), "'"));
            const Args args = evaluate_arguments(step.arguments);
            runtime_.at_line(step.line);
            return step.filter->run(runtime_, value, args);
        }
        case Postfix::Kind::kTest: {
            if (!step.test) runtime_.fail(cat("no test named '", printable(step.name->bytes()), "'"));
            return step.test->run(runtime_, value, evaluate_arguments(step.arguments)) != step.negated;
        }
    }
    return {};
}

Args Interpreter::evaluate_arguments(const Arguments& arguments) {
    Args out;
    for (const ExprPtr& each : arguments.positional) out.positional.push_back(evaluate(*each));
    for (const auto& [name, each] : arguments.named) out.named.emplace_back(name, evaluate(*each));
    if (arguments.spread) {
        const ListPtr more = iterate(runtime_, evaluate(*arguments.spread));
        runtime_.step(static_cast<int64_t>(more->size()));
        out.positional.insert(out.positional.end(), more->items().begin(), more->items().end());
    }
    if (arguments.spread_named) {
        const Value more = evaluate(*arguments.spread_named);
        if (!more.is_dict()) runtime_.fail(cat("'**' needs a dict, not ", type_name(more)));
        runtime_.step(static_cast<int64_t>(more.dict()->size()));
        for (const auto& [key, each] : more.dict()->entries()) {
            if (!key.is_text()) runtime_.fail("'**' needs a dict whose keys are texts");
            out.named.emplace_back(std::string(key.bytes()), each);
        }
    }
    return out;
}

}  // namespace hearth::jinja
