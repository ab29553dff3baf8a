//! Isolation and code execution: the facets in which a device is put and from which it is released.
//!
//! One rule for both, over the lattice that `Level` states. In scope are devices that a policy
//! selects and devices that are not free or about to change; all others are unchanged and cost
//! nothing. What is decided for one device stands in `decide`, leases in `lease`, the platform
//! matrix in `matrix`. Called by `draft`.

mod decide;
pub(super) mod lease;
pub(super) mod matrix;

use std::fmt::Debug;

use roaring::RoaringBitmap;

use crate::inventory::readings::{self, Facts};
use crate::inventory::{Dev, Inventory, What};
use crate::model::{
    ActionKind, Facet, Holder, Isolation, IsolationMode, Reading, Restriction, Verb, WorkspaceId,
};
use crate::plan::draft::Draft;
use crate::plan::scene::{Reach, Scene};
use crate::plan::types::{Parameters, Reason, Why};
use crate::policy::set::{Containment, Exemption, Header, IsolationPolicy, RestrictionPolicy};

/// A facet whose values form a chain, weakest first.
pub(super) trait Level: Copy + Ord + Debug + 'static {
    /// Nothing is taken from the device.
    const FREE: Self;
    const FACET: Facet;
    /// The verb that puts a device into a restrictive value.
    const PLACE: Verb;
    /// The verb that lets go.
    const FREE_VERB: Verb;
    fn word(self) -> &'static str;
    fn parse(word: &str) -> Option<Self>;
    fn facts(inventory: &Inventory, device: Dev, ours: &WorkspaceId) -> Facts<Self>;
    /// The service's own values for placing it.
    fn parameters(self) -> Parameters;
    /// Why the device cannot be put there, if so.
    fn cannot(self, inventory: &Inventory, device: Dev) -> Option<Reason>;
}

impl Level for Isolation {
    const FREE: Self = Self::Free;
    const FACET: Facet = Facet::Isolation;
    const PLACE: Verb = Verb::Isolate;
    const FREE_VERB: Verb = Verb::Release;
    fn word(self) -> &'static str {
        Self::word(self)
    }
    fn parse(word: &str) -> Option<Self> {
        Self::parse(word)
    }
    fn facts(inventory: &Inventory, device: Dev, ours: &WorkspaceId) -> Facts<Self> {
        readings::isolation(inventory, device, ours)
    }
    fn parameters(self) -> Parameters {
        Parameters { isolation_type: Some(self.wire().to_owned()), ..Parameters::default() }
    }
    fn cannot(self, inventory: &Inventory, device: Dev) -> Option<Reason> {
        let mode = match self {
            Self::Full => IsolationMode::Full,
            Self::Selective | Self::Free => IsolationMode::Selective,
        };
        matrix::isolate(inventory, device, mode)
    }
}

impl Level for Restriction {
    const FREE: Self = Self::Unrestricted;
    const FACET: Facet = Facet::CodeExecution;
    const PLACE: Verb = Verb::Restrict;
    const FREE_VERB: Verb = Verb::Unrestrict;
    fn word(self) -> &'static str {
        Self::word(self)
    }
    fn parse(word: &str) -> Option<Self> {
        Self::parse(word)
    }
    fn facts(inventory: &Inventory, device: Dev, ours: &WorkspaceId) -> Facts<Self> {
        readings::restriction(inventory, device, ours)
    }
    fn parameters(self) -> Parameters {
        Parameters::default()
    }
    fn cannot(self, inventory: &Inventory, device: Dev) -> Option<Reason> {
        matrix::restrict(inventory, device)
    }
}

/// Kinds of actions that move a facet.
pub(super) const fn kinds(facet: Facet) -> &'static [ActionKind] {
    match facet {
        Facet::Isolation => &[ActionKind::Isolate, ActionKind::Unisolate],
        Facet::CodeExecution => {
            &[ActionKind::RestrictCodeExecution, ActionKind::UnrestrictCodeExecution]
        }
        _ => &[],
    }
}

/// Whether actions of this kind let a device go.
const fn releases(kind: &ActionKind) -> bool {
    matches!(kind, ActionKind::Unisolate | ActionKind::UnrestrictCodeExecution)
}

/// A policy that wants a level.
#[derive(Debug)]
struct Wish<'s, L> {
    level: L,
    header: &'s Header,
    containment: &'s Containment,
    reach: &'s dyn Reaching,
}

/// What a wish needs to know of its policy's selection, whatever the kind.
trait Reaching: Debug {
    fn selects(&self, device: Dev) -> bool;
    fn selected(&self) -> &RoaringBitmap;
    fn doubt(&self) -> Option<What>;
    fn why(&self, device: Dev) -> Why;
}

impl<P: Debug> Reaching for Reach<'_, P> {
    fn selects(&self, device: Dev) -> bool {
        Reach::selects(self, device)
    }
    fn selected(&self) -> &RoaringBitmap {
        &self.selected
    }
    fn doubt(&self) -> Option<What> {
        self.doubt
    }
    fn why(&self, device: Dev) -> Why {
        Reach::why(self, device)
    }
}

