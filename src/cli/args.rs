//! What was typed, and nothing else: the clap structures.
//!
//! Defaults that depend on anything but the command line are made in `settings`. Every command has
//! examples in its long help.

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};

use crate::cli::commands;

/// Keep a fleet's response posture in Git: plan and apply device containment, scans and alert
/// verdicts for Microsoft Defender for Endpoint.
#[derive(Debug, Parser)]
#[command(
    name = "palisade",
    version,
    after_long_help = crate::cli::exit::table(),
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Args {
    /// What applies to every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What applies to every command.
#[derive(Clone, Debug, Group)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Folder with `palisade.yaml` [default: the current folder or the nearest parent that has one].
    #[arg(short = 'C', long = "chdir", value_name = "DIR", global = true)]
    pub dir: Option<PathBuf>,
    /// Only this tenant of the workspace; may be given several times.
    #[arg(long, value_name = "NAME", global = true)]
    pub tenant: Vec<String>,
    /// When to colour; `NO_COLOR`, `CLICOLOR` and `TERM=dumb` are respected.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", global = true)]
    pub color: Color,
    /// What to log to stderr: a level or a filter such as `palisade::drive=debug`.
    #[arg(long, value_name = "LEVEL", global = true)]
    pub log: Option<String>,
    /// Log more: `-v` info, `-vv` debug, `-vvv` trace.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// How log lines are written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", global = true)]
    pub log_format: LogFormat,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Text for people or JSON for programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Format {
    #[default]
    Text,
    Json,
}

/// How a plan is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// The screen.
    #[default]
    Text,
    /// The plan file itself.
    Json,
    /// The plan file's content as YAML, for reading and searching; `apply` takes the JSON.
    Yaml,
    /// For a pull request's comment.
    Markdown,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Begin a workspace: `palisade.yaml`, a documented first policy, `.gitignore`.
    Init(commands::init::Init),
    /// Check the workspace and its policies; every problem in one run.
    Validate(commands::validate::Validate),
    /// Lay out policy files.
    Fmt(commands::fmt::Fmt),
    /// Compare policies with the tenants and show what apply would do.
    Plan(commands::plan::PlanCommand),
    /// Carry out a plan.
    Apply(commands::apply::Apply),
    /// Undo what a run did, by a plan of its own.
    Undo(commands::undo::Undo),
    /// Cancel this workspace's pending actions.
    Cancel(commands::cancel::Cancel),
    /// Stop every apply of this workspace at once.
    Freeze(commands::freeze::Freeze),
    /// Let the workspace be applied again.
    Unfreeze(commands::freeze::Unfreeze),
    /// Look at runs, check their journals, finish one that was stopped.
    Runs(commands::runs::Runs),
    /// Compare intended with actual posture, with evidence.
    Audit(commands::audit::Audit),
    /// Accept a live deviation: write an exemption for review.
    Accept(commands::accept::Accept),
    /// Explain a device: its posture and each term of each policy.
    Explain(commands::explain::Explain),
    /// List devices.
    Devices(commands::list::Devices),
    /// List alerts.
    Alerts(commands::list::Alerts),
    /// List, show or cancel machine actions.
    Actions(commands::list::Actions),
    /// Show exposure scores.
    Scores(commands::list::Scores),
    /// Check the setup: workspace, credentials, roles, endpoints, clock.
    Doctor(commands::doctor::Doctor),
    /// Serve an emulated tenant on loopback.
    Emulator(commands::emulator::Emulator),
    /// See it work: emulate a tenant, plan, apply, plan again.
    Demo(commands::demo::Demo),
    /// Show a plan file, whole or in part.
    Show(commands::show::Show),
    /// Print a JSON Schema, or write them all.
    Schema(commands::schema::Schema),
    /// Write a completion script for a shell to stdout.
    Completions(commands::completions::Completions),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_contradict_nothing() {
        Args::command().debug_assert();
    }
}
