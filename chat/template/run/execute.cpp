#include "base/text.h"
#include "chat/template/run/interpreter.h"

namespace hearth::jinja {

Interpreter::Interpreter(const Program& program, Runtime& runtime) : program_(program), runtime_(runtime), globals_(program.names.size()) {
    for (const FunctionRow& row : functions()) define(std::string(row.name), runtime_.make<Function>(&row));
}

void Interpreter::define(const std::string& name, Value value) {
    for (size_t i = 0; i < program_.names.size(); ++i) {
        if (program_.names[i]->bytes() == name) globals_[i] = std::move(value);
    }
}

TextPtr Interpreter::run() {
    TextBuilder out(runtime_);
    out_ = &out;
    execute(program_.body);
    return out.finish();
}

Interpreter::Entered::Entered(Interpreter& interpreter, Scope* parent) : interpreter_(interpreter), before_(interpreter.scope_) {
    if (interpreter.spare_scopes_.empty()) {
        scope_ = interpreter.runtime_.make<Scope>(parent);
    } else {
        scope_ = interpreter.spare_scopes_.back();
        interpreter.spare_scopes_.pop_back();
        scope_->parent = parent;
    }
    interpreter.scope_ = scope_;
}

Interpreter::Entered::~Entered() {
    interpreter_.scope_ = before_;
    if (scope_->captured) return;
    scope_->variables.clear();
    interpreter_.spare_scopes_.push_back(scope_);
}

Interpreter::Flow Interpreter::execute(const Block& block) {
    for (const auto& statement : block) {
        if (const Flow flow = execute(*statement); flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
}

Interpreter::Flow Interpreter::execute_block_in_scope(const Block& block) {
    const Entered entered(*this, scope_);
    return execute(block);
}

Interpreter::Flow Interpreter::execute(const Statement& statement) {
    const Deeper deeper(*this);
    runtime_.at_line(statement.line);
    runtime_.step();
    switch (statement.kind) {
        case Statement::Kind::kData: out_->add(*static_cast<const DataStatement&>(statement).text); break;
        case Statement::Kind::kOutput: print(*out_, evaluate(*static_cast<const OutputStatement&>(statement).value)); break;
        case Statement::Kind::kIf: return execute_if(static_cast<const IfStatement&>(statement));
        case Statement::Kind::kFor: {
            const auto& loop = static_cast<const ForStatement&>(statement);
            run_loop(loop, evaluate(*loop.items), 0);
            break;
        }
        case Statement::Kind::kSet:
        case Statement::Kind::kSetBlock: execute_set(static_cast<const SetStatement&>(statement)); break;
        case Statement::Kind::kMacro: {
            const auto& macro = static_cast<const MacroStatement&>(statement);
            assign_name(macro.name, make_macro(macro));
            break;
        }
        case Statement::Kind::kCallBlock: execute_call_block(static_cast<const MacroStatement&>(statement)); break;
        case Statement::Kind::kFilterBlock: {
            const auto& filter = static_cast<const FilterStatement&>(statement);
            print(*out_, evaluate_postfix(static_cast<const PostfixExpr&>(*filter.filters), rendered(filter.body)));
            break;
        }
        case Statement::Kind::kWith: {
            const auto& with = static_cast<const WithStatement&>(statement);
            Values values;
            for (const auto& each : with.values) values.push_back(evaluate(*each.second));
            const Entered entered(*this, scope_);
            for (size_t i = 0; i < values.size(); ++i) assign(with.values[i].first, values[i]);
            return execute(with.body);
        }
        case Statement::Kind::kBreak: return Flow::kBreak;
        case Statement::Kind::kContinue: return Flow::kContinue;
    }
    return Flow::kNext;
}

Interpreter::Flow Interpreter::execute_if(const IfStatement& statement) {
    for (const auto& [condition, body] : statement.branches) {
        if (truthy(evaluate(*condition))) return execute(body);
    }
    return execute(statement.otherwise);
}

/// The items that the loop's own `if` lets through.
ListPtr Interpreter::filtered(const ForStatement& statement, const ListPtr& items) {
    Values out;
    for (const Value& item : items->items()) {
        const Entered entered(*this, scope_);
        assign(statement.target, item);
        if (truthy(evaluate(*statement.condition))) out.push_back(item);
    }
    return make_list(runtime_, std::move(out)).list();
}

void Interpreter::run_loop(const ForStatement& statement, const Value& items, int depth) {
    runtime_.at_line(statement.line);
    auto* loop = runtime_.make<Loop>();
    loop->statement = &statement;
    loop->scope = scope_;
    loop->depth = depth;
    loop->items = iterate(runtime_, items);
    if (statement.condition) loop->items = filtered(statement, loop->items);
    const ListPtr all = loop->items;
    loop->size = all->size();
    bool completed = false;  // a round that ends by break or continue does not count: Jinja2 runs the else behind it
    for (const Value& item : all->items()) {
        runtime_.step();
        Entered entered(*this, loop->scope);
        entered.scope().variables.emplace_back(kNameLoop, loop);
        assign(statement.target, item);
        const Flow flow = execute(statement.body);
        if (flow == Flow::kBreak) break;
        completed |= flow == Flow::kNext;
        ++loop->index;
    }
    loop->items = nullptr;
    if (!completed) execute_block_in_scope(statement.otherwise);
}

/// What a block prints, as a value.
Value Interpreter::rendered(const Block& block) {
    TextBuilder out(runtime_);
    TextBuilder* outer = std::exchange(out_, &out);
    execute_block_in_scope(block);
    out_ = outer;
    return out.finish();
}

void Interpreter::execute_set(const SetStatement& statement) {
    if (statement.kind == Statement::Kind::kSet) return assign(statement.target, evaluate(*statement.value));
    Value value = rendered(statement.body);
    if (statement.value) value = evaluate_postfix(static_cast<const PostfixExpr&>(*statement.value), std::move(value));
    assign(statement.target, value);
}

Value Interpreter::make_macro(const MacroStatement& statement) {
    for (Scope* scope = scope_; scope && !scope->captured; scope = scope->parent) scope->captured = true;
    return runtime_.make<Macro>(&statement, scope_);
}

void Interpreter::execute_call_block(const MacroStatement& statement) {
    const Value caller = make_macro(statement);
    const auto& call_expr = static_cast<const PostfixExpr&>(*statement.call);
    // Only the last step is the call that gets the block; what stands before it is evaluated as it is.
    Value callee = evaluate(*call_expr.base);
    for (size_t i = 0; i + 1 < call_expr.steps.size(); ++i) callee = apply(callee, call_expr.steps[i]);
    print(*out_, call(callee, evaluate_arguments(call_expr.steps.back().arguments), caller));
}

void Interpreter::assign_name(NameId name, Value value) {
    if (!scope_) {
        globals_[static_cast<size_t>(name)] = std::move(value);
        return;
    }
    for (auto& [id, old] : scope_->variables) {
        if (id == name) {
            old = std::move(value);
            return;
        }
    }
    scope_->variables.emplace_back(name, std::move(value));
}

void Interpreter::assign(const Target& target, const Value& value) {
    if (!target.parts.empty()) {
        const ListPtr items = iterate(runtime_, value);
        if (items->size() != target.parts.size()) {
            runtime_.fail(cat("cannot take ", items->size(), " values apart into ", target.parts.size(), " names"));
        }
        for (size_t i = 0; i < items->size(); ++i) assign(target.parts[i], items->items()[i]);
        return;
    }
    if (target.field.empty()) return assign_name(target.name, value);
    const Value holder = look_up(target.name);
    if (!holder.is_object(Object::Kind::kNamespace)) runtime_.fail("only a namespace's attributes can be set");
    holder.as<Namespace>().fields[target.field] = value;
}

}  // namespace hearth::jinja
