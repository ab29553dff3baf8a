//! By which rollout each change goes, and the waves as exact numbers.
//!
//! A change goes by the rollout of a policy that decides it: one whose value the change brings
//! about. When one of those has no rollout it would be done at once by that policy alone, and so it
//! is; otherwise the first by name leads. Whatever gives something back waits for no wave: it takes
//! nothing from anybody. Called by `draft`, when the guardrails have spoken.

use std::collections::BTreeMap;

use crate::model::{Isolation, Verb};
use crate::plan::types::{Change, Rollout, Target, Wave};
use crate::plan::waves;
use crate::policy::PolicySet;
use crate::policy::rollout::{self, Pause};
use crate::policy::set::PolicyKind;

/// What a policy says about its changes' way.
struct Governor<'p> {
    /// The value it brings about; none for any.
    to: Option<&'static str>,
    rollout: Option<&'p rollout::Rollout>,
}

/// Policies by kind and name.
type Governors<'p> = BTreeMap<(&'p str, &'p str), Governor<'p>>;

/// Puts each change into its wave; the rollouts that have one, in order of their policies.
pub(super) fn assign(policies: &PolicySet, tenant: &str, changes: &mut [Change]) -> Vec<Rollout> {
    let governors = governors(policies);
    if governors.values().all(|governor| governor.rollout.is_none()) {
        return Vec::new();
    }
    let mut members: BTreeMap<String, (&rollout::Rollout, Vec<usize>)> = BTreeMap::new();
    for (index, change) in changes.iter().enumerate() {
        if let Some((policy, rollout)) = leading(&governors, change) {
            members.entry(policy).or_insert((rollout, Vec::new())).1.push(index);
        }
    }
    let mut rollouts = Vec::new();
    for (policy, (rollout, members)) in members {
        let targets: Vec<&Target> =
            members.iter().filter_map(|at| changes.get(*at)).map(|change| &change.target).collect();
        let sizes = rollout.sizes(u32::try_from(targets.len()).unwrap_or(u32::MAX));
        let (waves, sizes) = waves::draw(&policy, &targets, sizes, rollout.is_at_once());
        for (at, wave) in members.into_iter().zip(waves) {
            if let Some(change) = changes.get_mut(at) {
                (change.wave, change.rollout) = (wave, Some(policy.clone()));
            }
        }
        rollouts.push(published(tenant, policy, rollout, &sizes));
    }
    rollouts
}

fn governors(policies: &PolicySet) -> Governors<'_> {
    let mut all = Governors::new();
    let mut add = |kind: PolicyKind, name, to, rollout| {
        all.insert((kind.word(), name), Governor { to, rollout });
    };
    for policy in &policies.isolation {
        let (header, to) = (&policy.header, Isolation::from(policy.isolation).word());
        add(header.kind, header.name.as_str(), Some(to), policy.containment.rollout.as_ref());
    }
    for policy in &policies.restriction {
        let header = &policy.header;
        add(header.kind, header.name.as_str(), None, policy.containment.rollout.as_ref());
    }
    for policy in &policies.scans {
        let (header, to) = (&policy.header, policy.scan.word());
        add(header.kind, header.name.as_str(), Some(to), policy.rollout.as_ref());
    }
    for rule in &policies.alert_rules {
        add(rule.header.kind, rule.header.name.as_str(), None, rule.rollout.as_ref());
    }
    all
}

/// The rollout that a change goes by.
fn leading<'p>(
    governors: &Governors<'p>,
    change: &Change,
) -> Option<(String, &'p rollout::Rollout)> {
    if matches!(change.verb, Verb::Release | Verb::Unrestrict | Verb::Cancel) {
        return None;
    }
    let mut first: Option<(&str, &str, &rollout::Rollout)> = None;
    for why in &change.because {
        let Some(governor) = governors.get(&(why.kind.as_str(), why.name.as_str())) else {
            continue;
        };
        if governor.to.is_some_and(|to| to != change.to) {
            continue;
        }
        let rollout = governor.rollout?;
        if first.is_none_or(|(_, name, _)| why.name.as_str() < name) {
            first = Some((&why.kind, &why.name, rollout));
        }
    }
    first.map(|(kind, name, rollout)| (format!("{kind}/{name}"), rollout))
}

fn published(tenant: &str, policy: String, rollout: &rollout::Rollout, sizes: &[u32]) -> Rollout {
    let mut begun = 0;
    let wave = |(at, size): (usize, &u32)| {
        begun += size;
        let last = at + 1 == sizes.len();
        let pause = match rollout.pause {
            Pause::Never => false,
            Pause::First => at == 0,
            Pause::Each => true,
        };
        Wave {
            changes: *size,
            failure_limit: rollout.failure_limit.of(begun),
            offline_limit: rollout.pending_offline.of(*size),
            pause: pause && !last,
        }
    };
    Rollout {
        tenant: tenant.to_owned(),
        policy,
        bake_seconds: rollout.bake.as_secs(),
        waves: sizes.iter().enumerate().map(wave).collect(),
    }
}
