// Runs a Program: one rendering.
#pragma once

#include <optional>

#include "chat/template/library/library.h"
#include "chat/template/syntax/parser.h"

namespace hearth::jinja {

/// Variables of a loop's round, a macro's call, a block. Those of the template itself are in Interpreter::globals_.
struct Scope : Object {
    explicit Scope(Scope* p) : Object(Kind::kScope), parent(p) {}
    Scope* parent;
    std::vector<std::pair<NameId, Value>> variables;
    bool captured = false;  // a macro lives on that may still ask for it
};

struct Macro : Object {
    Macro(const MacroStatement* s, Scope* sc) : Object(Kind::kMacro), statement(s), scope(sc) {}
    const MacroStatement* statement;
    Scope* scope;  // where it was made; null: the template itself
};

/// The `loop` variable.
struct Loop : Object {
    Loop() : Object(Kind::kLoop) {}
    const ForStatement* statement = nullptr;
    Scope* scope = nullptr;  // around the loop, for loop(...)
    ListPtr items;           // null after the loop
    size_t index = 0, size = 0;
    int depth = 0;
    std::optional<Values> last_changed;
};

/// Runs `program` once. Throws Error. Its values live in `runtime`, which must outlive it.
class Interpreter {
public:
    Interpreter(const Program& program, Runtime& runtime);

    /// Sets what a template finds under `name`.
    void define(const std::string& name, Value value);
    TextPtr run();

private:
    enum class Flow : uint8_t { kNext, kBreak, kContinue };

    /// Counts frames while it lives: a tree as deep as the parser allows, called as deep as macros may call.
    class Deeper {
    public:
        explicit Deeper(Interpreter& interpreter);
        ~Deeper() { --interpreter_.depth_; }

    private:
        Interpreter& interpreter_;
    };

    /// Enters a scope and leaves it again; scopes that no macro captured are used anew.
    class Entered {
    public:
        Entered(Interpreter& interpreter, Scope* parent);
        ~Entered();
        Scope& scope() { return *scope_; }

    private:
        Interpreter& interpreter_;
        Scope* const before_;
        Scope* scope_;
    };

    // expressions, evaluate.cpp
    Value evaluate(const Expr& expr);
    Value evaluate_group(const GroupExpr& expr);
    Value evaluate_dict(const GroupExpr& expr);
    Value evaluate_concat(const GroupExpr& expr);
    Value evaluate_arithmetic(const ArithmeticExpr& expr);
    Value evaluate_compare(const CompareExpr& expr);
    Value evaluate_postfix(const PostfixExpr& expr, std::optional<Value> base);
    Value apply(const Value& value, const Postfix& step);
    Value look_up(NameId name) const;
    Args evaluate_arguments(const Arguments& arguments);
    bool compares(Comparison op, const Value& a, const Value& b);
    Value optional(const ExprPtr& expr) { return expr ? evaluate(*expr) : Value(None{}); }

    // calls, call.cpp
    std::optional<Value> call_attribute(const Value& object, const TextPtr& name, const Arguments& arguments);
    Value attribute(const Value& object, const TextPtr& name);
    Value call(const Value& callee, Args args, Value caller = {});
    Value call_macro(const Macro& macro, Args args, Value caller);
    void bind_parameters(const MacroStatement& macro, Args& args, Scope& scope);
    Value loop_attribute(Loop& loop, const TextPtr& name);
    Value call_loop(Loop& loop, std::string_view name, const Args& args);

    // statements, execute.cpp
    Flow execute(const Block& block);
    Flow execute(const Statement& statement);
    Flow execute_if(const IfStatement& statement);
    void run_loop(const ForStatement& statement, const Value& items, int depth);
    ListPtr filtered(const ForStatement& statement, const ListPtr& items);
    Flow execute_block_in_scope(const Block& block);
    Value rendered(const Block& block);
    void execute_set(const SetStatement& statement);
    void execute_call_block(const MacroStatement& statement);
    void assign(const Target& target, const Value& value);
    void assign_name(NameId name, Value value);
    Value make_macro(const MacroStatement& statement);

    const Program& program_;
    Runtime& runtime_;
    std::vector<std::optional<Value>> globals_;  // by NameId
    Scope* scope_ = nullptr;                     // null: the template itself
    std::vector<Scope*> spare_scopes_;
    TextBuilder* out_ = nullptr;
    int64_t depth_ = 0, call_depth_ = 0;
};

}  // namespace hearth::jinja
