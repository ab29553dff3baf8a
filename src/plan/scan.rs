//! Antivirus scans: which are due, and which have their turn now.
//!
//! Of several policies that are due on one device the deepest scan wins: a full one satisfies a wish
//! for a quick one. A scan in flight, whoever started it, is waited for. A device whose turn inside
//! the spread comes while an apply may still start (the plan's validity) is planned with
//! `notBefore`; a later turn is `held` with `not-yet` until a later plan, so that no run sits for
//! hours on the journal's lock while a containment waits. Without complete antivirus health nobody
//! knows who was scanned, so what is not known to be satisfied is unknown. Called by `draft`.

use jiff::Timestamp;
use roaring::RoaringBitmap;

use crate::inventory::{ActionRow, Dev, What, readings};
use crate::model::{ActionKind, ActionStatus, DeviceId, Facet, Holder, ScanType, Verb};
use crate::plan::draft::{Draft, unknown_reason};
use crate::plan::order::{Order, Proposal};
use crate::plan::posture::{matrix, offline};
use crate::plan::scene::{Exempt, Reach, Scene, unanswered};
use crate::plan::types::{Disposition, Entry, Parameters, Reason, Why};
use crate::policy::schedule::{Due, Occasion, Scans};
use crate::policy::set::{Mode, ScanPolicy};

/// A policy with its schedule at this instant.
struct Wish<'s> {
    reach: &'s Reach<'s, ScanPolicy>,
    occasion: Occasion,
}

/// Scans of every device.
pub(super) fn scans(scene: &Scene<'_>, draft: &mut Draft) {
    if scene.scans.is_empty() {
        return;
    }
    draft.facet_in_scope(scene, Facet::Scan);
    let now = scene.input.now;
    let mut wishes = Vec::new();
    for reach in &scene.scans {
        wishes.push(Wish { reach, occasion: reach.policy.schedule.at(now) });
    }
    let mut selected = RoaringBitmap::new();
    for wish in &wishes {
        selected |= &wish.reach.selected;
    }
    for device in selected.iter().map(Dev) {
        decide(scene, &wishes, device, draft);
    }
}

fn decide(scene: &Scene<'_>, wishes: &[Wish<'_>], device: Dev, draft: &mut Draft) {
    let selecting = |mode| {
        let selecting = wishes.iter().filter(move |wish| wish.reach.policy.mode == mode);
        selecting.filter(|wish| wish.reach.selects(device)).collect::<Vec<_>>()
    };
    let enforcing = selecting(Mode::Enforce);
    let case = Case { scene, device, id: scene.inventory.id(device) };
    let verdict = if enforcing.is_empty() {
        case.audit(&selecting(Mode::Audit))
    } else {
        case.settle(&enforcing)
    };
    match verdict {
        Verdict::Unchanged => {}
        Verdict::Row(disposition, entry) => draft.row(disposition, *entry),
        Verdict::Do(proposal) => draft.propose(*proposal),
    }
}

enum Verdict {
    Unchanged,
    Row(Disposition, Box<Entry>),
    Do(Box<Proposal>),
}

struct Case<'c> {
    scene: &'c Scene<'c>,
    device: Dev,
    id: DeviceId,
}

type Wishes<'w, 'c> = &'w [&'c Wish<'c>];

