//! The command line: arguments, settings, one file for each command, exit codes.
//!
//! `main` calls [`run`] and nothing else. A command reads its settings, calls the inner modules and
//! shows what they return; it decides nothing about policy. Data goes to stdout, everything else to
//! stderr.

pub mod applying;
pub mod args;
pub mod at_once;
pub mod commands;
pub mod context;
pub mod error;
pub mod exit;
pub mod filter;
pub mod findings;
pub mod frozen;
pub mod interrupt;
pub mod lifts;
pub mod log;
pub mod planning;
pub mod progress;
pub mod recounting;
pub mod roles;
pub mod runtime;
pub mod scope;
pub mod session;
pub mod starter;
pub mod trust;
pub mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::args::{Args, Color, Command};
use crate::cli::context::Context;
use crate::cli::error::Result;
use crate::cli::exit::Exit;
use crate::host::env::Env;
use crate::host::terminal::{ColorChoice, Terminal};

/// Runs the program with the given arguments, the program's name first.
#[must_use]
pub fn run(args: impl IntoIterator<Item = OsString>, env: Env) -> ExitCode {
    match Args::try_parse_from(args) {
        Ok(args) => {
            let choice = match args.global.color {
                Color::Auto => ColorChoice::Auto,
                Color::Always => ColorChoice::Always,
                Color::Never => ColorChoice::Never,
            };
            let terminal = Terminal::of_process(choice, &env);
            log::start(&args.global, &env, terminal.traits().color_err);
            let mut context = Context::new(args.global, env, terminal);
            end(&mut context, args.command).into()
        }
        Err(error) => refused(&error, &env).into(),
    }
}

fn end(context: &mut Context, command: Command) -> Exit {
    match dispatch(context, command) {
        Ok(exit) => exit,
        Err(error) => {
            if !error.silent {
                let text = error.render(context.style_err());
                context.terminal.note(&text);
            }
            error.exit
        }
    }
}

fn dispatch(context: &mut Context, command: Command) -> Result<Exit> {
    match command {
        Command::Init(init) => init.run(context),
        Command::Validate(validate) => validate.run(context),
        Command::Fmt(fmt) => fmt.run(context),
        Command::Plan(plan) => plan.run(context),
        Command::Apply(apply) => apply.run(context),
        Command::Undo(undo) => undo.run(context),
        Command::Cancel(cancel) => cancel.run(context),
        Command::Freeze(freeze) => freeze.run(context),
        Command::Unfreeze(unfreeze) => unfreeze.run(context),
        Command::Runs(runs) => runs.run(context),
        Command::Audit(audit) => audit.run(context),
        Command::Accept(accept) => accept.run(context),
        Command::Explain(explain) => explain.run(context),
        Command::Devices(devices) => devices.run(context),
        Command::Alerts(alerts) => alerts.run(context),
        Command::Actions(actions) => actions.run(context),
        Command::Scores(scores) => scores.run(context),
        Command::Doctor(doctor) => doctor.run(context),
        Command::Emulator(emulator) => emulator.run(context),
        Command::Demo(demo) => demo.run(context),
        Command::Show(show) => show.run(context),
        Command::Schema(schema) => schema.run(context),
        Command::Completions(completions) => completions.run(context),
    }
}

/// Help and version are data; anything else is an error with code 1, for 2 means pending changes.
fn refused(error: &clap::Error, env: &Env) -> Exit {
    let mut terminal = Terminal::of_process(ColorChoice::Auto, env);
    let traits = terminal.traits();
    let paint = |color: bool| {
        let text = error.render();
        if color { text.ansi().to_string() } else { text.to_string() }
    };
    if error.use_stderr() {
        terminal.note(&paint(traits.color_err));
        return Exit::Error;
    }
    match terminal.data(&paint(traits.color_out)) {
        Ok(()) => Exit::Done,
        Err(_) => Exit::Error,
    }
}
