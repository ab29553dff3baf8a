//! Leases: when one ends, and when a policy has used up what it may take on a device.
//!
//! A lease starts when the placing action was verified as succeeded and ends after the policy's
//! *current* `lease`, or at its `until`. A taking counts as used up when our own release names the
//! policy after `lease ended:`. One that ended because the device was no longer selected, or because
//! another policy of ours placed something stronger, is not used up: a tag removed by mistake and put
//! back contains the device again.
//!
//! What a person let go is another matter: `onManualRelease` says what it means, whatever renewals
//! are left. It stands against the policy that had put the device there for good, and against every
//! other policy of the workspace until the end that the marker had named, each by its own word: a
//! second policy that says `respect` does not undo at once what a person did, one that says `reassert`
//! does. A person is everybody but this workspace: by hand, another tool, another workspace
//! (whose release is always respected, so that two workspaces never take turns), and a person who
//! undid a run of ours. Another workspace that merely placed something over ours released nothing.
//! Whoever cancels our placement while it is pending has let the device go before it was taken: the
//! same counts for them, as far as the service tells that it was not us.
//!
//! `renewal` says how many leases a policy may take on one device. Those that are left follow each
//! other without a gap: a device is not let go only to be taken again. Asked by `decide`.

use jiff::Timestamp;

use crate::inventory::readings::{self, CalledOff, Taking};
use crate::inventory::{ActionRow, Dev, Inventory};
use crate::model::marker::ENDED;
use crate::model::{Facet, Holder, Marker, PolicyName, Span, WorkspaceId, marker};
use crate::plan::types::Reason;
use crate::plan::undo;
use crate::policy::set::{Containment, Lease, OnManualRelease};

/// What the history says about a policy that wants a free device.
#[derive(Debug)]
pub(super) enum Claim {
    /// Nothing stands against it.
    Open,
    /// A person released the device, and the policy puts it back.
    Reassert(Reason),
    /// A person released it, and another one is to be asked.
    Ask(Reason),
    /// Its leases are used up, or what a person released stays so.
    Spent(Reason),
}

/// The comment before the marker of a release that ends these policies' leases, and how many each
/// of them: `lease ended: ir-7781, kiosks x2`.
fn ended_text<'a>(ended: impl Iterator<Item = (&'a PolicyName, u64)>) -> String {
    let behind = |count| if count > 1 { format!(" x{count}") } else { String::new() };
    let names: Vec<_> = ended.map(|(name, count)| (name.as_str(), behind(count))).collect();
    marker::listed(ENDED, &names)
}

/// What took place on one device, as far as leases are concerned.
#[derive(Debug)]
pub(super) struct Record<'a> {
    past: Vec<Past<'a>>,
    /// Placements of ours that somebody else cancelled, oldest first.
    off: Vec<CalledOff<'a>>,
    ours: &'a WorkspaceId,
    now: Timestamp,
}

/// One taking with how it ended.
#[derive(Debug)]
struct Past<'a> {
    taking: Taking,
    /// The action that ended it.
    ender: Option<&'a ActionRow>,
    /// The end that its marker had named.
    written: Option<Timestamp>,
}

impl<'a> Record<'a> {
    pub(super) fn of(
        inventory: &'a Inventory,
        device: Dev,
        facet: Facet,
        ours: &'a WorkspaceId,
        now: Timestamp,
    ) -> Self {
        let past = |taking: Taking| {
            let moving = || {
                let kinds = super::kinds(facet);
                inventory.actions(device).filter(|action| kinds.contains(&action.kind))
            };
            let ended = |action: &&ActionRow| Some(action.updated) == taking.ended;
            let ender = moving().filter(ended).max_by_key(|action| (action.created, &action.id));
            let placing = moving().find(|action| action.id == taking.action);
            Past { written: placing.and_then(written), taking, ender }
        };
        let takings = readings::takings(inventory, device, facet, ours);
        let off = readings::called_off(inventory, device, facet, ours);
        Self { past: takings.into_iter().map(past).collect(), off, ours, now }
    }

