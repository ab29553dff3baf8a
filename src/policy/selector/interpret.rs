//! What each term means, one device or alert at a time: the reading that everything else is held
//! against.
//!
//! Written to be obviously right, not fast: `compile` must agree with it on every fleet and
//! selector. Rules that hold for all terms:
//!
//! - What the service did not say never matches: an empty name, group, release or manager, an unset
//!   last-seen date (but for `seen: ">…"`: a device never seen is older than any age).
//! - Texts compare without regard to case.
//! - An empty form (`All([])`, `Any([])`, a term without alternatives) is *void*. A void part
//!   matches nothing, and so does everything that only exists because of it: `void` says how.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;
use jiff::Timestamp;

use crate::inventory::{self, AlertRow, Dev, Inventory, folded, host_part};
use crate::policy::selector::ast::{
    AgeMatch, AlertExpr, AlertTerm, DeviceExpr, DeviceTerm, Glob, Op, OrderedMatch, OsMatch,
    SiteRef,
};
use crate::policy::selector::glob::{self, Matcher, fold};
use crate::policy::selector::walk;

/// Whether a device is selected.
#[must_use]
pub fn matches_device(
    inventory: &Inventory,
    expr: &DeviceExpr,
    device: Dev,
    now: Timestamp,
) -> bool {
    Meaning::of_devices(inventory, expr, now).device(expr, device)
}

/// Whether an alert is selected.
#[must_use]
pub fn matches_alert(
    inventory: &Inventory,
    expr: &AlertExpr,
    alert: &AlertRow,
    now: Timestamp,
) -> bool {
    Meaning::of_alerts(inventory, expr, now).alert(expr, alert)
}

/// Which alternative of a term matched, and the fact it matched on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Position among the term's alternatives.
    pub(crate) alternative: usize,
    /// What the inventory says; untrusted text.
    pub(crate) fact: String,
}

/// An observation, an instant and the compiled globs of one selector.
#[derive(Debug)]
pub(crate) struct Meaning<'a> {
    inventory: &'a Inventory,
    now: Timestamp,
    globs: HashMap<Arc<str>, Matcher, FixedState>,
}

impl<'a> Meaning<'a> {
    pub(crate) fn of_devices(inventory: &'a Inventory, expr: &DeviceExpr, now: Timestamp) -> Self {
        let mut globs = HashMap::default();
        walk::device_globs(expr, &mut |glob| add(&mut globs, glob));
        Self { inventory, now, globs }
    }

    pub(crate) fn of_alerts(inventory: &'a Inventory, expr: &AlertExpr, now: Timestamp) -> Self {
        let mut globs = HashMap::default();
        walk::alert_globs(expr, &mut |glob| add(&mut globs, glob));
        Self { inventory, now, globs }
    }

