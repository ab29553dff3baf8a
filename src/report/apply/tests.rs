//! The table and the lines of a run, against files in `tests/fixtures/screen`.

use super::*;
use crate::report::plan::tests::samples;

fn run() -> (Plan, Summary) {
    let plan = samples::busy();
    let mut outcomes = BTreeMap::new();
    for (at, change) in plan.changes.iter().enumerate() {
        let ended = match at {
            0..=2 => Ended::because(
                Outcome::Refused,
                Reason::new("refused").with("status", 400).with("message", "no\x1b[1m such device"),
            ),
            3 => Ended::plain(Outcome::Moved),
            4 => Ended::plain(Outcome::PendingOffline),
            5 => Ended::plain(Outcome::AlreadySo),
            _ => Ended::plain(Outcome::Done).by(Some("a-1".into())),
        };
        outcomes.insert(change.id.clone(), ended);
    }
    (plan, Summary::of(outcomes, None))
}

#[test]
fn the_table_adds_up_and_names_what_failed() {
    let (plan, summary) = run();
    for width in [60, 100] {
        let text =
            table(&"20261123T100200-7f3c9a".into(), &plan, &summary, Style::new(width, false));
        samples::fits(&text, width);
        samples::golden(&format!("run-{width}.txt"), &text);
    }
}

#[test]
fn devices_of_one_reason_stand_in_one_block_whatever_their_actions() {
    let plan = samples::busy();
    let cancelled = |at: usize| {
        let reason = Reason::new("rollout-cancelled").with("action", format!("act-{at}"));
        Ended::because(Outcome::Failed, reason)
    };
    let of = |count: usize| {
        let ended = plan.changes.iter().take(count).enumerate();
        let outcomes = ended.map(|(at, change)| (change.id.clone(), cancelled(at))).collect();
        let run = "20261123T100200-7f3c9a".into();
        table(&run, &plan, &Summary::of(outcomes, None), Style::new(200, false))
    };
    let said = "the rollout stopped and the pending action was cancelled";
    let (one, many) = (of(1), of(3));
    assert!(one.contains(&format!("{said}: act-0")), "{one}");
    assert_eq!(many.matches(said).count(), 1, "{many}");
    assert!(!many.contains("act-"), "{many}");
}

#[test]
fn what_was_lifted_stands_with_the_result() {
    let plan = samples::lifted();
    let summary = Summary::of(BTreeMap::new(), None);
    let run = "20261123T100200-7f3c9a".into();
    let text = table(&run, &plan, &summary, Style::new(100, false));
    assert!(text.contains("LIFTED max-lease because “IR-7781: three days”\n"), "{text}");
    samples::fits(&text, 100);
    let result: serde_json::Value = serde_json::from_str(&json(&run, &plan, &summary)).unwrap();
    assert_eq!(result["lifts"][0]["code"], "cap-run");
}

#[test]
fn the_progress_line_has_every_number() {
    let now: Timestamp = "2026-11-23T10:05:00Z".parse().unwrap();
    let progress = Progress {
        total: 58,
        sent: 46,
        accepted: 44,
        pending: 12,
        succeeded: 32,
        failed: 2,
        courses: vec![crate::apply::Course {
            name: "ir-7781".into(),
            wave: 1,
            waves: 2,
            state: crate::apply::CourseState::Running,
        }],
        budget_left: Some(54),
        eta: Some("2026-11-23T10:17:00Z".parse().unwrap()),
        ..Progress::default()
    };
    assert_eq!(
        line(&progress, now),
        "wave 1 of 2 · sent 46 of 58 · accepted 44 · pending 12 · succeeded 32 · \
         failed 2 · 54 calls left · about 12 min left"
    );
    let bound = Progress { at_most: true, ..progress.clone() };
    assert!(line(&bound, now).ends_with("at most 12 min left"));
    let left = line(&Progress { left: 3, stopping: true, ..progress }, now);
    assert!(left.contains("failed 2 · left alone 3 ·") && left.ends_with("stopping"), "{left}");
}

#[test]
fn the_verdict_says_what_is_left() {
    let of = |outcomes: &[Outcome], stopped: Option<Reason>| {
        let ended = outcomes.iter().enumerate();
        let outcomes = ended.map(|(at, end)| (at.to_string().into(), Ended::plain(*end))).collect();
        verdict(&Summary::of(outcomes, stopped))
    };
    use Outcome::{AlreadySo, Done, Failed, NotAttempted, PendingOffline};
    assert_eq!(of(&[Done, AlreadySo], None), "All 2 changes as planned.");
    assert_eq!(
        of(&[Done, PendingOffline], None),
        "1 of 2 as planned; 1 queued for offline devices."
    );
    assert_eq!(of(&[Done, Failed], None), "Applied in part: 1 of 2 as planned.");
    assert_eq!(
        of(&[Done, Outcome::UnderWay, PendingOffline], None),
        "1 of 3 as planned; the end of 1 was not waited for."
    );
    let stopped = Some(Reason::new("interrupted"));
    assert_eq!(of(&[Done, NotAttempted], stopped), "Stopped: interrupted. 1 of 2 as planned.");
    let since = Ended::because(Done, Reason::new("changed-since"));
    let outcomes = [("a".into(), Ended::plain(Done)), ("b".into(), since)].into();
    assert_eq!(
        verdict(&Summary::of(outcomes, None)),
        "All 2 changes as planned. Changed by somebody since: 1."
    );
}

#[test]
fn the_json_form_has_every_change_once_and_reads_back() {
    let (plan, summary) = run();
    let text = json(&"r".into(), &plan, &summary);
    let read: RunResult = serde_json::from_str(&text).unwrap();
    assert_eq!(read, result(&"r".into(), &plan, &summary));
    assert_eq!(read.changes.len(), plan.changes.len());
    assert_eq!(read.counts.values().sum::<u32>(), read.total);
    let nothing: RunResult = serde_json::from_str(&nothing_json(&samples::lifted())).unwrap();
    assert_eq!((nothing.run, nothing.total, nothing.lifts.len()), (None, 0, read_lifts()));
}

fn read_lifts() -> usize {
    samples::lifted().lifts.len()
}