    /// Whether the policy may take the free device.
    pub(super) fn claim(&self, policy: &PolicyName, containment: &Containment) -> Claim {
        if let Lease::Until(until) = containment.lease
            && until <= self.now
        {
            return Claim::Spent(Reason::new("lease-spent").with("ended", until.to_string()));
        }
        let hand = self.by_hand(policy, containment);
        let used = self.used(policy, containment);
        let spent = used.last().filter(|_| left(containment, count(&used)) == 0);
        let last = match (hand, spent) {
            // Who may put back what a person let go has no more leases for it than anybody.
            (Some(Claim::Spent(reason)), _) => return Claim::Spent(reason),
            (_, Some(last)) => last,
            (hand, None) => return hand.unwrap_or(Claim::Open),
        };
        let reason = Reason::new("lease-spent")
            .with("ended", last.at.to_string())
            .with("taken", count(&used))
            .with("renewal", containment.renewal);
        Claim::Spent(reason)
    }

    /// What a person's release or cancelling means to the policy, if one stands against it.
    pub(super) fn by_hand(&self, policy: &PolicyName, containment: &Containment) -> Option<Claim> {
        self.stands(policy, None).map(|hand| hand.claim(containment.on_manual_release))
    }

    /// Whether a person has let the device go since then, or called off what was pending.
    pub(super) fn was_said_since(&self, at: Timestamp) -> bool {
        let hands = self.past.iter().filter_map(|past| self.hand(past)).map(|hand| hand.at);
        hands.chain(self.off.iter().map(|off| off.at)).any(|said| said > at)
    }

    /// Whether a release of what there is, by an undoing with that comment, would stand against the policy now.
    pub(super) fn would_hear(&self, comment: &str, policy: &PolicyName) -> bool {
        let Some(past) = self.past.last() else { return true };
        undo::names(comment, policy)
            || marker::names(&past.taking.policy, policy)
            || past.written.is_some_and(|end| end > self.now)
            || self.stands(policy, None).is_some()
    }

