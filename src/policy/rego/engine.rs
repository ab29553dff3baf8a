//! The interpreter: loading, the bound on its work, places out of its messages.
//!
//! The interpreter is built without its standard-library parts, which leaves out random numbers and
//! its clock. Where it asks for the time to see whether it has run for too long, it gets a count of
//! its own questions: the same rule over the same plan always gets as far.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Once};
use std::time::Duration;

use regorus::utils::limits::{ExecutionTimerConfig, TimeSource, set_time_source};
use regorus::{Engine, Value as RegoValue};
use serde_json::Value;

use crate::policy::SourceText;
use crate::policy::rego::answer::{self, Said};
use crate::policy::rego::{Answers, Fault, bounded, code, cycle};

/// Steps between two questions for the time.
const STEPS: NonZeroU32 = NonZeroU32::MIN.saturating_add(999);
/// Questions after which a `deny` or `warn` has run for too long, whatever the plan: two million steps.
const QUESTIONS: u64 = 2_000;
/// What a large call makes that counts as one question: as much as the steps between two.
const MADE: u64 = 1_000;
/// Changes for which it gets one more: two hundred steps for each.
const CHANGES: u64 = 5;

struct Count;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

impl TimeSource for Count {
    fn now(&self) -> Option<Duration> {
        let asked = ASKED.get().wrapping_add(1);
        ASKED.set(asked);
        Some(Duration::from_micros(asked))
    }
}

fn engine() -> Engine {
    static COUNT: Count = Count;
    static SET: Once = Once::new();
    // Nobody else sets one, and the first stays.
    SET.call_once(|| {
        let _ = set_time_source(&COUNT);
    });
    let mut engine = Engine::new();
    bound(&mut engine, 0);
    engine.set_strict_builtin_errors(true);
    engine
}

/// Counts what a call makes as if it were steps.
fn charge(made: u64) {
    ASKED.set(ASKED.get().wrapping_add(made / MADE));
}

fn bound(engine: &mut Engine, changes: usize) {
    let more = u64::try_from(changes).unwrap_or(u64::MAX) / CHANGES;
    let limit = Duration::from_micros(QUESTIONS.saturating_add(more));
    engine.set_execution_timer_config(ExecutionTimerConfig { limit, check_interval: STEPS });
}

/// Whether the file is Rego.
pub(super) fn parse(file: &SourceText) -> Result<(), Fault> {
    let added = engine().add_policy(file.file.to_string(), file.text.to_string());
    added.map(drop).map_err(|error| fault(&format!("{error:#}"), &file.file))
}

/// A package, as far as it says something.
struct Package {
    file: Arc<str>,
    /// Lines where its rules begin, of those it has.
    deny: Option<u32>,
    warn: Option<u32>,
}

impl Package {
    const fn is_silent(&self) -> bool {
        self.deny.is_none() && self.warn.is_none()
    }
}

impl Fault {
    /// With that line when the interpreter named none.
    fn or_at(self, line: u32) -> Self {
        if self.line == 0 { Self { line, ..self } } else { self }
    }
}

/// Rules that were parsed together.
pub(super) struct Loaded {
    engine: Engine,
    packages: BTreeMap<String, Package>,
}

impl Loaded {
    pub(super) fn new(files: &[SourceText]) -> Result<Self, Fault> {
        if let Some(fault) = cycle::find(files) {
            return Err(fault);
        }
        let mut engine = engine();
        let anywhere = files.first().map_or("", |source| &source.file);
        let added = bounded::add(&mut engine, charge);
        added.map_err(|error| fault(&format!("{error:#}"), anywhere))?;
        let mut packages: BTreeMap<String, Package> = BTreeMap::new();
        for SourceText { file, text } in files {
            let wrong = |error: anyhow::Error| fault(&format!("{error:#}"), file);
            let name = engine.add_policy(file.to_string(), text.to_string()).map_err(wrong)?;
            let says = |rule: &str| -> Result<Option<u32>, Fault> {
                let has = engine.has_declared_rule_rooted_at(file, rule).map_err(wrong)?;
                Ok(has.then(|| line_of(text, rule)))
            };
            let (deny, warn) = (says("deny")?, says("warn")?);
            let blank = Package { file: Arc::clone(file), deny: None, warn: None };
            let package = packages.entry(name).or_insert(blank);
            if package.is_silent() && (deny.is_some() || warn.is_some()) {
                package.file = Arc::clone(file);
            }
            package.deny = package.deny.or(deny);
            package.warn = package.warn.or(warn);
        }
        Ok(Self { engine, packages })
    }

