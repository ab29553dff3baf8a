//! Environment variables: every one that is read, in one documented table.
//!
//! Read once, at the start, by `main`; tests build their own. Must never print a value: some are
//! secrets.

use std::collections::BTreeMap;
use std::fmt;

/// Every variable that Palisade reads, and what for.
pub const VARIABLES: &[(&str, &str)] = &[
    ("AZURE_AUTHORITY_HOST", "authority to sign in at, instead of the public cloud's"),
    ("AZURE_CLIENT_ID", "client id of the application that signs in"),
    ("AZURE_CLIENT_SECRET", "client secret, for `credential: clientSecret`"),
    ("AZURE_FEDERATED_TOKEN_FILE", "file with a federated token, for `credential: federatedToken`"),
    ("AZURE_TENANT_ID", "tenant id; must be the tenant's own when it is set"),
    ("CLICOLOR", "0 turns colour off"),
    ("CLICOLOR_FORCE", "anything but 0 turns colour on, pipes included"),
    ("COLUMNS", "columns of a page, 60 to 200"),
    ("COMPUTERNAME", "a name of this machine, which is never restricted (Windows sets it)"),
    ("GITHUB_ACTOR", "who freezes the workspace (GitHub Actions sets it)"),
    ("GITHUB_STEP_SUMMARY", "file that gets the plan in Markdown (GitHub Actions sets it)"),
    ("NO_COLOR", "anything turns colour off"),
    (
        "PALISADE_<TENANT>_CLIENT_ID",
        "client id for one tenant; also `…_CLIENT_SECRET` and `…_FEDERATED_TOKEN_FILE`",
    ),
    ("PALISADE_LOG", "log filter, such as `debug` or `palisade::drive=trace`"),
    (
        "PALISADE_RUNNER",
        "further names and addresses of this machine, between commas: those of a container's host",
    ),
    (
        "PALISADE_TRUSTED_HOSTS",
        "hosts besides Microsoft's that `endpoints` may send credentials to, separated by commas",
    ),
    ("TERM", "`dumb` turns colour and progress bars off"),
    ("USER", "who freezes the workspace"),
    ("USERNAME", "who freezes the workspace, on Windows"),
];

/// Variables of one tenant start so, its name in upper case after it: `PALISADE_CONTOSO_CLIENT_ID`.
const OWN: &str = "PALISADE_";

/// The variables that were set.
#[derive(Clone, Default)]
pub struct Env {
    values: BTreeMap<String, String>,
}

impl Env {
    /// Reads the process's environment: the table's variables, those that start with `PALISADE_`,
    /// and nothing else. A value that is not UTF-8 counts as absent.
    #[must_use]
    pub fn of_process() -> Self {
        let known = |name: &str| {
            name.starts_with(OWN) || VARIABLES.iter().any(|(listed, _)| *listed == name)
        };
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok().filter(|name| known(name))?, value.into_string().ok()?))
        };
        Self { values: std::env::vars_os().filter_map(text).collect() }
    }

    /// An environment made by hand.
    #[must_use]
    pub fn of<'a>(values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self { values: values.into_iter().map(own).collect() }
    }

    /// The same with one more variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.values.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A variable's value; an empty one counts as absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_debug_shows_no_value() {
        assert!(VARIABLES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let env = Env::of([("AZURE_CLIENT_SECRET", "hunter2"), ("TERM", "")]);
        assert_eq!(format!("{env:?}"), r#"{"AZURE_CLIENT_SECRET", "TERM"}"#);
        assert_eq!(env.get("AZURE_CLIENT_SECRET"), Some("hunter2"));
        assert_eq!(env.get("TERM"), None);
    }
}