    pub(crate) fn inventory(&self) -> &'a Inventory {
        self.inventory
    }

    pub(crate) fn device(&self, expr: &DeviceExpr, device: Dev) -> bool {
        match expr {
            DeviceExpr::Everything => true,
            DeviceExpr::All(parts) => {
                !parts.is_empty() && parts.iter().all(|part| self.device(part, device))
            }
            DeviceExpr::Any(parts) => parts.iter().any(|part| self.device(part, device)),
            DeviceExpr::Not(part) => !walk::is_void(part) && !self.device(part, device),
            DeviceExpr::Term(term) => self.device_term(term, device).is_some(),
        }
    }

    pub(crate) fn alert(&self, expr: &AlertExpr, alert: &AlertRow) -> bool {
        match expr {
            AlertExpr::All(parts) => {
                !parts.is_empty() && parts.iter().all(|part| self.alert(part, alert))
            }
            AlertExpr::Any(parts) => parts.iter().any(|part| self.alert(part, alert)),
            AlertExpr::Not(part) => !walk::is_void_alert(part) && !self.alert(part, alert),
            AlertExpr::Term(term) => self.alert_term(term, alert).is_some(),
        }
    }

    /// The first alternative of a term that matches a device.
    pub(crate) fn device_term(&self, term: &DeviceTerm, device: Dev) -> Option<Hit> {
        let inventory = self.inventory;
        match term {
            DeviceTerm::Id(ids) => {
                let at = ids.iter().position(|id| inventory.find(id) == Some(device))?;
                hit(at, inventory.id(device).to_string())
            }
            DeviceTerm::Name(globs) => self.name(globs, inventory.name(device)),
            DeviceTerm::Group(groups) => same_text(groups, inventory.group(device)),
            DeviceTerm::Site(sites) => self.site(sites, device),
            DeviceTerm::Tag(globs) => self.tag(globs, device),
            DeviceTerm::Os(wanted) => self.os(wanted, device),
            DeviceTerm::Version(globs) => self.text(globs, inventory.version(device)),
            DeviceTerm::Ip(nets) => nets.iter().enumerate().find_map(|(at, net)| {
                let address = inventory.ips(device).find(|address| net.contains(address))?;
                hit(at, address.to_string())
            }),
            DeviceTerm::Health(wanted) => same(wanted, inventory.health(device)),
            DeviceTerm::Risk(wanted) => ordered(wanted, inventory.risk(device)),
            DeviceTerm::Exposure(wanted) => ordered(wanted, inventory.exposure(device)),
            DeviceTerm::Value(wanted) => ordered(wanted, inventory.value(device)),
            DeviceTerm::Onboarding(wanted) => same(wanted, inventory.onboarding(device)),
            DeviceTerm::Joined(wanted) => same(&[*wanted], inventory.joined(device)),
            DeviceTerm::ManagedBy(wanted) => same_text(wanted, inventory.managed_by(device)),
            DeviceTerm::AvStatus(wanted) => same(wanted, inventory.av_status(device)),
            DeviceTerm::Seen(wanted) => self.age(wanted, inventory.last_seen(device)),
            DeviceTerm::Alert(expr) => {
                let alert = inventory.device_alerts(device).find(|alert| self.alert(expr, alert));
                hit(0, alert?.id.to_string())
            }
            DeviceTerm::Incident(wanted) => wanted.iter().enumerate().find_map(|(at, incident)| {
                let of = |alert: &&AlertRow| alert.incident.as_ref() == Some(incident);
                hit(at, inventory.device_alerts(device).find(of)?.id.to_string())
            }),
        }
    }

    /// The first alternative of a term that matches an alert.
    pub(crate) fn alert_term(&self, term: &AlertTerm, alert: &AlertRow) -> Option<Hit> {
        match term {
            AlertTerm::Id(ids) => {
                let at = ids.iter().position(|id| **id == *alert.id.as_str())?;
                hit(at, alert.id.to_string())
            }
            AlertTerm::Title(globs) => self.text(globs, &alert.title),
            AlertTerm::Severity(wanted) => ordered(wanted, alert.severity),
            AlertTerm::Status(wanted) => same(wanted, alert.status),
            AlertTerm::Category(wanted) => same_text(wanted, &alert.category),
            AlertTerm::DetectionSource(wanted) => same_text(wanted, &alert.detection_source),
            AlertTerm::ServiceSource(wanted) => same_text(wanted, &alert.service_source),
            AlertTerm::Classification(wanted) => same(wanted, alert.classification),
            AlertTerm::AssignedTo(wanted) => {
                let assignee = alert.assigned_to.as_deref().filter(|name| !name.is_empty());
                let is = |wanted: &Option<Arc<str>>| match (wanted, assignee) {
                    (None, None) => true,
                    (Some(wanted), Some(assignee)) => inventory::same(wanted, assignee),
                    _ => false,
                };
                hit(wanted.iter().position(is)?, assignee.unwrap_or("nobody").to_owned())
            }
            AlertTerm::MitreTechnique(wanted) => {
                wanted.iter().enumerate().find_map(|(at, technique)| {
                    let is = |has: &&Arc<str>| is_technique(has, technique);
                    hit(at, alert.mitre.iter().find(is)?.to_string())
                })
            }
            AlertTerm::Incident(wanted) => {
                let incident = alert.incident.as_ref()?;
                hit(wanted.iter().position(|id| id == incident)?, incident.to_string())
            }
            AlertTerm::Created(wanted) => self.age(wanted, Some(alert.created)),
            AlertTerm::Device(expr) => {
                let devices = self.inventory.alert_devices(alert);
                let device = devices.into_iter().find(|device| self.device(expr, *device))?;
                hit(0, self.inventory.name(device).to_owned())
            }
        }
    }

    fn covers(&self, glob: &Glob, folded: &str) -> bool {
        self.globs.get(&glob.text).is_some_and(|matcher| matcher.covers(folded))
    }

    fn text(&self, globs: &[Glob], text: &str) -> Option<Hit> {
        let folded = Some(folded(text)).filter(|folded| !folded.is_empty())?;
        let at = globs.iter().position(|glob| self.covers(glob, &folded))?;
        hit(at, text.to_owned())
    }

    fn name(&self, globs: &[Glob], name: &str) -> Option<Hit> {
        let folded = Some(folded(name)).filter(|folded| !folded.is_empty())?;
        let host = host_part(&folded);
        let covers = |glob: &Glob| {
            self.covers(glob, &folded) || (!host.is_empty() && self.covers(glob, host))
        };
        hit(globs.iter().position(covers)?, name.to_owned())
    }

    fn tag(&self, globs: &[Glob], device: Dev) -> Option<Hit> {
        globs.iter().enumerate().find_map(|(at, glob)| {
            let mut tags = self.inventory.tags(device).filter(|tag| !tag.is_empty());
            let tag = tags.find(|tag| self.is_tag(glob, tag))?;
            hit(at, tag.to_owned())
        })
    }

    fn is_tag(&self, wanted: &Glob, tag: &str) -> bool {
        if glob::is_tag_pattern(&wanted.text) {
            self.covers(wanted, &folded(tag))
        } else {
            inventory::same(&wanted.text, tag)
        }
    }

    fn site(&self, sites: &[SiteRef], device: Dev) -> Option<Hit> {
        let group = self.inventory.group(device);
        let at = sites.iter().position(|site| {
            let here = in_tenant(site, self.inventory.tenant());
            let tagged = || {
                let mut tags = self.inventory.tags(device);
                tags.any(|tag| same_text(&site.tags, tag).is_some())
            };
            let whole_tenant = site.groups.is_empty() && site.tags.is_empty();
            let mapped = if whole_tenant {
                !site.tenants.is_empty()
            } else {
                same_text(&site.groups, group).is_some() || tagged()
            };
            here && mapped
        })?;
        hit(at, if group.is_empty() { self.inventory.tenant() } else { group }.to_owned())
    }

    fn os(&self, wanted: &[OsMatch], device: Dev) -> Option<Hit> {
        let (family, platform) = (self.inventory.os(device), self.inventory.platform(device));
        if platform.is_empty() {
            return None;
        }
        let at = wanted.iter().position(|wanted| match wanted {
            OsMatch::Family(wanted) => *wanted == family,
            OsMatch::Platform(wanted) => inventory::same(wanted, platform),
        })?;
        match wanted.get(at)? {
            OsMatch::Family(family) => hit(at, family.word().to_owned()),
            OsMatch::Platform(_) => hit(at, platform.to_owned()),
        }
    }

    fn age(&self, wanted: &[AgeMatch], since: Option<Timestamp>) -> Option<Hit> {
        let at = wanted.iter().position(|wanted| is_age(*wanted, since, self.now))?;
        hit(at, since.map_or_else(|| "never".to_owned(), |since| since.to_string()))
    }
}

