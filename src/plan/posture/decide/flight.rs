//! An action is in flight: it is waited for, or cancelled when it is ours and no longer wanted or
//! would restrict a device that has become exempt or protected.
//!
//! Called by `decide`.

use jiff::Timestamp;

use crate::inventory::readings::Placement;
use crate::inventory::{ActionRow, Dev};
use crate::model::{ActionId, Facet, Holder, PolicyName, Verb, marker};
use crate::plan::guards::protection::{self, Protection};
use crate::plan::order::{Order, Proposal};
use crate::plan::posture::decide::ours::stays;
use crate::plan::posture::decide::rows::with_holder;
use crate::plan::posture::decide::{Case, Verdict, strongest};
use crate::plan::posture::lease::Claim;
use crate::plan::posture::{Level, Wish};
use crate::plan::scene::{Exempt, Scene};
use crate::plan::types::{Disposition, Parameters, Reason};
use crate::plan::undo;

impl<'c, L: Level> Case<'c, L> {
    pub(super) fn in_flight(&self, from: L, to: L, action: &ActionId, by: &Holder) -> Verdict {
        let changing = |code: &str| {
            let mut reason = Reason::new(code).with("action", action.as_str());
            reason = reason.with("from", from.word()).with("to", to.word());
            let entry = self.entry(reason, None, strongest(&self.wanted));
            Verdict::Row(Disposition::Changing, Box::new(with_holder(entry, by)))
        };
        let Holder::Ours { policy, .. } = by else { return changing("in-flight-foreign") };
        let actions = &mut self.scene.inventory.actions(self.device);
        let Some(row) = actions.find(|row| row.id == *action) else { return changing("in-flight") };
        let spared = Spared::of(self.scene, self.device, L::FACET);
        if self.is_waited_for(from, to, policy, row, &spared) {
            return changing("in-flight");
        }
        let why = self.no_longer(to, policy, spared);
        self.cancel((from, to), action, policy, why)
    }

    /// Whether what `policy` has sent leads to where the device should be, or is a step on the way there.
    fn is_waited_for(
        &self,
        from: L,
        to: L,
        policy: &PolicyName,
        row: &ActionRow,
        spared: &Spared,
    ) -> bool {
        let theirs = self.facts.placed.as_ref().is_some_and(|placed| !placed.by.is_ours());
        if to == L::FREE {
            // A release of ours is not to win over what somebody else has placed since, wherever that is.
            return !theirs && (spared.certainly() || spared.maybe || !self.is_kept(policy, row));
        }
        if to <= from || spared.certainly() {
            return false;
        }
        if undo::is_undo(&row.comment) {
            return !theirs && self.is_still_put_back(row);
        }
        if self.doubt().is_some() {
            return true;
        }
        // Where the service does not say how strong it is, it counts as the strongest.
        let wish = self.wish_behind(policy, row.created);
        wish >= to || row.isolation.is_none() && wish > from
    }

    /// Whether what there is stays although a release of ours is pending: a policy that certainly selects the device
    /// keeps it, whatever others do that nobody can tell. One that hears the release of an undoing as a person's does
    /// not; whoever has not heard it would take the device anew.
    fn is_kept(&self, policy: &PolicyName, row: &ActionRow) -> bool {
        let undone = undo::is_undo(&row.comment);
        let Some(placed) = &self.facts.placed else {
            let wanted = || self.wish_behind(policy, row.created) > L::FREE;
            return !undone && self.doubt().is_none() && wanted();
        };
        let record = self.record();
        let keeps = |(wish, end): (&'c Wish<'c, L>, Timestamp)| {
            let kept = end > self.now() || stays([wish]);
            let hears = || undone && record.would_hear(&row.comment, &wish.header.name);
            kept && wish.reach.doubt().is_none() && !hears()
        };
        let rest = !undone && self.put_back(&placed.comment).is_some();
        rest || self.ends(&record, placed).into_iter().any(keeps)
    }

    /// Whether an undoing that would put the device back may still do so: for the rest of a lease that is not over,
    /// and unless a person has let the device go since.
    fn is_still_put_back(&self, row: &ActionRow) -> bool {
        self.put_back(&row.comment).is_some() && !self.record().was_said_since(row.created)
    }

