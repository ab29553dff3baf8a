//! `palisade.yaml`, checked: tenants, sites, guardrails, defaults.
//!
//! Endpoints are complete here: a cloud's defaults are filled in. Plain `http` has been refused for
//! anything but loopback hosts. No secret ever stands in the file; `credential` names a source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use url::Url;

use crate::model::{Span, Verb, WorkspaceId};
use crate::policy::limits::{Remaining, Shrink};
use crate::policy::rollout::Rollout;
use crate::policy::schedule::Cron;
use crate::policy::selector::DeviceExpr;

/// The workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// `id`.
    pub id: WorkspaceId,
    /// Folder of `palisade.yaml`, as it was found.
    pub root: PathBuf,
    /// Name of its file below `root`.
    pub file: Arc<str>,
    /// SHA-256, in lower-case hexadecimal, of what its file says; empty without a file.
    pub digest: String,
    /// Policy folders and files, relative to `root`.
    pub policies: Vec<PathBuf>,
    /// Tenants in the file's order.
    pub tenants: Vec<Tenant>,
    /// Guardrails with defaults filled in.
    pub guardrails: Guardrails,
    /// How long a plan may be applied; 30 minutes unless the file says otherwise.
    pub plan_validity: Span,
    /// Folder of journals, relative to `root`; `.palisade/runs` unless the file says otherwise.
    pub journal: PathBuf,
    /// Sites by path.
    pub sites: BTreeMap<Arc<str>, Site>,
    /// What policies leave out.
    pub defaults: Defaults,
    /// How tenants are read.
    pub observe: Observe,
}

impl Workspace {
    /// A workspace with every default, as if its file named only `id` and `tenants`.
    #[must_use]
    pub fn new(id: WorkspaceId, tenants: Vec<Tenant>) -> Self {
        Self {
            id,
            root: PathBuf::new(),
            file: Arc::from("palisade.yaml"),
            digest: String::new(),
            policies: vec![PathBuf::from("policies")],
            tenants,
            guardrails: Guardrails::default(),
            plan_validity: Span::from_secs(30 * 60),
            journal: PathBuf::from(".palisade/runs"),
            sites: BTreeMap::new(),
            defaults: Defaults::default(),
            observe: Observe::default(),
        }
    }
}

/// A site: what a node of the workspace's hierarchy maps to by itself, without its descendants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Device groups.
    pub groups: Vec<Arc<str>>,
    /// Tags that put a device into the site.
    pub tags: Vec<Arc<str>>,
    /// Tenants it is confined to; those of the nearest ancestor that names some when it names none.
    pub tenants: Vec<Arc<str>>,
}

/// What policies leave out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Lease of restrictive policies that state neither `lease` nor `until`.
    pub lease: Option<Span>,
    /// Appended to every comment, with a space.
    pub comment_suffix: Option<Arc<str>>,
    /// Spread of scan schedules that state none.
    pub scan_spread: Option<Span>,
    /// Rollout of restrictive policies that state none.
    pub rollout: Option<Rollout>,
}

/// How tenants are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observe {
    /// How far back alerts are read.
    pub alerts: Span,
}

impl Default for Observe {
    fn default() -> Self {
        Self { alerts: Span::from_days(30) }
    }
}

/// One Entra tenant and its API roots.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Name in this workspace.
    pub name: Arc<str>,
    /// Entra tenant id.
    pub tenant_id: Arc<str>,
    /// API roots without a trailing slash.
    pub endpoints: Endpoints,
    /// Where the credential comes from.
    pub credential: CredentialSource,
    /// Site path, if the tenant belongs to one.
    pub site: Option<Arc<str>>,
}

/// API roots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Token authority.
    pub authority: Url,
    /// Defender API.
    pub defender: Url,
    /// Graph.
    pub graph: Url,
    /// Scope of Defender tokens; always the legacy audience.
    pub defender_scope: Arc<str>,
    /// Scope of Graph tokens.
    pub graph_scope: Arc<str>,
}

/// Where a credential comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialSource {
    /// `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`.
    ClientSecret,
    /// `AZURE_CLIENT_ID` and the file named by `AZURE_FEDERATED_TOKEN_FILE`.
    FederatedToken,
}

/// Rules over a plan.
#[derive(Clone, Debug)]
pub struct Guardrails {
    /// Devices that nothing may restrict.
    pub protected: Option<DeviceExpr>,
    /// What corrects the search for domain controllers.
    pub domain_controllers: DomainControllers,
    /// Windows of time in which nothing is done.
    pub freeze: Vec<Freeze>,
    /// Destructive verbs that are allowed.
    pub destructive: BTreeSet<Verb>,
    /// Caps per verb.
    pub caps: BTreeMap<Verb, Caps>,
    /// Whether a restrictive policy needs a lease; on by default.
    pub require_lease: bool,
    /// Longest lease.
    pub max_lease: Span,
    /// Whether releases of a policy that is gone wait for a word; on by default.
    pub hold_orphaned_releases: bool,
    /// How much of a device group stays free of restriction.
    pub remaining: Remaining,
    /// How long a posture of ours lasts at least, unless its lease ends.
    pub dwell: Span,
    /// How long a device that we released is not taken again.
    pub cooldown: Span,
    /// How far counts may move between two runs.
    pub shrink: Shrink,
    /// Settings that the file states, with their lines from 1: `guardrails.caps.isolate.run`. All
    /// others have their defaults.
    pub written: BTreeMap<String, u32>,
}

