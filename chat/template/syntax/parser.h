// Tokens to a Program. Depth is counted, so no source can exhaust the stack.
#pragma once

#include <map>

#include "chat/template/syntax/ast.h"
#include "chat/template/syntax/lexer.h"

namespace hearth::jinja {

/// Names that the interpreter itself looks for; the first NameIds of every program, in this order.
enum FixedName : NameId { kNameLoop, kNameCaller, kNameVarargs, kNameKwargs, kNumFixedNames };

/// One parse. Throws Error{kBadInput} with the line.
class Parser {
public:
    Parser(std::string_view source, int64_t max_depth);
    Program parse();

private:
    // expressions, parse_expression.cpp; lowest precedence first
    ExprPtr tuple(bool with_condition = true, bool parenthesized = false, std::string_view end_name = {});
    ExprPtr expression(bool with_condition = true);
    ExprPtr logical_or();
    ExprPtr logical_and();
    ExprPtr logical_not();
    ExprPtr comparison();
    ExprPtr sum();
    ExprPtr concatenation();
    ExprPtr product();
    ExprPtr power();
    ExprPtr unary(bool with_filters = true);
    ExprPtr primary();
    ExprPtr name_or_literal();
    ExprPtr list();
    ExprPtr dict();
    ExprPtr with_postfix(ExprPtr base);
    ExprPtr with_filters(ExprPtr base);
    Postfix subscript();
    Postfix filter();
    Postfix test();
    Arguments arguments();
    bool at_tuple_end(std::string_view end_name) const;

    // statements, parse_statement.cpp
    Block block(std::initializer_list<std::string_view> ends);
    std::unique_ptr<const Statement> statement();
    std::unique_ptr<const Statement> if_statement();
    std::unique_ptr<const Statement> for_statement();
    std::unique_ptr<const Statement> set_statement();
    std::unique_ptr<const Statement> macro_statement();
    std::unique_ptr<const Statement> call_statement();
    std::unique_ptr<const Statement> filter_statement();
    std::unique_ptr<const Statement> with_statement();
    std::unique_ptr<const Statement> scope_statement(std::string_view end);
    std::unique_ptr<const Statement> jump_statement();
    void macro_body(MacroStatement& macro, std::string_view end);
    std::vector<Parameter> parameters();
    Target target(bool with_fields, std::string_view end_name = {});
    Target target_part(bool with_fields);
    ExprPtr filter_chain();
    void end_block();

    const Token& now() const { return tokens_[at_]; }
    const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
    Token take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
    bool take_sign(std::string_view sign);
    bool take_name(std::string_view name);
    void expect_sign(std::string_view sign);
    void expect_name(std::string_view name);
    std::string expect_any_name();
    [[noreturn]] void fail_here(std::string_view expected) const;
    NameId name_id(const std::string& name);

    /// Counts nesting while it lives.
    class Deeper {
    public:
        explicit Deeper(Parser& parser);
        ~Deeper() { --parser_.depth_; }

    private:
        Parser& parser_;
    };

    std::vector<Token> tokens_;
    size_t at_ = 0;
    const int64_t max_depth_;
    int64_t depth_ = 0;
    int loops_ = 0;                    // around here, within the macro
    bool soft_ = false;                // within a condition: an unknown filter or test is an error only when it is reached
    MacroStatement* macro_ = nullptr;  // the innermost around here
    Program program_;
    std::map<std::string, NameId> name_ids_;
};

}  // namespace hearth::jinja