    /// The level wanted now, as if nothing were in flight: `policy` has sent something at that time.
    fn wish_behind(&self, policy: &PolicyName, sent: Timestamp) -> L {
        let record = self.record();
        // For a policy that asks it was lifted when it was sent for it, and after whatever a person has said.
        let able = |wish: &Wish<'c, L>| {
            let name = &wish.header.name;
            match record.claim(name, wish.containment) {
                Claim::Spent(_) => false,
                Claim::Ask(_) => marker::names(policy, name) && !record.was_said_since(sent),
                _ => true,
            }
        };
        let wanted = match &self.facts.placed {
            Some(placed) if placed.by.is_ours() => self.wish_behind_ours(placed, &able),
            Some(placed) => strongest(&self.able_to_adopt(placed, &record)),
            None => self.wanted.iter().filter(|wish| able(wish)).map(|wish| wish.level).max(),
        };
        wanted.unwrap_or(L::FREE)
    }

    /// The same over what we hold, while a lease on that runs. As in `stronger`: who may not take more has no say in
    /// what makes it stronger, and what a policy that asks was lifted for needs no lease of its own that runs.
    fn wish_behind_ours(
        &self,
        placed: &Placement,
        able: &dyn Fn(&Wish<'c, L>) -> bool,
    ) -> Option<L> {
        let record = self.record();
        let ends = self.ends(&record, placed).into_iter();
        let running: Vec<_> = ends.filter(|(_, end)| *end > self.now()).collect();
        let counts = |wish: &&&Wish<'c, L>| {
            let runs = running.iter().any(|(it, _)| std::ptr::eq(*it, **wish));
            let asks = || {
                let word = record.by_hand(&wish.header.name, wish.containment);
                matches!(word, Some(Claim::Ask(_)))
            };
            able(wish) && (runs || asks())
        };
        let wanted = self.wanted.iter().filter(|_| !running.is_empty()).filter(counts);
        wanted.map(|wish| wish.level).max()
    }

    /// Those that certainly want the device; all where nobody can tell of any.
    fn certain(&self) -> Vec<&'c Wish<'c, L>> {
        let sure = self.wanted.iter().copied().filter(|wish| wish.reach.doubt().is_none());
        let sure: Vec<_> = sure.collect();
        if sure.is_empty() { self.wanted.clone() } else { sure }
    }

    /// Why the pending action is taken back, with what its comment says of it.
    fn no_longer(&self, to: L, policy: &PolicyName, spared: Spared) -> (Reason, &'static str) {
        let Spared { exempt, protection, .. } = spared;
        if let Some(protection) = protection.filter(|_| to != L::FREE) {
            return (protection.reason("protected-pending"), "the device is protected");
        }
        // Abandoning what a policy began is no less than releasing what it holds, and is called the same.
        let begins = to != L::FREE && !exempt;
        let code = match self.left_by(policy).filter(|_| begins) {
            Some(left) => left.0,
            None => "no-longer-wanted",
        };
        (Reason::new(code), "no longer wanted")
    }

    fn cancel(
        &self,
        (from, to): (L, L),
        action: &ActionId,
        policy: &PolicyName,
        (reason, text): (Reason, &str),
    ) -> Verdict {
        let verb = Verb::Cancel;
        let reason = reason
            .with("action", action.as_str())
            .with("pending", to.word())
            .with("policy", policy.as_str());
        let change = self.scene.change(Order {
            verb,
            facet: L::FACET,
            target: self.scene.target(self.device),
            from: to.word().to_owned(),
            to: from.word().to_owned(),
            parameters: Parameters {
                action_id: Some(action.as_str().to_owned()),
                ..Parameters::default()
            },
            lease_end: None,
            // A release is taken back for those that want the device, a placement because of who began it.
            because: match self.left_by(policy) {
                Some(_) if to != L::FREE || self.wanted.is_empty() => {
                    self.because_of_marker(policy)
                }
                _ if to == L::FREE => self.because(&self.certain()),
                _ => self.because(&self.wanted),
            },
            reason: Some(reason),
            risk: self.scene.risk(self.device, verb),
            evidence: self.evidence(),
            expects: Some("changing".to_owned()),
            policy: policy.clone(),
            text: Some(text.to_owned()),
        });
        Verdict::Do(Box::new(Proposal { change, device: Some(self.device), adds: false }))
    }
}

/// What keeps a device from being restricted.
struct Spared {
    exempt: bool,
    protection: Option<Protection>,
    /// Whether it may be exempt or protected for all that anybody can tell.
    maybe: bool,
}

impl Spared {
    fn of(scene: &Scene<'_>, device: Dev, facet: Facet) -> Self {
        let exemption = scene.exemption(device, facet);
        let maybe =
            matches!(exemption, Some(Exempt::Unread(_))) || protection::is_doubtful(scene, device);
        let exempt = matches!(exemption, Some(Exempt::By(..)));
        Self { exempt, protection: protection::of(scene, device), maybe }
    }

    fn certainly(&self) -> bool {
        self.exempt || self.protection.is_some()
    }
}
