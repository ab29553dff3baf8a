//! Application roles: which one an operation needs, and which of them a token lacks.
//!
//! Action roles do not include read: an application with `Machine.Isolate` alone cannot poll what
//! it started. `Machine.Read.All` is taken as enough for reading machine actions although newer
//! pages name only the write role; the service's own answer decides.
//! Source: Microsoft Learn, permissions section of each page.

use std::fmt;

use crate::wire::api::{Api, Operation};

const MACHINE_READ: &[&str] = &["Machine.Read.All", "Machine.ReadWrite.All"];
const ALERT_READ: &[&str] = &["SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All"];
const ALERT_WRITE: &[&str] = &["SecurityAlert.ReadWrite.All"];
const CANCEL: &[&str] = &[
    "Machine.Isolate",
    "Machine.RestrictExecution",
    "Machine.Scan",
    "Machine.CollectForensics",
    "Machine.StopAndQuarantine",
    "Machine.Offboard",
    "Machine.LiveResponse",
];

/// Roles of which any one suffices, least privilege first; empty for signing in.
#[must_use]
pub const fn any_of(operation: Operation) -> &'static [&'static str] {
    match operation {
        Operation::SignIn(_) => &[],
        Operation::ListMachines
        | Operation::GetMachine
        | Operation::ListActions
        | Operation::GetAction
        | Operation::ListAvHealth => MACHINE_READ,
        Operation::ExposureScore | Operation::ExposureByGroup => &["Score.Read.All"],
        Operation::ListAlerts | Operation::GetAlert => ALERT_READ,
        Operation::PatchAlert | Operation::CommentAlert => ALERT_WRITE,
        Operation::Isolate | Operation::Release => &["Machine.Isolate"],
        Operation::Restrict | Operation::Unrestrict => &["Machine.RestrictExecution"],
        Operation::Scan => &["Machine.Scan"],
        Operation::CancelAction => CANCEL,
    }
}

/// An operation whose role the token lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingRole {
    /// What cannot be done.
    pub operation: Operation,
    /// Roles of which any one would do, least privilege first.
    pub any_of: &'static [&'static str],
}

impl MissingRole {
    /// The API whose token lacks the role.
    #[must_use]
    pub const fn api(&self) -> Api {
        self.operation.api()
    }
}

impl fmt::Display for MissingRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "to {} the application needs the role ", self.operation)?;
        write_any_of(f, self.any_of)
    }
}

/// `` `A` or `B` ``.
pub(crate) fn write_any_of<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    names: &[T],
) -> fmt::Result {
    for (index, name) in names.iter().enumerate() {
        let join = if index == 0 { "" } else { " or " };
        write!(f, "{join}`{name}`")?;
    }
    Ok(())
}

/// Which of the operations a token with `roles` cannot perform; each operation once, sorted.
#[must_use]
pub fn missing(
    roles: &[String],
    operations: impl IntoIterator<Item = Operation>,
) -> Vec<MissingRole> {
    let mut lacking: Vec<MissingRole> = operations
        .into_iter()
        .map(|operation| MissingRole { operation, any_of: any_of(operation) })
        .filter(|need| !need.any_of.is_empty())
        .filter(|need| {
            !need.any_of.iter().any(|name| roles.iter().any(|role| role.eq_ignore_ascii_case(name)))
        })
        .collect();
    lacking.sort_unstable();
    lacking.dedup();
    lacking
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacking(roles: &[&str], operations: &[Operation]) -> Vec<Operation> {
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        missing(&roles, operations.iter().copied()).iter().map(|role| role.operation).collect()
    }

    #[test]
    fn an_action_role_does_not_include_read() {
        let wanted = [Operation::Isolate, Operation::ListActions, Operation::Isolate];
        assert_eq!(lacking(&["Machine.Isolate"], &wanted), [Operation::ListActions]);
    }

    #[test]
    fn either_read_role_suffices_and_case_does_not_matter() {
        assert_eq!(lacking(&["machine.readwrite.all"], &[Operation::ListMachines]), []);
        assert_eq!(lacking(&["Machine.Read.All"], &[Operation::GetAction]), []);
    }

    #[test]
    fn cancelling_takes_any_action_role() {
        assert_eq!(lacking(&["Machine.Scan"], &[Operation::CancelAction]), []);
        let reader = lacking(&["Machine.Read.All"], &[Operation::CancelAction]);
        assert_eq!(reader, [Operation::CancelAction]);
    }

    #[test]
    fn the_missing_role_is_named_with_what_it_is_for() {
        let missing = missing(&[], [Operation::ListAlerts]);
        let text = missing.first().map(ToString::to_string).unwrap_or_default();
        assert_eq!(
            text,
            "to list alerts the application needs the role `SecurityAlert.Read.All` or \
             `SecurityAlert.ReadWrite.All`"
        );
    }

    #[test]
    fn a_token_without_roles_lacks_everything_but_signing_in() {
        let wanted = [Operation::SignIn(Api::Graph), Operation::Scan];
        assert_eq!(lacking(&[], &wanted), [Operation::Scan]);
    }
}
