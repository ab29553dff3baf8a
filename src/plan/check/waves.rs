//! Questions about waves: does everybody wait for the right ones, and nobody for more.
//!
//! `structure` asks the plan's own words, also before an apply; `against` asks the policies, change
//! by change.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{DeviceValue, Isolation, Verb};
use crate::plan::Input;
use crate::plan::check::Fault;
use crate::plan::types::{Change, Plan, Rollout, Why};
use crate::policy::rollout;

type Key<'p> = (&'p str, &'p str);

pub(super) fn structure(plan: &Plan, faults: &mut Vec<Fault>) {
    let mut members: BTreeMap<Key<'_>, Vec<&Change>> = BTreeMap::new();
    for change in &plan.changes {
        match &change.rollout {
            None if change.wave > 1 => faults.push(Fault::NoRollout { id: change.id.to_string() }),
            None => {}
            Some(policy) => {
                members.entry((&change.tenant, policy)).or_default().push(change);
                if matches!(change.verb, Verb::Release | Verb::Unrestrict | Verb::Cancel) {
                    faults.push(Fault::Gated { id: change.id.to_string() });
                }
            }
        }
    }
    let mut named = BTreeSet::new();
    for rollout in &plan.rollouts {
        let key = (rollout.tenant.as_str(), rollout.policy.as_str());
        if named.last().is_some_and(|last| *last >= key) {
            let (list, target) = ("rollouts".to_owned(), rollout.policy.clone());
            faults.push(Fault::Unsorted { list, target });
        }
        named.insert(key);
        waves(rollout, &members.remove(&key).unwrap_or_default(), faults);
    }
    for change in members.into_values().flatten() {
        faults.push(Fault::NoRollout { id: change.id.to_string() });
    }
}

/// Whether the waves are as large as they are said to be, and high value waits for the second.
fn waves(rollout: &Rollout, members: &[&Change], faults: &mut Vec<Fault>) {
    let policy = || rollout.policy.clone();
    if rollout.waves.is_empty() || rollout.waves.iter().any(|wave| wave.changes == 0) {
        faults.push(Fault::EmptyWave { rollout: policy() });
    }
    for (number, wave) in (1u32..).zip(&rollout.waves) {
        let found = members.iter().filter(|change| change.wave == number).count() as u64;
        if found != u64::from(wave.changes) {
            let what = format!("wave {number} of {}", rollout.policy);
            faults.push(Fault::Count { what, found: wave.changes.into(), expected: found });
        }
    }
    let last = u32::try_from(rollout.waves.len()).unwrap_or(u32::MAX);
    let high = |change: &&&Change| change.target.value == Some(DeviceValue::High);
    let only_high = members.iter().filter(high).count() == members.len();
    for change in members {
        let first = change.wave == 1 && last > 1;
        if change.wave > last {
            faults.push(Fault::NoRollout { id: change.id.to_string() });
        }
        if first && !only_high && high(&change) {
            faults.push(Fault::HighValueFirst { id: change.id.to_string() });
        }
    }
}

pub(super) fn against(plan: &Plan, input: &Input<'_>, faults: &mut Vec<Fault>) {
    let rollouts = rollouts(input);
    if plan.rollouts.is_empty() && rollouts.values().all(|(_, rollout)| rollout.is_none()) {
        return;
    }
    for change in &plan.changes {
        let deciding = change.because.iter().filter_map(|why| decides(&rollouts, change, why));
        let mut deciding: Vec<_> = deciding.collect();
        deciding.sort_by_key(|(why, _)| &why.name);
        let gives_back = matches!(change.verb, Verb::Release | Verb::Unrestrict | Verb::Cancel);
        let at_once = gives_back || deciding.iter().any(|(_, rollout)| rollout.is_none());
        let expected = deciding.first().filter(|_| !at_once);
        let expected = expected.map(|(why, _)| format!("{}/{}", why.kind, why.name));
        if change.rollout != expected {
            faults.push(Fault::OtherRollout { id: change.id.to_string() });
        }
    }
    for rollout in &plan.rollouts {
        let policy = rollout.policy.split_once('/').and_then(|key| rollouts.get(&key));
        let bake = policy.and_then(|(_, policy)| *policy).map(|policy| policy.bake.as_secs());
        if bake != Some(rollout.bake_seconds) {
            let said = rollout.bake_seconds;
            faults.push(Fault::OtherBake { rollout: rollout.policy.clone(), said });
        }
    }
}

/// What a policy brings about, if not everything, and its rollout.
type Said<'p> = (Option<&'static str>, Option<&'p rollout::Rollout>);

fn rollouts<'p>(input: &Input<'p>) -> BTreeMap<Key<'p>, Said<'p>> {
    let set = input.policies;
    let isolation = set.isolation.iter().map(|it| {
        let to = Isolation::from(it.isolation).word();
        (&it.header, Some(to), it.containment.rollout.as_ref())
    });
    let restriction = set.restriction.iter();
    let restriction = restriction.map(|it| (&it.header, None, it.containment.rollout.as_ref()));
    let scans = set.scans.iter();
    let scans = scans.map(|it| (&it.header, Some(it.scan.word()), it.rollout.as_ref()));
    let rules = set.alert_rules.iter().map(|it| (&it.header, None, it.rollout.as_ref()));
    let all = isolation.chain(restriction).chain(scans).chain(rules);
    all.map(|(header, to, it)| ((header.kind.word(), header.name.as_str()), (to, it))).collect()
}

fn decides<'p>(
    rollouts: &BTreeMap<Key<'p>, Said<'p>>,
    change: &Change,
    why: &'p Why,
) -> Option<(&'p Why, Option<&'p rollout::Rollout>)> {
    let (to, rollout) = rollouts.get(&(why.kind.as_str(), why.name.as_str()))?;
    to.is_none_or(|to| to == change.to).then_some((why, *rollout))
}
