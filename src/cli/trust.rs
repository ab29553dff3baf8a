//! Where a credential may go: to Microsoft's clouds, to this machine, and to hosts that the
//! environment names.
//!
//! The workspace file stands in a repository, and whoever may propose a change to it could send the
//! secrets of the pipeline that plans the change to a host of their own. The environment belongs to
//! whoever owns the secrets. Called by `session` before a credential is looked for.

use crate::cli::context::Context;
use crate::cli::error::{CliError, Result};
use crate::policy::workspace::Tenant;

/// The variable that names further hosts, separated by commas.
const VARIABLE: &str = "PALISADE_TRUSTED_HOSTS";

/// Refuses endpoints that nobody but the workspace file vouches for.
///
/// # Errors
/// Names the first such host.
pub fn check(context: &Context, tenant: &Tenant) -> Result<()> {
    let trusted = context.env.get(VARIABLE).unwrap_or_default();
    let stranger = tenant
        .endpoints
        .strangers()
        .into_iter()
        .find(|host| !trusted.split(',').any(|name| name.trim().eq_ignore_ascii_case(host)));
    let Some(host) = stranger else { return Ok(()) };
    let message = format!(
        "tenant `{}` would send credentials to `{host}`, which belongs to no cloud of Microsoft's",
        tenant.name
    );
    Err(CliError::new(message)
        .help("`endpoints` in `palisade.yaml` says so: look at who changed it")
        .help(format!("if it is meant, name the host in the environment: {VARIABLE}={host}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::env::Env;
    use crate::host::terminal::{ColorChoice, Terminal};
    use crate::policy::{self, SourceText};

    fn refused(endpoints: &str, trusted: &str) -> Option<String> {
        let text = format!(
            "apiVersion: palisade/v1\nkind: Workspace\nid: soc\npolicies: [policies]\ntenants:\n  \
             - name: contoso\n    tenantId: 11111111-2222-3333-4444-555555555555\n    {endpoints}\n"
        );
        let source = SourceText { file: "palisade.yaml".into(), text: text.into() };
        let (workspace, findings) = policy::load_workspace(&source, std::path::Path::new("."));
        let workspace = workspace.unwrap_or_else(|| panic!("{findings:?}"));
        let env = Env::of([(VARIABLE, trusted)]);
        let terminal = Terminal::of_process(ColorChoice::Never, &env);
        let global = crate::cli::args::Global {
            dir: None,
            tenant: Vec::new(),
            color: crate::cli::args::Color::Never,
            log: None,
            verbose: 0,
            log_format: crate::cli::args::LogFormat::Text,
        };
        let context = Context::new(global, env, terminal);
        check(&context, &workspace.tenants[0]).err().map(|error| error.source.to_string())
    }

    #[test]
    fn credentials_go_to_microsoft_to_this_machine_and_where_the_environment_says() {
        for cloud in ["commercial", "us", "eu", "uk", "au", "gcc", "gccHigh", "dod"] {
            assert_eq!(refused(&format!("cloud: {cloud}"), ""), None, "{cloud}");
        }
        assert_eq!(refused("endpoints: {authority: \"http://127.0.0.1:8400\"}", ""), None);
        assert_eq!(refused("endpoints: {graph: \"http://localhost:8400\"}", ""), None);
        for key in ["authority", "defender", "graph"] {
            let evil = format!("endpoints: {{{key}: \"https://evil.example\"}}");
            let said = refused(&evil, "other.example");
            assert!(said.is_some_and(|said| said.contains("`evil.example`")), "{key}");
            assert_eq!(refused(&evil, "other.example, Evil.example"), None, "{key}");
        }
        // A name that only looks like Microsoft's is somebody else's.
        let near = "endpoints: {graph: \"https://graph.microsoft.com.evil.example\"}";
        assert!(refused(near, "").is_some());
    }
}
