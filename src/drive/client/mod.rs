//! One tenant's service as a handful of calls: token, budget, bounded retry.
//!
//! Called by `observe`, `apply` and the commands that read. Reads are tried again within bounds; a
//! call that changes something is never sent a second time after an ambiguous answer: that decision
//! belongs to the engine. One client per tenant and process, since it keeps the rate windows that
//! the service counts per application and tenant; clones share everything.

mod exchange;
pub(crate) mod reads;
mod service_clock;
mod submit;
pub mod submitted;
mod tokens;
mod tries;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use url::Url;

use crate::drive::progress::{Event, Progress, Silent};
use crate::host::clock::Clock;
use crate::host::credential::Credential;
use crate::host::random::{Random, SystemEntropy};
use crate::host::transport::Transport;
use crate::policy::workspace::Tenant;
use crate::wire::budget::Budget;
use crate::wire::outbound::Origins;
use crate::wire::retry::Policy;
use crate::wire::token::Claims;
use crate::wire::{Api, ApiError, MissingRole, Operation, Outbound, RateClass, roles};

pub use exchange::Gate;
pub use reads::Scores;
pub use submitted::{Accepted, Submitted};

/// Calls under way at once. Fewer than the smallest window, so that a full window always holds
/// answered calls whose end can be waited for.
const CONCURRENCY: usize = 16;

/// How a client behaves.
#[derive(Clone)]
pub struct ClientOptions {
    /// Bounds of retrying.
    pub retry: Policy,
    /// For correlation ids and jitter.
    pub random: Arc<dyn Random>,
    /// Told of waits and retries.
    pub progress: Arc<dyn Progress>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            retry: Policy::default(),
            random: Arc::new(SystemEntropy::new()),
            progress: Arc::new(Silent),
        }
    }
}

impl std::fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientOptions").field("retry", &self.retry).finish_non_exhaustive()
    }
}

/// What the rate windows allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// When the next call could leave (UTC); not before now.
    pub ready_at: Timestamp,
    /// How many could leave at once now; `None` when nothing limits them.
    pub left: Option<u32>,
}

/// One tenant's service.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    name: Arc<str>,
    tenant_id: Arc<str>,
    authority: Url,
    origins: Origins,
    scopes: [Arc<str>; 2],
    credential: Credential,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    options: ClientOptions,
    tokens: [tokio::sync::Mutex<tokens::Slot>; 2],
    budgets: BTreeMap<RateClass, Mutex<Budget>>,
    permits: Semaphore,
    service_clock: service_clock::ServiceClock,
}

impl Client {
    /// A client for a tenant. Nothing is sent before the first call.
    #[must_use]
    pub fn new(
        tenant: &Tenant,
        credential: Credential,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        options: ClientOptions,
    ) -> Self {
        let endpoints = &tenant.endpoints;
        let budgets = RateClass::ALL.iter().map(|class| (*class, Mutex::new(Budget::new(*class))));
        let shared = Shared {
            name: tenant.name.clone(),
            tenant_id: tenant.tenant_id.clone(),
            authority: credential.authority().unwrap_or(&endpoints.authority).clone(),
            origins: Origins::new(&endpoints.defender, &endpoints.graph),
            scopes: [endpoints.defender_scope.clone(), endpoints.graph_scope.clone()],
            credential,
            transport,
            clock,
            options,
            tokens: Default::default(),
            budgets: budgets.collect(),
            permits: Semaphore::new(CONCURRENCY),
            service_clock: service_clock::ServiceClock::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The tenant's name in the workspace.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.shared.name
    }

    /// The tenant's id.
    #[must_use]
    pub fn tenant_id(&self) -> &str {
        &self.shared.tenant_id
    }

    /// The clock it runs on.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// Forgets what the service's clock was heard to show: an observation listens for itself.
    pub(crate) fn forget_service_clock(&self) {
        self.shared.service_clock.forget();
    }

    /// How far the Defender API's clock is ahead of ours (below zero: behind), as its answers since the
    /// last `forget_service_clock` tell to the second; none when they tell the same, or do not tell.
    pub(crate) fn service_ahead(&self) -> Option<SignedDuration> {
        self.shared.service_clock.ahead()
    }

    /// What the rate windows of a class allow now.
    #[must_use]
    pub fn pace(&self, class: RateClass) -> Pace {
        let now = self.now();
        self.with_budget(class, |budget| Pace {
            ready_at: budget.next_free(now),
            left: budget.left(now),
        })
        .unwrap_or(Pace { ready_at: now, left: None })
    }

    /// What stands in the token for an API, signing in when needed; `None` when it is no JWT.
    ///
    /// # Errors
    /// When signing in fails.
    pub async fn claims(&self, api: Api) -> Result<Option<Arc<Claims>>, ApiError> {
        self.token(api).await.map(|held| held.claims)
    }

    /// The application roles granted for an API, signing in when needed. Empty when none were
    /// granted, or when the token cannot be read: see `claims`.
    ///
    /// # Errors
    /// When signing in fails.
    pub async fn roles(&self, api: Api) -> Result<Vec<String>, ApiError> {
        let claims = self.claims(api).await?;
        Ok(claims.map(|claims| claims.roles.clone()).unwrap_or_default())
    }

    /// The operations for which the application lacks the role, before anything is sent. A token
    /// that cannot be read proves nothing, and nothing is missing then: the service will say.
    ///
    /// # Errors
    /// When signing in to an API that an operation needs fails.
    pub async fn require_roles(
        &self,
        operations: impl IntoIterator<Item = Operation>,
    ) -> Result<Vec<MissingRole>, ApiError> {
        let mut by_api: BTreeMap<Api, Vec<Operation>> = BTreeMap::new();
        for operation in operations {
            by_api.entry(operation.api()).or_default().push(operation);
        }
        let mut missing = Vec::new();
        for (api, operations) in by_api {
            if let Some(claims) = self.claims(api).await? {
                missing.extend(roles::missing(&claims.roles, operations));
            }
        }
        Ok(missing)
    }

    /// Whether a request has an address of ours.
    pub(crate) fn reaches(&self, out: &Outbound) -> bool {
        self.shared.origins.address(out).is_some()
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    fn tell(&self, event: &Event<'_>) {
        self.shared.options.progress.tell(event);
    }

    fn with_budget<T>(&self, class: RateClass, act: impl FnOnce(&mut Budget) -> T) -> Option<T> {
        let budget = self.shared.budgets.get(&class)?;
        Some(act(&mut budget.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

#[cfg(test)]
mod submit_tests;
#[cfg(test)]
mod tests;
