//! Tokens into an expression that fits the schema. Types are checked here, so that evaluation of a
//! row cannot fail.

use super::ast::{self, Expr, Function, Literal, Op, Operand};
use super::lexer::{Token, tokens};
use super::{Error, Kind, Schema};

/// Deepest nesting of parentheses, `not` and lambdas.
const DEEPEST: usize = 50;

pub(super) fn parse(text: &str, schema: &Schema) -> Result<Expr, Error> {
    let tokens = tokens(text)?;
    let mut parser = Parser { text, schema, tokens, next: 0, variable: None, depth: 0 };
    let expr = parser.any_of()?;
    match parser.peek() {
        None => Ok(expr),
        Some(_) => Err(parser.syntax()),
    }
}

struct Parser<'a> {
    text: &'a str,
    schema: &'a Schema,
    tokens: Vec<(usize, Token)>,
    next: usize,
    /// The lambda's variable while inside one.
    variable: Option<String>,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += 1;
        token
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(w)) if w.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, token: &Token) -> Result<(), Error> {
        if self.peek() == Some(token) {
            self.next += 1;
            return Ok(());
        }
        Err(self.syntax())
    }

    fn syntax(&self) -> Error {
        let at = self.tokens.get(self.next).map_or(self.text.len(), |(at, _)| *at);
        Error(format!("Syntax error at position {at} in '{}'.", self.text))
    }

    fn any_of(&mut self) -> Result<Expr, Error> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Error("The recursion limit has been exceeded.".to_owned()));
        }
        let mut parts = vec![self.all_of()?];
        while self.keyword("or") {
            parts.push(self.all_of()?);
        }
        self.depth -= 1;
        Ok(if parts.len() == 1 { parts.remove(0) } else { ast::alternatives(parts) })
    }

    fn all_of(&mut self) -> Result<Expr, Error> {
        let mut parts = vec![self.term()?];
        while self.keyword("and") {
            parts.push(self.term()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
    }

    fn term(&mut self) -> Result<Expr, Error> {
        if self.keyword("not") {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(Error("The recursion limit has been exceeded.".to_owned()));
            }
            let inner = self.term()?;
            self.depth -= 1;
            return Ok(Expr::Not(Box::new(inner)));
        }
        if self.peek() == Some(&Token::Open) {
            self.next += 1;
            let inner = self.any_of()?;
            self.expect(&Token::Close)?;
            return Ok(inner);
        }
        if let Some(function) = self.function() {
            return self.call(function);
        }
        if let Some(literal) = self.literal() {
            return self.flipped(literal);
        }
        self.condition()
    }

    /// `property op literal`, `property in (…)`, `list/any(…)` or a boolean property.
    fn condition(&mut self) -> Result<Expr, Error> {
        let left = self.operand()?;
        if let Operand::Property { name, kind: Kind::Texts | Kind::Objects } = left {
            return self.lambda(name);
        }
        if self.keyword("in") {
            self.expect(&Token::Open)?;
            let mut list = Vec::new();
            loop {
                let literal = self.literal().ok_or_else(|| self.syntax())?;
                list.push(fit(&left, Op::Eq, literal)?);
                match self.take() {
                    Some(Token::Comma) => {}
                    Some(Token::Close) => return Ok(Expr::In { left, list }),
                    _ => {
                        self.next -= 1;
                        return Err(self.syntax());
                    }
                }
            }
        }
        match self.op() {
            Some(op) => {
                let literal = self.literal().ok_or_else(|| self.syntax())?;
                Ok(Expr::Compare { right: fit(&left, op, literal)?, left, op })
            }
            None if matches!(left, Operand::Property { kind: Kind::Bool, .. }) => {
                Ok(Expr::Flag(left))
            }
            None => Err(self.syntax()),
        }
    }

    /// `literal op property`, turned round.
    fn flipped(&mut self, literal: Literal) -> Result<Expr, Error> {
        let Some(op) = self.op() else {
            return match literal {
                Literal::Bool(true) => Ok(Expr::And(Vec::new())),
                Literal::Bool(false) => Ok(Expr::Or(Vec::new())),
                _ => Err(self.syntax()),
            };
        };
        let left = self.operand()?;
        let op = match op {
            Op::Gt => Op::Lt,
            Op::Ge => Op::Le,
            Op::Lt => Op::Gt,
            Op::Le => Op::Ge,
            same => same,
        };
        Ok(Expr::Compare { right: fit(&left, op, literal)?, left, op })
    }

    fn function(&mut self) -> Option<Function> {
        let Some(Token::Word(word)) = self.peek() else { return None };
        let function = match word.to_ascii_lowercase().as_str() {
            "startswith" => Function::StartsWith,
            "endswith" => Function::EndsWith,
            "contains" => Function::Contains,
            _ => return None,
        };
        if self.tokens.get(self.next + 1).map(|(_, token)| token) != Some(&Token::Open) {
            return None;
        }
        self.next += 2;
        Some(function)
    }

    /// The rest of `startswith(property,'text')`, with an optional `eq true`.
    fn call(&mut self, function: Function) -> Result<Expr, Error> {
        let left = self.operand()?;
        if let Operand::Property { kind, .. } = &left
            && *kind != Kind::Text
        {
            return Err(Error(format!(
                "No function signature for the function matches the specified arguments. The function signatures considered are: (Edm.String, Edm.String); found '{}'.",
                edm(*kind)
            )));
        }
        self.expect(&Token::Comma)?;
        let Some(Token::Text(text)) = self.take() else {
            self.next -= 1;
            return Err(self.syntax());
        };
        self.expect(&Token::Close)?;
        let call = Expr::Call { function, left, text };
        match self.op() {
            None => Ok(call),
            Some(op @ (Op::Eq | Op::Ne)) => match self.literal() {
                Some(Literal::Bool(wanted)) if wanted == (op == Op::Eq) => Ok(call),
                Some(Literal::Bool(_)) => Ok(Expr::Not(Box::new(call))),
                _ => Err(self.syntax()),
            },
            Some(_) => Err(self.syntax()),
        }
    }

    /// The rest of `list/any(v: …)`.
    fn lambda(&mut self, property: &'static str) -> Result<Expr, Error> {
        self.expect(&Token::Slash)?;
        let all = self.keyword("all");
        if !all && !self.keyword("any") {
            return Err(self.syntax());
        }
        self.expect(&Token::Open)?;
        if !all && self.peek() == Some(&Token::Close) {
            self.next += 1;
            return Ok(Expr::Lambda { property, all, body: None });
        }
        let Some(Token::Word(name)) = self.take() else {
            self.next -= 1;
            return Err(self.syntax());
        };
        self.expect(&Token::Colon)?;
        let outer = self.variable.replace(name);
        let body = self.any_of()?;
        self.variable = outer;
        self.expect(&Token::Close)?;
        Ok(Expr::Lambda { property, all, body: Some(Box::new(body)) })
    }

    fn op(&mut self) -> Option<Op> {
        const OPS: [(&str, Op); 6] = [
            ("eq", Op::Eq),
            ("ne", Op::Ne),
            ("gt", Op::Gt),
            ("ge", Op::Ge),
            ("lt", Op::Lt),
            ("le", Op::Le),
        ];
        OPS.into_iter().find(|(word, _)| self.keyword(word)).map(|(_, op)| op)
    }

    fn literal(&mut self) -> Option<Literal> {
        let literal = match self.peek()? {
            Token::Text(text) | Token::Guid(text) => Literal::Text(text.clone()),
            Token::Number(number) => Literal::Number(*number),
            Token::Time(at) => Literal::Time(*at),
            Token::Word(word) if word == "null" => Literal::Null,
            Token::Word(word) if word == "true" => Literal::Bool(true),
            Token::Word(word) if word == "false" => Literal::Bool(false),
            _ => return None,
        };
        self.next += 1;
        Some(literal)
    }

    fn operand(&mut self) -> Result<Operand, Error> {
        let Some(Token::Word(name)) = self.take() else {
            self.next -= 1;
            return Err(self.syntax());
        };
        if self.variable.as_deref() == Some(name.as_str()) {
            let mut path = Vec::new();
            while self.peek() == Some(&Token::Slash) {
                self.next += 1;
                let Some(Token::Word(part)) = self.take() else {
                    self.next -= 1;
                    return Err(self.syntax());
                };
                path.push(part);
            }
            return Ok(Operand::Variable(path));
        }
        let mut known = self.schema.filterable.iter();
        if let Some(found) = known.find(|p| p.name.eq_ignore_ascii_case(&name)) {
            return Ok(Operand::Property { name: found.name, kind: found.kind });
        }
        let exists = self.schema.others.iter().any(|other| other.eq_ignore_ascii_case(&name));
        Err(Error(if exists {
            format!("The property '{name}' cannot be used in the $filter query option.")
        } else {
            format!("Could not find a property named '{name}' on type '{}'.", self.schema.entity)
        }))
    }
}