/// Isolation of every device.
pub(super) fn isolation(scene: &Scene<'_>, draft: &mut Draft) {
    let mut wishes = Vec::new();
    for reach in &scene.isolation {
        let Reach { policy, header, .. }: &Reach<'_, IsolationPolicy> = reach;
        let level = Isolation::from(policy.isolation);
        wishes.push(Wish { level, header, containment: &policy.containment, reach });
    }
    step::<Isolation>(scene, &wishes, draft);
}

/// Code execution on every device.
pub(super) fn restriction(scene: &Scene<'_>, draft: &mut Draft) {
    let mut wishes = Vec::new();
    for reach in &scene.restriction {
        let Reach { policy, header, .. }: &Reach<'_, RestrictionPolicy> = reach;
        let level = Restriction::Restricted;
        wishes.push(Wish { level, header, containment: &policy.containment, reach });
    }
    step::<Restriction>(scene, &wishes, draft);
}

/// Counts the devices in each restrictive state, for caps, when no policy is looked at.
pub(super) fn count_states(scene: &Scene<'_>, draft: &mut Draft) {
    count::<Isolation>(scene, draft);
    count::<Restriction>(scene, draft);
}

fn count<L: Level>(scene: &Scene<'_>, draft: &mut Draft) {
    for device in acted_on::<L>(scene.inventory).iter().map(Dev) {
        let facts = L::facts(scene.inventory, device, &scene.input.workspace.id);
        note(scene.inventory, device, &facts, draft);
    }
}

/// Keeps what guardrails ask of a device that is not free, or may not be.
fn note<L: Level>(inventory: &Inventory, device: Dev, facts: &Facts<L>, draft: &mut Draft) {
    if occupies(facts) {
        draft.count_in_state(L::PLACE, inventory.group(device));
    }
    if restrains(facts) {
        draft.restrained.insert(device.0);
    }
}

/// Devices with an action of the facet in their history: all others are free.
fn acted_on<L: Level>(inventory: &Inventory) -> RoaringBitmap {
    let actions = inventory.all_actions().iter();
    let moving = actions.filter(|action| kinds(L::FACET).contains(&action.kind));
    moving.filter_map(|action| inventory.find(&action.device)).map(|device| device.0).collect()
}

/// A reason with who holds the device, or has an action in flight on it.
pub(super) fn by_holder(reason: Reason, holder: &Holder) -> Reason {
    let (kind, who) = match holder {
        Holder::Ours { policy, .. } => ("policy", policy.as_str()),
        Holder::OtherWorkspace { workspace } => ("workspace", workspace.as_str()),
        Holder::Named { requestor } => ("by", &**requestor),
        Holder::Nobody => ("by", "nobody named"),
    };
    reason.with(kind, who)
}

fn step<L: Level>(scene: &Scene<'_>, wishes: &[Wish<'_, L>], draft: &mut Draft) {
    let inventory = scene.inventory;
    let mut candidates = acted_on::<L>(inventory);
    for wish in wishes {
        candidates |= wish.reach.selected();
    }
    let accepts = |reach: &&Reach<'_, Exemption>| reach.policy.accepted.word(L::FACET).is_some();
    let watched = || scene.exemptions.iter().filter(accepts);
    // A free device without a history may be accepted as free, or have left what is accepted.
    for reach in watched() {
        candidates |= &reach.selected;
    }
    let mut in_scope = !wishes.is_empty() || watched().next().is_some();
    for device in candidates.iter().map(Dev) {
        let facts = L::facts(inventory, device, &scene.input.workspace.id);
        in_scope |= facts.reading != Reading::Known(L::FREE);
        note(inventory, device, &facts, draft);
        decide::decide(scene, wishes, device, &facts, draft);
    }
    if in_scope {
        draft.facet_in_scope(scene, L::FACET);
    }
}

/// Whether the device counts as being in the restrictive state, for caps: it is there, or an action
/// in flight comes from there or leads there.
fn occupies<L: Level>(facts: &Facts<L>) -> bool {
    match &facts.reading {
        Reading::Known(value) => *value != L::FREE,
        Reading::Changing { from, to, .. } => *from != L::FREE || *to != L::FREE,
        Reading::Unknown(_) => false,
    }
}

/// Whether the device may be in the restrictive state: it is known to be, or an action says so and
/// nothing may be concluded.
fn restrains<L: Level>(facts: &Facts<L>) -> bool {
    let unclear = matches!(facts.reading, Reading::Unknown(_)) && facts.newest.is_some();
    occupies(facts) || unclear
}

/// The device is offline and would not be queued.
pub(super) fn offline(scene: &Scene<'_>, device: Dev) -> Reason {
    let reason = Reason::new("offline").with("health", scene.inventory.health(device).word());
    match scene.inventory.last_seen(device) {
        Some(seen) => reason.with("since", seen.to_string()),
        None => reason,
    }
}
