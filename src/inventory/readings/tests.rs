//! Tables of histories and the readings they lead to.

use std::sync::Arc;

use crate::inventory::readings::{Facts, holder_of, isolation, restriction, takings};
use crate::inventory::testing::{action, at, builder, device, id, observe};
use crate::inventory::{ActionRow, DeviceRow, Missing, What};
use crate::model::{
    ActionKind, ActionStatus, Facet, Holder, Isolation, Reading, Restriction, UnknownReason,
    WorkspaceId,
};

fn ours() -> WorkspaceId {
    "contoso-soc".into()
}

fn our_comment(policy: &str, change: &str) -> Arc<str> {
    format!("contain [palisade contoso-soc/{policy} {change} until 2026-12-01T00:00Z]").into()
}

/// One line of a history: number, kind, created, updated, state, isolation type, policy of ours.
struct Line(u32, ActionKind, u32, u32, ActionStatus, Option<Isolation>, Option<&'static str>);

fn history(lines: Vec<Line>) -> Vec<ActionRow> {
    let time = |minute: u32| format!("2026-11-20T{:02}:{:02}:00Z", minute / 60, minute % 60);
    lines
        .into_iter()
        .map(|Line(number, kind, created, updated, status, isolation, policy)| {
            let mut row = action(number, 1, kind, &time(created));
            row.updated = at(&time(updated));
            row.status = status;
            row.isolation = isolation;
            if let Some(policy) = policy {
                row.comment = our_comment(policy, &format!("c{number}"));
            }
            row
        })
        .collect()
}

fn read(lines: Vec<Line>) -> Facts<Isolation> {
    let inventory = observe(vec![device(1, "a")], history(lines));
    isolation(&inventory, inventory.find(&id(1)).unwrap(), &ours())
}

use ActionKind::{Isolate, RestrictCodeExecution, Unisolate, UnrestrictCodeExecution};
use ActionStatus::{Cancelled, Failed, InProgress, Pending, Succeeded, TimeOut};

const FULL: Option<Isolation> = Some(Isolation::Full);
const SELECTIVE: Option<Isolation> = Some(Isolation::Selective);

#[test]
fn posture_is_the_latest_success_by_completion() {
    let table: Vec<(&str, Vec<Line>, Isolation)> = vec![
        ("no history", vec![], Isolation::Free),
        ("isolated", vec![Line(1, Isolate, 0, 1, Succeeded, FULL, None)], Isolation::Full),
        (
            "selectively",
            vec![Line(1, Isolate, 0, 1, Succeeded, SELECTIVE, None)],
            Isolation::Selective,
        ),
        ("type not said", vec![Line(1, Isolate, 0, 1, Succeeded, None, None)], Isolation::Full),
        (
            "type said to be none",
            vec![Line(1, Isolate, 0, 1, Succeeded, Some(Isolation::Free), None)],
            Isolation::Full,
        ),
        (
            "released",
            vec![
                Line(1, Isolate, 0, 1, Succeeded, FULL, None),
                Line(2, Unisolate, 5, 6, Succeeded, None, None),
            ],
            Isolation::Free,
        ),
        (
            "the release was sent last and ended first",
            vec![
                Line(1, Isolate, 0, 20, Succeeded, FULL, None),
                Line(2, Unisolate, 5, 6, Succeeded, None, None),
            ],
            Isolation::Full,
        ),
        (
            "ended at the same time: the later sent counts",
            vec![
                Line(1, Unisolate, 5, 9, Succeeded, None, None),
                Line(2, Isolate, 0, 9, Succeeded, FULL, None),
            ],
            Isolation::Free,
        ),
        (
            "sent and ended at the same time: the greater id counts",
            vec![
                Line(2, Isolate, 5, 9, Succeeded, FULL, None),
                Line(1, Unisolate, 5, 9, Succeeded, None, None),
            ],
            Isolation::Full,
        ),
        (
            "what did not succeed changes nothing",
            vec![
                Line(1, Isolate, 0, 1, Succeeded, SELECTIVE, None),
                Line(2, Unisolate, 5, 6, Failed, None, None),
                Line(3, Unisolate, 7, 8, TimeOut, None, None),
                Line(4, Unisolate, 9, 10, Cancelled, None, None),
            ],
            Isolation::Selective,
        ),
        (
            "other facets say nothing",
            vec![Line(1, RestrictCodeExecution, 0, 1, Succeeded, None, None)],
            Isolation::Free,
        ),
    ];
    for (case, lines, expected) in table {
        let facts = read(lines);
        assert_eq!(facts.reading, Reading::Known(expected), "{case}");
        assert_eq!(facts.placed.is_some(), expected != Isolation::Free, "{case}");
    }
}

#[test]
fn an_action_in_flight_makes_it_changing() {
    for status in [Pending, InProgress, ActionStatus::Other("Queued".into())] {
        let facts = read(vec![
            Line(1, Isolate, 0, 1, Succeeded, FULL, Some("ir-7781")),
            Line(2, Unisolate, 5, 5, status, None, None),
        ]);
        let by = Holder::Named { requestor: "analyst@contoso.example".into() };
        let expected = Reading::Changing {
            from: Isolation::Full,
            to: Isolation::Free,
            action: "a0002".into(),
            by,
        };
        assert_eq!(facts.reading, expected);
        assert_eq!(facts.newest, Some("a0002".into()));
        let holder = Holder::Ours { policy: "ir-7781".into(), change: "c1".into() };
        assert_eq!(facts.holder, holder, "the settled state keeps its holder");
    }
}

#[test]
fn a_forgotten_pending_action_still_changes() {
    let facts = read(vec![
        Line(1, Isolate, 0, 0, Pending, FULL, None),
        Line(2, Isolate, 5, 6, Succeeded, FULL, None),
        Line(3, Unisolate, 50, 60, Succeeded, None, None),
    ]);
    assert!(matches!(
        facts.reading,
        Reading::Changing { from: Isolation::Free, to: Isolation::Full, .. }
    ));
    assert_eq!(facts.newest, Some("a0003".into()));
}

#[test]
fn a_placement_says_since_when_and_by_whom() {
    let facts = read(vec![Line(1, Isolate, 0, 3, Succeeded, None, Some("ir-7781"))]);
    let placed = facts.placed.unwrap();
    assert_eq!(placed.completed, at("2026-11-20T00:03:00Z"));
    assert_eq!(placed.by, facts.holder);
    assert!(placed.assumed, "the service did not say which isolation it is");
    assert!(!read(vec![Line(1, Isolate, 0, 3, Succeeded, FULL, None)]).placed.unwrap().assumed);
}

#[test]
fn restriction_has_its_own_pair() {
    let inventory = observe(
        vec![device(1, "a")],
        history(vec![
            Line(1, RestrictCodeExecution, 0, 1, Succeeded, None, None),
            Line(2, UnrestrictCodeExecution, 2, 3, Failed, None, None),
        ]),
    );
    let facts = restriction(&inventory, inventory.find(&id(1)).unwrap(), &ours());
    assert_eq!(facts.reading, Reading::Known(Restriction::Restricted));
    assert_eq!(facts.newest, Some("a0002".into()));
}

#[test]
fn partial_history_and_ambiguous_records_are_unknown() {
    let mut partial = builder();
    partial.device(device(1, "a"));
    partial.action(action(1, 1, Isolate, "2026-11-20T00:00:00Z"));
    partial.missing(Missing { what: What::Actions, why: "page 3: 503".into() });
    let partial = partial.build();
    let facts = isolation(&partial, partial.find(&id(1)).unwrap(), &ours());
    assert_eq!(facts.reading, Reading::Unknown(UnknownReason::HistoryPartial));
    assert_eq!((facts.holder, facts.placed), (Holder::Nobody, None));

    let twins = observe(vec![device(1, "a"), device(2, "a")], vec![]);
    for number in [1, 2] {
        let facts = isolation(&twins, twins.find(&id(number)).unwrap(), &ours());
        let reason = UnknownReason::Ambiguous { records: 2 };
        assert_eq!(facts.reading, Reading::Unknown(reason));
    }
}

#[test]
fn actions_of_a_merged_record_count() {
    let old = DeviceRow { merged_into: Some(id(2)), ..device(1, "a") };
    let isolated = vec![action(1, 1, Isolate, "2026-11-20T00:00:00Z")];
    let inventory = observe(vec![old, device(2, "a")], isolated);
    let facts = isolation(&inventory, inventory.find(&id(2)).unwrap(), &ours());
    assert_eq!(facts.reading, Reading::Known(Isolation::Full));
}

#[test]
fn a_marker_is_believed_on_api_actions_only() {
    let named = |text: &str| Holder::Named { requestor: text.into() };
    let mine = Holder::Ours { policy: "p".into(), change: "c1".into() };
    let other = Holder::OtherWorkspace { workspace: "msp".into() };
    let ours_text = "[palisade contoso-soc/p c1]";
    let table = [
        (ours_text, "PublicApi", "app", mine.clone()),
        (ours_text, "publicapi", "app", mine.clone()),
        (ours_text, "", "app", mine),
        (ours_text, "Portal", "ann@contoso.example", named("ann@contoso.example")),
        ("x [palisade msp/p c1]", "PublicApi", "app", other),
        ("x [palisade msp/p c1]", "Portal", "bob", named("bob")),
        ("[palisade contoso-soc/p c1] copied", "PublicApi", "bob", named("bob")),
        ("no marker", "PublicApi", "bob", named("bob")),
        ("no marker", "PublicApi", " ", Holder::Nobody),
    ];
    for (comment, source, requestor, expected) in table {
        let mut row = action(1, 1, Isolate, "2026-11-20T00:00:00Z");
        (row.comment, row.source, row.requestor) =
            (comment.into(), source.into(), requestor.into());
        assert_eq!(holder_of(&row, &ours()), expected, "{comment} {source}");
    }
}

#[test]
fn takings_are_leases_of_our_policies() {
    let inventory = observe(
        vec![device(1, "a")],
        history(vec![
            Line(1, Isolate, 0, 1, Succeeded, FULL, Some("p")),
            // The same policy again without a release: still the same lease.
            Line(2, Isolate, 5, 6, Succeeded, SELECTIVE, Some("p")),
            Line(3, Unisolate, 10, 11, Succeeded, None, Some("p")),
            Line(4, Isolate, 20, 21, Failed, FULL, Some("p")),
            Line(5, Isolate, 30, 31, Succeeded, FULL, Some("p")),
            Line(6, Isolate, 40, 41, Succeeded, FULL, Some("q")),
            // An analyst isolates over ours: our lease is over.
            Line(7, Isolate, 50, 51, Succeeded, FULL, None),
            Line(8, Unisolate, 60, 61, Succeeded, None, None),
            Line(9, Isolate, 70, 71, Succeeded, FULL, Some("q")),
        ]),
    );
    let device = inventory.find(&id(1)).unwrap();
    let minute = |minute: u32| format!("2026-11-20T{:02}:{:02}:00Z", minute / 60, minute % 60);
    let found: Vec<_> = takings(&inventory, device, Facet::Isolation, &ours())
        .into_iter()
        .map(|taking| (taking.policy.to_string(), taking.started, taking.ended))
        .collect();
    let expected: Vec<_> =
        [("p", 1, Some(11)), ("p", 31, Some(41)), ("q", 41, Some(51)), ("q", 71, None)]
            .map(|(policy, start, end)| {
                (policy.to_owned(), at(&minute(start)), end.map(|end| at(&minute(end))))
            })
            .to_vec();
    assert_eq!(found, expected);
    assert!(takings(&inventory, device, Facet::CodeExecution, &ours()).is_empty());
    assert!(takings(&inventory, device, Facet::Scan, &ours()).is_empty());
}
