//! Tenants to talk to: which ones, with which credential, and their observation.
//!
//! Joins the workspace, the environment and the network once, for every command that reads or
//! changes a tenant. Roles are looked at before anything else is asked for, so that a missing one
//! is named by itself and not as a page that could not be read.

use std::sync::Arc;

use crate::cli::context::Context;
use crate::cli::error::{CliError, Result};
use crate::cli::progress::Reporter;
use crate::cli::trust;
use crate::drive::client::{Client, ClientOptions};
use crate::drive::observe::{self, Scope};
use crate::host::credential::Credential;
use crate::host::http::{Http, HttpOptions};
use crate::host::transport::Transport;
use crate::inventory::Inventory;
use crate::policy::Workspace;
use crate::policy::workspace::Tenant;
use crate::wire::{Api, ApiError, ErrorKind, Operation};

/// The tenants that `--tenant` names, or all of the workspace, in its order.
///
/// # Errors
/// When a name is not in the workspace.
pub fn tenants<'a>(context: &Context, workspace: &'a Workspace) -> Result<Vec<&'a Tenant>> {
    let wanted = &context.global.tenant;
    let known = |name: &String| workspace.tenants.iter().any(|tenant| *tenant.name == **name);
    if let Some(unknown) = wanted.iter().find(|name| !known(name)) {
        let names: Vec<&str> = workspace.tenants.iter().map(|tenant| &*tenant.name).collect();
        return Err(CliError::new(format!("the workspace has no tenant `{unknown}`"))
            .help(format!("it has: {}", names.join(", "))));
    }
    let all = workspace.tenants.iter();
    let chosen =
        |tenant: &&Tenant| wanted.is_empty() || wanted.iter().any(|name| **name == *tenant.name);
    Ok(all.filter(chosen).collect())
}

/// Refuses `--tenant` for what is done to a workspace as a whole: ignored, it would look obeyed.
///
/// # Errors
/// When the flag is given.
pub fn whole_workspace(context: &Context) -> Result<()> {
    if context.global.tenant.is_empty() {
        return Ok(());
    }
    Err(CliError::new("`--tenant` is not taken here: this command is about the whole workspace")
        .help("run it without `--tenant`; nothing was done"))
}

/// The network, shared by all tenants of a command.
///
/// # Errors
/// When HTTPS cannot be set up.
pub fn network(context: &Context) -> Result<Arc<dyn Transport>> {
    let ca_file = context.env.get("PALISADE_CA_FILE").map(std::path::PathBuf::from);
    let options = HttpOptions { ca_file: ca_file.as_deref(), ..HttpOptions::default() };
    Ok(Arc::new(Http::new(&options)?))
}

/// A client for each tenant.
///
/// # Errors
/// When a tenant has no credential in the environment, or would send it to a strange host.
pub fn connect(
    context: &Context,
    tenants: &[&Tenant],
    reporter: &Arc<Reporter>,
) -> Result<Vec<Client>> {
    let transport = network(context)?;
    let lookup = |name: &str| context.env.get(name).map(str::to_owned);
    tenants
        .iter()
        .map(|tenant| {
            trust::check(context, tenant)?;
            let credential = Credential::from_env(tenant, &lookup).map_err(|error| {
                let help = error.help();
                CliError::from(error).help(help)
            })?;
            let options =
                ClientOptions { progress: Arc::clone(reporter) as _, ..ClientOptions::default() };
            let (transport, clock) = (Arc::clone(&transport), Arc::clone(&context.clock));
            Ok(Client::new(tenant, credential, transport, clock, options))
        })
        .collect()
}

/// Observes every tenant, all at once; the answers come in the tenants' order.
///
/// # Errors
/// When signing in fails. A read that stays incomplete is no error: the inventory says so.
pub async fn observe(
    clients: &[Client],
    scope: &Scope,
    reporter: &Arc<Reporter>,
) -> Result<Vec<Inventory>> {
    let mut tasks = Vec::new();
    for client in clients {
        let (client, scope, reporter) = (client.clone(), scope.clone(), Arc::clone(reporter));
        tasks.push(tokio::spawn(async move {
            check_roles(&client, &scope.operations()).await?;
            observe::observe(&client, &scope, &*reporter).await.map_err(|error| {
                refused(error).context(format!("cannot read tenant `{}`", client.tenant()))
            })
        }));
    }
    let mut inventories = Vec::with_capacity(tasks.len());
    for task in tasks {
        inventories.push(task.await??);
    }
    Ok(inventories)
}

/// Names the roles that are missing. A Graph that cannot be signed in to leaves the observation
/// incomplete, which it says itself; without the Defender API there is none.
async fn check_roles(client: &Client, calls: &[Operation]) -> Result<()> {
    let mut missing = Vec::new();
    for api in [Api::Defender, Api::Graph] {
        let own: Vec<Operation> = calls.iter().copied().filter(|call| call.api() == api).collect();
        match client.require_roles(own).await {
            Ok(found) => missing.extend(found),
            Err(error) if api == Api::Defender => {
                let doing = format!("cannot sign in to tenant `{}`", client.tenant());
                return Err(refused(error).context(doing));
            }
            Err(error) => tracing::warn!(tenant = client.tenant(), %error, "no sign-in to Graph"),
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let tenant = client.tenant();
    let error = CliError::new(format!("the application lacks roles in tenant `{tenant}`"));
    Err(missing.iter().fold(error, |error, role| error.help(role.to_string())))
}

/// A refusal of the service with its advice.
#[must_use]
pub fn refused(error: ApiError) -> CliError {
    let help = error.help.clone();
    let sign_in = matches!(error.kind, ErrorKind::SignIn | ErrorKind::Credential);
    let correlation = error.correlation.clone();
    let mut error = CliError::from(error);
    if let Some(help) = help {
        error = error.help(help);
    }
    if let Some(id) = correlation.filter(|_| sign_in) {
        error = error.help(format!("for support, the correlation id is {id}"));
    }
    error
}
