//! From a fresh reading to a request: the intent is recorded and synced before anything leaves.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::apply::engine::asked::Submitted;
use crate::apply::engine::track::{Kind, Phase};
use crate::apply::engine::{Engine, Pace};
use crate::apply::journal::{Entry, Noted, Part};
use crate::apply::outcome::Outcome;
use crate::apply::step::{Lane, Send, Step};
use crate::model::{
    ActionId, AlertId, AlertStatus, Classification, Determination, DeviceId, IsolationMode,
    ScanType, Verb,
};
use crate::plan::types::{Change, Reason};

impl Engine {
    /// Takes up fresh changes as far as concurrency and budgets allow, and writes their intents.
    pub(super) fn arm(&mut self, now: Timestamp) {
        let busy = self.submitted.len()
            + self.tracks.count(Kind::Recording)
            + self.tracks.count(Kind::Armed);
        let mut room = self.options.concurrency.saturating_sub(busy);
        let fresh: Vec<usize> = self.tracks.in_phase(Kind::Fresh).collect();
        for index in fresh {
            let Some(Phase::Fresh(read_at)) = self.phase(index) else { continue };
            if now.duration_since(*read_at) > self.options.reading_age {
                self.tracks.put(index, Phase::Idle(Timestamp::MIN));
                continue;
            }
            if room == 0 || self.ready_at(index) > now {
                continue;
            }
            room -= 1;
            self.intend(index, now);
        }
    }

    fn intend(&mut self, index: usize, now: Timestamp) {
        self.spend(index, now);
        self.tracks.edit(index, |track| track.attempts += 1);
        let track = self.tracks.get(index).map(|track| (track.part, track.attempts));
        let change = self.change(index).map(|change| change.id.clone());
        if let (Some((part, attempt)), Some(change)) = (track, change) {
            self.outbox.push(Entry::Intent { change, part, attempt });
            self.tracks.put(index, Phase::Recording);
        }
    }

    /// The next request whose intent is on the disk.
    pub(super) fn submit(&mut self, now: Timestamp) -> Option<Step> {
        let index = self.tracks.first(Kind::Armed)?;
        let track = self.tracks.get(index)?;
        let (tenant, part) = (track.tenant.clone(), track.part);
        let change = self.change(index)?;
        let id = change.id.clone();
        let own = self.cancel_request(index);
        let Some(send) = own.or_else(|| request(change, part)) else {
            // `replay` has taken out what cannot be sent; this keeps the run going all the same.
            self.end_because(index, Outcome::NotAttempted, Reason::new("verb-not-supported"));
            return self.record();
        };
        let until = now.checked_add(self.options.answer_within).unwrap_or(Timestamp::MAX);
        let leave_by = self.leave_by(index, now);
        let ticket = self.ticket();
        self.submitted.insert(ticket, Submitted { change: index, until });
        self.tracks.put(index, Phase::Sent);
        self.tracks.mark_sent(index);
        Some(Step::Submit { ticket, tenant, change: id, send, leave_by })
    }

    /// Takes back what has not left yet: the run is being stopped.
    pub(super) fn wind_down(&mut self) {
        if self.recording.is_some() {
            return;
        }
        let held: Vec<usize> = self
            .tracks
            .in_phase(Kind::Armed)
            .chain(self.tracks.in_phase(Kind::Recording))
            .collect();
        for index in held {
            let part = self.tracks.get(index).map_or(Part::Action, |track| track.part);
            if let Some(change) = self.change(index).map(|change| change.id.clone()) {
                let answer = Noted::NotSent { why: "the run was stopped".to_owned() };
                self.outbox.push(Entry::Answer { change, part, answer });
            }
            self.tracks.put(index, Phase::Idle(Timestamp::MIN));
        }
    }

    /// When the budgets let a change be sent.
    pub(super) fn ready_at(&self, index: usize) -> Timestamp {
        let Some(pace) = self.pace(index) else { return Timestamp::MIN };
        pace.ready_at.max(pace.throttled_until)
    }

