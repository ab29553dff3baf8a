//! Lines to statements, every wrong line with its number.

use super::classify::Classify;
use super::line::{Words, span};
use super::switches::Switch;
use super::{RoleEdit, Scenario, ScenarioError, Statement, Step, When, fault, order_of};
use crate::emulator::tenant::machine::Posture;
use crate::model::{Isolation, Restriction};

/// How many lines are read.
const LONGEST: usize = 100_000;

pub(super) fn scenario(text: &str) -> Result<Scenario, Vec<ScenarioError>> {
    let mut steps = Vec::new();
    let mut errors = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let line = index + 1;
        if index >= LONGEST {
            errors.push(ScenarioError { line, message: "the scenario is too long".to_owned() });
            break;
        }
        match step(text) {
            Ok(None) => {}
            Ok(Some((when, what))) => steps.push(Step { line, when, what }),
            Err(message) => errors.push(ScenarioError { line, message }),
        }
    }
    if errors.is_empty() { Ok(Scenario { steps }) } else { Err(errors) }
}

fn step(text: &str) -> Result<Option<(When, Statement)>, String> {
    let mut words = Words::read(text)?;
    if words.is_empty() {
        return Ok(None);
    }
    let when = if words.take("at") { when(&words.need("a time")?)? } else { When::Now };
    let what = statement(&mut words, text)?;
    words.end()?;
    Ok(Some((when, what)))
}

fn when(word: &str) -> Result<When, String> {
    if word.contains('T') {
        let at = word.parse().map_err(|_| format!("`{word}` is not a time"))?;
        return Ok(When::At(at));
    }
    let span = span(word)?;
    if span.is_negative() {
        return Err("a scenario cannot act in the past".to_owned());
    }
    Ok(When::After(span))
}

fn statement(words: &mut Words, text: &str) -> Result<Statement, String> {
    let verb = words.need("a statement")?;
    Ok(match verb.as_str() {
        "fault" => Statement::Fault(Box::new(fault::read(words, text)?)),
        "clear" => match words.need("`faults`")?.as_str() {
            "faults" => Statement::ClearFaults,
            other => return Err(format!("`{other}` cannot be cleared, only `faults`")),
        },
        "switch" => {
            let name = words.need("the name of a switch")?;
            Statement::Switch(Switch::read(&name, &words.need("the value of the switch")?)?)
        }
        "roles" => Statement::Roles(roles(words)?),
        "offline" => Statement::Online(words.need("a device")?, false),
        "online" => Statement::Online(words.need("a device")?, true),
        "act" => act(words)?,
        "tag" | "untag" => {
            let device = words.need("a device")?;
            Statement::Tag { device, tag: words.need("a tag")?, on: verb == "tag" }
        }
        "classify" => Statement::Classify(Box::new(Classify::read(words)?)),
        "drift" => {
            let device = words.need("a device")?;
            Statement::Drift(device, posture(words)?)
        }
        "fail" => {
            let device = words.need("a device")?;
            let count = if words.is_empty() { 1 } else { words.number("a number")? };
            Statement::Fail(device, u32::try_from(count).unwrap_or(u32::MAX))
        }
        other => {
            return Err(format!(
                "`{other}` is not a statement; there are fault, clear, switch, roles, offline, online, act, tag, untag, classify, drift, fail"
            ));
        }
    })
}

fn roles(words: &mut Words) -> Result<Vec<RoleEdit>, String> {
    let mut edits = Vec::new();
    while let Some(word) = words.next() {
        edits.push(match word.as_str() {
            "all" => RoleEdit::All,
            "none" => RoleEdit::None,
            role => match role.strip_prefix('-') {
                Some(role) => RoleEdit::Remove(role.to_owned()),
                None => RoleEdit::Add(role.to_owned()),
            },
        });
    }
    if edits.is_empty() { Err("a role is missing".to_owned()) } else { Ok(edits) }
}

/// `ACTOR VERB [DETAIL] DEVICE [comment TEXT]`
fn act(words: &mut Words) -> Result<Statement, String> {
    let actor = words.need("who acts")?;
    let verb = words.need("a verb")?;
    let first = words.need("a device")?;
    let detailed = words.peek().is_some_and(|word| word != "comment");
    let (detail, device) =
        if detailed { (Some(first), words.need("a device")?) } else { (None, first) };
    let comment =
        if words.take("comment") { words.need("the comment")? } else { format!("{verb} {device}") };
    if verb == "cancel" && detail.is_none() {
        return Ok(Statement::Cancel { actor, device });
    }
    match order_of(&verb, detail.as_deref(), &comment) {
        Some(order) => Ok(Statement::Act { actor, device, order: Box::new(order) }),
        None => {
            let said = detail.map(|detail| format!(" {detail}")).unwrap_or_default();
            Err(format!(
                "`{verb}{said}` is not an action; there are isolate [full|selective], release, restrict, unrestrict, scan [quick|full], collect, offboard, quarantine SHA1, cancel"
            ))
        }
    }
}

/// `free`, or any of `full`, `selective`, `restricted`.
fn posture(words: &mut Words) -> Result<Posture, String> {
    let mut posture = Posture::FREE;
    let mut said = false;
    while let Some(word) = words.next() {
        said = true;
        match word.as_str() {
            "free" => posture = Posture::FREE,
            "full" => posture.isolation = Isolation::Full,
            "selective" => posture.isolation = Isolation::Selective,
            "restricted" => posture.restriction = Restriction::Restricted,
            other => {
                return Err(format!("`{other}` is not one of free, full, selective, restricted"));
            }
        }
    }
    if said { Ok(posture) } else { Err("a posture is missing".to_owned()) }
}
