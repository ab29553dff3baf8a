//! What is said of a device that is left as it is: entries, and the policies behind them.
//!
//! Called by every answer of `decide`.

use crate::inventory::ActionRow;
use crate::model::{Holder, PolicyName, marker};
use crate::plan::posture::decide::{Case, Verdict, Wishes, strongest};
use crate::plan::posture::{Level, by_holder};
use crate::plan::scene::Exempt;
use crate::plan::types::{Disposition, Entry, Reason, Why};

impl<'c, L: Level> Case<'c, L> {
    pub(super) fn unknown(&self, reason: Reason) -> Verdict {
        let entry = self.entry(reason, None, strongest(&self.wanted));
        Verdict::Row(Disposition::Unknown, Box::new(entry))
    }

    pub(super) fn held(&self, reason: Reason, from: L, to: Option<L>) -> Verdict {
        self.row(Disposition::Held, self.witnessed(reason), from, to)
    }

    /// The reason with the action that the reading rests on: which, whose, since when, and by what
    /// way it came when that was not the API.
    pub(super) fn witnessed(&self, reason: Reason) -> Reason {
        let Some(placed) = &self.facts.placed else { return reason };
        let reason = reason
            .with("action", placed.action.as_str())
            .with("requestor", &*placed.requestor)
            .with("since", placed.completed.to_string());
        match self.placing().map(|action| &*action.source) {
            None | Some("" | "PublicApi") => reason,
            Some(source) => reason.with("source", source),
        }
    }

    /// The action that put the device into its state.
    pub(super) fn placing(&self) -> Option<&'c ActionRow> {
        let placed = self.facts.placed.as_ref()?;
        let mut actions = self.scene.inventory.actions(self.device);
        actions.find(|action| action.id == placed.action)
    }

    pub(super) fn row(
        &self,
        disposition: Disposition,
        reason: Reason,
        from: L,
        to: Option<L>,
    ) -> Verdict {
        Verdict::Row(disposition, Box::new(self.entry(reason, Some(from), to)))
    }

    pub(super) fn exempt(&self, from: L, to: Option<L>) -> Option<Verdict> {
        let (reason, why) = match self.scene.exemption(self.device, L::FACET)? {
            Exempt::By(reason, why) => (reason, why),
            Exempt::Unread(reason) => return Some(self.unknown(reason)),
        };
        let mut entry = self.entry(self.witnessed(reason), Some(from), to);
        entry.because.push(why);
        Some(Verdict::Row(Disposition::Held, Box::new(entry)))
    }

    /// What an exemption that accepts a value says to the value there is.
    pub(super) fn accepted(&self, value: L) -> Option<Verdict> {
        let (accepted, reach) = self.scene.accepted(self.device, L::FACET)?;
        let exemption = &reach.header.name;
        if accepted == value.word() {
            return Some(Verdict::Accepted(exemption.clone()));
        }
        let reason = Reason::new("accepted-moved")
            .with("name", exemption.as_str())
            .with("accepted", accepted)
            .with("found", value.word())
            .with("expires", reach.policy.expires.to_string());
        let mut entry = self.entry(self.witnessed(reason), Some(value), strongest(&self.wanted));
        entry.because.push(reach.why(self.device));
        Some(Verdict::Row(Disposition::Held, Box::new(entry)))
    }

    pub(super) fn entry(&self, reason: Reason, from: Option<L>, to: Option<L>) -> Entry {
        let verb = to.map(|to| if to == L::FREE { L::FREE_VERB } else { L::PLACE });
        Entry {
            tenant: self.scene.inventory.tenant().to_owned(),
            target: self.scene.target(self.device),
            facet: L::FACET,
            verb,
            from: from.map(|value| value.word().to_owned()),
            to: to.map(|value| value.word().to_owned()),
            because: self.because(&self.wanted),
            reason,
        }
    }

    pub(super) fn because(&self, wishes: Wishes<'_, 'c, L>) -> Vec<Why> {
        wishes.iter().map(|wish| wish.reach.why(self.device)).collect()
    }

    /// The policy that the marker names: whose wish is taken back.
    pub(super) fn because_of_marker(&self, policy: &PolicyName) -> Vec<Why> {
        let header = self
            .all
            .iter()
            .map(|wish| wish.header)
            .find(|header| marker::names(policy, &header.name));
        vec![header.map_or_else(
            || Why {
                kind: kind_word::<L>().to_owned(),
                name: policy.to_string(),
                file: String::new(),
                line: 0,
                terms: Vec::new(),
            },
            |header| crate::plan::scene::why(header, Vec::new()),
        )]
    }

    pub(super) fn evidence(&self) -> Option<String> {
        self.facts.newest.as_ref().map(|action| action.as_str().to_owned())
    }
}

/// The kind of document that governs a facet.
fn kind_word<L: Level>() -> &'static str {
    use crate::policy::set::PolicyKind;
    match L::FACET {
        crate::model::Facet::Isolation => PolicyKind::IsolationSet.word(),
        _ => PolicyKind::CodeExecutionRestriction.word(),
    }
}

pub(super) fn with_holder(mut entry: Entry, holder: &Holder) -> Entry {
    entry.reason = by_holder(entry.reason, holder);
    entry
}
