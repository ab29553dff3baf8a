//! Durations, percentages, cron expressions, dates, comments with markers: short texts that carry a
//! lot of weight.

use std::path::Path;

use palisade::model::{Marker, Span};
use palisade::policy::schedule::cron::Cron;
use palisade::policy::selector::glob;
use palisade::policy::workspace::Limit;
use palisade::policy::{self, SourceText};
use palisade::wire::pages::parse_date;

use super::made;

/// Reads the text as each of them.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.len() > 600 {
        return;
    }
    span(text);
    limit(text);
    cron(text);
    marker(text);
    let _ = glob::check(text);
    if let Some(date) = parse_date(text) {
        assert_eq!(parse_date(&date.to_string()), Some(date));
    }
}

/// What is written is what is read, and arithmetic with it never fails.
fn span(text: &str) {
    let Ok(span) = Span::parse(text) else { return };
    assert_eq!(Span::parse(&span.to_string()), Ok(span), "{text:?}");
    let now = made::now();
    assert!(span.before(now) <= now && now <= span.after(now));
    assert_eq!(span.to_signed().as_secs().unsigned_abs(), span.as_secs());
}

/// A share is at most everything, grows with the population, and `0%` is none.
fn limit(text: &str) {
    if text.contains('\n') {
        return;
    }
    let workspace = format!(
        "apiVersion: palisade/v1\nkind: Workspace\nid: fuzzed\npolicies: [policies]\ntenants: \
         [{{name: fuzzed, tenantId: 11111111-2222-3333-4444-555555555555}}]\nguardrails:\n  caps:\n    \
         isolate:\n      group: {text}\n"
    );
    let source = SourceText { file: "palisade.yaml".into(), text: workspace.into() };
    let (workspace, _) = policy::load_workspace(&source, Path::new("."));
    let Some(workspace) = workspace else { return };
    for caps in workspace.guardrails.caps.values() {
        let Some(limit) = caps.group else { continue };
        let sizes = [0, 1, 3, 4, 100, 9_999, 1_000_000, u32::MAX];
        let limits = sizes.map(|size| limit.of(size));
        assert!(limits.is_sorted(), "{text:?}: {limit:?} {limits:?}");
        match limit {
            Limit::Count(count) => assert!(limits.iter().all(|limit| *limit == count)),
            Limit::Share { basis_points: 0, .. } => assert_eq!(limits, [0; 8]),
            Limit::Share { basis_points, at_least } => {
                assert!(basis_points <= 10_000, "{text:?}: {limit:?}");
                let within = |(size, limit): (u32, u32)| limit <= size.max(at_least);
                assert!(sizes.into_iter().zip(limits).all(within), "{text:?}: {limit:?}");
            }
        }
    }
}

/// Ticks lie on the side of now where they should, and a wrong expression is pointed at.
fn cron(text: &str) {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap_or(jiff::tz::TimeZone::UTC);
    match Cron::parse(text) {
        Ok(cron) => {
            let now = made::now();
            let before = cron.latest_tick_at_or_before(&zone, now);
            assert!(before.is_none_or(|tick| tick <= now), "{text:?}");
            let after = cron.next_after(&zone, now);
            assert!(after.is_none_or(|tick| tick > now), "{text:?}");
            assert!(before.is_some() || after.is_some(), "{text:?} never ticks");
        }
        Err(error) => assert!(text.get(error.at.clone()).is_some(), "{text:?}: {error:?}"),
    }
}

/// Whatever an author writes, the marker that ends the comment is ours, and it all fits.
fn marker(text: &str) {
    let _ = Marker::find(text);
    let ours = Marker {
        workspace: "contoso-soc".into(),
        policy: "ir-7781".into(),
        change: "0123456789".into(),
        until: None,
    };
    let comment = ours.comment(text);
    assert_eq!(Marker::find(&comment), Some(ours), "{comment:?}");
    assert!(comment.chars().count() <= 400, "{comment:?}");
    assert!(!comment.chars().any(char::is_control), "{comment:?}");
}
