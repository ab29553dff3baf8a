//! A plan that is made, shown, asked about and applied in one go: `apply` without a file, `undo`,
//! `cancel`. What is applied is exactly the plan that was shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Doing as _, Result};
use crate::cli::exit::Exit;
use crate::cli::lifts::Lifts;
use crate::cli::{applying, planning, runtime, workspace};
use crate::diag::words;
use crate::drive::client::Client;
use crate::plan::file::{self, PlanFileError, VerifyContext};
use crate::plan::{CheckedPlan, Plan};
use crate::policy::{PolicySet, Workspace};
use crate::report::plan as screen;
use crate::report::{apply as report, measure};

/// How it is asked and shown.
#[derive(Clone, Copy, Debug)]
pub struct AtOnce {
    /// Nobody is asked.
    pub auto_approve: bool,
    /// How plan and result are shown.
    pub format: Format,
    /// What `--now` says.
    pub now: Option<Timestamp>,
}

impl AtOnce {
    /// Refuses when nobody can be asked; said before anything is read.
    ///
    /// # Errors
    /// When there is neither a terminal nor an approval.
    pub fn require_answer(&self, context: &Context, otherwise: &str) -> Result<()> {
        if self.auto_approve || context.terminal.traits().interactive {
            return Ok(());
        }
        Err(CliError::new("nobody can be asked: there is no terminal")
            .help(otherwise.to_owned())
            .help("or pass `--auto-approve`"))
    }

    /// Shows the plan, asks, applies and shows how it ended. Clients keep their rate windows and
    /// tokens from the observation.
    ///
    /// # Errors
    /// When the plan is refused, files that it rests on have changed or have errors by then, a role is missing or
    /// the journal cannot be written.
    pub fn carry_out(&self, context: &mut Context, plan: Plan, clients: &[Client]) -> Result<Exit> {
        let text = screen::text(&plan, context.style());
        match self.format {
            Format::Text => context.data(&text)?,
            // Data stays JSON; the plan is for whoever is asked.
            Format::Json => context.note(&text),
        }
        Lifts::tell_unused(context, &plan);
        planning::tell_clocks(context, &plan);
        if plan.changes.is_empty() {
            return nothing(context, &plan, self.format);
        }
        if !self.auto_approve && !ask(context, &plan)? {
            context.note("Not applied.");
            return Ok(Exit::Error);
        }
        // Reading a tenant takes minutes, and an answer as long as it likes: what the files say now counts.
        let (workspace, policies) = present(context, &plan, context.now(self.now))?;
        let plan = verify(context, plan, &workspace, &policies, self.now)?;
        let ran = runtime::block_on(applying::start(context, &workspace, &plan, clients))?;
        show(context, &plan, &ran, self.format)
    }
}

/// Workspace and policies as the files are now. Cancelling reads no policy and works while they have errors.
fn present(context: &mut Context, plan: &Plan, now: Timestamp) -> Result<(Workspace, PolicySet)> {
    if plan.only_cancels() {
        let workspace = workspace::without_policies(context)?;
        let none = PolicySet::none(&workspace);
        return Ok((workspace, none));
    }
    let project = workspace::open(context, now)?;
    if project.set.is_none() {
        // Warnings were told when the plan was made; what is an error by now was not.
        project.usable(context)?;
    }
    project.workspace.zip(project.set).ok_or_else(|| CliError::said(Exit::Error))
}

/// Ends a command whose plan has no changes; what the plan says has been shown.
///
/// # Errors
/// When stdout cannot be written.
pub fn nothing(context: &mut Context, plan: &Plan, format: Format) -> Result<Exit> {
    if format == Format::Json {
        context.data(&report::nothing_json(plan))?;
    }
    Ok(planning::exit_of(plan, false))
}

/// Holds a plan against the workspace, its policies and the clock. Of a plan that rests on other
/// files than there are now, these are named.
///
/// # Errors
/// When it is refused.
pub fn verify(
    context: &Context,
    plan: Plan,
    workspace: &Workspace,
    policies: &PolicySet,
    said: Option<Timestamp>,
) -> Result<CheckedPlan> {
    let now = context.now(said);
    let none = PolicySet::none(workspace);
    // Cancelling reads no policy and works while they have errors.
    let policies = if plan.only_cancels() { &none } else { policies };
    let against = VerifyContext { workspace, policy_digest: Some(&policies.digest), now };
    file::verify(plan, &against).map_err(|refusal| refused(refusal, policies))
}

