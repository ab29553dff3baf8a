//! Alert terms. Alerts are few beside devices and are not indexed in the inventory: the first
//! selector that needs them has each field laid out by value, in one pass.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use foldhash::fast::FixedState;
use jiff::Timestamp;
use roaring::{MultiOps, RoaringBitmap};

use crate::inventory::{AlertRow, Inventory, fold};
use crate::model::{AlertStatus, Classification, Severity};
use crate::policy::selector::ast::{AlertTerm, Glob};
use crate::policy::selector::compile::Rows;
use crate::policy::selector::compile::devices::Bits;
use crate::policy::selector::glob::{Matchers, Scratch};
use crate::policy::selector::interpret;

type ByText = BTreeMap<String, RoaringBitmap>;

/// Positions of alerts by value of each field.
#[derive(Debug)]
pub(super) struct AlertColumns<'a> {
    inventory: &'a Inventory,
    now: Timestamp,
    everything: Rows,
    titles: HashMap<&'a str, RoaringBitmap, FixedState>,
    severity: BTreeMap<Severity, RoaringBitmap>,
    status: BTreeMap<AlertStatus, RoaringBitmap>,
    classification: BTreeMap<Classification, RoaringBitmap>,
    category: ByText,
    detection_source: ByText,
    service_source: ByText,
    /// Nobody under the empty text.
    assignee: ByText,
    technique: ByText,
    incident: ByText,
}

