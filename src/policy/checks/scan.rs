//! `ScanSchedule`: ticks, windows, spread.

use jiff::tz::TimeZone;

use crate::diag::{Code, Finding, words};
use crate::model::Span;
use crate::policy::checks::contain::{flag, mode, optional_duration};
use crate::policy::checks::platform::{self, Wish};
use crate::policy::checks::{Cx, comment, device, leaf, rollout};
use crate::policy::schedule::{Cron, Schedule, Tick};
use crate::policy::set::{Header, ScanPolicy};
use crate::policy::yaml::{Entry, Node};

/// Window of schedules that state none.
const WINDOW: Span = Span::from_hours(8);
/// Delay before a failed scan is tried again, for schedules that state none.
const RETRY_DELAY: Span = Span::from_hours(4);

pub(super) fn schedule(cx: &mut Cx<'_>, entry: &Entry, header: Header) -> Option<ScanPolicy> {
    let spec = &entry.value;
    let devices = spec.entry("devices");
    let expr = devices.and_then(|devices| device::expr(cx, devices));
    if let (Some(expr), Some(devices)) = (&expr, devices) {
        platform::check(cx, expr, Wish::Scan, &devices.key_place);
    }
    let zone = zone(cx, spec);
    let tick = tick(cx, entry);
    let window = optional_duration(cx, spec, "window");
    let spread = optional_duration(cx, spec, "spread");
    let retry_delay = optional_duration(cx, spec, "retryDelay");
    let rollout = rollout::optional(cx, spec);
    let comment = comment::comment(cx, spec, &header);
    let scan = spec.get("scan").and_then(|node| leaf::word(cx, node));
    let window = window?.unwrap_or(WINDOW);
    let spread = fitting(cx, spec, window, spread?);
    if let (Some(Tick::Cron(cron)), Some(zone)) = (&tick, &zone) {
        against_interval(cx, spec, window, cron, zone);
    }
    // An interval has no window that closes.
    if let (Some(Some(rollout)), Some(Tick::Cron(_))) = (&rollout, &tick) {
        rollout::fits_window(cx, entry, rollout, window)?;
    }
    let schedule = Schedule {
        tick: tick?,
        zone: zone?,
        window,
        spread: spread?,
        catch_up: flag(spec, "catchUp", false)?,
    };
    Some(ScanPolicy {
        header,
        mode: mode(spec)?,
        devices: expr?,
        scan: scan?,
        schedule,
        retry_delay: retry_delay?.unwrap_or(RETRY_DELAY),
        queue_offline: flag(spec, "queueOffline", false)?,
        rollout: rollout?,
        comment,
    })
}

/// The time zone that `spec` names; UTC when it names none.
pub(super) fn zone(cx: &mut Cx<'_>, spec: &Node) -> Option<TimeZone> {
    let Some(node) = spec.get("timeZone") else { return Some(TimeZone::UTC) };
    let name = node.text()?;
    if let Ok(zone) = TimeZone::get(name) {
        return Some(zone);
    }
    let message = format!("time zone {} does not exist", words::quote(name));
    let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    match words::near(name, known.iter().map(String::as_str)) {
        Some(near) => {
            let help = format!("did you mean {}?", words::quote(near));
            cx.advise(Code::BadTimeZone, &node.place, message, help)
        }
        None => cx.report(Code::BadTimeZone, &node.place, message),
    }
}

fn tick(cx: &mut Cx<'_>, entry: &Entry) -> Option<Tick> {
    let spec = &entry.value;
    match (spec.entry("schedule"), spec.entry("every")) {
        (Some(cron), Some(every)) => {
            self::cron(cx, &cron.value);
            leaf::duration(cx, &every.value);
            cx.report(Code::ScheduleAndEvery, &every.key_place, "`every` stands beside `schedule`")
        }
        (Some(cron), None) => self::cron(cx, &cron.value).map(Tick::Cron),
        (None, Some(every)) => leaf::duration(cx, &every.value).map(Tick::Every),
        (None, None) => {
            let message = "neither `schedule` nor `every` is given";
            cx.report(Code::MissingSchedule, &entry.key_place, message)
        }
    }
}

/// A cron expression.
pub(super) fn cron(cx: &mut Cx<'_>, node: &Node) -> Option<Cron> {
    let text = leaf::text(cx, node)?;
    match Cron::parse(&text) {
        Ok(cron) => Some(cron),
        Err(error) => {
            let message = format!("{}: {error}", words::quote(&text));
            cx.report(Code::BadCron, &node.place, message)
        }
    }
}

/// The spread, shorter than the window. A default that does not fit is halved to fit; one the author
/// wrote is refused.
fn fitting(cx: &mut Cx<'_>, spec: &Node, window: Span, written: Option<Span>) -> Option<Span> {
    let default = cx.workspace.and_then(|workspace| workspace.defaults.scan_spread);
    let spread = written.or(default).unwrap_or(Span::from_secs(0));
    if spread < window {
        return Some(spread);
    }
    if written.is_none() {
        return Some(Span::from_secs(window.as_secs() / 2));
    }
    let at = &spec.entry("spread")?.value.place;
    let message = format!("a spread of {spread} does not fit into a window of {window}");
    let mut finding = Finding::new(Code::SpreadOverWindow, cx.file, at.clone(), message);
    if let Some(entry) = spec.entry("window") {
        finding = finding.label(cx.file, entry.value.place.clone(), "the window");
    }
    cx.findings.push(finding);
    None
}

/// Warns when a tick comes while the last window is still open.
fn against_interval(cx: &mut Cx<'_>, spec: &Node, window: Span, cron: &Cron, zone: &TimeZone) {
    let Some(shortest) = shortest_interval(cron, zone, cx.now) else { return };
    let Some(entry) = spec.entry("window").or_else(|| spec.entry("schedule")) else { return };
    if window > shortest {
        let message = format!("a window of {window}, but the next tick can come after {shortest}");
        cx.report::<()>(Code::WindowOverInterval, &entry.value.place, message);
    }
}

/// The shortest time between neighbouring ticks among the next ones: enough to see a day's or a week's
/// pattern.
fn shortest_interval(cron: &Cron, zone: &TimeZone, now: jiff::Timestamp) -> Option<Span> {
    const TICKS: usize = 64;
    let mut shortest = None;
    let mut last = cron.next_after(zone, now)?;
    for _ in 0..TICKS {
        let Some(next) = cron.next_after(zone, last) else { break };
        let seconds = u64::try_from(next.duration_since(last).as_secs()).ok()?;
        let between = Span::from_secs(seconds);
        shortest = Some(shortest.map_or(between, |known: Span| known.min(between)));
        last = next;
    }
    shortest
}
