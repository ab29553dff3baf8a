//! Scenarios: a small text language that scripts a tenant, line by line.
//!
//! ```text
//! # the third and fourth isolation meet a full window
//! fault 429 x2 nth 3 on POST /api/machines/*/isolate retry-after 2
//! switch conflicts reject
//! at 10m offline ws-0042
//! at 1h act analyst@contoso.example release ws-0042 comment "false alarm"
//! ```
//!
//! A line without `at` holds at once. Scenario files, the control endpoint and tests speak the same
//! language; `docs/emulator.md` describes it. Nothing of a text is played when one of its lines is
//! wrong.

mod classify;
mod fault;
mod line;
mod parse;
mod switches;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::emulator::Emulator;
use crate::emulator::faults::Fault;
use crate::emulator::random::Guid;
use crate::emulator::tenant::machine::Posture;
use crate::emulator::tenant::{Action, Actor, Order};
use crate::model::ActionKind;

use classify::Classify;
pub use switches::SWITCHES;
use switches::Switch;

/// A text, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scenario {
    steps: Vec<Step>,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ScenarioError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

/// When a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// At once.
    Now,
    /// That long after the scenario begins.
    After(SignedDuration),
    /// At that instant, or at once when it has passed.
    At(Timestamp),
}

/// A line, read.
#[derive(Clone, Debug, PartialEq)]
struct Step {
    line: usize,
    when: When,
    what: Statement,
}

/// What a line says. Devices are given by id or name.
#[derive(Clone, Debug, PartialEq)]
enum Statement {
    Fault(Box<Fault>),
    ClearFaults,
    Switch(Switch),
    /// The main application's roles; tokens issued before keep theirs.
    Roles(Vec<RoleEdit>),
    /// Whether commands reach the device.
    Online(String, bool),
    /// Somebody acts in the portal (a name with `@`) or through the API.
    Act {
        actor: String,
        device: String,
        order: Box<Order>,
    },
    /// Somebody cancels the newest active action of the device.
    Cancel {
        actor: String,
        device: String,
    },
    Tag {
        device: String,
        tag: String,
        on: bool,
    },
    /// Somebody works on an alert.
    Classify(Box<Classify>),
    /// The posture changes without any action.
    Drift(String, Posture),
    /// The device's next actions fail.
    Fail(String, u32),
}

/// One change to a list of roles.
#[derive(Clone, Debug, PartialEq, Eq)]
enum RoleEdit {
    All,
    None,
    Add(String),
    Remove(String),
}

impl Scenario {
    /// Reads a text.
    ///
    /// # Errors
    /// Every wrong line with its number.
    pub fn parse(text: &str) -> Result<Self, Vec<ScenarioError>> {
        parse::scenario(text)
    }

    /// How many lines say something.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether no line says anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The devices named, with their lines.
    fn devices(&self) -> impl Iterator<Item = (usize, &str)> {
        self.steps.iter().filter_map(|step| match &step.what {
            Statement::Online(device, _)
            | Statement::Act { device, .. }
            | Statement::Cancel { device, .. }
            | Statement::Tag { device, .. }
            | Statement::Drift(device, _)
            | Statement::Fail(device, _) => Some((step.line, device.as_str())),
            Statement::Fault(_)
            | Statement::ClearFaults
            | Statement::Switch(_)
            | Statement::Roles(_)
            | Statement::Classify(_) => None,
        })
    }

    /// The alerts named, with their lines.
    fn alerts(&self) -> impl Iterator<Item = (usize, &str)> {
        self.steps.iter().filter_map(|step| match &step.what {
            Statement::Classify(classify) => Some((step.line, classify.alert())),
            _ => None,
        })
    }
}

/// The lines still to come, earliest first; of the same instant in the order they were given.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    steps: VecDeque<(Timestamp, Statement)>,
}

impl Timeline {
    /// When the next line is due.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.steps.front().map(|(at, _)| *at)
    }

    /// How many lines are still to come.
    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    /// Forgets them.
    pub(crate) fn clear(&mut self) {
        self.steps.clear();
    }

    fn add(&mut self, at: Timestamp, what: Statement) {
        let place = self.steps.partition_point(|(other, _)| *other <= at);
        self.steps.insert(place, (at, what));
    }

    fn due(&mut self, now: Timestamp) -> Option<(Timestamp, Statement)> {
        self.steps.pop_front_if(|(at, _)| *at <= now)
    }
}

impl Emulator {
    /// Plays a scenario that begins at `now`: lines without a time at once, the others when their
    /// time has come.
    ///
    /// # Errors
    /// The lines that name a device or an alert the tenant does not have; then nothing is played.
    pub fn play(&mut self, scenario: &Scenario, now: Timestamp) -> Result<(), Vec<ScenarioError>> {
        let unknown = |(line, device): (usize, &str)| {
            let message = format!("there is no device `{device}`");
            self.tenant.find(device).is_none().then_some(ScenarioError { line, message })
        };
        let gone = |(line, alert): (usize, &str)| {
            let message = format!("there is no alert `{alert}`");
            self.tenant.find_alert(alert).is_none().then_some(ScenarioError { line, message })
        };
        let errors = scenario.devices().filter_map(unknown);
        let errors: Vec<ScenarioError> = errors.chain(scenario.alerts().filter_map(gone)).collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        for step in &scenario.steps {
            let at = match step.when {
                When::Now => now,
                When::After(span) => now.checked_add(span).unwrap_or(Timestamp::MAX),
                When::At(at) => at.max(now),
            };
            self.timeline.add(at, step.what.clone());
        }
        self.live_until(now);
        Ok(())
    }

