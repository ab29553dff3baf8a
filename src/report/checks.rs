//! Checks of a setup, one line each: what was looked at, how it is, what to do.
//!
//! Pure. Called by `cli::commands::doctor`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::page::{Page, Role, piece, plain};
use crate::report::{Style, escape};

/// Version of the JSON form.
pub const FORMAT_VERSION: u32 = 1;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// As it should be.
    Good,
    /// Something is missing that not every command needs.
    Warn,
    /// Commands fail because of it.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What, in a word or two.
    pub name: String,
    /// How it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Check {
    /// A check with its answer.
    #[must_use]
    pub fn new(name: impl Into<String>, state: State, found: impl Into<String>) -> Self {
        Self { name: name.into(), state, found: found.into(), help: None }
    }
    /// With advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Checks that belong together: the machine, or one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// What they belong to.
    pub name: String,
    /// The checks.
    pub checks: Vec<Check>,
}

/// The worst of all checks.
#[must_use]
pub fn worst(groups: &[Group]) -> State {
    let all = groups.iter().flat_map(|group| &group.checks);
    all.map(|check| check.state).max().unwrap_or(State::Good)
}

/// The checks for people.
#[must_use]
pub fn text(groups: &[Group], style: Style) -> String {
    let mut page = Page::new(style);
    for group in groups {
        page.gap();
        page.line(2, &[piece(Role::Strong, escape::name(&group.name, 80))]);
        for check in &group.checks {
            let (sign, role) = match check.state {
                State::Good => ("ok  ", Role::Good),
                State::Warn => ("warn", Role::Warn),
                State::Bad => ("FAIL", Role::Danger),
            };
            let head = [plain("  "), piece(role, sign), plain(format!("  {:<12} ", check.name))];
            let mut line = head.to_vec();
            line.push(plain(escape::name(&check.found, 600)));
            page.line(21, &line);
            if let Some(help) = &check.help {
                let help = plain(escape::name(help, 600));
                page.line(21, &[plain(" ".repeat(21)), piece(Role::Good, "help: "), help]);
            }
        }
    }
    page.finish()
}

/// The checks as other programs read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Checks {
    /// Version of this format.
    pub format_version: u32,
    /// The worst of all.
    pub state: State,
    /// Checks that belong together.
    pub groups: Vec<Group>,
}

/// The checks as JSON, with a line feed at its end.
#[must_use]
pub fn json(groups: &[Group]) -> String {
    let checks =
        Checks { format_version: FORMAT_VERSION, state: worst(groups), groups: groups.to_vec() };
    let mut text = serde_json::to_string_pretty(&checks).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_check_decides_and_advice_stands_below() {
        let groups = [Group {
            name: "tenant contoso".into(),
            checks: vec![
                Check::new("credential", State::Good, "client secret"),
                Check::new("token", State::Bad, "AADSTS7000215\x1b").help("a new secret"),
            ],
        }];
        assert_eq!(worst(&groups), State::Bad);
        assert_eq!(
            text(&groups, Style::new(80, false)),
            "tenant contoso\n  ok    credential   client secret\n  FAIL  token        \
             AADSTS7000215\\u{1b}\n                     help: a new secret\n"
        );
        assert_eq!(worst(&[]), State::Good);
    }
}
