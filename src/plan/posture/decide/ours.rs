//! A device that we hold: it stays while a lease runs, else it is let go.
//!
//! Called by `decide`, and by `flight` for what is behind an action.

use jiff::Timestamp;

use crate::inventory::What;
use crate::inventory::readings::Placement;
use crate::model::{Holder, Marker, PolicyName, marker};
use crate::plan::order::{Order, Proposal};
use crate::plan::posture::decide::bound::Held;
use crate::plan::posture::decide::{Case, Verdict, Wishes, strongest};
use crate::plan::posture::lease::{Claim, Record};
use crate::plan::posture::{Level, Wish, matrix};
use crate::plan::scene::{Exempt, unanswered};
use crate::plan::types::{Disposition, Parameters, Reason, Why};
use crate::plan::undo;
use crate::policy::set::{Lease, Mode, OnExpiry};

impl<'c, L: Level> Case<'c, L> {
    pub(super) fn ours(&self, value: L, placed: &Placement) -> Verdict {
        let record = self.record();
        let ends = self.ends(&record, placed);
        let (running, over): (Vec<_>, Vec<_>) =
            ends.into_iter().partition(|(_, end)| *end > self.now());
        let running: Vec<_> = running.into_iter().map(|(wish, _)| wish).collect();
        if let Some(verdict) = self.stronger(value, &running, &record) {
            return verdict;
        }
        match strongest(&running) {
            // The service did not say how strong; we asked for what we wanted.
            Some(to) if to >= value || placed.assumed => {
                self.not_longer(value, placed).unwrap_or(Verdict::Unchanged)
            }
            Some(to) => self.held(Reason::new("weakening-needs-release"), value, Some(to)),
            None if over.is_empty() => self.unwanted(value, placed, None),
            None => self.over(value, placed, &over, &record),
        }
    }

    /// Puts the device where policies with a running lease want more than there is, unless a person
    /// let go of that or cancelled it while it was pending. What is to become stronger takes a lease of
    /// its own: a policy that has none left keeps what an undoing put back, and takes no more.
    fn stronger(
        &self,
        value: L,
        running: Wishes<'_, 'c, L>,
        record: &Record<'c>,
    ) -> Option<Verdict> {
        let (mut able, mut asking) = (Vec::new(), Vec::new());
        let (mut spent, mut why) = (None, None);
        for wish in &self.wanted {
            let name = &wish.header.name;
            let runs = running.iter().any(|it| std::ptr::eq(*it, *wish));
            let word = if runs {
                Some(record.claim(name, wish.containment))
            } else {
                record.by_hand(name, wish.containment)
            };
            match word.filter(|_| wish.level > value) {
                None | Some(Claim::Open) if runs => able.push(*wish),
                Some(Claim::Reassert(reason)) if runs => {
                    able.push(*wish);
                    why = why.or(Some(reason));
                }
                Some(Claim::Ask(reason)) if self.may_take(wish, record) => {
                    asking.push((*wish, reason));
                }
                Some(Claim::Spent(reason)) => {
                    spent = spent.or(Some((reason.with("policy", name.as_str()), wish.level)));
                }
                _ => {}
            }
        }
        if strongest(&able).is_some_and(|to| to > value) {
            let reason = why.unwrap_or_else(|| self.witnessed(Reason::new("strengthened")));
            return Some(self.place(value, &able, record, Some(reason)));
        }
        if let Some((_, reason)) = asking.first().filter(|_| !running.is_empty()) {
            let reason = reason.clone();
            let asking: Vec<_> = asking.into_iter().map(|(wish, _)| wish).collect();
            return Some(self.place(value, &asking, record, Some(reason)));
        }
        let (reason, level) = spent.filter(|_| !running.is_empty())?;
        Some(self.row(Disposition::Held, reason, value, Some(level)))
    }

    /// Policies that have a say in what was placed, with the ends of their leases.
    pub(super) fn ends(
        &self,
        record: &Record<'_>,
        placed: &Placement,
    ) -> Vec<(&'c Wish<'c, L>, Timestamp)> {
        let leases = self.leases(record, placed).into_iter();
        leases.map(|lease| (lease.wish, lease.ends)).collect()
    }

