//! `palisade apply [FILE]`: carries out exactly a reviewed plan.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::cli::args::Format;
use crate::cli::at_once::AtOnce;
use crate::cli::context::{self, Context, shown};
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::cli::lifts::Lifts;
use crate::cli::planning::Observed;
use crate::cli::progress::Reporter;
use crate::cli::{applying, at_once, frozen, planning, runtime, scope, session, workspace};
use crate::drive::client::Client;
use crate::plan::{Circumstances, Plan, file};
use crate::policy::workspace::Tenant;
use crate::policy::{PolicySet, Workspace};
use crate::report::plan as screen;

/// Carry out a plan.
///
/// With a plan file, exactly that plan is applied, when it is neither edited, stale, expired nor for
/// somebody else. Without one, a plan is made, shown, and applied after a question. Every change is
/// read again just before it is sent; the journal knows of it before the service does.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade apply case.plan.json\n  palisade apply                  # plan, show, ask, apply\n  palisade apply --auto-approve   # in a pipeline"
)]
pub struct Apply {
    /// The plan file.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Do not ask.
    #[arg(long)]
    pub auto_approve: bool,
    /// Judge the plan as if it were this instant; for study and tests.
    #[arg(long, value_name = "RFC3339")]
    pub now: Option<Timestamp>,
    /// How the result is shown.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Guardrails that are lifted, without a plan file.
    #[command(flatten)]
    pub lifts: Lifts,
}

impl Apply {
    /// Applies and shows how every change ended.
    ///
    /// # Errors
    /// When the plan is refused, nobody can be asked, a role is missing or the journal cannot be
    /// written.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        if self.file.is_none() {
            let otherwise =
                "apply a reviewed plan file: `palisade plan --out FILE`, `palisade apply FILE`";
            self.at_once().require_answer(context, otherwise)?;
        }
        if self.file.is_some() && !self.lifts.is_empty() {
            return Err(CliError::new("a plan file says itself what is lifted")
                .help("plan again with `palisade plan --lift CODE --because TEXT --out FILE`")
                .help("have that plan reviewed, then apply its file without `--lift`"));
        }
        let around = planning::circumstances(&self.lifts)?;
        let now = context.now(self.now);
        let project = workspace::open(context, now)?;
        let (workspace, policies) = project.usable(context)?;
        // Said before anybody is asked or a tenant is read.
        frozen::refuse(&workspace.root, context.clock.now())?;
        match &self.file {
            Some(file) => self.given(context, file, workspace, policies),
            None => self.fresh(context, workspace, policies, &around),
        }
    }

    const fn at_once(&self) -> AtOnce {
        AtOnce { auto_approve: self.auto_approve, format: self.format, now: self.now }
    }

    fn given(
        &self,
        context: &mut Context,
        path: &Path,
        workspace: &Workspace,
        policies: &PolicySet,
    ) -> Result<Exit> {
        let named =
            |error: CliError| error.context(format!("plan file `{}` is refused", shown(path)));
        let bytes = context::read_plan(path)?;
        let plan = file::read(&bytes).map_err(applying::refused).map_err(named)?;
        let plan = at_once::verify(context, plan, workspace, policies, self.now);
        let plan = plan.map_err(named)?;
        session::tenants(context, workspace)?;
        for_all_its_tenants(context, &plan)?;
        if plan.changes.is_empty() {
            context.note(&screen::verdict(&plan));
            return at_once::nothing(context, &plan, self.format);
        }
        let ran = runtime::block_on(async {
            let reporter = Reporter::start(context.terminal.traits().watched);
            let clients = clients_of(context, workspace, &plan, &reporter)?;
            drop(reporter);
            applying::start(context, workspace, &plan, &clients).await
        })?;
        at_once::show(context, &plan, &ran, self.format)
    }

    fn fresh(
        &self,
        context: &mut Context,
        workspace: &Workspace,
        policies: &PolicySet,
        around: &Circumstances,
    ) -> Result<Exit> {
        let scope = scope::for_policies(workspace, policies, context.now(self.now));
        let Observed { clients, inventories } =
            runtime::block_on(planning::observe(context, workspace, &scope))?;
        let plan = planning::plan(context, workspace, policies, &inventories, around, self.now)?;
        drop(inventories);
        self.at_once().carry_out(context, plan, &clients)
    }
}

/// Refuses a plan with changes that `--tenant` leaves out: a run carries out the whole plan or nothing.
///
/// # Errors
/// Names a tenant that is left out.
pub(super) fn for_all_its_tenants(context: &Context, plan: &Plan) -> Result<()> {
    let wanted = &context.global.tenant;
    let mut names = plan.changes.iter().map(|change| change.tenant.as_str());
    match names.find(|name| !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name)) {
        None => Ok(()),
        Some(other) => Err(CliError::new(format!(
            "the plan has changes for tenant `{other}`, which `--tenant` leaves out"
        ))
        .help("carry it out without `--tenant`, or plan for that tenant alone")),
    }
}

/// A client for each tenant that the plan has changes for.
pub(super) fn clients_of(
    context: &Context,
    workspace: &Workspace,
    plan: &Plan,
    reporter: &Arc<Reporter>,
) -> Result<Vec<Client>> {
    let named = |tenant: &&Tenant| plan.changes.iter().any(|it| *it.tenant == *tenant.name);
    let tenants: Vec<&Tenant> = workspace.tenants.iter().filter(named).collect();
    session::connect(context, &tenants, reporter)
}