    /// The person whose word stands against the policy, if one does; with `start`, against what another policy has
    /// placed then. Whoever called off what was to make the device stronger, while it was ours, has not let go of
    /// what there is.
    fn stands(&self, policy: &PolicyName, start: Option<Timestamp>) -> Option<Hand<'_>> {
        self.taken_by_hand(policy, start).or_else(|| self.taken_from_others(policy, start))
    }

    /// The last person who took the device from another policy before the end that was named, also when somebody
    /// who may has put it back since; with `start`, before that, and only who let it go. What the policy itself
    /// has taken later answers it.
    fn taken_from_others(&self, policy: &PolicyName, start: Option<Timestamp>) -> Option<Hand<'_>> {
        let latest = start.unwrap_or(Timestamp::MAX);
        let recent = |end: Option<Timestamp>| end.is_some_and(|end| end > self.now);
        let own = self.past.iter().rposition(|past| marker::names(&past.taking.policy, policy));
        let since = self.past.get(own.map_or(0, |at| at + 1)..).unwrap_or_default();
        let own = own.and_then(|at| self.past.get(at));
        let recently = since.iter().rev().filter(|past| recent(past.written));
        let past = recently.filter_map(|past| self.hand(past)).find(|hand| hand.at <= latest);
        let off = self.called_off(start).filter(|off| off.at <= latest && is_later(off, own));
        let off = off.filter(|off| recent(written(off.action))).map(Hand::of_cancelling).next();
        off.into_iter().chain(past).max_by_key(|hand| hand.at)
    }

    /// Placements that somebody else called off, newest first; with `start` those alone by which the device stayed
    /// free.
    fn called_off(&self, start: Option<Timestamp>) -> impl Iterator<Item = &CalledOff<'a>> {
        let off = self.off.iter().rev();
        off.filter(move |off| start.is_none_or(|start| !self.was_held(off, start)))
    }

    /// Whether the device was ours when it was called off, and from then to `start` without a break: it was to
    /// become stronger, and nothing was let go.
    fn was_held(&self, off: &CalledOff<'_>, start: Timestamp) -> bool {
        let takings = || self.past.iter().map(|past| &past.taking);
        let during = |taking: &Taking| {
            taking.started < off.at && taking.ended.is_none_or(|ended| ended > off.at)
        };
        let Some(at) = takings().position(during) else { return false };
        let breaks = |(one, next): (&Taking, &Taking)| {
            next.started <= start && one.ended.is_some_and(|ended| ended < next.started)
        };
        !takings().skip(at).zip(takings().skip(at + 1)).any(breaks)
    }

    /// The person who ended what the policy itself had placed last, or was about to place.
    fn taken_by_hand(&self, policy: &PolicyName, start: Option<Timestamp>) -> Option<Hand<'_>> {
        // An undoing took back the wish of every policy that it names.
        let undone =
            |past: &Past<'a>| past.ender.is_some_and(|action| undo::names(&action.comment, policy));
        let own = |past: &&Past<'a>| marker::names(&past.taking.policy, policy) || undone(past);
        let past = self.past.iter().rev().find(own);
        let off = self.called_off(start).find(|off| marker::names(&off.policy, policy));
        let off = off.filter(|off| is_later(off, past)).map(Hand::of_cancelling);
        off.or_else(|| past.and_then(|past| self.hand(past)))
    }

    /// The person who ended the taking, if it was one.
    fn hand<'s>(&self, past: &'s Past<'a>) -> Option<Hand<'s>> {
        let (action, at) = (past.ender?, past.taking.ended?);
        let holder = readings::holder_of(action, self.ours);
        let other_workspace = matches!(holder, Holder::OtherWorkspace { .. });
        let person = matches!(holder, Holder::Named { .. } | Holder::Nobody);
        let by = match &holder {
            Holder::Ours { .. } if !undo::is_undo(&action.comment) => return None,
            Holder::Ours { .. } => ("run", undo::run_of(&action.comment).to_owned()),
            Holder::OtherWorkspace { workspace } => ("workspace", workspace.to_string()),
            Holder::Named { requestor } => ("by", requestor.to_string()),
            Holder::Nobody => ("by", "nobody named".to_owned()),
        };
        (person || super::releases(&action.kind)).then_some(Hand {
            action,
            at,
            by,
            other_workspace,
        })
    }

    /// When the posture that was placed at `start` ends as far as this policy goes: after every
    /// lease that is left to it. None when none is left, or when a person's release stands against it, so
    /// that the policy has no say in what another one put back; the policy that placed it (`own`) always
    /// has the lease it is in.
    pub(super) fn end(
        &self,
        policy: &PolicyName,
        containment: &Containment,
        start: Timestamp,
        own: bool,
    ) -> Option<Timestamp> {
        let left = self.left(policy, containment, own);
        let claim = |hand: Hand<'_>| hand.claim(containment.on_manual_release);
        let word = || self.stands(policy, Some(start)).map(claim);
        let no_say = !own && matches!(word(), Some(Claim::Spent(_) | Claim::Ask(_)));
        match containment.lease {
            _ if left == 0 || no_say => None,
            Lease::Until(until) => Some(until),
            Lease::For(span) => {
                Some(Span::from_secs(span.as_secs().saturating_mul(left)).after(start))
            }
        }
    }

    /// What a release writes that ends everything that was left to these policies.
    pub(super) fn ended_text<'p>(
        &self,
        policies: impl Iterator<Item = (&'p PolicyName, &'p Containment)>,
    ) -> String {
        let left = |policy, containment: &Containment| match containment.lease {
            Lease::For(_) => self.left(policy, containment, true),
            Lease::Until(_) => 1,
        };
        ended_text(policies.map(|(policy, containment)| (policy, left(policy, containment))))
    }

    fn left(&self, policy: &PolicyName, containment: &Containment, own: bool) -> u64 {
        let used = count(&self.used(policy, containment));
        left(containment, used).max(u64::from(own))
    }

    /// The policy's leases on the device that are used up, oldest first.
    fn used(&self, policy: &PolicyName, containment: &Containment) -> Vec<Use> {
        // A later `until` is a new wish.
        if matches!(containment.lease, Lease::Until(_)) {
            return Vec::new();
        }
        self.past.iter().filter_map(|past| self.used_up(policy, past)).collect()
    }

    fn used_up(&self, policy: &PolicyName, past: &Past<'_>) -> Option<Use> {
        let (at, by) = (past.taking.ended?, past.ender?);
        let ours = readings::holder_of(by, self.ours).is_ours();
        let leases = ended_for(policy, &by.comment).filter(|_| ours)?;
        Some(Use { at, leases })
    }
}

