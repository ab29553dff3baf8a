//! From files and tenants to a plan: what `plan`, `apply`, `explain` and `demo` share.

use jiff::{SignedDuration, Timestamp};

use crate::cli::context::Context;
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::cli::lifts::Lifts;
use crate::cli::progress::Reporter;
use crate::cli::{applying, session};
use crate::drive::apply as driver;
use crate::drive::client::Client;
use crate::drive::observe::Scope;
use crate::host::runner;
use crate::inventory::Inventory;
use crate::plan::circumstances::Runner;
use crate::plan::{self, Circumstances, Guardrail, Input, Level, Objection, Plan};
use crate::policy::{PolicySet, Workspace};
use crate::report::{escape, measure};

/// Name and version of the program, as plan files carry it.
pub const TOOL: &str = concat!("palisade ", env!("CARGO_PKG_VERSION"));

/// A plan is for study when its time was set by hand to more than this from the clock.
const STUDY: SignedDuration = SignedDuration::from_mins(5);

/// Clocks that are this far apart are worth a word: tokens and caps rest on the time, and the service allows
/// five minutes.
pub const APART: SignedDuration = SignedDuration::from_secs(120);

/// Clients of the tenants and what was read of them.
#[derive(Debug)]
pub struct Observed {
    /// One for each tenant.
    pub clients: Vec<Client>,
    /// One for each tenant, in the same order.
    pub inventories: Vec<Inventory>,
}

/// Signs in to the chosen tenants and reads what `scope` asks for.
///
/// # Errors
/// When a credential is missing or signing in fails.
pub async fn observe(context: &Context, workspace: &Workspace, scope: &Scope) -> Result<Observed> {
    let tenants = session::tenants(context, workspace)?;
    let reporter = Reporter::start(context.terminal.traits().watched);
    let clients = session::connect(context, &tenants, &reporter)?;
    let inventories = session::observe(&clients, scope, &reporter).await?;
    reporter.end();
    Ok(Observed { clients, inventories })
}

/// What a plan rests on beside files and tenants.
///
/// # Errors
/// When a lift is not one; asked before anything is read, so that nobody waits for that.
pub fn circumstances(lifts: &Lifts) -> Result<Circumstances> {
    Ok(Circumstances { lifts: lifts.read()?, ..Circumstances::default() })
}

/// The same with the machine that this is and what the last journalled run saw: no command that
/// plans can forget them.
fn here(context: &Context, workspace: &Workspace, around: &Circumstances) -> Circumstances {
    let (names, addresses) = runner::identity(&context.env);
    let last = driver::last_run(&applying::journals(workspace), workspace);
    let freeze = driver::frozen(&workspace.root);
    let runner = Some(Runner::new(names, addresses));
    Circumstances { runner, last, freeze, ..around.clone() }
}

/// The plan for what was read, compared with what the last journalled run saw.
///
/// # Errors
/// When the planner contradicts itself, which is a bug of this program.
pub fn plan(
    context: &Context,
    workspace: &Workspace,
    policies: &PolicySet,
    inventories: &[Inventory],
    around: &Circumstances,
    said: Option<Timestamp>,
) -> Result<Plan> {
    let now = context.now(said);
    let study = is_study(context, now);
    let around = &here(context, workspace, around);
    let input = Input { policies, workspace, inventories, now, around, study, tool: TOOL };
    plan::plan(&input).map_err(CliError::from)
}

/// Whether a plan for that instant is for study: it is another one than now.
fn is_study(context: &Context, now: Timestamp) -> bool {
    now.duration_since(context.clock.now()).abs() > STUDY
}

/// Tells where the service's clock shows another time than this machine's, by which leases and schedules go.
pub fn tell_clocks(context: &mut Context, plan: &Plan) {
    for section in plan.tenants.iter().filter(|_| !plan.study) {
        let ahead = section.service_ahead();
        if ahead.abs() > APART {
            let length = measure::length(ahead.abs().unsigned_abs().as_secs());
            let length = length.replace(measure::NO_BREAK, " ");
            let side = if ahead.is_positive() { "ahead of" } else { "behind" };
            let tenant = escape::terminal(&section.name);
            context.note(&format!(
                "The clock of tenant `{tenant}` is {length} {side} this machine's, by which leases and schedules of the plan go."
            ));
        }
    }
}

/// The guardrails as they stand over that plan.
///
/// # Errors
/// When the inventories do not fit the workspace.
pub fn guardrails(
    context: &Context,
    workspace: &Workspace,
    policies: &PolicySet,
    inventories: &[Inventory],
    around: &Circumstances,
    now: Timestamp,
) -> Result<Vec<Guardrail>> {
    let study = is_study(context, now);
    let around = &here(context, workspace, around);
    let input = Input { policies, workspace, inventories, now, around, study, tool: TOOL };
    plan::explain_guardrails(&input).map_err(CliError::from)
}

/// A device that nothing may restrict stays so on every plan: no step is missing that somebody
/// should take.
const PROTECTED: &[&str] = &["domain-controller", "protected", "self-lockout"];

/// What a plan means for the exit code of the command that made it: incomplete before held before
/// pending.
#[must_use]
pub fn exit_of(plan: &Plan, detailed: bool) -> Exit {
    if plan.tenants.iter().any(|tenant| !tenant.complete) {
        Exit::Incomplete
    } else if plan.objections.iter().any(holds) {
        Exit::Held
    } else if detailed && !plan.changes.is_empty() {
        Exit::Pending
    } else {
        Exit::Done
    }
}

fn holds(objection: &Objection) -> bool {
    objection.level == Level::Hold
        && objection.held > 0
        && !PROTECTED.contains(&objection.code.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::plan::tests::samples;

    #[test]
    fn incomplete_beats_held_beats_pending() {
        let mut plan = samples::add_up(samples::empty(), 3);
        assert_eq!(exit_of(&plan, true), Exit::Done);
        plan = samples::busy();
        assert_eq!(exit_of(&plan, true), Exit::Held);
        let cap = std::mem::take(&mut plan.objections);
        assert_eq!((exit_of(&plan, true), exit_of(&plan, false)), (Exit::Pending, Exit::Done));
        plan.objections = cap;
        if let Some(tenant) = plan.tenants.first_mut() {
            tenant.complete = false;
        }
        assert_eq!(exit_of(&plan, false), Exit::Incomplete);
        for (code, exit) in [
            ("protected", Exit::Pending),
            ("domain-controller", Exit::Pending),
            ("self-lockout", Exit::Pending),
            ("protected-unknown", Exit::Held),
        ] {
            let mut plan = samples::busy();
            plan.objections.iter_mut().for_each(|objection| objection.code = code.to_owned());
            assert_eq!(exit_of(&plan, true), exit, "{code}");
        }
        assert_eq!(exit_of(&samples::lifted(), true), Exit::Pending);
    }
}
