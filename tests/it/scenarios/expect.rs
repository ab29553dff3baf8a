//! What a script insists on, whatever the golden output beside it says: `BLESS` does not change it.

use palisade::model::{Isolation, Restriction, Verb};
use palisade::plan::{Entry, Plan};

use super::script::Words;
use super::stage::Stage;

/// Carries out `expect …`.
///
/// # Errors
/// Says what was expected and what was found.
pub(super) fn expect(stage: &mut Stage, id: &str, words: &mut Words) -> Result<(), String> {
    let what = words.need("what is expected")?;
    match what.as_str() {
        "exit" => {
            let wanted: u8 = words.number("an exit code")?;
            let found = stage.exit.map(palisade::cli::exit::Exit::code);
            same("exit", Some(wanted), found)
        }
        "said" => {
            let text = words.need("a text")?;
            // Lines break where the page ends.
            let said: Vec<&str> = stage.said.split_whitespace().collect();
            let said = said.join(" ").replace('\u{a0}', " ");
            if said.contains(&text) { Ok(()) } else { Err(format!("nobody said `{text}`")) }
        }
        "sent" => same("sent", words.number("a number")?, stage.sent),
        "device" => device(stage, words),
        "isolated" => {
            let wanted: usize = words.number("a number")?;
            let emulator = stage.emulator();
            let machines = emulator.tenant().machines().iter();
            let isolated = |it: &&_| isolation(it) != Isolation::Free;
            same("isolated", wanted, machines.filter(isolated).count())
        }
        "no" => {
            if !words.take("objection") {
                return Err("`no` is followed by `objection CODE`".to_owned());
            }
            let code = words.need("a code")?;
            let found = plan(stage, id)?.objections.iter().any(|it| it.code == code);
            if found { Err(format!("there is an objection `{code}`")) } else { Ok(()) }
        }
        "objection" => objection(plan(stage, id)?, words),
        other => count(plan(stage, id)?, other, words),
    }
}

fn isolation(machine: &palisade::emulator::tenant::Machine) -> Isolation {
    machine.posture.isolation
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, wanted: T, found: T) -> Result<(), String> {
    if wanted == found {
        Ok(())
    } else {
        Err(format!("{what}: expected {wanted:?}, found {found:?}"))
    }
}

fn plan<'a>(stage: &'a mut Stage, id: &str) -> Result<&'a Plan, String> {
    stage.desk(id).plan.as_ref().ok_or_else(|| "there is no plan".to_owned())
}

/// `expect device NAME free|full|selective|restricted …`
fn device(stage: &Stage, words: &mut Words) -> Result<(), String> {
    let name = words.need("a device")?;
    let posture = stage.emulator().tenant().posture(&name);
    let (isolation, restriction) = posture.ok_or_else(|| format!("no device `{name}`"))?;
    let mut wanted = (Isolation::Free, Restriction::Unrestricted);
    while let Some(word) = words.next() {
        match word.as_str() {
            "free" => {}
            "full" => wanted.0 = Isolation::Full,
            "selective" => wanted.0 = Isolation::Selective,
            "restricted" => wanted.1 = Restriction::Restricted,
            other => return Err(format!("`{other}` is not a posture")),
        }
    }
    same(&name, wanted, (isolation, restriction))
}

/// `expect objection CODE [HELD]`, `expect objection CODE lifted`
fn objection(plan: &Plan, words: &mut Words) -> Result<(), String> {
    let code = words.need("a code")?;
    let found = plan.objections.iter().find(|it| it.code == code);
    let found = found.ok_or_else(|| format!("there is no objection `{code}`"))?;
    if words.take("lifted") {
        return if found.lifted.is_some() { Ok(()) } else { Err("it is not lifted".to_owned()) };
    }
    if words.is_empty() { Ok(()) } else { same(&code, words.number("a number")?, found.held) }
}

/// `expect changes N`, `expect VERB N`, `expect held|unknown|… [CODE] N`
fn count(plan: &Plan, what: &str, words: &mut Words) -> Result<(), String> {
    if what == "changes" {
        return same(what, words.number("a number")?, plan.changes.len());
    }
    if let Some(verb) = Verb::parse(what) {
        let found = plan.changes.iter().filter(|change| change.verb == verb).count();
        return same(what, words.number("a number")?, found);
    }
    let rows: &[Entry] = match what {
        "held" => &plan.held,
        "cannot" => &plan.cannot,
        "unknown" => &plan.unknown,
        "foreign" => &plan.foreign,
        "changing" => &plan.changing,
        "audit" => &plan.audit,
        other => return Err(format!("`{other}` cannot be expected")),
    };
    let code = match words.peek() {
        Some(word) if word.parse::<usize>().is_err() => words.next(),
        _ => None,
    };
    let fits = |row: &&Entry| code.as_ref().is_none_or(|code| row.reason.code == *code);
    let found = rows.iter().filter(fits).count();
    let what = code.as_deref().map_or(what.to_owned(), |code| format!("{what} {code}"));
    same(&what, words.number("a number")?, found)
}
