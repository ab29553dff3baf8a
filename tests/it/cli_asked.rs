//! A plan that is shown, asked about and applied at once: what counts is what the files say when the answer
//! comes.

use std::io::{BufRead, Cursor, Read};
use std::path::{Path, PathBuf};

use clap::Parser as _;
use palisade::cli::args::{Args, Command};
use palisade::cli::context::Context;
use palisade::cli::error::CliError;
use palisade::cli::exit::Exit;
use palisade::host::env::Env;
use palisade::host::terminal::{Terminal, Traits};

use crate::cli_flow::Emulated;
use crate::cli_interrupt::control;

/// Whoever is asked: does something first, then says yes.
struct Asked {
    soc: PathBuf,
    first: fn(&Path),
    answer: Cursor<&'static [u8]>,
}

impl Read for Asked {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.answer.read(buffer)
    }
}

impl BufRead for Asked {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.answer.position() == 0 {
            (self.first)(&self.soc);
        }
        self.answer.fill_buf()
    }
    fn consume(&mut self, amount: usize) {
        self.answer.consume(amount);
    }
}

/// Plans and applies what a person is asked about, who does that before the answer.
fn apply(tenant: &Emulated, soc: &Path, first: fn(&Path)) -> Result<Exit, CliError> {
    let args = ["palisade", "-C", soc.to_str().unwrap(), "apply"];
    let args = Args::try_parse_from(args).unwrap();
    let traits = Traits {
        columns: 100,
        color_out: false,
        color_err: false,
        watched: false,
        interactive: true,
        out_is_terminal: false,
    };
    let answer = Cursor::new(&b"yes\n"[..]);
    let input = Box::new(Asked { soc: soc.to_owned(), first, answer });
    let terminal =
        Terminal::of(Box::new(std::io::sink()), Box::new(std::io::sink()), input, traits);
    let ready = |key: &str| tenant.ready[key].as_str().unwrap();
    let env = Env::of([
        ("AZURE_CLIENT_ID", ready("clientId")),
        ("AZURE_CLIENT_SECRET", ready("clientSecret")),
    ]);
    let mut context = Context::new(args.global, env, terminal);
    let Command::Apply(apply) = args.command else { panic!("another command") };
    apply.run(&mut context)
}

fn isolations(tenant: &Emulated) -> usize {
    let page = control(tenant, "GET", "requests?method=POST&path=/api/machines/**", "");
    page["requests"].as_array().unwrap().len()
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(file, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn what_was_shown_is_not_applied_when_its_files_changed_before_the_answer() {
    let tenant = Emulated::start(&["--devices", "60", "--speed", "60"]);
    let soc = tenant.workspace();
    let refused = |first: fn(&Path)| apply(&tenant, &soc, first).unwrap_err();
    let stale =
        refused(|soc| edit(&soc.join("palisade.yaml"), "- value: high", "- value: [high, normal]"));
    assert_eq!(stale.exit, Exit::Stale);
    assert!(stale.help.iter().any(|line| line.contains("`palisade.yaml`")), "{stale:?}");
    let broken =
        refused(|soc| std::fs::write(soc.join("policies/broken.yaml"), "kind: [").unwrap());
    assert_eq!(broken.exit, Exit::Error);
    assert_eq!(isolations(&tenant), 0);
    std::fs::remove_file(soc.join("policies/broken.yaml")).unwrap();
    edit(&soc.join("palisade.yaml"), "- value: [high, normal]", "- value: high");
    // A comment changes nothing.
    let done = apply(&tenant, &soc, |soc| {
        edit(&soc.join("palisade.yaml"), "policies: [", "# seen\npolicies: [")
    });
    assert_eq!(done.unwrap(), Exit::Done);
    assert!(isolations(&tenant) > 0);
}
