//! `palisade doctor`: is everything there that the commands need?

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::Result;
use crate::cli::exit::Exit;
use crate::cli::{planning, roles, runtime, session, trust, workspace};
use crate::drive::client::{Client, ClientOptions};
use crate::host::credential::Credential;
use crate::host::transport::Transport;
use crate::policy::workspace::Tenant;
use crate::report::checks::{self, Check, Group, State};
use crate::report::measure;
use crate::wire::{Api, ApiError, roles::missing};

/// Check the setup: workspace, credentials, sign-in, roles per command, endpoints, clock.
///
/// Sends nothing but token requests and one read of each endpoint. Ends with 1 when something that
/// commands need is missing.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade doctor\n  palisade doctor --tenant contoso --format json"
)]
pub struct Doctor {
    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

impl Doctor {
    /// Looks and shows.
    ///
    /// # Errors
    /// When there is no workspace.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let now = context.clock.now();
        let project = workspace::open(context, now)?;
        let mut groups = vec![Group { name: "workspace".into(), checks: vec![config(&project)] }];
        if let Some(workspace) = &project.workspace {
            let tenants = session::tenants(context, workspace)?;
            let network = session::network(context)?;
            groups.extend(runtime::block_on(async {
                let mut groups = Vec::new();
                for tenant in tenants {
                    groups.push(look(context, tenant, &network).await);
                }
                Ok(groups)
            })?);
        }
        let text = match self.format {
            Format::Text => checks::text(&groups, context.style()),
            Format::Json => checks::json(&groups),
        };
        context.data(&text)?;
        Ok(if checks::worst(&groups) == State::Bad { Exit::Error } else { Exit::Done })
    }
}

fn config(project: &workspace::Project) -> Check {
    let errors = project.findings.iter().filter(|finding| finding.is_error()).count();
    let documents = measure::plural(project.documents as u64, "document", "documents");
    let files = measure::plural(project.sources.len() as u64, "file", "files");
    let found = format!("{documents} in {files}").replace(measure::NO_BREAK, " ");
    if errors == 0 {
        Check::new("files", State::Good, found)
    } else {
        let problems = measure::plural(errors as u64, "error", "errors");
        Check::new("files", State::Bad, format!("{found}, {problems}"))
            .help("`palisade validate` shows them")
    }
}

async fn look(context: &Context, tenant: &Tenant, network: &Arc<dyn Transport>) -> Group {
    let mut found = Vec::new();
    let endpoints = &tenant.endpoints;
    for (name, url) in [
        ("authority", &endpoints.authority),
        ("defender", &endpoints.defender),
        ("graph", &endpoints.graph),
    ] {
        found.extend(reach(context, network, name, url.as_str()).await);
    }
    if let Err(error) = trust::check(context, tenant) {
        let check = Check::new("credential", State::Bad, error.source.to_string());
        found.push(error.help.into_iter().fold(check, Check::help));
        return Group { name: format!("tenant {}", tenant.name), checks: found };
    }
    let lookup = |name: &str| context.env.get(name).map(str::to_owned);
    match Credential::from_env(tenant, &lookup) {
        Ok(credential) => {
            let about =
                format!("{} of application {}", credential.method(), credential.client_id());
            found.push(Check::new("credential", State::Good, about));
            let clock = Arc::clone(&context.clock);
            let options = ClientOptions::default();
            let client = Client::new(tenant, credential, Arc::clone(network), clock, options);
            found.extend(sign_in(&client).await);
        }
        Err(error) => {
            let help = error.help();
            found.push(Check::new("credential", State::Bad, error.to_string()).help(help));
        }
    }
    Group { name: format!("tenant {}", tenant.name), checks: found }
}

/// Any answer shows that the way is open; its date shows how far apart the clocks are.
async fn reach(
    context: &Context,
    network: &Arc<dyn Transport>,
    name: &str,
    url: &str,
) -> Vec<Check> {
    let request = http::Request::get(url).body(Bytes::new());
    let Ok(request) = request else {
        return vec![Check::new(name, State::Bad, format!("`{url}` is no address"))];
    };
    let answer = match network.send(request).await {
        Ok(answer) => answer,
        Err(error) => {
            return vec![
                Check::new(name, State::Bad, format!("{url}: {error}"))
                    .help("check the address, the proxy (`HTTPS_PROXY`) and the firewall"),
            ];
        }
    };
    let status = answer.status().as_u16();
    let mut found = vec![Check::new(name, State::Good, format!("{url} answers ({status})"))];
    let date = answer.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
    if let Some(date) = date {
        found.extend(skew(date.timestamp(), context.clock.now()));
    }
    found
}

fn skew(theirs: Timestamp, ours: Timestamp) -> Option<Check> {
    let apart = ours.duration_since(theirs);
    (apart.abs() > planning::APART).then(|| {
        let apart = apart.as_secs();
        let length = measure::length(apart.unsigned_abs()).replace(measure::NO_BREAK, " ");
        let side = if apart > 0 { "ahead of" } else { "behind" };
        Check::new("clock", State::Warn, format!("this machine is {length} {side} the service"))
            .help("set the clock: tokens, leases and rate windows rest on it")
    })
}

async fn sign_in(client: &Client) -> Vec<Check> {
    let mut found = Vec::new();
    for api in [Api::Defender, Api::Graph] {
        match client.claims(api).await {
            Ok(Some(claims)) => {
                let roles = if claims.roles.is_empty() {
                    "no roles".to_owned()
                } else {
                    claims.roles.join(", ")
                };
                found.push(Check::new("sign-in", State::Good, format!("{api}: {roles}")));
                found.extend(per_command(api, &claims.roles));
            }
            Ok(None) => {
                let text = format!("{api}: the token cannot be read, so its roles are not known");
                found.push(Check::new("sign-in", State::Warn, text));
            }
            Err(error) => found.push(refused(&error)),
        }
    }
    found
}

fn refused(error: &ApiError) -> Check {
    let check = Check::new("sign-in", State::Bad, error.to_string());
    match &error.help {
        Some(help) => check.help(help),
        None => check,
    }
}

/// Commands that lack a role of this API. Planning needs its reads; the rest may be on purpose.
fn per_command(api: Api, granted: &[String]) -> Vec<Check> {
    let lacking = |(command, calls): &(&str, &[crate::wire::Operation])| {
        let own = calls.iter().copied().filter(|call| call.api() == api);
        let lacks: Vec<String> = missing(granted, own).iter().map(ToString::to_string).collect();
        (!lacks.is_empty()).then(|| {
            let state = if *command == "plan" { State::Bad } else { State::Warn };
            Check::new("roles", state, format!("`{command}`: {}", lacks.join("; ")))
        })
    };
    roles::COMMANDS.iter().filter_map(lacking).collect()
}