impl Guardrails {
    /// Every selector of devices in them, in a fixed order.
    pub fn selectors(&self) -> impl Iterator<Item = &DeviceExpr> {
        let DomainControllers { also, except } = &self.domain_controllers;
        [&self.protected, also, except].into_iter().flatten()
    }
}

/// What corrects the search for domain controllers, which needs no setting.
#[derive(Clone, Debug, Default)]
pub struct DomainControllers {
    /// Devices that are some and do not look so.
    pub also: Option<DeviceExpr>,
    /// Devices that look so and are none.
    pub except: Option<DeviceExpr>,
}

/// A window of time in which changes are held.
#[derive(Clone, Debug)]
pub struct Freeze {
    /// Its name.
    pub name: Arc<str>,
    /// When it opens.
    pub cron: Cron,
    /// The zone in which `cron` is read.
    pub zone: TimeZone,
    /// How long it stays open.
    pub window: Span,
    /// Verbs it holds; all but those that let go when none is named.
    pub verbs: BTreeSet<Verb>,
}

impl Freeze {
    /// Whether it holds changes of a verb.
    #[must_use]
    pub fn holds(&self, verb: Verb) -> bool {
        if self.verbs.is_empty() { !verb.lets_go() } else { self.verbs.contains(&verb) }
    }

    /// When it ends, if it is open at `now` (UTC).
    #[must_use]
    pub fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        let began = self.cron.latest_tick_at_or_before(&self.zone, now)?;
        Some(self.window.after(began)).filter(|ends| now < *ends)
    }

    /// When it opens next after `now` (UTC).
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        self.cron.next_after(&self.zone, now)
    }
}

impl Default for Guardrails {
    /// A lease is required, none is longer than a year, and one run takes few devices.
    fn default() -> Self {
        let share = |percent: u32| Limit::Share { basis_points: percent * 100, at_least: 1 };
        let caps = |run, group, fleet, alerts| Caps {
            run: Some(Limit::Count(run)),
            group: Some(share(group)),
            fleet: Some(share(fleet)),
            rolling: None,
            alert_rule: Some(Rolling { count: alerts, window: Span::from_hours(24) }),
        };
        let caps = [
            (Verb::Offboard, Caps { alert_rule: None, ..caps(10, 5, 1, 0) }),
            (Verb::Isolate, caps(50, 25, 10, 20)),
            (Verb::Restrict, caps(500, 50, 25, 100)),
        ];
        Self {
            protected: None,
            domain_controllers: DomainControllers::default(),
            freeze: Vec::new(),
            destructive: BTreeSet::new(),
            caps: caps.into(),
            require_lease: true,
            max_lease: Span::from_days(365),
            hold_orphaned_releases: true,
            remaining: Remaining::default(),
            dwell: Span::from_hours(1),
            cooldown: Span::from_secs(30 * 60),
            shrink: Shrink::default(),
            written: BTreeMap::new(),
        }
    }
}

/// Caps of one verb.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// At most so many in one run and tenant.
    pub run: Option<Limit>,
    /// At most so many in one device group, counted with those already in the state.
    pub group: Option<Limit>,
    /// At most so many of the tenant's devices, counted with those already in the state.
    pub fleet: Option<Limit>,
    /// At most so many in a window that ends now, hands and other tools included.
    pub rolling: Option<Rolling>,
    /// At most so many devices in a window that ends now for what triggered policies: alerts of one
    /// title and detector, or one incident.
    pub alert_rule: Option<Rolling>,
}

/// A number or a share. Percentages round down; `0` and `0%` mean none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many.
    Count(u32),
    /// Hundredths of a percent, and the least number it stands for.
    Share {
        /// 1 % is 100.
        basis_points: u32,
        /// A small group would otherwise allow none; not applied to `0%`.
        at_least: u32,
    },
}

/// So many in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rolling {
    /// How many.
    pub count: u32,
    /// In how long.
    pub window: Span,
}

impl Limit {
    /// Whether it is written as none, whatever it is a share of; a share may also come to nothing.
    #[must_use]
    pub const fn is_none(self) -> bool {
        matches!(self, Self::Count(0) | Self::Share { basis_points: 0, .. })
    }

    /// The limit for a population of `total`.
    #[must_use]
    pub fn of(self, total: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Share { basis_points: 0, .. } => 0,
            Self::Share { basis_points, at_least } => {
                let share = u64::from(total) * u64::from(basis_points) / 10_000;
                u32::try_from(share).unwrap_or(u32::MAX).max(at_least)
            }
        }
    }
}
