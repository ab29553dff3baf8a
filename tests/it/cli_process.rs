//! The program as a process: flags, streams, exit codes, pipes.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::cli_stop::{fits, json};

/// The program with an environment of its own: nothing of the machine's leaks in but the switch of
/// the mutation check (`tools/mutants`).
#[expect(clippy::disallowed_methods, reason = "that switch is no setting of the program")]
pub(crate) fn palisade(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command
        .env_clear()
        .envs(std::env::vars().filter(|(name, _)| name.starts_with("MUTANT")))
        .env("COLUMNS", "100")
        .env("TZ", "UTC")
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// Standard output as text.
pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard error as text.
pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn run(folder: &Path, args: &[&str]) -> Output {
    palisade(folder).args(args).output().unwrap()
}

#[test]
fn help_is_data_and_names_the_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), &["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(help.stderr.is_empty());
    let text = out(&help);
    assert!(text.contains("Exit codes:") && text.contains("  2  changes are pending"), "{text}");
    assert!(!text.contains('\x1b'));
    let version = run(folder.path(), &["--version"]);
    assert_eq!(out(&version), format!("palisade {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn every_command_has_examples_and_wrong_usage_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let help = out(&run(folder.path(), &["--help"]));
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let names: Vec<&str> =
        list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    assert!(names.len() > 3, "{list}");
    for name in names {
        let help = run(folder.path(), &[name, "--help"]);
        assert_eq!(help.status.code(), Some(0), "{name}");
        assert!(out(&help).contains("Examples:") || out(&help).contains("Commands:"), "{name}");
        let wrong = run(folder.path(), &[name, "--no-such-flag"]);
        assert_eq!(wrong.status.code(), Some(1), "{name}");
        assert!(wrong.stdout.is_empty() && err(&wrong).contains("--no-such-flag"), "{name}");
    }
    let none = run(folder.path(), &[]);
    assert_eq!(none.status.code(), Some(1));
}

#[test]
fn an_error_is_one_message_with_advice_on_stderr() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["validate"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let text = err(&output);
    assert!(text.starts_with("error: no `palisade.yaml` here"), "{text}");
    assert!(text.contains("help: create a workspace with `palisade init`"), "{text}");
    // What is wrong with files is data, in the form that its schema says.
    std::fs::write(folder.path().join("a.yaml"), "kind: IsolationSet\nkind: [\n").unwrap();
    let output = run(folder.path(), &["validate", "a.yaml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let found = json(&output);
    fits("findings", &found);
    assert!(found["errors"].as_u64().unwrap() > 0 && found["findings"][0]["line"].is_u64());
    let output = run(folder.path(), &["-C", "nowhere", "validate"]);
    assert!(err(&output).contains("`nowhere` has no `palisade.yaml`"), "{}", err(&output));
}

#[test]
fn colour_comes_only_when_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let coloured = |vars: &[(&str, &str)], args: &[&str]| {
        let mut command = palisade(folder.path());
        command.envs(vars.iter().copied()).args(args).arg("validate");
        err(&command.output().unwrap()).contains('\x1b')
    };
    assert!(!coloured(&[], &[]));
    assert!(coloured(&[], &["--color", "always"]));
    assert!(coloured(&[("CLICOLOR_FORCE", "1")], &[]));
    assert!(!coloured(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[]));
    assert!(!coloured(&[("CLICOLOR_FORCE", "1")], &["--color", "never"]));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = palisade(folder.path())
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(output.stderr.is_empty(), "{}", err(&output));
}

#[test]
fn init_writes_a_workspace_once() {
    let folder = tempfile::tempdir().unwrap();
    let first = run(folder.path(), &["init", "soc"]);
    assert_eq!(first.status.code(), Some(0), "{}", err(&first));
    assert_eq!(
        out(&first).lines().filter(|line| !line.contains("schemas")).collect::<Vec<_>>(),
        ["soc/palisade.yaml", "soc/.gitignore", "soc/policies/containment/ir-tagged-devices.yaml"]
    );
    assert!(err(&first).contains("palisade validate"));
    let checked = run(folder.path(), &["-C", "soc", "validate"]);
    assert_eq!(checked.status.code(), Some(0), "{}{}", out(&checked), err(&checked));
    let again = run(folder.path(), &["init", "soc"]);
    assert_eq!(again.status.code(), Some(1));
    let mut ready = std::fs::File::create(folder.path().join("ready.json")).unwrap();
    ready.write_all(br#"{"defender":"#).unwrap();
    let broken = run(folder.path(), &["init", "play", "--emulator", "ready.json"]);
    assert!(err(&broken).contains("`ready.json` is not a ready file"), "{}", err(&broken));
}

#[test]
fn fmt_changes_the_layout_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["init", "soc", "--starter-pack"]);
    let soc = folder.path().join("soc");
    let tidy = run(&soc, &["fmt", "--check"]);
    assert_eq!(tidy.status.code(), Some(0), "{}{}", out(&tidy), err(&tidy));
    let file = soc.join("policies/restriction/kiosks.yaml");
    let neat = std::fs::read_to_string(&file).unwrap();
    let wide =
        neat.replace("\n    ", "\n         ").replace("\n  ", "\n    ").replace('\n', "  \r\n");
    std::fs::write(&file, &wide).unwrap();
    let diff = run(&soc, &["fmt", "--diff"]);
    assert_eq!(diff.status.code(), Some(0));
    assert!(out(&diff).contains("+  mode: enforce"), "{}", out(&diff));
    assert!(out(&diff).contains("-    mode: enforce"), "{}", out(&diff));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), wide);
    let check = run(&soc, &["fmt", "--check"]);
    assert_eq!(check.status.code(), Some(1));
    assert_eq!(out(&check), "policies/restriction/kiosks.yaml\n");
    assert_eq!(run(&soc, &["fmt"]).status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), neat);
}