    /// The same, with what `maxLease` makes of each.
    pub(super) fn leases(&self, record: &Record<'_>, placed: &Placement) -> Vec<Held<'c, L>> {
        self.wanted.iter().filter_map(|wish| self.lease(record, placed, wish)).collect()
    }

    /// The lease that a policy has on what was placed if it selects the device.
    fn lease(
        &self,
        record: &Record<'_>,
        placed: &Placement,
        wish: &'c Wish<'c, L>,
    ) -> Option<Held<'c, L>> {
        let name = &wish.header.name;
        let own = |policy| marker::names(policy, name);
        let own = matches!(&placed.by, Holder::Ours { policy, .. } if own(policy));
        let end = record.end(name, wish.containment, placed.completed, own)?;
        // What an undoing put back has the rest of its lease and not a new one.
        let rest = undo::put_back_until(&placed.comment).filter(|_| own);
        let whole = |end| Held { wish, text: end, over: false, ends: end };
        Some(rest.map_or_else(|| self.bounded(wish, placed, end, own), whole))
    }

    /// What could not be read, where a policy would have a lease on the device if that made it select it: it would
    /// keep the device, or have its lease ended by the release too.
    fn may_have_a_say(&self, record: &Record<'_>, placed: &Placement) -> Option<What> {
        let has = |wish: &&'c Wish<'c, L>| self.lease(record, placed, wish).is_some();
        self.doubtful().filter(has).find_map(|wish| wish.reach.doubt())
    }

    fn is_certainly_exempt(&self) -> bool {
        matches!(self.scene.exemption(self.device, L::FACET), Some(Exempt::By(..)))
    }

    /// Every lease has ended of the policies that select the device.
    fn over(
        &self,
        value: L,
        placed: &Placement,
        over: &[(&'c Wish<'c, L>, Timestamp)],
        record: &Record<'_>,
    ) -> Verdict {
        let outlived = self.outlives(placed, over);
        let cut = self.cut_short(placed, over);
        let ended = over.iter().map(|(_, end)| *end).max();
        let ended = ended.map(|at| at.to_string()).unwrap_or_default();
        let over: Vec<_> = over.iter().map(|(wish, _)| *wish).collect();
        if stays(over.iter().copied()) {
            let reason = Reason::new("on-expiry-hold").with("ended", ended);
            return self.held(reason, value, Some(L::FREE));
        }
        let unread = self.may_have_a_say(record, placed);
        if let Some(what) = unread.filter(|_| !self.is_certainly_exempt()) {
            return self.unknown(unanswered(what));
        }
        let text = record.ended_text(over.iter().map(|wish| (&wish.header.name, wish.containment)));
        if outlived {
            // Their leases are used up all the same: none of them takes the device anew.
            return self.unwanted(value, placed, Some(text));
        }
        let reason = match cut {
            Some(written) => Reason::new("lease-shortened").with("written", written.to_string()),
            None => Reason::new("lease-ended"),
        };
        let reason = reason.with("ended", ended);
        self.release(value, placed, reason, self.because(&over), text)
    }

    /// The end that was written, by the verified start: the marker is from before the action's success. That of an
    /// undoing, and that of an `until` that is still the same, is the end itself.
    pub(super) fn promised(&self, placed: &Placement) -> Option<Timestamp> {
        let written = Marker::find(&placed.comment)?.until?;
        let rest =
            undo::put_back_until(&placed.comment).is_some() || self.is_fixed(placed, written);
        let asked = self.placing().map(|action| action.created).filter(|_| !rest);
        let took = asked.map(|asked| placed.completed.duration_since(asked)).unwrap_or_default();
        Some(written.checked_add(took).unwrap_or(Timestamp::MAX))
    }

