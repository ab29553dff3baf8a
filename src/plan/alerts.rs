//! Alert rules: the first rule that matches an alert decides, whole.
//!
//! Rules go by `priority`, then name; a rule's `set` is applied as one, members of later rules are
//! not mixed in. Two enforcing rules of the same priority that contradict each other on an alert are
//! an error that the alert proves: nothing is done to it. A rule in audit mode decides only where no
//! enforcing rule does.
//!
//! A verdict counts as ours only while it is the one that our last marked comment names (`verdict`); so
//! whenever we give a verdict such a comment goes with it, even when the rule states no text. Any other
//! verdict is a person's, that of an analyst who corrected ours included, and stays unless
//! `overwriteAnalyst: true`: when it differs, the alert is left alone; when it is the same, only status
//! and assignee are set, and no comment is posted that would claim the person's verdict as ours.
//! `unknown` is no verdict. A rule's text is posted once.

pub(in crate::plan) mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;

use roaring::RoaringBitmap;

use crate::inventory::{AlertRow, Inventory, What};
use crate::model::marker;
use crate::model::{
    AlertStatus, Classification, Determination, Facet, Marker, Severity, Verb, WorkspaceId,
};
use crate::plan::draft::Draft;
use crate::plan::order::{Order, Proposal};
use crate::plan::scene::{Scene, unanswered, why};
use crate::plan::types::{
    Disposition, Entry, Level, Objection, Parameters, Reason, Risk, Target, TargetKind, Why,
};
use crate::plan::undo;
use crate::policy::selector::{self, AlertTerms, Compiler};
use crate::policy::set::{AlertRule, Mode, Verdict};

struct Rule<'s> {
    rule: &'s AlertRule,
    matched: RoaringBitmap,
    /// A part of the observation that the selector reads is missing.
    doubt: Option<What>,
    terms: AlertTerms<'s>,
}

/// Every alert that a rule matches.
pub(super) fn alerts(scene: &Scene<'_>, draft: &mut Draft) {
    let inventory = scene.inventory;
    let rules = compile(scene);
    let mut matched = RoaringBitmap::new();
    for rule in &rules {
        matched |= &rule.matched;
        draft.alerts.insert(rule.rule.header.name.clone(), rule.matched.len());
    }
    draft.add_to_scope(matched.len());
    let mut conflicts = BTreeMap::new();
    for at in &matched {
        let Some(alert) = inventory.alerts().get(at as usize) else { continue };
        let matching = || rules.iter().filter(|rule| rule.matched.contains(at));
        let enforcing: Vec<_> = matching().filter(|rule| rule.rule.mode == Mode::Enforce).collect();
        let case = Case { scene, alert };
        match enforcing.split_first() {
            Some((first, rest)) => case.decide(first, rest, &mut conflicts, draft),
            None => case.audit(matching().next(), draft),
        }
    }
    for ((left, right), held) in conflicts {
        draft.objections.push(conflict(inventory, &left, &right, held));
    }
}

fn compile<'s>(scene: &'s Scene<'_>) -> Vec<Rule<'s>> {
    let (inventory, now) = (scene.inventory, scene.input.now);
    let mut rules: Vec<&AlertRule> = scene.input.policies.alert_rules.iter().collect();
    rules.sort_by_key(|rule| (rule.priority, &rule.header.name));
    // All of them together: the fields of the alerts are laid out once.
    let selectors: Vec<_> = rules.iter().map(|rule| &rule.alerts).collect();
    let mut compiler = Compiler::new(inventory, &[], &selectors, now);
    let compile = |rule: &'s AlertRule| Rule {
        rule,
        matched: compiler.alerts(&rule.alerts),
        doubt: selector::alert_reads(&rule.alerts)
            .into_iter()
            .find(|what| *what != What::Alerts && inventory.is_partial(*what)),
        terms: AlertTerms::new(inventory, &rule.alerts, now),
    };
    rules.into_iter().map(compile).collect()
}

type Conflicts = BTreeMap<(Arc<str>, Arc<str>), u32>;

struct Case<'c> {
    scene: &'c Scene<'c>,
    alert: &'c AlertRow,
}

/// What is to be set, and whether a comment is to be posted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Delta {
    set: Verdict,
    comment: Option<Arc<str>>,
}

