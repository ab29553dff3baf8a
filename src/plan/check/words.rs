//! Questions about objections, which the plan's own words answer: is what an objection holds really
//! held, and does every objection that is lifted say who lifted it.
//!
//! Part of `structure`, so that a plan file with a bad lift is refused before an apply too. What
//! each code is about, and what nothing lifts, is written down here a second time, on purpose. A
//! code that is not listed is asked nothing.

use crate::model::Verb;
use crate::model::text::is_blank;
use crate::plan::check::Fault;
use crate::plan::types::{Change, Level, Objection, Plan};

/// Objections that nobody may lift.
const NEVER: &[&str] = &[
    "domain-controller",
    "lease-missing",
    "protected",
    "protected-unknown",
    "rule-conflict",
    "self-lockout",
];

pub(super) fn objections(plan: &Plan, faults: &mut Vec<Fault>) {
    let holding = plan.objections.iter().filter(|objection| objection.level == Level::Hold);
    for objection in holding {
        let code = || objection.code.clone();
        match &objection.lifted {
            None => unheld(plan, objection, faults),
            Some(_) if NEVER.contains(&objection.code.as_str()) => {
                faults.push(Fault::NeverLifted { code: code() });
            }
            Some(_) if objection.held > 0 => {
                faults.push(Fault::LiftedAndHeld { code: code() });
            }
            Some(because) => {
                let said = |lift: &&crate::plan::Lift| {
                    lift.code == objection.code && lift.because == *because
                };
                if is_blank(because) || plan.lifts.iter().filter(said).count() != 1 {
                    faults.push(Fault::LiftedByNobody { code: code() });
                }
            }
        }
    }
}

/// Changes that an objection is about and that the plan makes all the same.
fn unheld(plan: &Plan, objection: &Objection, faults: &mut Vec<Fault>) {
    let own = |change: &&Change| objection.tenant.is_empty() || change.tenant == objection.tenant;
    let about = plan.changes.iter().filter(own).filter(|change| is_about(plan, objection, change));
    faults.extend(
        about.map(|change| Fault::NotHeld {
            id: change.id.to_string(),
            code: objection.code.clone(),
        }),
    );
}

fn is_about(plan: &Plan, objection: &Objection, change: &Change) -> bool {
    let fact = |key: &str| objection.facts.get(key);
    let same_verb = objection.verb == Some(change.verb);
    match objection.code.as_str() {
        "cap-run" | "cap-fleet" | "cap-rolling" | "destructive" | "freeze-window" => same_verb,
        "cap-group" => {
            let group = fact("group").and_then(serde_json::Value::as_str);
            same_verb && group == Some(change.target.group.as_str())
        }
        "protected-unknown" => change.verb.is_restrictive(),
        "lease-missing" => {
            matches!(change.verb, Verb::Isolate | Verb::Restrict) && change.lease_end.is_none()
        }
        "max-lease" => {
            let policy = fact("policy").and_then(serde_json::Value::as_str);
            let most = fact("mostSeconds").and_then(serde_json::Value::as_i64).unwrap_or(i64::MAX);
            let first = change.because.first().map(|why| why.name.as_str());
            let lasts = |end: jiff::Timestamp| end.duration_since(plan.created_at).as_secs();
            policy == first && change.lease_end.is_some_and(|end| lasts(end) > most)
        }
        "orphaned-releases" => same_verb && says(change, "policy-gone", objection, "policy"),
        "released-by-hand" => {
            let of = |key| says(change, "released-by-hand", objection, key);
            same_verb && (of("by") || of("run") || of("cancelledBy"))
        }
        _ => false,
    }
}

