//! A parsed filter.

use jiff::Timestamp;

use super::Kind;

/// A parsed condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Compare {
        left: Operand,
        op: Op,
        right: Literal,
    },
    In {
        left: Operand,
        list: Vec<Literal>,
    },
    Call {
        function: Function,
        left: Operand,
        text: String,
    },
    /// A boolean property on its own.
    Flag(Operand),
    Lambda {
        property: &'static str,
        all: bool,
        body: Option<Box<Self>>,
    },
}

/// What a comparison looks at.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Property {
        name: &'static str,
        kind: Kind,
    },
    /// A lambda's variable, or a path below it. A segment with a dot is a type cast.
    Variable(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    StartsWith,
    EndsWith,
    Contains,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Text(String),
    Number(f64),
    Bool(bool),
    Time(Timestamp),
}

/// See [`super::Filter::required`].
pub(super) fn required<'e>(expr: &'e Expr, property: &str) -> Option<&'e str> {
    match expr {
        Expr::Compare {
            left: Operand::Property { name, .. },
            op: Op::Eq,
            right: Literal::Text(text),
        } if *name == property => Some(text),
        Expr::And(parts) => parts.iter().find_map(|part| required(part, property)),
        _ => None,
    }
}

/// `a eq 1 or a eq 2 or …` as `a in (1, 2, …)`: clients chain hundreds of ids, and this way a row's
/// value is read once.
pub(super) fn alternatives(parts: Vec<Expr>) -> Expr {
    let first = match parts.first() {
        Some(Expr::Compare { left, op: Op::Eq, .. }) => left.clone(),
        _ => return Expr::Or(parts),
    };
    let same =
        |part: &Expr| matches!(part, Expr::Compare { left, op: Op::Eq, .. } if *left == first);
    if !parts.iter().all(same) {
        return Expr::Or(parts);
    }
    let literal = |part| match part {
        Expr::Compare { right, .. } => Some(right),
        _ => None,
    };
    Expr::In { list: parts.into_iter().filter_map(literal).collect(), left: first }
}