impl Case<'_> {
    fn actions(&self) -> impl Iterator<Item = &ActionRow> {
        let actions = self.scene.inventory.actions(self.device);
        actions.filter(|action| action.kind == ActionKind::RunAntiVirusScan)
    }

    fn settle(&self, wishes: Wishes<'_, '_>) -> Verdict {
        let inventory = self.scene.inventory;
        let deepest = wishes.iter().map(|wish| wish.reach.policy.scan).max();
        let row = |disposition, reason| self.row(disposition, reason, wishes, deepest);
        if let Some(what) = wishes.iter().find_map(|wish| wish.reach.doubt) {
            return row(Disposition::Unknown, unanswered(what));
        }
        if let Some(reason) = readings::unreadable(inventory, self.device) {
            return row(Disposition::Unknown, unknown_reason(&reason));
        }
        if let Some(action) = self.actions().filter(|action| !action.status.is_terminal()).last() {
            return row(Disposition::Changing, self.in_flight(action));
        }
        if let Some(reason) = matrix::scan(inventory, self.device) {
            return row(Disposition::Cannot, reason);
        }
        let due: Vec<_> = wishes.iter().map(|wish| (*wish, self.due(wish))).collect();
        let satisfied = due.iter().all(|(_, due)| matches!(due, Due::Satisfied { .. }));
        if !satisfied && inventory.is_partial(What::AvHealth) {
            let reason = Reason::new("read-failed").with("what", What::AvHealth.word());
            return row(Disposition::Unknown, reason);
        }
        self.turn(&due)
    }

    fn due(&self, wish: &Wish<'_>) -> Due {
        let policy = wish.reach.policy;
        let failed = self
            .actions()
            .filter(|action| action.status.is_terminal())
            .filter(|action| action.status != ActionStatus::Succeeded)
            .map(|action| action.updated)
            .max();
        wish.occasion.due(Scans {
            device: &self.id,
            policy: &policy.header.name,
            last: self.scene.inventory.last_scan(self.device, policy.scan),
            failed,
            retry_delay: policy.retry_delay,
        })
    }

    /// Nothing stands against reading and scanning the device: whose turn is it?
    fn turn(&self, due: &[(&Wish<'_>, Due)]) -> Verdict {
        let now = |(wish, due): &(&Wish<'_>, Due)| match due {
            Due::Now { not_before, .. } => Some((wish.reach.policy.scan, *not_before)),
            _ => None,
        };
        if let Some(scan) = due.iter().filter_map(now).map(|(scan, _)| scan).max() {
            let turns = due.iter().filter_map(now).filter(|(depth, _)| *depth == scan);
            if let Some(not_before) = turns.map(|(_, at)| at).min() {
                return self.order(due, scan, not_before);
            }
        }
        let waits = due.iter().filter_map(|(wish, due)| Some((*wish, waiting(due)?)));
        // The shortest wait says most; a retry comes before a missed window.
        match waits.min_by_key(|(wish, (rank, _))| (*rank, wish.reach.header.name.clone())) {
            None => Verdict::Unchanged,
            Some((wish, (_, reason))) => {
                self.row(Disposition::Held, reason, &[wish], Some(wish.reach.policy.scan))
            }
        }
    }

    fn order(&self, due: &[(&Wish<'_>, Due)], scan: ScanType, not_before: Timestamp) -> Verdict {
        let scene = self.scene;
        let wishes: Vec<_> = due
            .iter()
            .filter(|(_, due)| matches!(due, Due::Now { .. }))
            .map(|(wish, _)| *wish)
            .collect();
        let held = |reason| self.row(Disposition::Held, reason, &wishes, Some(scan));
        if not_before > scene.input.workspace.plan_validity.after(scene.input.now) {
            return held(Reason::new("not-yet").with("at", not_before.to_string()));
        }
        match scene.exemption(self.device, Facet::Scan) {
            None => {}
            Some(Exempt::By(reason, why)) => {
                let mut entry = self.entry(reason, &wishes, Some(scan));
                entry.because.push(why);
                return Verdict::Row(Disposition::Held, Box::new(entry));
            }
            Some(Exempt::Unread(reason)) => {
                return self.row(Disposition::Unknown, reason, &wishes, Some(scan));
            }
        }
        let deciding = || wishes.iter().filter(|wish| wish.reach.policy.scan == scan);
        let queue = deciding().any(|wish| wish.reach.policy.queue_offline);
        if !queue && scene.inventory.is_offline(self.device) {
            return held(offline(scene, self.device));
        }
        let Some(first) = deciding().min_by_key(|wish| &wish.reach.header.name) else {
            return Verdict::Unchanged;
        };
        let change = scene.change(Order {
            verb: Verb::Scan,
            facet: Facet::Scan,
            target: scene.target(self.device),
            from: self.last(scan),
            to: scan.word().to_owned(),
            parameters: Parameters {
                scan_type: Some(scan.wire().to_owned()),
                not_before: (not_before > scene.input.now).then_some(not_before),
                ..Parameters::default()
            },
            lease_end: None,
            because: self.because(&wishes),
            reason: None,
            risk: scene.risk(self.device, Verb::Scan),
            evidence: self.actions().last().map(|action| action.id.to_string()),
            expects: None,
            policy: first.reach.header.name.clone(),
            text: Some(first.reach.policy.comment.to_string()),
        });
        Verdict::Do(Box::new(Proposal { change, device: Some(self.device), adds: true }))
    }

    fn audit(&self, wishes: Wishes<'_, '_>) -> Verdict {
        let unreadable = readings::unreadable(self.scene.inventory, self.device).is_some()
            || self.scene.inventory.is_partial(What::AvHealth);
        let due: Vec<_> = wishes
            .iter()
            .copied()
            .filter(|wish| matches!(self.due(wish), Due::Now { .. } | Due::Retry { .. }))
            .collect();
        let Some(scan) = due.iter().map(|wish| wish.reach.policy.scan).max() else {
            return Verdict::Unchanged;
        };
        match matrix::scan(self.scene.inventory, self.device) {
            Some(reason) => self.row(Disposition::Cannot, reason, &due, Some(scan)),
            None if unreadable => Verdict::Unchanged,
            None => self.row(Disposition::Audit, Reason::new("audit-mode"), &due, Some(scan)),
        }
    }

    fn in_flight(&self, action: &ActionRow) -> Reason {
        let foreign = || Reason::new("in-flight-foreign").with("action", action.id.as_str());
        match readings::holder_of(action, &self.scene.input.workspace.id) {
            Holder::Ours { policy, .. } => Reason::new("in-flight")
                .with("action", action.id.as_str())
                .with("policy", policy.as_str()),
            Holder::OtherWorkspace { workspace } => foreign().with("workspace", workspace.as_str()),
            Holder::Named { requestor } => foreign().with("by", &*requestor),
            Holder::Nobody => foreign(),
        }
    }

    /// When the last scan of that depth ended, as the value before.
    fn last(&self, scan: ScanType) -> String {
        let last = self.scene.inventory.last_scan(self.device, scan);
        last.map_or_else(|| "never".to_owned(), |at| at.to_string())
    }

    fn row(
        &self,
        disposition: Disposition,
        reason: Reason,
        wishes: Wishes<'_, '_>,
        scan: Option<ScanType>,
    ) -> Verdict {
        Verdict::Row(disposition, Box::new(self.entry(reason, wishes, scan)))
    }

    fn entry(&self, reason: Reason, wishes: Wishes<'_, '_>, scan: Option<ScanType>) -> Entry {
        Entry {
            tenant: self.scene.inventory.tenant().to_owned(),
            target: self.scene.target(self.device),
            facet: Facet::Scan,
            verb: Some(Verb::Scan),
            from: scan.map(|scan| self.last(scan)),
            to: scan.map(|scan| scan.word().to_owned()),
            because: self.because(wishes),
            reason,
        }
    }

    fn because(&self, wishes: Wishes<'_, '_>) -> Vec<Why> {
        wishes.iter().map(|wish| wish.reach.why(self.device)).collect()
    }
}

/// Why a scan that is wanted is not done now, most telling first.
fn waiting(due: &Due) -> Option<(u8, Reason)> {
    match due {
        Due::Satisfied { .. } | Due::Now { .. } => None,
        Due::Retry { at, .. } => Some((0, Reason::new("retry-delay").with("at", at.to_string()))),
        Due::Missed { tick, closed, next } => {
            let reason = Reason::new("window-missed")
                .with("tick", tick.to_string())
                .with("closed", closed.to_string());
            Some((
                1,
                match next {
                    Some(next) => reason.with("next", next.to_string()),
                    None => reason,
                },
            ))
        }
    }
}