/// Whether the change's reason has that code and the same fact as the objection.
fn says(change: &Change, code: &str, objection: &Objection, key: &str) -> bool {
    let reason = change.reason.as_ref().filter(|reason| reason.code == code);
    let said = reason.and_then(|reason| reason.facts.get(key));
    said.is_some() && said == objection.facts.get(key)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::model::Span;
    use crate::plan::tests::fleet::{Fleet, Machine, ago};
    use crate::plan::tests::planned;
    use crate::plan::tests::policies::{isolate, set, tag, workspace};
    use crate::plan::types::Reason;
    use crate::policy::PolicySet;

    /// A plan of one isolation for 72 hours.
    fn plan() -> Plan {
        let policies = PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() };
        let fleet = Fleet::of([Machine::new("pc-1").tag("ir")]);
        planned(&policies, &workspace(), fleet.build())
    }

    fn objection(code: &str, verb: Verb, facts: &[(&str, Value)]) -> Objection {
        let facts = facts.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        let said = crate::plan::Freeze::default().objection();
        Objection { code: code.to_owned(), verb: Some(verb), facts: facts.collect(), ..said }
    }

    #[test]
    fn leases_that_are_missing_or_too_long() {
        let plan = plan();
        let about = |objection: &Objection, change: &Change| is_about(&plan, objection, change);
        let leased = &plan.changes[0];
        let endless = Change { lease_end: None, ..leased.clone() };
        let released = Change { verb: Verb::Release, ..endless.clone() };
        let missing = objection("lease-missing", Verb::Isolate, &[]);
        assert_eq!(
            [leased, &endless, &released].map(|it| about(&missing, it)),
            [false, true, false]
        );
        let most = |seconds: u64| {
            let facts = [("policy", "ir".into()), ("mostSeconds", seconds.into())];
            objection("max-lease", Verb::Isolate, &facts)
        };
        let length = Span::from_hours(72).as_secs();
        let found = [length - 1, length].map(|seconds| about(&most(seconds), leased));
        assert_eq!(found, [true, false]);
        let over = Change { lease_end: Some(ago(0)), ..leased.clone() };
        assert!(!about(&most(1), &over) && !about(&most(1), &endless));
    }

    #[test]
    fn releases_of_what_is_gone_and_what_a_person_released() {
        let plan = plan();
        let about = |code: &str, fact: (&str, &str), change: (Verb, &str, (&str, &str))| {
            let (verb, reason, (key, value)) = change;
            let reason = Some(Reason::new(reason).with(key, value));
            let change = Change { verb, reason, ..plan.changes[0].clone() };
            let verb = if code == "orphaned-releases" { Verb::Release } else { Verb::Isolate };
            is_about(&plan, &objection(code, verb, &[(fact.0, fact.1.into())]), &change)
        };
        for (change, expected) in [
            ((Verb::Release, "policy-gone", ("policy", "ir")), true),
            ((Verb::Release, "policy-gone", ("policy", "else")), false),
            ((Verb::Release, "no-longer-selected", ("policy", "ir")), false),
            ((Verb::Cancel, "policy-gone", ("policy", "ir")), false),
            // Neither says which one.
            ((Verb::Release, "policy-gone", ("else", "ir")), false),
        ] {
            assert_eq!(
                about("orphaned-releases", ("policy", "ir"), change),
                expected,
                "{change:?}"
            );
        }
        let silent = (Verb::Release, "policy-gone", ("else", "ir"));
        assert!(!about("orphaned-releases", ("else", "ir"), silent));
        for (fact, change, expected) in [
            (("by", "ana"), (Verb::Isolate, "released-by-hand", ("by", "ana")), true),
            (("run", "r1"), (Verb::Isolate, "released-by-hand", ("run", "r1")), true),
            (("by", "ana"), (Verb::Isolate, "released-by-hand", ("by", "bob")), false),
            (("by", "ana"), (Verb::Restrict, "released-by-hand", ("by", "ana")), false),
            (("run", "r1"), (Verb::Restrict, "released-by-hand", ("run", "r1")), false),
            (("by", "ana"), (Verb::Isolate, "reasserted", ("by", "ana")), false),
        ] {
            assert_eq!(about("released-by-hand", fact, change), expected, "{change:?}");
        }
    }
}