    /// Requests that may leave now for the lane of a change.
    pub(super) fn left(&self, index: usize) -> usize {
        let left = self.pace(index).and_then(|pace| pace.left);
        left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX))
    }

    fn pace(&self, index: usize) -> Option<&Pace> {
        let track = self.tracks.get(index)?;
        let lane = self.lane(index)?;
        self.tenants.get(&track.tenant)?.lanes.get(&lane)
    }

    /// The windows a change's next request is counted in.
    fn lane(&self, index: usize) -> Option<Lane> {
        Some(match self.change(index)?.verb {
            _ if self.cancelling(index).is_some() => Lane::Cancel,
            Verb::Cancel => Lane::Cancel,
            Verb::Classify => Lane::Alert,
            _ => Lane::Action,
        })
    }

    fn spend(&mut self, index: usize, now: Timestamp) {
        let lane = self.lane(index);
        let tenant = self.tracks.get(index).map(|track| track.tenant.clone());
        if let (Some(lane), Some(tenant)) = (lane, tenant)
            && let Some(pace) =
                self.tenants.get_mut(&tenant).and_then(|tenant| tenant.lanes.get_mut(&lane))
            && let Some(left) = &mut pace.left
        {
            *left = left.saturating_sub(1);
            if *left == 0 {
                // The client says before long when the next one may leave; until then none does.
                let later = now.checked_add(SignedDuration::from_secs(60)).unwrap_or(now);
                pace.ready_at = pace.ready_at.max(later);
            }
        }
    }

    /// The service itself asked to wait.
    pub(super) fn throttle(&mut self, index: usize, until: Timestamp) {
        let lane = self.lane(index);
        let tenant = self.tracks.get(index).map(|track| track.tenant.clone());
        if let (Some(lane), Some(tenant)) = (lane, tenant)
            && let Some(tenant) = self.tenants.get_mut(&tenant)
        {
            let pace = tenant.lanes.entry(lane).or_default();
            pace.throttled_until = pace.throttled_until.max(until);
        }
    }
}

/// A word that is there must be one that is known: sending a part of what was reviewed is not what
/// was reviewed. The outer `None` says that it is not.
#[expect(clippy::option_option, reason = "absent and unreadable are different answers")]
fn read<T>(text: Option<&str>, parse: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    match text {
        None => Some(None),
        Some(text) => parse(text).map(Some),
    }
}

/// The request of a part of a change; none when the verb is not one that can be sent.
pub(super) fn request(change: &Change, part: Part) -> Option<Send> {
    let parameters = &change.parameters;
    let comment = parameters.comment.as_deref().unwrap_or_default().into();
    let device = || DeviceId::parse(&change.target.id);
    let alert = || AlertId::from(change.target.id.as_str());
    Some(match (change.verb, part) {
        (Verb::Isolate, Part::Action) => {
            let mode = IsolationMode::parse(parameters.isolation_type.as_deref()?)?;
            Send::Isolate { device: device(), mode, comment }
        }
        (Verb::Release, Part::Action) => Send::Release { device: device(), comment },
        (Verb::Restrict, Part::Action) => Send::Restrict { device: device(), comment },
        (Verb::Unrestrict, Part::Action) => Send::Unrestrict { device: device(), comment },
        (Verb::Scan, Part::Action) => {
            let scan = ScanType::parse(parameters.scan_type.as_deref()?)?;
            Send::Scan { device: device(), scan, comment }
        }
        (Verb::Cancel, Part::Action) => {
            let action = ActionId::from(parameters.action_id.as_deref()?);
            Send::Cancel { action, comment }
        }
        (Verb::Classify, Part::Patch) => Send::Patch {
            alert: alert(),
            status: read(parameters.status.as_deref(), AlertStatus::parse)?,
            classification: read(parameters.classification.as_deref(), Classification::parse)?,
            determination: read(parameters.determination.as_deref(), Determination::parse)?,
            assigned_to: parameters.assigned_to.as_deref().map(Arc::from),
        },
        (Verb::Classify, Part::Comment) => Send::Comment { alert: alert(), comment },
        _ => return None,
    })
}
