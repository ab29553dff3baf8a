//! `--lift CODE --because TEXT`: one guardrail's objections lifted, with the reason on record.
//!
//! A group of arguments for every command that makes a plan. Pairs are read in the order in which
//! they were typed, a reason right after its code, so that no reason is credited to another
//! guardrail. There is no word for all of them. Must never lift anything by itself: guardrails do.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::context::Context;
use crate::cli::error::{CliError, Result};
use crate::diag::words;
use crate::model::text::is_blank;
use crate::plan::guards::{self, Lifting};
use crate::plan::{Lift, Plan};

/// Longest reason, in characters: it stands in every plan and journal.
const BECAUSE_MAX: usize = 500;

/// What was typed, in order.
#[derive(Clone, Debug, Default)]
pub struct Lifts {
    typed: Vec<Typed>,
}

#[derive(Clone, Debug)]
enum Typed {
    Lift(String),
    Because(String),
}

impl clap::Args for Lifts {
    fn augment_args(command: Command) -> Command {
        let arg = |name: &'static str, value: &'static str, help: &'static str| {
            Arg::new(name).long(name).value_name(value).help(help).action(ArgAction::Append)
        };
        command
            .arg(arg(
                "lift",
                "CODE",
                "Lift the objections of one guardrail; `--because` follows. Given once for each",
            ))
            .arg(arg("because", "TEXT", "Why that guardrail is lifted; kept in plan and journal"))
    }
    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Lifts {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let mut typed: Vec<(usize, Typed)> = Vec::new();
        let mut add = |name: &str, make: fn(String) -> Typed| {
            let places = matches.indices_of(name).into_iter().flatten();
            let texts = matches.get_many::<String>(name).into_iter().flatten();
            typed.extend(places.zip(texts).map(|(at, text)| (at, make(text.clone()))));
        };
        add("lift", Typed::Lift);
        add("because", Typed::Because);
        typed.sort_by_key(|(at, _)| *at);
        Ok(Self { typed: typed.into_iter().map(|(_, typed)| typed).collect() })
    }
    fn update_from_arg_matches(
        &mut self,
        matches: &ArgMatches,
    ) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Lifts {
    /// Whether nothing is lifted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.typed.is_empty()
    }

    /// The pairs.
    ///
    /// # Errors
    /// When a code has no reason or a reason no code, and when the code is unknown, named twice or
    /// one that nothing lifts.
    pub fn read(&self) -> Result<Vec<Lift>> {
        let mut lifts: Vec<Lift> = Vec::new();
        let mut open: Option<&str> = None;
        for typed in &self.typed {
            match (typed, open) {
                (Typed::Lift(code), None) => {
                    known(code)?;
                    open = Some(code);
                }
                (Typed::Because(text), Some(code)) => {
                    if lifts.iter().any(|lift| lift.code == code) {
                        let message = format!("{} is lifted twice", words::quote(code));
                        return Err(CliError::new(message).help("one reason for each guardrail"));
                    }
                    lifts.push(Lift { code: code.to_owned(), because: reason(code, text)? });
                    open = None;
                }
                (Typed::Lift(_), Some(code)) => return Err(no_reason(code)),
                (Typed::Because(text), None) => {
                    let message =
                        format!("`--because {}` belongs to no `--lift`", words::printable(text));
                    return Err(CliError::new(message)
                        .help("write `--lift CODE --because TEXT`, a reason after each code"));
                }
            }
        }
        open.map_or(Ok(lifts), |code| Err(no_reason(code)))
    }

    /// Tells of every lift that nothing needed: a guardrail did not object.
    pub fn tell_unused(context: &mut Context, plan: &Plan) {
        for lift in plan.unused_lifts() {
            let code = words::quote(&lift.code);
            context.note(&format!("note: {code} had nothing to lift in this plan"));
        }
    }
}

fn no_reason(code: &str) -> CliError {
    let code = words::printable(code);
    CliError::new(format!("`--lift {code}` gives no reason"))
        .help(format!("write `--lift {code} --because TEXT`: plan and journal keep the reason"))
}

fn reason(code: &str, text: &str) -> Result<String> {
    let text = text.trim();
    let length = text.chars().count();
    match length {
        _ if is_blank(text) => Err(no_reason(code)),
        ..=BECAUSE_MAX => Ok(text.to_owned()),
        _ => {
            let code = words::quote(code);
            let message = format!("the reason for {code} has {length} characters");
            Err(CliError::new(message).help(format!("at most {BECAUSE_MAX} are kept")))
        }
    }
}