fn refused(refusal: PlanFileError, policies: &PolicySet) -> CliError {
    let moved = match &refusal {
        PlanFileError::Stale { sources, .. } => told(&moved(sources, &policies.files)),
        _ => None,
    };
    let mut error = applying::refused(refusal);
    error.help.splice(0..0, moved);
    error
}

/// The files that say something else than when the plan was made, in a line; none when there are none.
#[must_use]
pub fn moved_since(plan: &Plan, policies: &PolicySet) -> Option<String> {
    told(&moved(&plan.sources, &policies.files))
}

fn told(moved: &[String]) -> Option<String> {
    let (shown, rest) = moved.split_at(moved.len().min(NAMED));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    (!shown.is_empty()).then(|| format!("changed since: {}{more}", shown.join(", ")))
}

/// Most files that are named.
const NAMED: usize = 8;

/// Files that say something else than they did, in order of their names.
fn moved(planned: &BTreeMap<String, String>, current: &BTreeMap<Arc<str>, String>) -> Vec<String> {
    // A plan of a version that did not keep them cannot tell.
    if planned.is_empty() {
        return Vec::new();
    }
    let gone = planned.keys().filter(|file| !current.contains_key(&***file));
    let mut moved: Vec<String> =
        gone.map(|file| format!("{} (gone)", words::quote(file))).collect();
    moved.extend(current.iter().filter_map(|(file, digest)| match planned.get(&**file) {
        Some(before) if before == digest => None,
        Some(_) => Some(words::quote(file)),
        None => Some(format!("{} (new)", words::quote(file))),
    }));
    moved.sort_unstable();
    moved
}

/// Shows how a run ended.
///
/// # Errors
/// When stdout cannot be written.
pub fn show(
    context: &mut Context,
    plan: &Plan,
    ran: &applying::Ran,
    format: Format,
) -> Result<Exit> {
    let text = match format {
        Format::Text => report::table(&ran.run, plan, &ran.summary, context.style()),
        Format::Json => report::json(&ran.run, plan, &ran.summary),
    };
    context.data(&text)?;
    if ran.summary.stopped.is_some() {
        context.note(&report::going_on(&ran.run, ran.summary.stopped.as_ref()));
    }
    Ok(applying::exit_of(&ran.summary))
}

/// Only the whole word counts: a stray key must not isolate anybody.
fn ask(context: &mut Context, plan: &Plan) -> Result<bool> {
    let count = measure::plural(plan.changes.len() as u64, "change", "changes");
    let tenants: Vec<&str> = plan.tenants.iter().map(|tenant| tenant.name.as_str()).collect();
    let question = format!(
        "\nMake {} in {}? Only `yes` is taken: ",
        count.replace(measure::NO_BREAK, " "),
        tenants.join(", ")
    );
    let answer = context.terminal.ask(&question).doing("cannot read the answer")?;
    Ok(answer.as_deref() == Some("yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_say_something_else_are_named() {
        let planned: BTreeMap<String, String> =
            [("a.yaml", "1"), ("b.yaml", "2"), ("palisade.yaml", "3")]
                .map(|(file, digest)| (file.to_owned(), digest.to_owned()))
                .into();
        let current: BTreeMap<Arc<str>, String> =
            [("a.yaml", "1"), ("c.yaml", "2"), ("palisade.yaml", "4")]
                .map(|(file, digest)| (Arc::from(file), digest.to_owned()))
                .into();
        let named = ["`b.yaml` (gone)", "`c.yaml` (new)", "`palisade.yaml`"];
        assert_eq!(moved(&planned, &current), named);
        assert!(moved(&BTreeMap::new(), &current).is_empty());
        let many = (0..10).map(|number| (format!("{number}.yaml"), String::new())).collect();
        let stale = PlanFileError::Stale {
            planned: "a".to_owned(),
            current: "b".to_owned(),
            sources: many,
        };
        let error = refused(stale, &PolicySet::default());
        assert_eq!(error.exit, Exit::Stale);
        assert!(error.help.iter().any(|line| line.ends_with("`7.yaml` (gone) and 2 more")));
    }
}
