//! Stories of accidents: scripts over the whole route from policies to a finished run, with what the
//! product says about them in golden files. `tests/scenarios/README.md` describes the language.
//!
//! `BLESS=1 cargo test --test it scenarios` rewrites the golden files; what a script `expect`s holds
//! all the same.

mod expect;
mod product;
mod script;
mod stage;
mod tenant;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use palisade::host::env::Env;
use palisade::model::Span;

use crate::apply_rig::paused;
use product::Midway;
use script::{Line, Words};
use stage::{HOME, Stage};

/// Most lines of a golden file: what is longer, nobody reads.
const LINES_MAX: usize = 300;

macro_rules! scripts {
    ($($name:ident),* $(,)?) => {
        const SCRIPTS: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                play(stringify!($name));
            }
        )*
    };
}

scripts! {
    a_case_under_other_names,
    a_device_that_becomes_protected,
    a_device_that_everybody_forgot,
    a_device_that_flaps,
    a_folder_that_disappears,
    a_freeze_that_begins_during_a_run,
    a_limit_that_others_fill_meanwhile,
    a_loop_under_a_per_run_cap,
    a_person_against_a_policy,
    a_person_who_cancels,
    a_process_that_dies,
    a_rule_of_the_house_that_nobody_knew,
    a_run_that_goes_on_in_a_crowd,
    a_run_that_is_stopped_and_undone,
    a_selector_that_is_too_wide,
    a_short_lease_beside_a_lost_policy,
    a_stale_plan_never_wins,
    a_wave_that_fails,
    an_analyst_who_corrects_a_verdict,
    an_attacker_steers_the_trigger,
    an_empty_set_is_not_everything,
    an_exemption_that_nobody_could_read,
    an_expired_exemption,
    an_inventory_that_shrinks,
    an_undoing_that_waits_for_its_device,
    an_unreadable_source_is_not_nothing,
    cancelling_takes_back_our_own_alone,
    hostile_names,
    one_switch_lifts_one_guardrail,
    policies_tightened_between_kill_and_resume,
    the_domain_controllers_go_with_the_rest,
    the_runner_locks_itself_out,
    two_plans_made_side_by_side,
    two_workspaces_on_one_tenant,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

#[test]
fn every_script_is_played() {
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            files.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    let listed: BTreeSet<String> = SCRIPTS.iter().map(|name| name.replace('_', "-")).collect();
    assert_eq!(files, listed);
}

fn play(name: &str) {
    let name = name.replace('_', "-");
    let script = folder().join(format!("{name}.txt"));
    let lines = script::read(&std::fs::read_to_string(&script).unwrap());
    let lines = lines.unwrap_or_else(|wrong| panic!("{}: {wrong}", script.display()));
    let (found, wrong) = paused(tell(lines));
    let golden = folder().join(format!("{name}.out"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&golden, &found).unwrap();
    }
    if let Some(wrong) = wrong {
        panic!("{found}\n{}: {wrong}", script.display());
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    let help = "`BLESS=1 cargo test --test it scenarios` rewrites it";
    assert!(found == expected, "{}\n{help}", difference(&expected, &found));
    let count = found.lines().count();
    assert!(count <= LINES_MAX, "{name}: {count} lines, at most {LINES_MAX}");
}

fn difference(expected: &str, found: &str) -> String {
    similar::TextDiff::from_lines(expected, found).unified_diff().to_string()
}

/// Plays the lines; what was said, and what went wrong.
async fn tell(lines: Vec<Line>) -> (String, Option<String>) {
    let mut stage = Stage::new();
    let mut page = String::new();
    for mut line in lines {
        if line.words.is_empty() {
            page.push_str(&format!("{}\n", line.text));
            continue;
        }
        page.push_str(&format!("> {}\n", line.text.replace('\n', "\n| ")));
        let done = command(&mut stage, HOME, &mut line.words, &mut page).await;
        if let Err(wrong) = done.and_then(|()| line.words.end()) {
            return (page, Some(format!("line {}: {wrong}", line.number)));
        }
    }
    (page, None)
}

/// Carries out one command and writes what is said about it.
async fn command(
    stage: &mut Stage,
    id: &str,
    words: &mut Words,
    page: &mut String,
) -> Result<(), String> {
    match words.peek().unwrap_or_default() {
        "other-workspace" => {
            words.next();
            let id = words.need("the id of a workspace")?;
            return Box::pin(command(stage, &id, words, page)).await;
        }
        "plan" | "apply" | "runs" | "validate" | "undo" | "cancel" | "freeze" | "unfreeze" => {
            let mut line = Vec::new();
            line.extend(std::iter::from_fn(|| words.next()));
            product::command(stage, id, &line).await;
        }
        "killed" => {
            words.next();
            let midway = Midway::Killed(words.number("a number")?);
            product::disturbed(stage, id, midway).await;
        }
        "frozen" => {
            words.next();
            let midway = Midway::Frozen(words.number("a number")?);
            product::disturbed(stage, id, midway).await;
        }
        "resume" => {
            words.next();
            product::resume(stage, id).await;
        }
        "advance" => {
            words.next();
            let now = advance(stage, &words.need("how long")?).await?;
            page.push_str(&format!("  it is {}\n", now.strftime("%Y-%m-%d %H:%M:%SZ")));
            return Ok(());
        }
        _ => return scenery(stage, id, words),
    }
    let said = stage.said.replace('\u{a0}', " ");
    page.extend(said.lines().map(|line| format!("  {line}\n").replace("  \n", "\n")));
    if let Some(exit) = stage.exit {
        page.push_str(&format!("  exit {}\n", exit.code()));
    }
    Ok(())
}

async fn advance(stage: &Stage, span: &str) -> Result<Timestamp, String> {
    let span: SignedDuration = Span::parse(span).map_err(|error| error.to_string())?.to_signed();
    let until = stage.clock.now() + span;
    stage.clock.sleep_until(until).await;
    // The tenant lives on although nobody asks it anything.
    stage.play("")?;
    Ok(stage.clock.now())
}

/// Commands that say nothing.
fn scenery(stage: &mut Stage, id: &str, words: &mut Words) -> Result<(), String> {
    let verb = words.need("a command")?;
    match verb.as_str() {
        "expect" => expect::expect(stage, id, words),
        "workspace" => {
            let more = words.block()?;
            stage.write_workspace(id, &more)
        }
        "policy" => {
            let file = words.need("a file")?;
            let path = stage.desk(id).path(&format!("policies/{file}"))?;
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, words.block()?).map_err(|error| error.to_string())
        }
        "rule" => {
            let file = words.need("a file")?;
            let path = stage.desk(id).path(&format!("guardrails/{file}"))?;
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, words.block()?).map_err(|error| error.to_string())
        }
        "runner" => {
            let known = words.need("names and addresses")?;
            stage.desk(id).context.env = Env::of([("PALISADE_RUNNER", &*known)]);
            Ok(())
        }
        "edit" => {
            let path = stage.desk(id).path(&words.need("a file")?)?;
            let (from, to) =
                (words.need("what stands there")?, words.need("what shall stand there")?);
            let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
            if text.matches(&from).count() != 1 {
                return Err(format!("`{from}` does not stand there once"));
            }
            std::fs::write(path, text.replace(&from, &to)).map_err(|error| error.to_string())
        }
        "delete" => {
            let path = stage.desk(id).path(&words.need("a file")?)?;
            let gone = if path.is_dir() {
                std::fs::remove_dir_all(path)
            } else {
                std::fs::remove_file(path)
            };
            gone.map_err(|error| error.to_string())
        }
        "seed" => tenant::seed(stage, words),
        "device" => tenant::devices(stage, words, false),
        "devices" => tenant::devices(stage, words, true),
        "vanish" => tenant::vanish(stage, words),
        "alert" => tenant::alert(stage, words),
        "analyst" => tenant::somebody(stage, "analyst@contoso.example", words),
        "app" => {
            let name = words.need("the name of an application")?;
            tenant::somebody(stage, &name, words)
        }
        "fault" | "clear" | "switch" | "roles" | "offline" | "online" | "tag" | "untag"
        | "drift" | "fail" | "classify" | "at" => {
            let mut line = quoted(&verb);
            while let Some(word) = words.next() {
                line.push(' ');
                line.push_str(&quoted(&word));
            }
            if verb == "fault" && !line.contains(" on ") {
                line.push_str(" on ANY /api/**");
            }
            stage.play(&line)
        }
        other => Err(format!("`{other}` is not a command")),
    }
}

/// A word in the emulator's language.
fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c == '#');
    if plain { word.to_owned() } else { format!("\"{word}\"") }
}