    /// Lets the tenant and the scenario live up to `now`.
    pub(crate) fn live_until(&mut self, now: Timestamp) {
        while let Some((at, what)) = self.timeline.due(now) {
            self.tenant.advance(at);
            self.carry_out(what, at.max(self.tenant.now()));
        }
        self.tenant.advance(now);
    }

    fn carry_out(&mut self, what: Statement, at: Timestamp) {
        match what {
            Statement::Fault(fault) => self.faults.add(*fault),
            Statement::ClearFaults => self.faults.clear(),
            Statement::Switch(switch) => switch.set(&mut self.tenant.behaviour),
            Statement::Roles(edits) => self.edit_roles(edits),
            Statement::Online(device, online) => {
                if let Some(row) = self.tenant.find(&device) {
                    self.tenant.set_online(row, online, at);
                }
            }
            Statement::Act { actor, device, order } => {
                self.tenant.act_as(&actor_of(&actor), &device, *order, at);
            }
            Statement::Cancel { actor, device } => {
                self.cancel_newest(&actor, &device, None, at);
            }
            Statement::Tag { device, tag, on } => {
                let row = self.tenant.find(&device);
                if let Some(machine) = row.and_then(|row| self.tenant.machine_mut(row)) {
                    if on { machine.add_tag(&tag) } else { machine.remove_tag(&tag) }
                }
            }
            Statement::Classify(classify) => classify.carry_out(&mut self.tenant, at),
            Statement::Drift(device, posture) => {
                if let Some(row) = self.tenant.find(&device) {
                    self.tenant.set_posture(row, posture);
                }
            }
            Statement::Fail(device, count) => {
                if let Some(row) = self.tenant.find(&device) {
                    self.tenant.fail_next(row, count);
                }
            }
        }
    }

    fn edit_roles(&mut self, edits: Vec<RoleEdit>) {
        let roles = &mut self.config.roles;
        for edit in edits {
            match edit {
                RoleEdit::All => *roles = crate::emulator::config::all_roles(),
                RoleEdit::None => roles.clear(),
                RoleEdit::Add(role) if roles.contains(&role) => {}
                RoleEdit::Add(role) => roles.push(role),
                RoleEdit::Remove(role) => roles.retain(|held| *held != role),
            }
        }
    }

    fn newest_active(&self, device: &str) -> Option<u32> {
        let rows = self.tenant.actions_of(self.tenant.find(device)?);
        let active = |row: &&u32| self.tenant.action(**row).is_some_and(Action::is_active);
        rows.iter().rev().find(active).copied()
    }

    /// Lets somebody cancel the newest active action of a device; the id of that action.
    pub(crate) fn cancel_newest(
        &mut self,
        actor: &str,
        device: &str,
        comment: Option<&str>,
        now: Timestamp,
    ) -> Option<Guid> {
        let row = self.newest_active(device)?;
        self.tenant.cancel(row, &actor_of(actor), comment, now);
        self.tenant.action(row).map(|action| action.id)
    }

    /// Lets somebody act on a device as a scenario line does; the id of the action.
    pub(crate) fn act(
        &mut self,
        actor: &str,
        device: &str,
        order: Order,
        now: Timestamp,
    ) -> Option<Guid> {
        let row = self.tenant.act_as(&actor_of(actor), device, order, now)?;
        self.tenant.action(row).map(|action| action.id)
    }
}

/// A name with `@` is a person in the portal, any other an application.
fn actor_of(name: &str) -> Actor {
    if name.contains('@') { Actor::person(name) } else { Actor::app(name) }
}

/// The order behind a verb; `None` when there is no such verb.
pub(crate) fn order_of(verb: &str, detail: Option<&str>, comment: &str) -> Option<Order> {
    use crate::emulator::tenant::action::{Containment, FileRef};
    use crate::model::ScanType;
    let plain = |kind| detail.is_none().then(|| Order::new(kind, comment));
    match verb {
        "isolate" => {
            let isolation = match detail {
                None | Some("full") => Containment::Full,
                Some("selective") => Containment::Selective,
                Some(_) => return None,
            };
            Some(Order::isolate(isolation, comment))
        }
        "scan" => Some(Order::scan(ScanType::parse(detail.unwrap_or("quick"))?, comment)),
        "release" => plain(ActionKind::Unisolate),
        "restrict" => plain(ActionKind::RestrictCodeExecution),
        "unrestrict" => plain(ActionKind::UnrestrictCodeExecution),
        "collect" => plain(ActionKind::CollectInvestigationPackage),
        "offboard" => plain(ActionKind::Offboard),
        "quarantine" => {
            let sha1 = detail.filter(|hash| hash.len() == 40)?;
            let file = FileRef { identifier: Arc::from(sha1), kind: "Sha1" };
            Some(Order {
                file: Some(file),
                ..Order::new(ActionKind::StopAndQuarantineFile, comment)
            })
        }
        _ => None,
    }
}
