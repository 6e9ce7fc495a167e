// Calling macros, methods, functions and loops.
#include "base/text.h"
#include "chat/template/run/interpreter.h"

namespace hearth::jinja {
namespace {

const Value* find_named(const Args& args, std::string_view name) {
    for (const auto& [given, value] : args.named) {
        if (given == name) return &value;
    }
    return nullptr;
}

}  // namespace

Value Interpreter::attribute(const Value& object, const TextPtr& name) {
    if (object.is_object(Object::Kind::kLoop)) return loop_attribute(object.as<Loop>(), name);
    if (object.is_object(Object::Kind::kMacro) && name->bytes() == "name") {
        const NameId id = object.as<Macro>().statement->name;
        return id < 0 ? Value(None{}) : Value(program_.names[static_cast<size_t>(id)]);
    }
    return get_attribute(runtime_, object, name);
}

/// object.name(arguments) where `name` is a method of the object; nothing when it is something else.
std::optional<Value> Interpreter::call_attribute(const Value& object, const TextPtr& name, const Arguments& arguments) {
    if (object.is_object(Object::Kind::kLoop)) {
        if (name->bytes() != "cycle" && name->bytes() != "changed") return std::nullopt;
        return call_loop(object.as<Loop>(), name->bytes(), evaluate_arguments(arguments));
    }
    const MethodRow* method = find_method(object, name->bytes());
    if (!method) return std::nullopt;
    const Args args = evaluate_arguments(arguments);
    if (!method->run) runtime_.fail(cat("'", method->name, "' would change a ", type_name(object), ", which a template may not"));
    return method->run(runtime_, object, args);
}

Value Interpreter::call(const Value& callee, Args args, Value caller) {
    if (callee.is_undefined()) fail_undefined(runtime_, callee);
    if (callee.is(Value::Kind::kObject)) {
        switch (callee.object()->kind) {
            case Object::Kind::kMacro: return call_macro(callee.as<Macro>(), std::move(args), std::move(caller));
            case Object::Kind::kMethod: return callee.as<Method>().row->run(runtime_, callee.as<Method>().self, args);
            case Object::Kind::kFunction: return callee.as<Function>().row->run(runtime_, args);
            case Object::Kind::kLoop: {
                auto& loop = callee.as<Loop>();
                if (!loop.statement->recursive) runtime_.fail("loop(...) needs 'for ... recursive'");
                if (args.positional.size() != 1) runtime_.fail("loop(...) takes one list");
                if (++call_depth_ > runtime_.limits().call_depth)
                    runtime_.fail(cat("calls nested more than ", runtime_.limits().call_depth, " deep"));
                TextBuilder out(runtime_);
                TextBuilder* outer = std::exchange(out_, &out);
                Scope* scope = std::exchange(scope_, loop.scope);
                run_loop(*loop.statement, args.positional[0], loop.depth + 1);
                scope_ = scope;
                out_ = outer;
                --call_depth_;
                return out.finish();
            }
            default: break;
        }
    }
    runtime_.fail(cat("'", type_name(callee), "' object is not callable"));
}

/// Puts `args` into `scope` under the macro's parameters; those left over stay in `args`.
void Interpreter::bind_parameters(const MacroStatement& macro, Args& args, Scope& scope) {
    const auto given = args.positional.size();
    std::vector<bool> by_name(args.named.size(), false);
    for (size_t i = 0; i < macro.parameters.size(); ++i) {
        const Parameter& parameter = macro.parameters[i];
        const TextPtr& name = program_.names[static_cast<size_t>(parameter.name)];
        const Value* named = find_named(args, name->bytes());
        if (named)
            by_name[static_cast<size_t>(
                std::find_if(args.named.begin(), args.named.end(), [&](const auto& each) { return &each.second == named; }) -
                args.named.begin())] = true;
        if (i < given) {
            if (named) runtime_.fail(cat("the macro got two values for '", printable(name->bytes()), "'"));
            scope.variables.emplace_back(parameter.name, args.positional[i]);
        } else if (named) {
            scope.variables.emplace_back(parameter.name, *named);
        } else if (parameter.otherwise) {
            scope.variables.emplace_back(parameter.name, evaluate(*parameter.otherwise));
        } else {
            scope.variables.emplace_back(parameter.name, Undefined{name});
        }
    }
    args.positional.erase(args.positional.begin(),
                          args.positional.begin() + static_cast<std::ptrdiff_t>(std::min(given, macro.parameters.size())));
    std::vector<std::pair<std::string, Value>> left;
    for (size_t i = 0; i < args.named.size(); ++i) {
        if (!by_name[i]) left.push_back(std::move(args.named[i]));
    }
    args.named = std::move(left);
}

Value Interpreter::call_macro(const Macro& macro, Args args, Value caller) {
    const MacroStatement& statement = *macro.statement;
    if (++call_depth_ > runtime_.limits().call_depth) runtime_.fail(cat("calls nested more than ", runtime_.limits().call_depth, " deep"));
    Entered entered(*this, macro.scope);
    if (const Value* named = find_named(args, "caller"); named && statement.takes_caller) {
        caller = *named;
        std::erase_if(args.named, [](const auto& each) { return each.first == "caller"; });
    }
    bind_parameters(statement, args, entered.scope());
    if (!caller.is_undefined() && !statement.takes_caller) runtime_.fail("a macro that does not use 'caller' was called by 'call'");
    if (!args.positional.empty() && !statement.takes_varargs) runtime_.fail("the macro got too many arguments");
    if (!args.named.empty() && !statement.takes_kwargs) {
        runtime_.fail(cat("the macro has no parameter '", printable(args.named.front().first), "'"));
    }
    if (statement.takes_caller && !caller.is_undefined()) entered.scope().variables.emplace_back(kNameCaller, caller);
    if (statement.takes_varargs)
        entered.scope().variables.emplace_back(kNameVarargs, make_list(runtime_, std::move(args.positional), List::Sort::kTuple));
    if (statement.takes_kwargs) {
        DictBuilder kwargs(runtime_);
        for (auto& [name, value] : args.named) kwargs.set(make_string(runtime_, name), std::move(value));
        entered.scope().variables.emplace_back(kNameKwargs, kwargs.finish());
    }
    Value result = rendered(statement.body);
    --call_depth_;
    return result;
}

Value Interpreter::loop_attribute(Loop& loop, const TextPtr& name) {
    const auto size = static_cast<int64_t>(loop.size), index = static_cast<int64_t>(loop.index);
    const std::string_view n = name->bytes();
    const auto item = [&](int64_t at) -> Value {
        return loop.items && at >= 0 && at < size ? loop.items->items()[static_cast<size_t>(at)] : Value(Undefined{name});
    };
    if (n == "index") return index + 1;
    if (n == "index0") return index;
    if (n == "revindex") return size - index;
    if (n == "revindex0") return size - index - 1;
    if (n == "first") return index == 0;
    if (n == "last") return index == size - 1;
    if (n == "length") return size;
    if (n == "depth") return int64_t{loop.depth} + 1;
    if (n == "depth0") return int64_t{loop.depth};
    if (n == "previtem") return item(index - 1);
    if (n == "nextitem") return item(index + 1);
    return Undefined{name};
}

Value Interpreter::call_loop(Loop& loop, std::string_view name, const Args& args) {
    if (name == "cycle") {
        if (args.positional.empty()) runtime_.fail("loop.cycle() needs values");
        return args.positional[loop.index % args.positional.size()];
    }
    const auto same = [&](const Values& before) {
        return before.size() == args.positional.size() &&
               std::equal(before.begin(), before.end(), args.positional.begin(),
                          [this](const Value& a, const Value& b) { return equal(runtime_, a, b); });
    };
    if (loop.last_changed && same(*loop.last_changed)) return false;
    loop.last_changed = args.positional;
    return true;
}

}  // namespace hearth::jinja