/// A release by a person.
struct Hand<'a> {
    action: &'a ActionRow,
    at: Timestamp,
    by: (&'static str, String),
    other_workspace: bool,
}

impl<'a> Hand<'a> {
    fn of_cancelling(off: &CalledOff<'a>) -> Self {
        let (who, other_workspace) = match &off.by {
            Holder::OtherWorkspace { workspace } => (format!("workspace {workspace}"), true),
            Holder::Named { requestor } => (requestor.to_string(), false),
            Holder::Ours { .. } | Holder::Nobody => (String::new(), false),
        };
        Self { action: off.action, at: off.at, by: ("cancelledBy", who), other_workspace }
    }

    /// What it means to a policy by its own word; another workspace is always respected.
    fn claim(&self, word: OnManualRelease) -> Claim {
        match word {
            OnManualRelease::Reassert if !self.other_workspace => {
                Claim::Reassert(self.reason("reasserted"))
            }
            OnManualRelease::Ask if !self.other_workspace => {
                Claim::Ask(self.reason("released-by-hand"))
            }
            _ => Claim::Spent(self.reason("released-by-hand")),
        }
    }

    fn reason(&self, code: &str) -> Reason {
        let (kind, who) = &self.by;
        Reason::new(code)
            .with(kind, who.as_str())
            .with("ended", self.at.to_string())
            .with("action", self.action.id.as_str())
    }
}

/// The end that the action's marker names.
fn written(action: &ActionRow) -> Option<Timestamp> {
    Marker::find(&action.comment).and_then(|marker| marker.until)
}

/// Whether it was called off after the taking had begun, if there was one.
fn is_later(off: &CalledOff<'_>, past: Option<&Past<'_>>) -> bool {
    past.is_none_or(|past| off.at > past.taking.started)
}

/// How many leases are left.
fn left(containment: &Containment, used: u64) -> u64 {
    u64::from(containment.renewal.max(1)).saturating_sub(used)
}

fn count(used: &[Use]) -> u64 {
    used.iter().map(|used| used.leases).sum()
}

/// A taking that is used up.
#[derive(Debug)]
struct Use {
    at: Timestamp,
    leases: u64,
}

/// How many leases of the policy a release's comment says that it ended. Where the list was cut to fit, the
/// marker's own policy still counts once.
fn ended_for(policy: &PolicyName, comment: &str) -> Option<u64> {
    let names = comment.strip_prefix(ENDED)?;
    let marker = Marker::find(comment).is_some_and(|found| marker::names(&found.policy, policy));
    let names = names.split_once(" [palisade ").map_or(names, |(names, _)| names);
    let ended = names.split(", ").find_map(|item| {
        let (name, count) = item.split_once(" x").unwrap_or((item, "1"));
        marker::lists(name, policy.as_str()).then(|| count.parse().ok()).flatten()
    });
    ended.or_else(|| (marker && names.ends_with('…')).then_some(1))
}
