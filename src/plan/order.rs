//! From a decision to a `Change`: id, marker, comment, risk.
//!
//! The only place where changes are made, so that each has an id that depends on nothing but what
//! it is, and a comment that ends with its marker. Called by every step.

use jiff::Timestamp;
use ring::digest::{SHA256, digest};

use crate::inventory::Dev;
use crate::model::{ChangeId, DeviceValue, Facet, Marker, OsFamily, PolicyName, Risk, Verb};
use crate::plan::canonical;
use crate::plan::scene::Scene;
use crate::plan::types::{
    Change, Expectation, Parameters, Reason, Risk as ChangeRisk, Target, Why,
};

/// What a step has decided.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) verb: Verb,
    pub(super) facet: Facet,
    pub(super) target: Target,
    pub(super) from: String,
    pub(super) to: String,
    /// Without a comment; it is made here.
    pub(super) parameters: Parameters,
    pub(super) lease_end: Option<Timestamp>,
    pub(super) because: Vec<Why>,
    pub(super) reason: Option<Reason>,
    pub(super) risk: ChangeRisk,
    pub(super) evidence: Option<String>,
    /// The reading that apply must find; `from` unless it says otherwise.
    pub(super) expects: Option<String>,
    /// The policy of the marker.
    pub(super) policy: PolicyName,
    /// The comment before the marker; none for no comment at all.
    pub(super) text: Option<String>,
}

/// A change before the guardrails have seen it.
#[derive(Clone, Debug)]
pub(super) struct Proposal {
    pub(super) change: Change,
    /// The device, if it is about one.
    pub(super) device: Option<Dev>,
    /// Whether the target is newly put into the state, for caps that count devices in it.
    pub(super) adds: bool,
}

impl Scene<'_> {
    /// Makes the change.
    pub(super) fn change(&self, order: Order) -> Change {
        let id = self.change_id(&order);
        let Order { verb, facet, target, from, to, mut parameters, lease_end, because, .. } = order;
        if let Some(text) = order.text {
            let marker = Marker {
                workspace: self.input.workspace.id.clone(),
                policy: order.policy,
                change: id.clone(),
                until: lease_end,
            };
            parameters.comment = Some(marker.comment(&text));
        }
        let value = order.expects.unwrap_or_else(|| from.clone());
        Change {
            id,
            tenant: self.inventory.tenant().to_owned(),
            verb,
            facet,
            target,
            from,
            to,
            parameters,
            lease_end,
            because,
            reason: order.reason,
            risk: order.risk,
            rollout: None,
            wave: 1,
            expects: Expectation { value, evidence: order.evidence },
        }
    }

    /// Twelve digits: the same for the same change of the same plan, another in the next plan. Each
    /// action that is cancelled is a change of its own.
    fn change_id(&self, order: &Order) -> ChangeId {
        let now = self.input.now.to_string();
        let mut parts = vec![
            self.input.workspace.id.as_str(),
            self.inventory.tenant_id(),
            order.verb.word(),
            order.facet.word(),
            &order.target.id,
            &now,
            order.policy.as_str(),
        ];
        parts.extend(order.parameters.action_id.as_deref());
        let hash = digest(&SHA256, parts.join("|").as_bytes());
        let digits = canonical::hex(hash.as_ref().get(..6).unwrap_or_default());
        ChangeId::from(digits)
    }

    /// How carefully to look at a change of a device.
    ///
    /// High: something is taken from a device of high value, or a device is offboarded. Medium:
    /// every other isolation and quarantine, a restricted server, and letting go of a device that
    /// the service says is at high risk. Low: the rest.
    pub(super) fn risk(&self, device: Dev, verb: Verb) -> ChangeRisk {
        let inventory = self.inventory;
        let high_value = inventory.value(device) == DeviceValue::High;
        match verb {
            Verb::Offboard => ChangeRisk::High,
            verb if verb.is_restrictive() && high_value => ChangeRisk::High,
            Verb::Isolate | Verb::Quarantine => ChangeRisk::Medium,
            Verb::Restrict if inventory.os(device) == OsFamily::WindowsServer => ChangeRisk::Medium,
            Verb::Release | Verb::Unrestrict if inventory.risk(device) == Risk::High => {
                ChangeRisk::Medium
            }
            _ => ChangeRisk::Low,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Circumstances;
    use crate::plan::tests::asked;
    use crate::plan::tests::fleet::{Fleet, Machine};
    use crate::plan::tests::policies::{set, workspace};

    #[test]
    fn how_carefully_to_look_depends_on_what_is_done_to_whom() {
        use ChangeRisk::{High, Low, Medium};
        let (plain, mut dear, mut hot) =
            (Machine::new("plain"), Machine::new("dear"), Machine::new("hot"));
        dear.value = DeviceValue::High;
        hot.risk = Risk::High;
        let server = Machine::new("server").platform("WindowsServer2022");
        let machines = [plain, dear, server, hot];
        let inventories = [Fleet::of(machines.clone()).build()];
        let (policies, workspace, around) = (set(), workspace(), Circumstances::default());
        let input = asked(&around, &policies, &workspace, &inventories);
        let scene = Scene::new(input, &inventories[0]);
        for (verb, expected) in [
            (Verb::Offboard, [High, High, High, High]),
            (Verb::Isolate, [Medium, High, Medium, Medium]),
            (Verb::Quarantine, [Medium, High, Medium, Medium]),
            (Verb::Restrict, [Low, High, Medium, Low]),
            (Verb::Release, [Low, Low, Low, Medium]),
            (Verb::Unrestrict, [Low, Low, Low, Medium]),
            (Verb::Scan, [Low, Low, Low, Low]),
            (Verb::Cancel, [Low, Low, Low, Low]),
        ] {
            let risk =
                |machine: &Machine| scene.risk(inventories[0].find(&machine.id()).unwrap(), verb);
            assert_eq!(machines.each_ref().map(risk), expected, "{verb}");
        }
    }
}
