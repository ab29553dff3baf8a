//! `palisade audit`: intended against actual posture. Changes nothing.

use clap::ValueEnum;
use jiff::Timestamp;

use crate::cli::context::Context;
use crate::cli::error::Result;
use crate::cli::exit::Exit;
use crate::cli::{planning, runtime, scope, workspace};
use crate::plan::Circumstances;
use crate::report::audit::{self as report, Audit as Comparison};

/// Compare intended with actual posture: what deviates, why, and on what evidence. Changes nothing.
///
/// Each policy is shown with how many of its targets are as intended, each deviation with its cause
/// (unknown, pending, expired, foreign, held, cannot, changing, moved, exempt) and the action, person
/// and time that it rests on, then the leases that end within 24 hours and the exemptions. It is read
/// off the plan that `palisade plan` would make.
///
/// Ends with 4 when a tenant could not be read whole, and with `--detailed-exitcode` with 2 when
/// something deviates; what an exemption allows is no deviation in this respect.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade audit\n  palisade audit --detailed-exitcode --format junit > audit.xml\n  palisade audit --format markdown >> ticket.md\n  palisade audit --tenant contoso --format json"
)]
pub struct Audit {
    /// End with 2 when something deviates.
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Audit as if it were this instant.
    #[arg(long, value_name = "RFC3339")]
    pub now: Option<Timestamp>,
    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    pub format: AuditFormat,
}

/// How an audit is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AuditFormat {
    /// The screen.
    #[default]
    Text,
    /// For a ticket or a job's summary.
    Markdown,
    /// Everything; `palisade schema audit` describes it.
    Json,
    /// JUnit XML: a test case for each policy.
    Junit,
}

impl Audit {
    /// Reads, compares and shows.
    ///
    /// # Errors
    /// When the workspace has errors or a tenant cannot be signed in to.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let now = context.now(self.now);
        let project = workspace::open(context, now)?;
        let (workspace, policies) = project.usable(context)?;
        let scope = scope::for_policies(workspace, policies, now);
        let observed = runtime::block_on(planning::observe(context, workspace, &scope))?;
        let around = Circumstances::default();
        let read = &observed.inventories;
        let plan = planning::plan(context, workspace, policies, read, &around, self.now)?;
        let audit = Comparison::of(&plan);
        let text = match self.format {
            AuditFormat::Text => report::text(&audit, context.style()),
            AuditFormat::Markdown => report::markdown(&audit),
            AuditFormat::Json => audit.json(),
            AuditFormat::Junit => report::junit(&audit),
        };
        context.data(&text)?;
        Ok(exit_of(&audit, self.detailed_exitcode))
    }
}

fn exit_of(audit: &Comparison, detailed: bool) -> Exit {
    if !audit.is_complete() {
        Exit::Incomplete
    } else if detailed && audit.faults() > 0 {
        Exit::Pending
    } else {
        Exit::Done
    }
}
