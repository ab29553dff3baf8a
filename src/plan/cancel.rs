//! Pending actions of this workspace, to be cancelled on a person's word.
//!
//! Ours is what every reading calls ours: a marker of this workspace on an action that came through
//! the API. Nothing else is ever proposed; what others have in flight is shown as it is. Several of
//! ours on one facet of a device are a change each. No policy is asked and no exemption stands against
//! it: cancelling takes nothing away. Called by `draft`.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::{ActionRow, Dev, readings};
use crate::model::{
    ActionId, ActionKind, ActionStatus, ChangeId, DeviceId, Facet, Holder, PolicyName, Verb, marker,
};
use crate::plan::draft::Draft;
use crate::plan::order::{Order, Proposal};
use crate::plan::posture;
use crate::plan::scene::Scene;
use crate::plan::types::{Disposition, Entry, Parameters, Reason, Target, TargetKind, Why};
use crate::policy::set::PolicyKind;

/// Which of our pending actions; the parts that are given are ANDed.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    /// Those of this policy.
    pub policy: Option<PolicyName>,
    /// Those of these changes: what one run sent.
    pub changes: Option<BTreeSet<ChangeId>>,
    /// Those on these devices.
    pub devices: Option<BTreeSet<DeviceId>>,
    /// This one.
    pub action: Option<ActionId>,
}

impl Pending {
    fn wants(&self, action: &ActionRow, policy: &PolicyName, change: &ChangeId) -> bool {
        self.reaches(action)
            && self.policy.as_ref().is_none_or(|wanted| marker::names(policy, wanted))
            && self.changes.as_ref().is_none_or(|wanted| wanted.contains(change))
    }

    /// Whether it is about the action, whoever's it is.
    fn reaches(&self, action: &ActionRow) -> bool {
        self.devices.as_ref().is_none_or(|wanted| wanted.contains(&action.device))
            && self.action.as_ref().is_none_or(|wanted| *wanted == action.id)
    }

    /// Whether it names actions of ours only: others are not worth a row then.
    const fn is_of_ours(&self) -> bool {
        self.policy.is_some() || self.changes.is_some()
    }
}

/// What is in flight on one facet of one device.
#[derive(Default)]
struct Flying<'a> {
    ours: Vec<(&'a ActionRow, PolicyName)>,
    others: Vec<(&'a ActionRow, Holder)>,
}

/// A change for each pending action of ours that is wanted gone.
pub(super) fn cancel(scene: &Scene<'_>, pending: &Pending, draft: &mut Draft) {
    let (inventory, ours) = (scene.inventory, &scene.input.workspace.id);
    let mut flying: BTreeMap<(DeviceId, Facet), Flying<'_>> = BTreeMap::new();
    // Newest last: actions of an inventory go by their creation.
    for action in inventory.all_actions().iter().filter(|action| !action.status.is_terminal()) {
        let Some(facet) = facet(&action.kind) else { continue };
        let at = (action.device.clone(), facet);
        match readings::holder_of(action, ours) {
            Holder::Ours { policy, change } if pending.wants(action, &policy, &change) => {
                flying.entry(at).or_default().ours.push((action, policy));
            }
            // One of ours that is not wanted never gets in here: a part that only ours have says no.
            holder if pending.reaches(action) && !pending.is_of_ours() => {
                flying.entry(at).or_default().others.push((action, holder));
            }
            _ => {}
        }
    }
    for ((id, facet), Flying { ours, others }) in flying {
        let case = Case { scene, device: inventory.find(&id), id, facet };
        match (case.device, ours.last(), others.last()) {
            (Some(device), Some(_), _) => {
                draft.add_to_scope(ours.len() as u64);
                ours.iter().for_each(|(action, policy)| case.cancel(device, action, policy, draft));
            }
            (None, Some((_, policy)), _) => case.missing(policy, draft),
            (_, None, Some((action, holder))) => case.others(action, holder, draft),
            (_, None, None) => {}
        }
    }
}

struct Case<'c> {
    scene: &'c Scene<'c>,
    device: Option<Dev>,
    id: DeviceId,
    facet: Facet,
}

impl Case<'_> {
    fn missing(&self, policy: &PolicyName, draft: &mut Draft) {
        let reason = Reason::new("device-missing");
        let entry = self.entry(reason, Some(Verb::Cancel), vec![self.why(policy)]);
        draft.add_to_scope(1);
        draft.row(Disposition::Unknown, entry);
    }

    fn cancel(&self, device: Dev, action: &ActionRow, policy: &PolicyName, draft: &mut Draft) {
        let reason = Reason::new("cancel-asked")
            .with("action", action.id.as_str())
            .with("kind", action.kind.wire())
            .with("created", action.created.to_string());
        let change = self.scene.change(Order {
            verb: Verb::Cancel,
            facet: self.facet,
            target: self.target(),
            from: action.status.wire().to_owned(),
            to: ActionStatus::Cancelled.wire().to_owned(),
            parameters: Parameters {
                action_id: Some(action.id.as_str().to_owned()),
                ..Parameters::default()
            },
            lease_end: None,
            because: vec![self.why(policy)],
            reason: Some(reason),
            risk: self.scene.risk(device, Verb::Cancel),
            evidence: Some(action.id.as_str().to_owned()),
            expects: Some("changing".to_owned()),
            policy: policy.clone(),
            text: Some("cancelled by hand".to_owned()),
        });
        draft.propose(Proposal { change, device: Some(device), adds: false });
    }

    fn others(&self, action: &ActionRow, holder: &Holder, draft: &mut Draft) {
        let reason = Reason::new("in-flight-foreign").with("action", action.id.as_str());
        let reason = posture::by_holder(reason, holder);
        draft.add_to_scope(1);
        draft.row(Disposition::Changing, self.entry(reason, None, Vec::new()));
    }

    fn entry(&self, reason: Reason, verb: Option<Verb>, because: Vec<Why>) -> Entry {
        Entry {
            tenant: self.scene.inventory.tenant().to_owned(),
            target: self.target(),
            facet: self.facet,
            verb,
            from: None,
            to: None,
            because,
            reason,
        }
    }

    fn target(&self) -> Target {
        match self.device {
            Some(device) => self.scene.target(device),
            None => Target {
                kind: TargetKind::Device,
                id: self.id.to_string(),
                name: self.id.to_string(),
                group: String::new(),
                value: None,
            },
        }
    }

    /// The policy of the marker. Its file is not asked for: cancelling works while policies have
    /// errors.
    fn why(&self, policy: &PolicyName) -> Why {
        let kind = match self.facet {
            Facet::CodeExecution => PolicyKind::CodeExecutionRestriction,
            Facet::Scan => PolicyKind::ScanSchedule,
            _ => PolicyKind::IsolationSet,
        };
        Why {
            kind: kind.word().to_owned(),
            name: policy.to_string(),
            file: String::new(),
            line: 0,
            terms: Vec::new(),
        }
    }
}

/// The facet that an action of ours moves; other kinds are never ours.
const fn facet(kind: &ActionKind) -> Option<Facet> {
    match kind {
        ActionKind::Isolate | ActionKind::Unisolate => Some(Facet::Isolation),
        ActionKind::RestrictCodeExecution | ActionKind::UnrestrictCodeExecution => {
            Some(Facet::CodeExecution)
        }
        ActionKind::RunAntiVirusScan => Some(Facet::Scan),
        ActionKind::StopAndQuarantineFile
        | ActionKind::CollectInvestigationPackage
        | ActionKind::Offboard
        | ActionKind::LiveResponse
        | ActionKind::Other(_) => None,
    }
}