impl<'a> AlertColumns<'a> {
    /// `titles` are the title globs of every selector; nothing is laid out when no selector asks.
    pub(super) fn new(
        inventory: &'a Inventory,
        asked: bool,
        titles: &[&'a str],
        now: Timestamp,
    ) -> Self {
        let alerts = if asked { inventory.alerts() } else { &[] };
        let mut everything = RoaringBitmap::new();
        everything.insert_range(0..u32::try_from(inventory.alerts().len()).unwrap_or(u32::MAX));
        let texts = |text: fn(&AlertRow) -> &str| by_text(alerts, |alert| vec![text(alert)]);
        Self {
            inventory,
            now,
            everything: Rc::new(everything),
            titles: match_titles(inventory, titles),
            severity: by_value(alerts, |alert| alert.severity),
            status: by_value(alerts, |alert| alert.status),
            classification: by_value(alerts, |alert| alert.classification),
            category: texts(|alert| &alert.category),
            detection_source: texts(|alert| &alert.detection_source),
            service_source: texts(|alert| &alert.service_source),
            assignee: texts(|alert| alert.assigned_to.as_deref().unwrap_or_default()),
            technique: by_text(alerts, |alert| alert.mitre.iter().map(|text| &**text).collect()),
            incident: by_text(alerts, |alert| {
                alert.incident.iter().map(crate::model::IncidentId::as_str).collect()
            }),
        }
    }

    pub(super) fn everything(&self) -> &Rows {
        &self.everything
    }

    /// The alerts of a term; those over devices are not computed here and have none.
    pub(super) fn term(&mut self, term: &'a AlertTerm) -> RoaringBitmap {
        match term {
            AlertTerm::Id(ids) => {
                let all = self.inventory.alerts();
                let find = |id: &Arc<str>| {
                    let at = all.binary_search_by(|alert| alert.id.as_str().cmp(id)).ok()?;
                    u32::try_from(at).ok()
                };
                ids.iter().filter_map(find).collect()
            }
            AlertTerm::Title(globs) => self.title(globs),
            AlertTerm::Severity(wanted) => {
                let holds = |has: &Severity| {
                    wanted.iter().any(|wanted| wanted.op.holds(has, &wanted.value))
                };
                self.severity.iter().filter(|(has, _)| holds(has)).map(|(_, rows)| rows).union()
            }
            AlertTerm::Status(wanted) => {
                wanted.iter().filter_map(|status| self.status.get(status)).union()
            }
            AlertTerm::Classification(wanted) => {
                wanted.iter().filter_map(|verdict| self.classification.get(verdict)).union()
            }
            AlertTerm::Category(wanted) => same_text(&self.category, wanted),
            AlertTerm::DetectionSource(wanted) => same_text(&self.detection_source, wanted),
            AlertTerm::ServiceSource(wanted) => same_text(&self.service_source, wanted),
            AlertTerm::AssignedTo(wanted) => wanted
                .iter()
                // An empty name is not a way to say "nobody".
                .filter(|name| name.as_deref() != Some(""))
                .filter_map(|name| self.assignee.get(&fold(name.as_deref().unwrap_or_default())))
                .union(),
            AlertTerm::MitreTechnique(wanted) => {
                let of = |has: &str| {
                    wanted.iter().any(|technique| interpret::is_technique(has, technique))
                };
                self.technique.iter().filter(|(has, _)| of(has)).map(|(_, rows)| rows).union()
            }
            AlertTerm::Incident(wanted) => {
                // Ids are not folded when they are compared; a second look keeps that exact.
                let all = self.inventory.alerts();
                let is = |at: &u32| {
                    let incident = all.get(*at as usize).and_then(|alert| alert.incident.as_ref());
                    incident.is_some_and(|incident| wanted.contains(incident))
                };
                let near = wanted.iter().filter_map(|id| self.incident.get(&fold(id.as_str())));
                near.union().iter().filter(is).collect()
            }
            AlertTerm::Created(wanted) => {
                let alerts = self.inventory.alerts();
                let mut bits = Bits::new(alerts.len());
                for (alert, at) in alerts.iter().zip(0u32..) {
                    let is = |wanted| interpret::is_age(wanted, Some(alert.created), self.now);
                    if wanted.iter().any(|wanted| is(*wanted)) {
                        bits.set(at);
                    }
                }
                bits.rows()
            }
            AlertTerm::Device(_) => RoaringBitmap::new(),
        }
    }

    fn title(&mut self, globs: &'a [Glob]) -> RoaringBitmap {
        let texts: Vec<&str> = globs.iter().map(|glob| &*glob.text).collect();
        if texts.iter().any(|text| !self.titles.contains_key(text)) {
            self.titles.extend(match_titles(self.inventory, &texts));
        }
        globs.iter().filter_map(|glob| self.titles.get(&*glob.text)).union()
    }
}

fn by_value<T: Ord>(
    alerts: &[AlertRow],
    value: impl Fn(&AlertRow) -> T,
) -> BTreeMap<T, RoaringBitmap> {
    let mut rows: BTreeMap<T, RoaringBitmap> = BTreeMap::new();
    for (alert, at) in alerts.iter().zip(0u32..) {
        rows.entry(value(alert)).or_default().insert(at);
    }
    rows
}

fn by_text<'a>(alerts: &'a [AlertRow], texts: impl Fn(&'a AlertRow) -> Vec<&'a str>) -> ByText {
    let mut rows = ByText::new();
    for (alert, at) in alerts.iter().zip(0u32..) {
        for text in texts(alert) {
            rows.entry(fold(text)).or_default().insert(at);
        }
    }
    rows
}

/// Equality without regard to case; an empty value equals nothing.
fn same_text(rows: &ByText, wanted: &[Arc<str>]) -> RoaringBitmap {
    let wanted = wanted.iter().filter(|word| !word.is_empty());
    wanted.filter_map(|word| rows.get(&fold(word))).union()
}

fn match_titles<'a>(
    inventory: &Inventory,
    globs: &[&'a str],
) -> HashMap<&'a str, RoaringBitmap, FixedState> {
    let mut distinct = globs.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let matchers = Matchers::new(distinct.iter().copied());
    let mut rows = vec![RoaringBitmap::new(); distinct.len()];
    let (mut scratch, mut covering) = (Scratch::default(), Vec::new());
    for (alert, at) in inventory.alerts().iter().zip(0u32..) {
        let folded = fold(&alert.title);
        if folded.is_empty() || distinct.is_empty() {
            continue;
        }
        covering.clear();
        matchers.covering(&folded, "", &mut scratch, &mut covering);
        for found in &covering {
            if let Some(rows) = rows.get_mut(*found) {
                rows.insert(at);
            }
        }
    }
    distinct.into_iter().zip(rows).collect()
}
