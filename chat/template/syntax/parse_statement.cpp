#include "base/error.h"
#include "base/text.h"
#include "chat/template/syntax/parser.h"

namespace hearth::jinja {

Parser::Deeper::Deeper(Parser& parser) : parser_(parser) {
    if (++parser_.depth_ > parser_.max_depth_) {
        --parser_.depth_;
        fail_syntax(parser_.now().line, cat("nested more than ", parser_.max_depth_, " deep"));
    }
}

Parser::Parser(std::string_view source, int64_t max_depth) : tokens_(tokenize(source)), max_depth_(max_depth) {
    for (const char* name : {"loop", "caller", "varargs", "kwargs"}) name_id(name);
}

Program Parser::parse() {
    program_.body = block({});
    if (!now().is(Token::Kind::kEnd)) fail_here("the end of the template");
    return std::move(program_);
}

bool Parser::take_sign(std::string_view sign) {
    if (!now().is_sign(sign)) return false;
    take();
    return true;
}

bool Parser::take_name(std::string_view name) {
    if (!now().is_name(name)) return false;
    take();
    return true;
}

void Parser::expect_sign(std::string_view sign) {
    if (!take_sign(sign)) fail_here(cat("'", sign, "'"));
}

void Parser::expect_name(std::string_view name) {
    if (!take_name(name)) fail_here(cat("'", name, "'"));
}

std::string Parser::expect_any_name() {
    if (!now().is(Token::Kind::kName)) fail_here("a name");
    return take().text;
}

void Parser::fail_here(std::string_view expected) const {
    const Token& token = now();
    std::string found = cat("'", printable(token.text, 40), "'");
    if (token.is(Token::Kind::kEnd)) found = "the end of the template";
    if (token.is(Token::Kind::kBlockEnd)) found = "'%}'";
    if (token.is(Token::Kind::kOutputEnd)) found = "'}}'";
    fail_syntax(token.line, cat("expected ", expected, ", found ", found));
}

NameId Parser::name_id(const std::string& name) {
    const auto [found, is_new] = name_ids_.try_emplace(name, static_cast<NameId>(program_.names.size()));
    if (is_new) program_.names.push_back(constant_text(name));
    if (macro_) {
        macro_->takes_caller |= found->second == kNameCaller;
        macro_->takes_varargs |= found->second == kNameVarargs;
        macro_->takes_kwargs |= found->second == kNameKwargs;
    }
    return found->second;
}

void Parser::end_block() {
    if (!now().is(Token::Kind::kBlockEnd)) fail_here("'%}'");
    take();
}

/// Statements up to a tag named in `ends`, whose name is taken but not what follows it; up to the end of the template if there is none.
Block Parser::block(std::initializer_list<std::string_view> ends) {
    const Deeper deeper(*this);
    Block out;
    for (;;) {
        const int line = now().line;
        switch (now().kind) {
            case Token::Kind::kEnd:
                if (ends.size() > 0) fail_here(cat("'", *(ends.end() - 1), "'"));
                return out;
            case Token::Kind::kData: out.push_back(std::make_unique<DataStatement>(line, constant_text(take().text))); break;
            case Token::Kind::kOutputBegin: {
                take();
                out.push_back(std::make_unique<OutputStatement>(line, tuple()));
                if (!now().is(Token::Kind::kOutputEnd)) fail_here("'}}'");
                take();
                break;
            }
            default: {
                take();
                if (std::any_of(ends.begin(), ends.end(), [this](std::string_view end) { return now().is_name(end); })) return out;
                out.push_back(statement());
                end_block();
            }
        }
    }
}

/// What stands after '{%', up to before its '%}' (or that of its end tag).
std::unique_ptr<const Statement> Parser::statement() {
    if (!now().is(Token::Kind::kName)) fail_here("the name of a statement");
    const std::string_view name = now().text;
    if (name == "if") return if_statement();
    if (name == "for") return for_statement();
    if (name == "set") return set_statement();
    if (name == "macro") return macro_statement();
    if (name == "call") return call_statement();
    if (name == "filter") return filter_statement();
    if (name == "with") return with_statement();
    if (name == "generation") return scope_statement("endgeneration");
    if (name == "block") return scope_statement("endblock");
    if (name == "break" || name == "continue") return jump_statement();
    if (name == "print") {
        const int line = take().line;
        return std::make_unique<OutputStatement>(line, tuple());
    }
    fail_syntax(now().line, cat("unknown statement '", printable(name), "'"));
}

std::unique_ptr<const Statement> Parser::if_statement() {
    auto out = std::make_unique<IfStatement>(now().line);
    const bool soft = std::exchange(soft_, true);
    do {
        take();  // if, elif
        ExprPtr condition = tuple(false);
        end_block();
        out->branches.emplace_back(std::move(condition), block({"elif", "else", "endif"}));
    } while (now().is_name("elif"));
    if (take_name("else")) {
        end_block();
        out->otherwise = block({"endif"});
    }
    expect_name("endif");
    soft_ = soft;
    return out;
}

std::unique_ptr<const Statement> Parser::for_statement() {
    auto out = std::make_unique<ForStatement>(take().line);
    const bool soft = std::exchange(soft_, false);
    out->target = target(false, "in");
    expect_name("in");
    out->items = tuple(false, false, "recursive");
    if (take_name("if")) out->condition = expression();
    out->recursive = take_name("recursive");
    end_block();
    ++loops_;
    out->body = block({"else", "endfor"});
    --loops_;
    if (take_name("else")) {
        end_block();
        out->otherwise = block({"endfor"});
    }
    expect_name("endfor");
    soft_ = soft;
    return out;
}

Target Parser::target_part(bool with_fields) {
    const Deeper deeper(*this);
    Target out;
    if (take_sign("(")) {
        while (!now().is_sign(")")) {
            out.parts.push_back(target_part(with_fields));
            if (!take_sign(",")) break;
        }
        expect_sign(")");
        if (out.parts.empty()) fail_here("a name to assign to");
        return out;
    }
    const std::string name = expect_any_name();
    for (const char* reserved : {"true", "false", "none", "True", "False", "None"}) {
        if (name == reserved) fail_syntax(now().line, cat("cannot assign to '", name, "'"));
    }
    out.name = name_id(name);
    if (with_fields && take_sign(".")) out.field = expect_any_name();
    return out;
}

Target Parser::target(bool with_fields, std::string_view end_name) {
    Target first = target_part(with_fields);
    if (!now().is_sign(",")) return first;
    Target out;
    out.parts.push_back(std::move(first));
    while (take_sign(",")) {
        if (now().is_sign("=") || at_tuple_end(end_name)) break;
        out.parts.push_back(target_part(with_fields));
    }
    return out;
}

ExprPtr Parser::filter_chain() {
    auto chain = std::make_unique<PostfixExpr>(now().line);
    while (now().is_sign("|")) chain->steps.push_back(filter());
    return chain->steps.empty() ? nullptr : ExprPtr(std::move(chain));
}

std::unique_ptr<const Statement> Parser::set_statement() {
    const int line = take().line;
    Target to = target(true);
    if (take_sign("=")) {
        auto out = std::make_unique<SetStatement>(Statement::Kind::kSet, line);
        out->target = std::move(to);
        out->value = tuple();
        return out;
    }
    auto out = std::make_unique<SetStatement>(Statement::Kind::kSetBlock, line);
    out->target = std::move(to);
    const bool soft = std::exchange(soft_, false);
    out->value = filter_chain();
    end_block();
    out->body = block({"endset"});
    expect_name("endset");
    soft_ = soft;
    return out;
}

std::vector<Parameter> Parser::parameters() {
    std::vector<Parameter> out;
    expect_sign("(");
    while (!now().is_sign(")")) {
        if (!out.empty()) expect_sign(",");
        if (now().is_sign(")")) break;
        Parameter parameter{name_id(expect_any_name()), nullptr};
        if (take_sign("=")) {
            parameter.otherwise = expression();
        } else if (!out.empty() && out.back().otherwise) {
            fail_here("a default, as the parameter before has one");
        }
        out.push_back(std::move(parameter));
    }
    expect_sign(")");
    return out;
}

void Parser::macro_body(MacroStatement& macro, std::string_view end) {
    MacroStatement* outer = std::exchange(macro_, &macro);
    const int loops = std::exchange(loops_, 0);
    const bool soft = std::exchange(soft_, false);
    if (now().is_sign("(")) macro.parameters = parameters();
    if (macro.kind == Statement::Kind::kCallBlock) {
        macro_ = outer;  // what is called is evaluated outside
        loops_ = loops;
        macro.call = expression();
        macro_ = &macro;
        loops_ = 0;
    }
    end_block();
    macro.body = block({end});
    expect_name(end);
    macro_ = outer;
    loops_ = loops;
    soft_ = soft;
    if (outer) {  // a name in an inner macro is one of the outer's, too
        outer->takes_caller |= macro.takes_caller;
        outer->takes_varargs |= macro.takes_varargs;
        outer->takes_kwargs |= macro.takes_kwargs;
    }
}

std::unique_ptr<const Statement> Parser::macro_statement() {
    auto out = std::make_unique<MacroStatement>(Statement::Kind::kMacro, take().line);
    out->name = name_id(expect_any_name());
    if (!now().is_sign("(")) fail_here("'('");
    macro_body(*out, "endmacro");
    return out;
}

std::unique_ptr<const Statement> Parser::call_statement() {
    auto out = std::make_unique<MacroStatement>(Statement::Kind::kCallBlock, take().line);
    macro_body(*out, "endcall");
    const auto* call = dynamic_cast<const PostfixExpr*>(out->call.get());
    if (!call || call->steps.back().kind != Postfix::Kind::kCall) fail_syntax(out->line, "'call' without a call");
    return out;
}

std::unique_ptr<const Statement> Parser::filter_statement() {
    auto out = std::make_unique<FilterStatement>(now().line);
    // The first filter stands without its bar.
    tokens_[at_].kind = Token::Kind::kSign;
    tokens_[at_].text = "|";
    out->filters = filter_chain();
    end_block();
    const bool soft = std::exchange(soft_, false);
    out->body = block({"endfilter"});
    expect_name("endfilter");
    soft_ = soft;
    return out;
}

std::unique_ptr<const Statement> Parser::with_statement() {
    auto out = std::make_unique<WithStatement>(take().line);
    while (!now().is(Token::Kind::kBlockEnd)) {
        if (!out->values.empty()) expect_sign(",");
        Target to = target_part(false);
        expect_sign("=");
        out->values.emplace_back(std::move(to), expression());
    }
    end_block();
    out->body = block({"endwith"});
    expect_name("endwith");
    return out;
}

/// Statements that mark a part and change nothing of it.
std::unique_ptr<const Statement> Parser::scope_statement(std::string_view end) {
    auto out = std::make_unique<WithStatement>(take().line);
    if (end == "endblock") expect_any_name();
    end_block();
    out->body = block({end});
    expect_name(end);
    if (end == "endblock" && now().is(Token::Kind::kName)) take();
    return out;
}

std::unique_ptr<const Statement> Parser::jump_statement() {
    const Token token = take();
    if (loops_ == 0) fail_syntax(token.line, cat("'", token.text, "' outside of a loop"));
    return std::make_unique<JumpStatement>(token.text == "break" ? Statement::Kind::kBreak : Statement::Kind::kContinue, token.line);
}

}  // namespace hearth::jinja