impl Case<'_> {
    fn decide(
        &self,
        first: &Rule<'_>,
        rest: &[&Rule<'_>],
        conflicts: &mut Conflicts,
        draft: &mut Draft,
    ) {
        let rival = rest
            .iter()
            .take_while(|rule| rule.rule.priority == first.rule.priority)
            .find(|rule| contradict(&rule.rule.set, &first.rule.set));
        if let Some(rival) = rival {
            let name = |rule: &Rule<'_>| Arc::from(rule.rule.header.name.as_str());
            *conflicts.entry((name(first), name(rival))).or_default() += 1;
            let reason = Reason::new("rule-conflict")
                .with("rule", first.rule.header.name.as_str())
                .with("other", rival.rule.header.name.as_str())
                .with("priority", first.rule.priority);
            let entry = self.entry(reason, &[first, rival], None);
            return draft.row(Disposition::Held, entry);
        }
        if let Some(what) = first.doubt {
            let reason = unanswered(what);
            return draft.row(Disposition::Unknown, self.entry(reason, &[first], None));
        }
        match self.delta(first.rule) {
            Err(reason) => {
                let to = value(self.alert, &first.rule.set);
                draft.row(Disposition::Held, self.entry(reason, &[first], Some(to)));
            }
            Ok(Some(delta)) => draft.propose(self.order(first, delta)),
            Ok(None) => {}
        }
    }

    fn audit(&self, rule: Option<&Rule<'_>>, draft: &mut Draft) {
        let Some(rule) = rule else { return };
        if let Ok(Some(delta)) = self.delta(rule.rule) {
            let to = value(self.alert, &delta.set);
            let entry = self.entry(Reason::new("audit-mode"), &[rule], Some(to));
            draft.row(Disposition::Audit, entry);
        }
    }

    /// What the rule would set that is not so; `Err` when a person's verdict stands in the way.
    fn delta(&self, rule: &AlertRule) -> Result<Option<Delta>, Reason> {
        let alert = self.alert;
        let Verdict { status, classification, determination, assigned_to, comment } = &rule.set;
        let mut set = Verdict {
            status: status.filter(|status| *status != alert.status),
            classification: classification.filter(|wanted| *wanted != alert.classification),
            determination: determination.filter(|wanted| *wanted != alert.determination),
            assigned_to: assigned_to.clone().filter(|wanted| !is_assigned(alert, wanted)),
            comment: None,
        };
        let ours = &self.scene.input.workspace.id;
        let judged = alert.classification != Classification::Unknown
            || alert.determination != Determination::Unknown;
        let by_person = judged && !rule.overwrite_analyst && !verdict::is_ours(alert, ours);
        let gives_verdict = set.classification.is_some() || set.determination.is_some();
        // The last word of ours on the alert was that a person took the rule's verdict back.
        let last = alert.comments.iter().rev().find(|comment| {
            let marker = Marker::find(comment).filter(|found| found.workspace == *ours);
            marker.is_some_and(|found| marker::names(&found.policy, &rule.header.name))
        });
        if let Some(comment) = last.filter(|comment| undo::is_undo(comment))
            && set != Verdict::default()
        {
            return Err(Reason::new("undone").with("run", undo::run_of(comment)));
        }
        if by_person && gives_verdict {
            return Err(Reason::new("analyst-verdict")
                .with("classification", alert.classification.word())
                .with("determination", alert.determination.word()));
        }
        // The service clears what does not fit a new classification; the pair goes together.
        if set.classification.is_some() {
            set.determination = *determination;
        }
        let said =
            markers(alert, ours).any(|found| marker::names(&found.policy, &rule.header.name));
        let text = comment.as_ref().filter(|_| !by_person && !said);
        let comment = if gives_verdict {
            let (classification, determination) = given(alert, &set);
            let text = text.map_or("", |text| text);
            Some(verdict::noted(text, classification, determination).into())
        } else {
            text.map(|text| verdict::without(text).into())
        };
        let delta = Delta { set, comment };
        Ok((delta != Delta::default()).then_some(delta))
    }

    fn order(&self, rule: &Rule<'_>, delta: Delta) -> Proposal {
        let Self { scene, alert } = self;
        let Delta { set, comment } = delta;
        let from = value(alert, &Verdict::default());
        let to = value(alert, &set);
        let closes = set.status == Some(AlertStatus::Resolved);
        let change = scene.change(Order {
            verb: Verb::Classify,
            facet: Facet::Classification,
            target: self.target(),
            from,
            to,
            parameters: Parameters {
                status: set.status.map(|status| status.wire().to_owned()),
                classification: set.classification.map(|verdict| verdict.wire().to_owned()),
                determination: set.determination.map(|verdict| verdict.wire().to_owned()),
                assigned_to: set.assigned_to.map(|name| name.to_string()),
                ..Parameters::default()
            },
            lease_end: None,
            because: vec![self.why(rule)],
            reason: None,
            // Closing a severe alert by rule is where a real attack would slip through.
            risk: if closes && alert.severity >= Severity::High { Risk::Medium } else { Risk::Low },
            evidence: Some(alert.updated.to_string()),
            expects: None,
            policy: rule.rule.header.name.clone(),
            text: comment.map(|text| text.to_string()),
        });
        Proposal { change, device: None, adds: true }
    }

    fn target(&self) -> Target {
        let Self { scene, alert } = self;
        let device = alert.devices.iter().find_map(|id| scene.inventory.find(id));
        Target {
            kind: TargetKind::Alert,
            id: alert.id.to_string(),
            name: alert.title.to_string(),
            group: device
                .map(|device| scene.inventory.group(device))
                .unwrap_or_default()
                .to_owned(),
            value: None,
        }
    }

    fn entry(&self, reason: Reason, rules: &[&Rule<'_>], to: Option<String>) -> Entry {
        Entry {
            tenant: self.scene.inventory.tenant().to_owned(),
            target: self.target(),
            facet: Facet::Classification,
            verb: Some(Verb::Classify),
            from: Some(value(self.alert, &Verdict::default())),
            to,
            because: rules.iter().map(|rule| self.why(rule)).collect(),
            reason,
        }
    }

    fn why(&self, rule: &Rule<'_>) -> Why {
        why(&rule.rule.header, rule.terms.matched(self.alert))
    }
}

/// `status/classification/determination/assignedTo` after `set`.
fn value(alert: &AlertRow, set: &Verdict) -> String {
    let Verdict { status, classification, determination, assigned_to, comment: _ } = set;
    let status = status.unwrap_or(alert.status);
    let classification = classification.unwrap_or(alert.classification);
    let determination = determination.unwrap_or(alert.determination);
    let assigned_to = assigned_to.as_deref().or(alert.assigned_to.as_deref()).unwrap_or_default();
    format!("{status}/{classification}/{determination}/{assigned_to}")
}

/// `status/classification/determination/assignedTo` as they are.
pub(super) fn value_of(alert: &AlertRow) -> String {
    value(alert, &Verdict::default())
}

/// The verdict that the alert has after `set`: a new classification leaves no older determination.
fn given(alert: &AlertRow, set: &Verdict) -> (Classification, Determination) {
    match set.classification {
        Some(classification) => {
            (classification, set.determination.unwrap_or(Determination::Unknown))
        }
        None => (alert.classification, set.determination.unwrap_or(alert.determination)),
    }
}

fn is_assigned(alert: &AlertRow, wanted: &str) -> bool {
    alert.assigned_to.as_deref().unwrap_or_default().eq_ignore_ascii_case(wanted)
}

/// Markers of this workspace among the alert's comments.
fn markers<'c>(alert: &'c AlertRow, ours: &'c WorkspaceId) -> impl Iterator<Item = Marker> + 'c {
    let markers = alert.comments.iter().filter_map(|comment| Marker::find(comment));
    markers.filter(|marker| marker.workspace == *ours)
}

/// Whether two rules want different values of one member.
fn contradict(left: &Verdict, right: &Verdict) -> bool {
    fn differ<T: PartialEq>(left: &Option<T>, right: &Option<T>) -> bool {
        left.is_some() && right.is_some() && left != right
    }
    differ(&left.status, &right.status)
        || differ(&left.classification, &right.classification)
        || differ(&left.determination, &right.determination)
        || differ(&left.assigned_to, &right.assigned_to)
}

fn conflict(inventory: &Inventory, left: &str, right: &str, held: u32) -> Objection {
    let facts = [("rule", left), ("other", right)];
    Objection {
        code: "rule-conflict".to_owned(),
        level: Level::Hold,
        tenant: inventory.tenant().to_owned(),
        scope: format!("rules {left} and {right}"),
        verb: Some(Verb::Classify),
        about: held,
        held,
        lifted: None,
        setting: "spec.priority".to_owned(),
        facts: facts.map(|(key, name)| (key.to_owned(), name.into())).into(),
    }
}