fn known(code: &str) -> Result<()> {
    let quoted = words::quote(code);
    match guards::lifting(code) {
        Some(Lifting::ByName) => Ok(()),
        Some(Lifting::Never) => Err(CliError::new(format!("nothing lifts {quoted}"))
            .help("its objection names what would change it, if anything does")
            .help(liftable())),
        None => {
            let error = CliError::new(format!("{quoted} is not a guardrail's code"));
            let near = words::near(code, guards::liftable());
            let error = match near {
                Some(near) => error.help(format!("did you mean {}?", words::quote(near))),
                None => error,
            };
            Err(error.help(liftable()))
        }
    }
}

fn liftable() -> String {
    format!("each by its own name: {}", words::any_of(guards::liftable()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Alone {
        #[command(flatten)]
        lifts: Lifts,
    }

    fn read(args: &[&str]) -> std::result::Result<Vec<(String, String)>, String> {
        let args = std::iter::once(&"palisade").chain(args);
        let lifts = Alone::try_parse_from(args).unwrap().lifts.read();
        lifts
            .map(|lifts| lifts.into_iter().map(|lift| (lift.code, lift.because)).collect())
            .map_err(|error| error.render(crate::report::Style::new(200, false)))
    }

    #[test]
    fn each_code_has_the_reason_that_follows_it() {
        let pair = |code: &str, because: &str| (code.to_owned(), because.to_owned());
        assert_eq!(read(&[]), Ok(vec![]));
        let two = ["--lift", "cap-run", "--because", " a ", "--lift=max-lease", "--because=b"];
        assert_eq!(read(&two), Ok(vec![pair("cap-run", "a"), pair("max-lease", "b")]));
    }

    #[test]
    fn what_is_not_a_pair_of_a_known_code_and_a_reason_is_refused() {
        let long = "x".repeat(501);
        for (args, said) in [
            (vec!["--lift", "cap-run"], "`--lift cap-run` gives no reason"),
            (vec!["--lift", "cap-run", "--because", " "], "`--lift cap-run` gives no reason"),
            (
                vec!["--lift", "cap-run", "--because", "\u{200b}\u{2060} \u{ad}\u{feff}"],
                "`--lift cap-run` gives no reason",
            ),
            (vec!["--lift", "rego-", "--because", "a"], "`rego-` is not a guardrail's code"),
            (vec!["--lift", "rego-*", "--because", "a"], "`rego-*` is not a guardrail's code"),
            (vec!["--lift", "rego-\u{1b}[2J", "--because", "a"], "is not a guardrail's code"),
            (vec!["--because", "a"], "`--because a` belongs to no `--lift`"),
            (vec!["--because", "a", "--lift", "cap-run"], "`--because a` belongs to no"),
            (
                vec!["--lift", "cap-run", "--lift", "cap-group", "--because", "a"],
                "`--lift cap-run` gives no reason",
            ),
            (
                vec!["--lift", "cap-run", "--because", "a", "--because", "b"],
                "`--because b` belongs to no",
            ),
            (
                vec!["--lift", "cap-run", "--because", "a", "--lift", "cap-run", "--because", "b"],
                "`cap-run` is lifted twice",
            ),
            (vec!["--lift", "cap-run", "--because", &long], "has 501 characters"),
            (vec!["--lift", "cap-rnu", "--because", "a"], "did you mean `cap-run`?"),
            (vec!["--lift", "all", "--because", "a"], "`all` is not a guardrail's code"),
            (vec!["--lift", "cap-*", "--because", "a"], "`cap-*` is not a guardrail's code"),
            (vec!["--lift", "cap-run,cap-group", "--because", "a"], "is not a guardrail's code"),
            (vec!["--lift", "protected", "--because", "a"], "nothing lifts `protected`"),
            (vec!["--lift", "rule-conflict", "--because", "a"], "nothing lifts `rule-conflict`"),
        ] {
            let text = read(&args).unwrap_err();
            assert!(text.contains(said), "{args:?}: {text}");
        }
        let text = read(&["--lift", "all", "--because", "a"]).unwrap_err();
        assert!(text.contains("`cap-group`") && !text.contains("`protected`"), "{text}");
    }
}