/// The literal as the operand's type, or what the OData layer says about it.
fn fit(left: &Operand, op: Op, literal: Literal) -> Result<Literal, Error> {
    let Operand::Property { kind, .. } = left else { return Ok(literal) };
    let fits = match (kind, &literal) {
        (Kind::Enum(members), Literal::Text(text)) => {
            if !members.iter().any(|member| member.eq_ignore_ascii_case(text)) {
                return Err(Error(format!(
                    "The string '{text}' is not a valid enumeration type constant."
                )));
            }
            true
        }
        (_, Literal::Null)
        | (Kind::Text, Literal::Text(_))
        | (Kind::Number, Literal::Number(_))
        | (Kind::Bool, Literal::Bool(_))
        | (Kind::Time, Literal::Time(_)) => true,
        _ => false,
    };
    if fits {
        return Ok(literal);
    }
    let found = match literal {
        Literal::Null => "<null>",
        Literal::Text(_) => "Edm.String",
        Literal::Number(_) => "Edm.Int32",
        Literal::Bool(_) => "Edm.Boolean",
        Literal::Time(_) => "Edm.DateTimeOffset",
    };
    Err(Error(format!(
        "A binary operator with incompatible types was detected. Found operand types '{}' and '{found}' for operator kind '{}'.",
        edm(*kind),
        spelled(op)
    )))
}

const fn edm(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "Edm.String",
        Kind::Enum(_) => "Edm.Enum",
        Kind::Number => "Edm.Int64",
        Kind::Bool => "Edm.Boolean",
        Kind::Time => "Edm.DateTimeOffset",
        Kind::Texts => "Collection(Edm.String)",
        Kind::Objects => "Collection(Edm.ComplexType)",
    }
}

const fn spelled(op: Op) -> &'static str {
    match op {
        Op::Eq => "Equal",
        Op::Ne => "NotEqual",
        Op::Gt => "GreaterThan",
        Op::Ge => "GreaterThanOrEqual",
        Op::Lt => "LessThan",
        Op::Le => "LessThanOrEqual",
    }
}
