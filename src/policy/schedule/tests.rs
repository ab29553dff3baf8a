//! Tables over summer time, and laws that hold for every expression.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::model::{DeviceId, PolicyName};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn cron(text: &str) -> Cron {
    Cron::parse(text).unwrap()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn ticks(text: &str, place: &str, from: &str, count: usize) -> Vec<String> {
    let (cron, zone) = (cron(text), zone(place));
    let mut now = at(from);
    (0..count)
        .map(|_| {
            now = cron.next_after(&zone, now).unwrap();
            now.to_string()
        })
        .collect()
}

#[test]
fn expressions_tick_where_cron_would() {
    for (text, from, expected) in [
        ("0 20 * * SAT", "2026-11-23T00:00:00Z", "2026-11-28T20:00:00Z"),
        ("*/15 9-17 * * 1-5", "2026-11-20T17:45:00Z", "2026-11-23T09:00:00Z"),
        ("0 0 1,15 * ?", "2026-11-02T00:00:00Z", "2026-11-15T00:00:00Z"),
        ("0 0 * * 7", "2026-11-23T00:00:00Z", "2026-11-29T00:00:00Z"),
        ("0 0 * * FRI-SUN", "2026-11-29T00:00:00Z", "2026-12-04T00:00:00Z"),
        ("5/20 0 * * *", "2026-11-23T00:05:00Z", "2026-11-23T00:25:00Z"),
        ("0 0 29 feb *", "2026-11-23T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("@weekly", "2026-11-23T00:00:00Z", "2026-11-29T00:00:00Z"),
        ("@yearly", "2026-11-23T00:00:00Z", "2027-01-01T00:00:00Z"),
        // Both day fields restricted: the 13th or a Friday.
        ("0 0 13 * FRI", "2026-11-23T00:00:00Z", "2026-11-27T00:00:00Z"),
        ("0 0 13 * FRI", "2026-12-11T00:00:00Z", "2026-12-13T00:00:00Z"),
        // A stepped star is no restriction: odd days that are Fridays.
        ("0 0 */2 * FRI", "2026-11-23T00:00:00Z", "2026-11-27T00:00:00Z"),
        // The leap day that is a Saturday comes in 2048, across no century.
        ("0 0 29 2 */6", "2029-01-01T00:00:00Z", "2032-02-29T00:00:00Z"),
    ] {
        let next = cron(text).next_after(&TimeZone::UTC, at(from)).unwrap();
        assert_eq!(next.to_string(), expected, "{text}");
        let latest = cron(text).latest_tick_at_or_before(&TimeZone::UTC, next);
        assert_eq!(latest, Some(next), "{text}");
    }
}

#[test]
fn a_tick_in_a_gap_fires_when_the_gap_ends() {
    assert_eq!(
        ticks("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
        ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
    );
    assert_eq!(
        ticks("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2),
        ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"]
    );
    // Half an hour is skipped: 02:00 to 02:30.
    assert_eq!(
        ticks("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2),
        ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"]
    );
    // Several ticks of one gap are one.
    assert_eq!(
        ticks("*/30 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 2),
        ["2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]
    );
}

#[test]
fn a_tick_in_a_fold_fires_once() {
    assert_eq!(
        ticks("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
    assert_eq!(
        ticks("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", 2),
        ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]
    );
    assert_eq!(
        ticks("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", 2),
        ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"]
    );
    // The second 02:10 of the night: 02:30 has already fired in the first round.
    let latest = cron("30 2 * * *")
        .latest_tick_at_or_before(&zone("Europe/Berlin"), at("2026-10-25T01:10:00Z"));
    assert_eq!(latest, Some(at("2026-10-25T00:30:00Z")));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (text, expected, range) in [
        ("0 20 * *", "a cron expression has five fields, here are 4", 8..8),
        ("0 20 * * * *", "a cron expression has five fields, here are 6", 11..12),
        ("", "a cron expression has five fields, here are 0", 0..0),
        ("61 * * * *", "minute `61` is not between 0 and 59", 0..2),
        ("0 0 * JANUARY *", "`JANUARY` is not a month", 6..13),
        ("0 0 * * MON,FOO", "`FOO` is not a day of week", 12..15),
        ("0 17-9 * * *", "the range `17-9` runs backwards", 2..6),
        ("*/0 * * * *", "a step must be at least 1", 2..3),
        ("? * * * *", "`?` is allowed for the day of month and the day of week only", 0..1),
        ("0 0 30 2 *", "no date ever matches: the chosen months have no such day", 4..8),
        ("0 0 31 4,6,9,11 *", "no date ever matches: the chosen months have no such day", 4..15),
        ("@sometimes", "`@sometimes` is not a known short form", 0..10),
        ("0 0 1, * *", "`` is not a day of month", 6..6),
        ("+5 * * * *", "`+5` is not a minute", 0..2),
    ] {
        let error = Cron::parse(text).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.at.clone()), (expected, range), "{text}");
    }
}

fn weekly(catch_up: bool) -> Schedule {
    Schedule {
        tick: Tick::Cron(cron("0 20 * * SAT")),
        zone: zone("Europe/Berlin"),
        window: Span::from_hours(8),
        spread: Span::from_hours(4),
        catch_up,
    }
}

fn ask(schedule: &Schedule, now: &str, last: Option<&str>, failed: Option<&str>) -> Due {
    let device = DeviceId::parse("0a1b2c3d4e5f60718293a4b5c6d7e8f901234567");
    schedule.due(
        at(now),
        Scans {
            device: &device,
            policy: &PolicyName::from("weekly-full"),
            last: last.map(at),
            failed: failed.map(at),
            retry_delay: Span::from_hours(4),
        },
    )
}

#[test]
fn a_scan_is_due_from_the_tick_until_the_window_closes() {
    // Saturday 28 November 2026, 20:00 in Berlin, is 19:00 UTC.
    let schedule = weekly(false);
    let due = ask(&schedule, "2026-11-28T19:00:00Z", None, None);
    let Due::Now { tick, not_before, closes } = due else { panic!("{due:?}") };
    assert_eq!(tick, Some(at("2026-11-28T19:00:00Z")));
    assert_eq!(closes, Some(at("2026-11-29T03:00:00Z")));
    assert!(not_before >= tick.unwrap() && not_before < at("2026-11-28T23:00:00Z"));
    let late = ask(&schedule, "2026-11-29T03:00:00Z", None, None);
    assert!(matches!(late, Due::Missed { .. }), "{late:?}");
    let done = ask(&schedule, "2026-11-29T03:00:00Z", Some("2026-11-28T19:00:00Z"), None);
    assert_eq!(done, Due::Satisfied { next: Some(at("2026-12-05T19:00:00Z")) });
    let made_up = ask(&weekly(true), "2026-11-30T00:00:00Z", None, None);
    assert!(matches!(made_up, Due::Now { closes: None, .. }), "{made_up:?}");
}

#[test]
fn a_failed_scan_is_due_again_after_the_retry_delay() {
    let schedule = weekly(false);
    let failed = Some("2026-11-28T20:00:00Z");
    assert_eq!(
        ask(&schedule, "2026-11-28T23:59:59Z", None, failed),
        Due::Retry { at: at("2026-11-29T00:00:00Z"), closes: Some(at("2026-11-29T03:00:00Z")) }
    );
    assert!(matches!(ask(&schedule, "2026-11-29T00:00:00Z", None, failed), Due::Now { .. }));
    // A failure before the tick is another story.
    let old = Some("2026-11-28T18:59:59Z");
    assert!(matches!(ask(&schedule, "2026-11-28T19:00:00Z", None, old), Due::Now { .. }));
}

#[test]
fn an_interval_counts_from_the_last_scan_and_has_no_window() {
    let schedule = Schedule {
        tick: Tick::Every(Span::from_days(7)),
        zone: TimeZone::UTC,
        window: Span::from_hours(1),
        spread: Span::from_secs(0),
        catch_up: false,
    };
    let now = "2026-11-28T19:00:00Z";
    assert_eq!(
        ask(&schedule, now, None, None),
        Due::Now { tick: None, not_before: at(now), closes: None }
    );
    let last = Some("2026-11-21T19:00:01Z");
    let next = Some(at("2026-11-28T19:00:01Z"));
    assert_eq!(ask(&schedule, now, last, None), Due::Satisfied { next });
    let overdue = ask(&schedule, now, Some("2026-10-01T00:00:00Z"), None);
    assert!(matches!(overdue, Due::Now { closes: None, .. }), "{overdue:?}");
}

fn field(least: u32, most: u32) -> impl Strategy<Value = String> {
    let value = least..=most;
    prop_oneof![
        3 => Just("*".to_owned()),
        3 => value.clone().prop_map(|value| value.to_string()),
        1 => (1u32..7).prop_map(|step| format!("*/{step}")),
        1 => (value.clone(), value).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
    ]
}

fn expression() -> impl Strategy<Value = Cron> {
    (field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)).prop_filter_map(
        "dates that never come are refused",
        |(minute, hour, day, month, weekday)| {
            Cron::parse(&format!("{minute} {hour} {day} {month} {weekday}")).ok()
        },
    )
}

fn place() -> impl Strategy<Value = TimeZone> {
    let names = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Pacific/Apia"];
    prop::sample::select(names.to_vec()).prop_map(zone)
}

fn instant() -> impl Strategy<Value = Timestamp> {
    (1_700_000_000i64..1_900_000_000).prop_map(|second| Timestamp::from_second(second).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_latest_tick_is_the_last_one_before_the_next(
        cron in expression(), zone in place(), now in instant()
    ) {
        let latest = cron.latest_tick_at_or_before(&zone, now).unwrap();
        let next = cron.next_after(&zone, now).unwrap();
        prop_assert!(latest <= now && now < next);
        prop_assert_eq!(cron.next_after(&zone, latest), Some(next));
        prop_assert_eq!(cron.latest_tick_at_or_before(&zone, latest), Some(latest));
        let before = next.checked_sub(SignedDuration::from_secs(1)).unwrap();
        prop_assert_eq!(cron.latest_tick_at_or_before(&zone, before), Some(latest));
    }

    #[test]
    fn offsets_stay_inside_the_spread_and_never_change(id in "[0-9a-f]{40}", spread in 1u64..90_000) {
        let (device, policy) = (DeviceId::parse(&id), PolicyName::from("weekly"));
        let offset = spread_offset(&device, &policy, Span::from_secs(spread));
        prop_assert!(offset < Span::from_secs(spread));
        prop_assert_eq!(offset, spread_offset(&device, &policy, Span::from_secs(spread)));
    }
}