    /// Packages that never say anything, each with a file of it.
    pub(super) fn silent(&self) -> Vec<(String, Arc<str>)> {
        let silent = self.packages.iter().filter(|(_, package)| package.is_silent());
        silent.map(|(name, package)| (short(name).to_owned(), Arc::clone(&package.file))).collect()
    }

    /// Packages that speak under a name that makes no code of theirs.
    pub(super) fn misnamed(&self) -> Vec<Fault> {
        let speaking = self.packages.iter().filter(|(_, package)| !package.is_silent());
        let misnamed = speaking.filter_map(|(name, package)| {
            let name = short(name);
            let message = format!("the name of package `{name}` {}", code::of(name).err()?);
            Some(Fault { file: Arc::clone(&package.file), line: 1, column: 1, message })
        });
        misnamed.collect()
    }

    /// What the rules say of a plan.
    pub(super) fn evaluate(&self, plan: &Value, workspace: &Value) -> Answers {
        let engine = match self.over(plan, workspace) {
            Ok(engine) => engine,
            Err(fault) => return Answers { faults: vec![fault], ..Answers::default() },
        };
        let mut answers = Answers::default();
        for (name, package) in &self.packages {
            for (rule, line) in [("deny", package.deny), ("warn", package.warn)] {
                let Some(line) = line else { continue };
                // In an interpreter of its own: what an error left behind reaches no other rule, and
                // the count of steps begins anew.
                match one(&mut engine.clone(), name, rule, &package.file) {
                    Ok(said) => answers.said.extend(said),
                    Err(fault) => answers.faults.push(fault.or_at(line)),
                }
            }
        }
        answers.said.sort();
        answers.said.dedup();
        // Rules that need the same broken one repeat it.
        answers.faults.sort();
        answers.faults.dedup();
        answers
    }

    /// An interpreter before a plan.
    fn over(&self, plan: &Value, workspace: &Value) -> Result<Engine, Fault> {
        let mut engine = self.engine.clone();
        let changes = plan.get("changes").and_then(Value::as_array).map_or(0, Vec::len);
        bound(&mut engine, changes);
        let anywhere = self.packages.values().next().map_or("", |package| &package.file);
        let wrong = |error: anyhow::Error| fault(&format!("{error:#}"), anywhere);
        let data = serde_json::json!({ "workspace": workspace });
        engine.add_data(value(&data).map_err(wrong)?).map_err(wrong)?;
        engine.set_input(value(plan).map_err(wrong)?);
        Ok(engine)
    }
}

fn one(engine: &mut Engine, package: &str, rule: &str, file: &str) -> Result<Vec<Said>, Fault> {
    let named = format!("{package}.{rule}");
    let failed = |error: anyhow::Error| fault(&format!("{error:#}"), file);
    let found = engine.eval_rule(named).map_err(failed)?;
    // Nothing made it true: a rule that is one value rather than a set.
    if found == RegoValue::Undefined {
        return Ok(Vec::new());
    }
    let package = short(package);
    let wrong = |what: String| fault(&format!("`{rule}` of package `{package}` {what}"), file);
    let found = serde_json::to_value(&found).map_err(|error| wrong(error.to_string()))?;
    answer::read(&found, rule == "deny", package, file).map_err(wrong)
}

/// The line where a rule of that name begins.
fn line_of(text: &str, rule: &str) -> u32 {
    let begins = |line: &str| {
        let line = line.strip_prefix("default ").unwrap_or(line);
        line.strip_prefix(rule).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    let at = text.lines().position(begins).unwrap_or(0);
    u32::try_from(at).unwrap_or(0) + 1
}

fn short(package: &str) -> &str {
    package.strip_prefix("data.").unwrap_or(package)
}

fn value(json: &Value) -> anyhow::Result<RegoValue> {
    Ok(serde_json::from_value(json.clone())?)
}

/// The place and the sentence in what the interpreter says: `--> FILE:LINE:COLUMN`, the line, a
/// caret, `error: SENTENCE`.
fn fault(text: &str, file: &str) -> Fault {
    let place = text.split("--> ").nth(1).and_then(|rest| rest.lines().next());
    let place = place.filter(|place| !place.starts_with('<')).and_then(|place| {
        let (rest, column) = place.rsplit_once(':')?;
        let (file, line) = rest.rsplit_once(':')?;
        Some((file, line.trim().parse().ok()?, column.trim().parse().ok()?))
    });
    let (file, line, column) = place.unwrap_or((file, 0, 1));
    let sentence = text.rsplit_once("error: ").map_or(text, |(_, sentence)| sentence);
    let first = sentence.trim().lines().next().unwrap_or("").trim_end_matches(':');
    let message = if first.contains("time limit") {
        "the rule does not end within its bound of steps".to_owned()
    } else {
        first.to_owned()
    };
    Fault { file: file.into(), line, column, message }
}