    /// Whether the written end is that of an `until`: of the policy that placed it, or of a longer one that wanted
    /// the device too.
    fn is_fixed(&self, placed: &Placement, written: Timestamp) -> bool {
        let Holder::Ours { policy, .. } = &placed.by else { return false };
        let until = |wish: &Wish<'c, L>| match wish.containment.lease {
            Lease::Until(end) => Some(end),
            Lease::For(_) => None,
        };
        // A marker's minute is the one that the end is in.
        let same = |end: Timestamp| (0..60).contains(&end.duration_since(written).as_secs());
        let own = self.all.iter().find(|wish| marker::names(policy, &wish.header.name));
        let own = own.and_then(&until);
        own.is_some_and(|own| {
            same(own) || own < written && self.all.iter().filter_map(until).any(same)
        })
    }

    /// Whether the policy that placed it had more in mind than those whose leases are over: it selects the
    /// device no longer, and the end that was written has not come.
    fn outlives(&self, placed: &Placement, over: &[(&'c Wish<'c, L>, Timestamp)]) -> bool {
        let Holder::Ours { policy, .. } = &placed.by else { return false };
        let own = over.iter().any(|(wish, _)| marker::names(policy, &wish.header.name));
        let has_come = self.promised(placed).is_some_and(|end| end <= self.now());
        !own && !has_come
    }

    /// What could not be read whole and decides whether some policy selects the device.
    pub(super) fn doubt(&self) -> Option<What> {
        self.doubtful().find_map(|wish| wish.reach.doubt())
    }

    /// Policies of which nobody can tell whether they select the device; one in audit mode has no say in either case.
    fn doubtful(&self) -> impl Iterator<Item = &'c Wish<'c, L>> {
        let enforced = |wish: &&Wish<'c, L>| wish.containment.mode == Mode::Enforce;
        self.all.iter().filter(enforced).filter(|wish| wish.reach.doubt().is_some())
    }

    /// The end of what an undoing with that comment puts back, while that has not come.
    pub(super) fn put_back(&self, comment: &str) -> Option<Timestamp> {
        undo::put_back_until(comment).filter(|end| *end > self.now())
    }

    /// No enforcing policy selects the device any longer, or those that do have had their leases, which
    /// `ended` says.
    fn unwanted(&self, value: L, placed: &Placement, ended: Option<String>) -> Verdict {
        if let Some(what) = self.doubt().filter(|_| !self.is_certainly_exempt()) {
            return self.unknown(unanswered(what));
        }
        if let Some(until) = self.put_back(&placed.comment) {
            let reason = Reason::new("put-back").with("until", until.to_string());
            return self.held(reason, value, Some(L::FREE));
        }
        let Holder::Ours { policy, .. } = &placed.by else { return Verdict::Unchanged };
        let left = self.left_by(policy).unwrap_or(("no-longer-selected", "no longer selected"));
        let (code, text) = left;
        let reason = Reason::new(code).with("policy", policy.as_str());
        let text = ended.unwrap_or_else(|| text.to_owned());
        self.release(value, placed, reason, self.because_of_marker(policy), text)
    }

    /// Why the policy that a marker names wants the device no longer, as code and words; none when it selects
    /// it still, whatever it may do about that.
    pub(super) fn left_by(&self, policy: &PolicyName) -> Option<(&'static str, &'static str)> {
        let names = |wish: &&Wish<'c, L>| marker::names(policy, &wish.header.name);
        if self.wanted.iter().copied().any(|wish| names(&wish)) {
            return None;
        }
        Some(match self.all.iter().find(names).map(|wish| wish.containment.mode) {
            None => ("policy-gone", "policy gone"),
            Some(Mode::Enforce) => ("no-longer-selected", "no longer selected"),
            Some(Mode::Audit) => ("policy-in-audit", "policy in audit mode"),
        })
    }

    fn release(
        &self,
        value: L,
        placed: &Placement,
        reason: Reason,
        because: Vec<Why>,
        text: String,
    ) -> Verdict {
        let Holder::Ours { policy, .. } = &placed.by else { return Verdict::Unchanged };
        let scene = self.scene;
        if let Some(reason) = matrix::onboarded(scene.inventory, self.device) {
            return self.row(Disposition::Cannot, reason, value, Some(L::FREE));
        }
        if let Some(exempt) = self.exempt(value, Some(L::FREE)) {
            return exempt;
        }
        let change = scene.change(Order {
            verb: L::FREE_VERB,
            facet: L::FACET,
            target: scene.target(self.device),
            from: value.word().to_owned(),
            to: L::FREE.word().to_owned(),
            parameters: Parameters::default(),
            lease_end: None,
            because,
            reason: Some(self.witnessed(reason)),
            risk: scene.risk(self.device, L::FREE_VERB),
            evidence: self.evidence(),
            expects: None,
            policy: policy.clone(),
            text: Some(text),
        });
        Verdict::Do(Box::new(Proposal { change, device: Some(self.device), adds: false }))
    }
}

/// Whether one of the policies whose leases are over says that the device stays for all that.
pub(super) fn stays<'w, L: 'w>(over: impl IntoIterator<Item = &'w Wish<'w, L>>) -> bool {
    over.into_iter().any(|wish| wish.containment.on_expiry == OnExpiry::Hold)
}