fn add(globs: &mut HashMap<Arc<str>, Matcher, FixedState>, glob: &Glob) {
    if !globs.contains_key(&glob.text) {
        globs.insert(Arc::clone(&glob.text), Matcher::new(&glob.text));
    }
}

fn hit(alternative: usize, fact: String) -> Option<Hit> {
    Some(Hit { alternative, fact })
}

fn same<T: PartialEq + std::fmt::Display>(wanted: &[T], value: T) -> Option<Hit> {
    hit(wanted.iter().position(|wanted| *wanted == value)?, value.to_string())
}

fn ordered<T: PartialOrd + std::fmt::Display>(wanted: &[OrderedMatch<T>], value: T) -> Option<Hit> {
    let at = wanted.iter().position(|wanted| wanted.op.holds(&value, &wanted.value))?;
    hit(at, value.to_string())
}

/// Equality without regard to case; an empty value equals nothing.
fn same_text(wanted: &[Arc<str>], value: &str) -> Option<Hit> {
    let value = Some(value).filter(|value| !value.is_empty())?;
    hit(wanted.iter().position(|wanted| inventory::same(wanted, value))?, value.to_owned())
}

/// Whether a site reaches into a tenant.
pub(crate) fn in_tenant(site: &SiteRef, tenant: &str) -> bool {
    site.tenants.is_empty() || site.tenants.iter().any(|name| inventory::same(name, tenant))
}

/// `T1059` covers `T1059` and `T1059.001`, not `T10591`.
pub(crate) fn is_technique(has: &str, wanted: &str) -> bool {
    let (has, wanted) = (fold(has), fold(wanted));
    !wanted.is_empty()
        && has.strip_prefix(&wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Compares `now - since` with an age. Never is older than any age; the future is younger.
pub(crate) fn is_age(wanted: AgeMatch, since: Option<Timestamp>, now: Timestamp) -> bool {
    let Some(since) = since else { return matches!(wanted.op, Op::Gt | Op::Ge) };
    let limit = wanted.age.before(now);
    match wanted.op {
        Op::Lt => since > limit,
        Op::Le => since >= limit,
        Op::Eq => since == limit,
        Op::Ge => since <= limit,
        Op::Gt => since < limit,
    }
}
