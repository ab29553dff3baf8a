//! Guardrails of a simulated workspace: as the author writes them, and what they mean to the
//! reference model.
//!
//! `world` writes them into the workspace's file; `on_guards` holds plans against them. Must share
//! nothing with the product's guardrails.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::policy::{PROTECTED, TAGS, Traits};
use super::transition::Draw;

/// Hours that a freeze window lasts.
const WINDOW: i8 = 4;

/// Guardrails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Guard {
    /// Whether devices with the tag `PROTECTED` are protected.
    pub(super) protects: bool,
    /// Most isolations in a run.
    pub(super) run: Option<u32>,
    /// Most isolated devices of a group, in percent, and never less than one.
    pub(super) group: Option<u32>,
    /// The same of the whole fleet.
    pub(super) fleet: Option<u32>,
    /// Most isolations in a day.
    pub(super) day: Option<u32>,
    /// Most devices isolated in a day because of alerts of one title.
    pub(super) trigger: Option<u32>,
    /// The hour (UTC) at which a freeze window of four hours opens every day.
    pub(super) window: Option<i8>,
}

impl Guard {
    pub(super) fn draw(draw: &mut Draw) -> Self {
        let mut some = |of: &[u32]| draw.chance(35).then(|| draw.pick(of));
        let (run, group, day) = (some(&[2, 4]), some(&[50, 80]), some(&[3, 8]));
        let (trigger, fleet) = (some(&[1, 2]), some(&[10, 10, 40]));
        let protects = draw.chance(75);
        let window = draw.chance(25).then(|| draw.pick(&[8, 10, 11, 18]));
        Self { protects, run, group, fleet, day, trigger, window }
    }

    pub(super) fn protects(&self, device: &Traits) -> bool {
        self.protects && device.has(PROTECTED)
    }

    /// Whether a freeze window is open.
    pub(super) fn is_shut(&self, at: Timestamp) -> bool {
        let hour = TimeZone::UTC.to_datetime(at).hour();
        self.window.is_some_and(|opens| (hour - opens).rem_euclid(24) < WINDOW)
    }

    pub(super) fn yaml(&self, site: &str) -> String {
        // All are written: a cap that is left out has a default that hides the others.
        let run = self.run.unwrap_or(1_000);
        let share = |most: Option<u32>| match most {
            Some(percent) => format!("{{share: {percent}%, atLeast: 1}}"),
            None => "100%".to_owned(),
        };
        let (group, fleet) = (share(self.group), share(self.fleet));
        let mut caps = format!("run: {run}, group: {group}, fleet: {fleet}");
        if let Some(day) = self.day {
            let _ = write!(caps, ", rolling: {{count: {day}, window: 24h}}");
        }
        if let Some(trigger) = self.trigger {
            let _ = write!(caps, ", alertRule: {{count: {trigger}, window: 24h}}");
        }
        let mut lines = vec!["  caps:".to_owned()];
        lines.push(format!("    isolate: {{{caps}}}"));
        lines.push("    restrict: {run: 1000, group: 100%, fleet: 100%}".to_owned());
        if self.protects {
            lines.push(format!("  protected: {{tag: {}}}", TAGS[PROTECTED]));
        }
        if let Some(opens) = self.window {
            let every = format!("schedule: \"0 {opens} * * *\", window: {WINDOW}h");
            lines.push(format!("  freeze: [{{name: daily, {every}}}]"));
        }
        let root = "http://127.0.0.1:8400";
        format!(
            "apiVersion: palisade/v1\nkind: Workspace\nid: {site}\npolicies: [policies]\ntenants:\n  \
             - name: contoso\n    tenantId: 11111111-2222-3333-4444-555555555555\n    endpoints: \
             {{authority: \"{root}\", defender: \"{root}\", graph: \"{root}\"}}\n    credential: \
             clientSecret\nguardrails:\n{}\n",
            lines.join("\n")
        )
    }
}
