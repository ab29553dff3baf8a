//! Where a limit is expected and a word or number of another form stands: what was meant.
//!
//! A limit takes a count, a share, or `unlimited`, which a schema says in branches of which none fits.
//! Told by type, that would advise quotes around a number and the other way round.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;

use crate::policy::yaml::{Content, Node};

/// Every form that a limit has.
pub(in crate::policy) const FORMS: &str =
    "write a count such as `50`, a share such as `5%`, or `unlimited`";

/// What is wanted in place of a value, and how to write it.
pub(super) struct Advice {
    pub(super) wanted: &'static str,
    pub(super) help: String,
}

/// Advice when the branches at `own` are those of a limit and what stands there is none.
pub(super) fn advice(
    context: &[Vec<ValidationError<'static>>],
    own: &str,
    node: &Node,
) -> Option<Advice> {
    let takes = |test: fn(&Kind) -> bool| has(context, own, test);
    if !takes(is_unlimited) {
        return None;
    }
    if !takes(is_count) {
        let help = "write a count and its window: `{count: 20, window: 24h}`".to_owned();
        let is_scalar = matches!(node.content, Content::Number(_) | Content::Bool(_));
        let wanted = "a count in a window or `unlimited`";
        return is_scalar.then_some(Advice { wanted, help });
    }
    let help = match &node.content {
        Content::Text(text) => of_text(text)?,
        // A whole number has the right form and is out of range.
        Content::Number(number) if number.to_string().contains(['.', 'e', 'E']) => {
            format!("write a whole number, or a share with its sign: `{number}%`")
        }
        Content::Bool(_) => FORMS.to_owned(),
        _ => return None,
    };
    Some(Advice { wanted: "a count, a share or `unlimited`", help })
}

/// What a text was meant to be; nothing for what looks like `unlimited`.
pub(in crate::policy) fn of_text(text: &str) -> Option<String> {
    let close: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if digits(&close) {
        return Some(format!("drop the quotes for a count: `{close}`; a share is `{close}%`"));
    }
    let number = close.strip_suffix('%')?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let is_share = close != text && digits(whole) && digits(part);
    let share = is_share.then(|| format!("write it without a space: `{close}`"));
    Some(
        share.unwrap_or_else(|| {
            "a share goes from `0%` to `100%`, with two decimals at most".into()
        }),
    )
}

fn has(context: &[Vec<ValidationError<'static>>], own: &str, test: fn(&Kind) -> bool) -> bool {
    let at = |inner: &&ValidationError<'static>| inner.instance_path().as_str() == own;
    context.iter().flatten().filter(at).any(|inner| match inner.kind() {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => has(context, own, test),
        kind => test(kind),
    })
}

fn is_unlimited(kind: &Kind) -> bool {
    matches!(kind, Kind::Constant { expected_value } if expected_value.as_str() == Some("unlimited"))
}

fn is_count(kind: &Kind) -> bool {
    use jsonschema::JsonType;
    use jsonschema::error::TypeKind;
    match kind {
        // A whole number out of range.
        Kind::Minimum { .. } | Kind::Maximum { .. } => true,
        Kind::Type { kind: TypeKind::Single(kind) } => *kind == JsonType::Integer,
        Kind::Type { kind: TypeKind::Multiple(kinds) } => kinds.contains(JsonType::Integer),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::policy::{SourceText, load_workspace};

    /// Each finding of a workspace with these caps: message and help.
    fn told(caps: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: palisade/v1\nkind: Workspace\nid: soc\ntenants:\n  - name: contoso\n    tenantId: 11111111-2222-3333-4444-555555555555\nguardrails:\n  caps:\n    isolate: {caps}\n"
        );
        let file = SourceText { file: "palisade.yaml".into(), text: text.into() };
        let (_, findings) = load_workspace(&file, Path::new("."));
        let told = findings
            .into_iter()
            .map(|it| format!("{} | {}", it.message, it.help.unwrap_or_default()));
        told.collect()
    }

    #[test]
    fn a_limit_of_another_form_is_led_to_the_right_one() {
        for (caps, help) in [
            ("{run: 5 %}", "without a space: `5%`"),
            ("{run: \"5\"}", "drop the quotes for a count: `5`"),
            ("{run: 5.5}", "a share with its sign: `5.5%`"),
            ("{run: true}", "a count such as `50`"),
            ("{group: 101%}", "from `0%` to `100%`"),
            ("{group: 1 01 %}", "without a space: `101%`"),
            ("{group: five}", "`5%`"),
            ("{alertRule: 20}", "`{count: 20, window: 24h}`"),
            ("{run: -1}", "at least 0"),
            ("{run: unlimitd}", "unlimited"),
        ] {
            let found = told(caps);
            assert!(found.len() == 1 && found[0].contains(help), "{caps}: {found:?}");
            assert!(!found[0].contains("put it in quotes"), "{caps}: {found:?}");
        }
        for caps in ["{run: 5, group: 5%}", "{run: unlimited, alertRule: unlimited}"] {
            assert_eq!(told(caps), [] as [&str; 0]);
        }
    }
}
