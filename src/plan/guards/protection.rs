//! Who is protected now, by any of the rules that stand against restricting and that nothing lifts.
//!
//! The rules are those of `protected`, `domain_controller` and `self_lockout`, asked for one device:
//! guardrails look at what a plan would newly do, `posture` asks here about what is already pending
//! or in force. What cannot be told is no protection here: nothing is taken back on a guess.

use crate::inventory::Dev;
use crate::plan::guards::{domain_controller, protected, self_lockout};
use crate::plan::scene::Scene;
use crate::plan::types::Reason;

/// A rule that protects a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan) struct Protection {
    /// The guardrail's code.
    pub(in crate::plan) rule: &'static str,
    /// What shows it, where the rule goes by signs.
    sign: Option<String>,
}

impl Protection {
    /// A reason of that code that names the rule.
    pub(in crate::plan) fn reason(&self, code: &str) -> Reason {
        let reason = Reason::new(code).with("rule", self.rule);
        match &self.sign {
            Some(sign) => reason.with("sign", sign.as_str()),
            None => reason,
        }
    }
}

/// Whether nobody can tell if a rule protects the device, since what a selector reads is missing.
pub(in crate::plan) fn is_doubtful(scene: &Scene<'_>, device: Dev) -> bool {
    protected::doubt(scene).is_some() || domain_controller::Signs::of(scene).is_doubtful(device)
}

/// The first rule that certainly protects the device.
pub(in crate::plan) fn of(scene: &Scene<'_>, device: Dev) -> Option<Protection> {
    let rule = |rule, sign| Protection { rule, sign };
    let sure = protected::doubt(scene).is_none() && protected::selects(scene, device);
    if sure {
        return Some(rule("protected", None));
    }
    if let Some(sign) = domain_controller::Signs::of(scene).certain(device) {
        return Some(rule("domain-controller", Some(sign.to_owned())));
    }
    self_lockout::sign(scene, device).map(|sign| rule("self-lockout", Some(sign)))
}
