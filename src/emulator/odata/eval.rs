//! Asks a row whether an expression holds. Total: types were checked when it was parsed, and a null
//! compares as false with everything but null.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::ast::{Expr, Function, Literal, Op, Operand};
use super::{Kind, Record, Value};
use crate::emulator::dates;

pub(super) fn matches(expr: &Expr, row: &impl Record) -> bool {
    holds(expr, row, None)
}

/// The lambda's current item.
#[derive(Clone, Copy)]
enum Item<'a> {
    Text(&'a str),
    Object(&'a Json),
}

fn holds(expr: &Expr, row: &impl Record, item: Option<Item<'_>>) -> bool {
    match expr {
        Expr::And(parts) => parts.iter().all(|part| holds(part, row, item)),
        Expr::Or(parts) => parts.iter().any(|part| holds(part, row, item)),
        Expr::Not(inner) => !holds(inner, row, item),
        Expr::Flag(operand) => value(operand, row, item) == Value::Bool(true),
        Expr::Compare { left, op, right } => compare(left, &value(left, row, item), *op, right),
        Expr::In { left, list } => {
            let value = value(left, row, item);
            list.iter().any(|literal| compare(left, &value, Op::Eq, literal))
        }
        Expr::Call { function, left, text } => match value(left, row, item) {
            Value::Text(held) => match function {
                Function::StartsWith => held.starts_with(text.as_str()),
                Function::EndsWith => held.ends_with(text.as_str()),
                Function::Contains => held.contains(text.as_str()),
            },
            _ => false,
        },
        Expr::Lambda { property, all, body } => lambda(row, property, *all, body.as_deref()),
    }
}

fn lambda(row: &impl Record, property: &str, all: bool, body: Option<&Expr>) -> bool {
    let check = |item: Item<'_>| body.is_none_or(|body| holds(body, row, Some(item)));
    match row.get(property) {
        Value::Texts(items) if all => items.iter().all(|text| check(Item::Text(text))),
        Value::Texts(items) => items.iter().any(|text| check(Item::Text(text))),
        Value::Objects(items) if all => items.iter().all(|object| check(Item::Object(object))),
        Value::Objects(items) => items.iter().any(|object| check(Item::Object(object))),
        _ => all,
    }
}

fn value<'a>(operand: &Operand, row: &'a impl Record, item: Option<Item<'a>>) -> Value<'a> {
    match (operand, item) {
        (Operand::Property { name, .. }, _) => row.get(name),
        (Operand::Variable(path), Some(Item::Text(text))) if path.is_empty() => Value::text(text),
        (Operand::Variable(path), Some(Item::Object(object))) => below(object, path),
        (Operand::Variable(_), _) => Value::Null,
    }
}

/// Walks a path below an object. A cast to another type than the object's own yields null.
fn below<'a>(object: &'a Json, path: &[String]) -> Value<'a> {
    let mut at = object;
    for part in path {
        if part.contains('.') {
            let own = at.get("@odata.type").and_then(Json::as_str).unwrap_or_default();
            if !own.trim_start_matches('#').eq_ignore_ascii_case(part) {
                return Value::Null;
            }
            continue;
        }
        let Some(fields) = at.as_object() else { return Value::Null };
        let found = fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(part));
        let Some((_, next)) = found else { return Value::Null };
        at = next;
    }
    match at {
        Json::String(text) => Value::text(text),
        Json::Number(number) => number.as_f64().map_or(Value::Null, Value::Number),
        Json::Bool(flag) => Value::Bool(*flag),
        _ => Value::Null,
    }
}

fn compare(operand: &Operand, held: &Value<'_>, op: Op, literal: &Literal) -> bool {
    let order = match (held, literal) {
        (Value::Null, Literal::Null) => Some(Ordering::Equal),
        (Value::Null, _) | (_, Literal::Null) => None,
        (Value::Text(held), Literal::Text(text)) => Some(text_order(operand, held, text)),
        (Value::Number(held), Literal::Number(number)) => held.partial_cmp(number),
        (Value::Bool(held), Literal::Bool(flag)) => Some(held.cmp(flag)),
        (Value::Time(held), Literal::Time(at)) => Some(dates::whole_ticks(*held).cmp(at)),
        // Below a lambda the types are not known beforehand: dates are text there.
        (Value::Text(held), Literal::Time(at)) => dates::read(held).map(|held| held.cmp(at)),
        _ => None,
    };
    match (op, order) {
        (Op::Ne, None) => true,
        (_, None) => false,
        (Op::Eq, Some(order)) => order == Ordering::Equal,
        (Op::Ne, Some(order)) => order != Ordering::Equal,
        (Op::Gt, Some(order)) => order == Ordering::Greater,
        (Op::Ge, Some(order)) => order != Ordering::Less,
        (Op::Lt, Some(order)) => order == Ordering::Less,
        (Op::Le, Some(order)) => order != Ordering::Greater,
    }
}

/// Enum members are ordered as declared, text byte by byte.
fn text_order(operand: &Operand, held: &str, text: &str) -> Ordering {
    let Operand::Property { kind: Kind::Enum(members), .. } = operand else {
        return held.cmp(text);
    };
    let place = |word: &str| members.iter().position(|member| member.eq_ignore_ascii_case(word));
    place(held).cmp(&place(text))
}
