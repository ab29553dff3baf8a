//! `palisade.yaml`, checked: tenants, sites, guardrails, defaults.
//!
//! Endpoints are complete here: a cloud's defaults are filled in. Plain `http` has been refused for
//! anything but loopback hosts. No secret ever stands in the file; `credential` names a source.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use crate::model::{Span, Verb, WorkspaceId};
use crate::policy::selector::DeviceExpr;

/// The workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// `id`.
    pub id: WorkspaceId,
    /// Folder of `palisade.yaml`, as it was found.
    pub root: PathBuf,
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
    /// Caps per verb.
    pub caps: BTreeMap<Verb, Caps>,
    /// Whether a restrictive policy needs a lease; on by default.
    pub require_lease: bool,
    /// Longest lease.
    pub max_lease: Span,
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
