//! Limits counted anew from the history of now: right before a run begins, and before one goes on.
//!
//! One history for all limits of a tenant, and the groups of a few devices when those decide. What is
//! counted, and whether anything needs to be read, says `plan::recount`; called by `applying`.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::session;
use crate::drive::client::Client;
use crate::inventory::Builder;
use crate::model::DeviceId;
use crate::plan::recount::{Crowded, Recount};
use crate::plan::types::Reason;
use crate::plan::{Change, Plan};
use crate::policy::Workspace;
use crate::wire::{ActionFilter, ApiError, ErrorKind};

/// A history that limits need, and that cannot be read.
#[derive(Debug)]
pub struct Uncounted {
    tenant: String,
    error: ApiError,
}

impl Uncounted {
    /// Why nothing more is sent of a run that has begun.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let why = self.error.to_string();
        Reason::new("uncounted").with("tenant", self.tenant.as_str()).with("why", why)
    }
}

/// A run that has not begun is not begun.
impl From<Uncounted> for CliError {
    fn from(Uncounted { tenant, error }: Uncounted) -> Self {
        let signed_in = !matches!(error.kind, ErrorKind::SignIn | ErrorKind::Credential);
        let doing = format!("cannot count anew what others did in tenant `{tenant}`");
        let error = session::refused(error).context(doing);
        let error = if signed_in { error.exit(Exit::Incomplete) } else { error };
        error.help("nothing was sent: apply again when the tenant answers")
    }
}

/// The first limit that changes which are ahead would exceed by now, if one does.
///
/// # Errors
/// When a history cannot be read.
pub async fn crowded(
    plan: &Plan,
    workspace: &Workspace,
    ahead: &[Change],
    clients: &[Client],
    now: Timestamp,
) -> Result<Option<Crowded>, Uncounted> {
    for client in clients {
        let tenant = client.tenant();
        let recount = Recount::new(plan, workspace, tenant, ahead, now);
        let Some(since) = recount.since() else { continue };
        let history = client.list_actions(&ActionFilter::since(since)).await;
        let history = history.map_err(|error| Uncounted { tenant: tenant.to_owned(), error })?;
        let recount = recount.without_sent(&history);
        if let Err(refusal) = recount.rolling(&history) {
            return Ok(Some(refusal));
        }
        let newcomers = recount.newcomers(&history);
        let groups = groups(client, &newcomers.to_look_up()).await;
        if let Err(refusal) = newcomers.fit(&groups) {
            return Ok(Some(refusal));
        }
    }
    Ok(None)
}

/// The groups of devices, of those that the service tells.
async fn groups(client: &Client, devices: &[DeviceId]) -> BTreeMap<DeviceId, String> {
    let mut groups = BTreeMap::new();
    for device in devices {
        let mut builder = Builder::new(client.tenant(), client.tenant_id(), client.clock().now());
        match client.get_machine(device, &mut builder).await {
            Ok(_) => {
                let read = builder.build();
                let found = read.find(device).map(|found| read.group(found).to_owned());
                groups.extend(found.map(|group| (device.clone(), group)));
            }
            // It was tried again already: a service that does not answer is not waited for once more
            // for each device.
            Err(error) => {
                tracing::warn!(%error, "the groups of devices cannot be read");
                break;
            }
        }
    }
    groups
}
