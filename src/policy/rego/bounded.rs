//! Built-ins whose one call may do any amount of work, held to what a call may make.
//!
//! The interpreter counts steps, and one call is one step: a list of a thousand million numbers, a text
//! that is doubled forty times or a number of a gigabyte would never meet the bound. Each of these
//! built-ins is put behind a function that first says how much the call would make at most. Too much is
//! an error, and what is allowed counts as steps, so that many large calls end like many small ones.
//! The work itself is done by the interpreter's own function, in an interpreter beside. Called by
//! `engine`; a comparison or a multiplication is no call and is not weighed.

use anyhow::bail;
use regorus::{Engine, Value};

/// Characters and parts that one call may make.
const MOST: u64 = 4_000_000;

/// Digits of a width in a format.
const WIDTH: usize = 3;

/// Name, number of arguments, and how much it makes at most.
type Bounded = (&'static str, u8, fn(&[Value]) -> anyhow::Result<u64>);

const BOUNDED: &[Bounded] = &[
    ("array.concat", 2, |args| Ok(parts(args, 0).saturating_add(parts(args, 1)))),
    ("bits.lsh", 2, |args| Ok(number(args, 1).unsigned_abs())),
    ("concat", 2, |args| {
        let between = length(args, 0).saturating_mul(parts(args, 1));
        Ok(between.saturating_add(deep(args, 1)))
    }),
    ("json.marshal", 1, |args| Ok(deep(args, 0))),
    ("json.marshal_with_options", 2, |args| Ok(deep(args, 0).saturating_mul(8))),
    ("numbers.range", 2, |args| Ok(number(args, 0).abs_diff(number(args, 1)))),
    ("numbers.range_step", 3, |args| {
        let step = number(args, 2).unsigned_abs().max(1);
        Ok(number(args, 0).abs_diff(number(args, 1)) / step)
    }),
    ("product", 1, |args| Ok(squared(parts(args, 0)))),
    ("regex.find_n", 3, |args| Ok(length(args, 0).saturating_add(length(args, 1)))),
    ("regex.match", 2, |args| Ok(length(args, 0).saturating_add(length(args, 1)))),
    ("regex.replace", 3, |args| {
        let (text, each) = (length(args, 0), length(args, 2));
        // A `$1` in it stands for a part of the text.
        let groups = string(args, 2).matches('$').count() as u64;
        let each = each.saturating_add(groups.saturating_mul(text));
        Ok(text.saturating_add(text.saturating_add(1).saturating_mul(each)))
    }),
    ("regex.split", 2, |args| Ok(length(args, 0).saturating_add(length(args, 1)))),
    ("replace", 3, |args| Ok(replaced(length(args, 0), length(args, 1), length(args, 2)))),
    ("split", 2, |args| Ok(length(args, 0))),
    ("sprintf", 2, |args| Ok(formatted(string(args, 0))?.saturating_add(deep(args, 1)))),
    ("strings.replace_n", 2, |args| {
        let length = |value: &Value| value.as_string().map_or(0, |text| text.len() as u64);
        let mut text = args.get(1).map_or(0, length);
        if let Some(Value::Object(pairs)) = args.first() {
            for (old, new) in pairs.iter() {
                text = replaced(text, length(old), length(new));
            }
        }
        Ok(text)
    }),
    ("to_number", 1, |args| Ok(squared(length(args, 0)))),
];

/// Work on digits, which takes them in words: each by each.
const fn squared(digits: u64) -> u64 {
    digits.saturating_mul(digits) / 64
}

/// Puts each of them behind its bound. `charge` is told how much a call makes.
pub(super) fn add(engine: &mut Engine, charge: fn(u64)) -> anyhow::Result<()> {
    for (name, arguments, weigh) in BOUNDED {
        let places: Vec<String> = (0..*arguments).map(|at| format!("input[{at}]")).collect();
        let rule = format!("package bounded\nout := {name}({})\n", places.join(", "));
        let mut beside = Engine::new();
        beside.set_strict_builtin_errors(true);
        beside.add_policy("bounded.rego".to_owned(), rule)?;
        let call = move |args: Vec<Value>| {
            let weight = weigh(&args)?;
            if weight > MOST {
                bail!("`{name}` would make more than {MOST} characters or parts");
            }
            charge(weight);
            beside.set_input(Value::from(args));
            beside.eval_rule("data.bounded.out".to_owned()).map_err(|error| sentence(&error))
        };
        engine.add_extension((*name).to_owned(), *arguments, Box::new(call))?;
    }
    Ok(())
}

/// Without the place, which is one beside.
fn sentence(error: &anyhow::Error) -> anyhow::Error {
    let text = format!("{error:#}");
    let said = text.rsplit_once("error: ").map_or(text.as_str(), |(_, said)| said);
    anyhow::anyhow!("{}", said.trim())
}

/// How much a format makes by itself.
fn formatted(format: &str) -> anyhow::Result<u64> {
    let mut made = format.len() as u64;
    for part in format.split('%').skip(1) {
        let digits = part.trim_start_matches('.');
        let digits = digits.find(|c: char| !c.is_numeric()).map_or(digits, |end| &digits[..end]);
        if digits.chars().count() > WIDTH {
            bail!("`sprintf` with a width of more than {WIDTH} digits");
        }
        let width: u64 = digits.parse().unwrap_or(0);
        made = made.saturating_add(width);
    }
    Ok(made)
}

/// Length of a text in which each `old` became a `new`.
fn replaced(text: u64, old: u64, new: u64) -> u64 {
    let times = text / old.max(1) + 1;
    text.saturating_add(times.saturating_mul(new))
}

fn string(args: &[Value], at: usize) -> &str {
    args.get(at).and_then(|value| value.as_string().ok()).map_or("", |text| text)
}

fn length(args: &[Value], at: usize) -> u64 {
    string(args, at).len() as u64
}

/// A number that is no whole one is none that a call accepts.
fn number(args: &[Value], at: usize) -> i64 {
    match args.get(at) {
        Some(value @ Value::Number(_)) => value.as_i64().unwrap_or(i64::MAX),
        _ => 0,
    }
}

/// Elements of a list or a set.
fn parts(args: &[Value], at: usize) -> u64 {
    match args.get(at) {
        Some(Value::Array(items)) => items.len() as u64,
        Some(Value::Set(items)) => items.len() as u64,
        _ => 0,
    }
}

/// Characters and parts all the way down; no further than the most.
fn deep(args: &[Value], at: usize) -> u64 {
    let mut seen = 0_u64;
    let mut next: Vec<&Value> = args.get(at).into_iter().collect();
    while let Some(value) = next.pop() {
        seen = seen.saturating_add(1);
        match value {
            Value::String(text) => seen = seen.saturating_add(text.len() as u64),
            Value::Array(items) => next.extend(items.iter()),
            Value::Set(items) => next.extend(items.iter()),
            Value::Object(members) => {
                for (key, value) in members.iter() {
                    next.extend([key, value]);
                }
            }
            Value::Number(_) | Value::Null | Value::Bool(_) | Value::Undefined => {}
        }
        if seen > MOST {
            break;
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What a call weighs.
    fn weight(name: &str, args: serde_json::Value) -> u64 {
        let (_, arguments, weigh) = BOUNDED.iter().find(|(of, ..)| *of == name).unwrap();
        let args: Vec<Value> = args.as_array().unwrap().iter().cloned().map(Value::from).collect();
        assert_eq!(args.len(), usize::from(*arguments), "{name}");
        weigh(&args).unwrap()
    }

    #[test]
    fn a_call_weighs_no_less_than_it_makes() {
        for (name, args, expected) in [
            ("array.concat", json!([[1, 2], [3]]), 3),
            ("bits.lsh", json!([1, 40]), 40),
            ("bits.lsh", json!([1, 1.5]), i64::MAX.unsigned_abs()),
            // Between three texts of four characters in all, and what is between them.
            ("concat", json!(["--", ["a", "bc", "d"]]), 6 + 1 + 3 + 4),
            ("json.marshal", json!([{"k": [true, "ab"]}]), 1 + 2 + 1 + 1 + 3),
            ("json.marshal_with_options", json!(["a", {}]), 16),
            ("numbers.range", json!([7, 2]), 5),
            ("numbers.range_step", json!([0, 9, 3]), 3),
            ("numbers.range_step", json!([0, 9, 0]), 9),
            ("replace", json!(["abcabc", "bc", "xyz"]), 6 + 4 * 3),
            ("replace", json!(["ab", "", "x"]), 2 + 3),
            ("split", json!(["abc", ","]), 3),
            ("sprintf", json!(["%5d|%.30f", [7]]), 9 + 5 + 30 + 2),
            ("strings.replace_n", json!([{"a": "bb"}, "aaa"]), 3 + 4 * 2),
            ("regex.replace", json!(["ab", "b", "$0x"]), 2 + 3 * (3 + 2)),
            ("product", json!([vec![7; 16]]), 4),
            ("to_number", json!(["1".repeat(24)]), 9),
        ] {
            assert_eq!(weight(name, args.clone()), expected, "{name} {args}");
        }
        let set =
            Value::from(std::collections::BTreeSet::from([Value::from("a"), Value::from("b")]));
        let set = [set];
        assert_eq!((parts(&set, 0), deep(&set, 0)), (2, 5));
    }

    #[test]
    fn what_is_too_much_is_not_weighed_to_its_end() {
        let long = "x".repeat(usize::try_from(MOST).unwrap());
        let list = Value::from(vec![Value::from(long.as_str()), Value::from(long.as_str())]);
        assert_eq!(deep(&[list], 0), 2 + MOST);
        assert!(formatted("%999d").is_ok() && formatted("%1000d").is_err());
    }
}
