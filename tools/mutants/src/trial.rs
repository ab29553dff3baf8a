//! Tries each mutant against the tests that reach it.
//!
//! Called by `main` with the built copy. A mutant is caught when a test fails, crashes or takes far
//! longer than it did without it. Tests that fail without any mutant, such as those that read the
//! sources, are left out, and so are those that take very long. What survived is written to `survivors.txt` of the copy.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::Place;
use crate::build::Built;
use crate::list::Mutant;

/// Tests that take longer than this alone are for what survives the others.
const SLOW: Duration = Duration::from_millis(500);
/// Tests that take longer than this alone are campaigns of their own, and left out.
const LONG: Duration = Duration::from_secs(30);
/// What a process may take besides its tests.
const GRACE: Duration = Duration::from_secs(4);
/// Tests of one process together, roughly.
const BATCH: Duration = Duration::from_millis(400);
/// A mutant that makes the tests take this much longer is caught.
const PATIENCE: u32 = 10;

/// A test with what it did when no mutant was on.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Test {
    program: String,
    name: String,
    took: Duration,
    reaches: Vec<usize>,
}

/// Tries the mutants, of all or of those whose name has one of the parts in `only`.
///
/// # Errors
/// When a test program cannot be started.
pub fn run(place: &Place, mutants: &[Mutant], built: &Built, only: &[String]) -> Result<()> {
    let tests = learn(place, built)?;
    let mut reached: BTreeMap<usize, Vec<&Test>> = BTreeMap::new();
    for test in &tests {
        for id in &test.reaches {
            reached.entry(*id).or_default().push(test);
        }
    }
    for tests in reached.values_mut() {
        tests.sort_by_key(|test| test.took);
    }
    let wanted =
        |name: &str| only.is_empty() || only.iter().any(|part| name.contains(part.as_str()));
    let tried: Vec<usize> = (0..mutants.len())
        .filter(|id| !built.dropped.contains_key(id) && wanted(&mutants[*id].name))
        .collect();
    let reached = |id: usize| reached.get(&id).map_or(&[][..], Vec::as_slice);
    let left = round(place, mutants, &tried, "quick tests", |id| {
        reached(id).iter().copied().filter(|test| test.took < SLOW).collect()
    });
    let again: Vec<usize> = left.into_iter().filter(|id| !reached(*id).is_empty()).collect();
    let mut survivors = round(place, mutants, &again, "slow tests", |id| {
        let slow = |test: &&Test| test.took >= SLOW && test.took < LONG;
        reached(id).iter().copied().filter(slow).collect()
    });
    survivors.extend(tried.iter().filter(|id| reached(**id).is_empty()));
    survivors.sort_unstable();
    let how = |id: usize| if reached(id).is_empty() { "reached by no test" } else { "survived" };
    let survivors: Vec<(usize, &str)> = survivors.into_iter().map(|id| (id, how(id))).collect();
    tell(place, mutants, built, &tried, &survivors)
}

/// Tries mutants against some of the tests that reach them; which are still there.
fn round<'t>(
    place: &Place,
    mutants: &[Mutant],
    tried: &[usize],
    what: &str,
    tests: impl Fn(usize) -> Vec<&'t Test> + Sync,
) -> Vec<usize> {
    let (next, left) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(id) = tried.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if survives(place, *id, tests(*id)) {
                        println!("{what} let pass: {}", mutants[*id].name);
                        left.lock().unwrap_or_else(|e| e.into_inner()).push(*id);
                    }
                    let done = next.load(Ordering::Relaxed);
                    if done % 100 == 0 {
                        println!("{what}: {done} of {}, {:.0?}", tried.len(), started.elapsed());
                    }
                }
            });
        }
    });
    left.into_inner().unwrap_or_else(|e| e.into_inner())
}

fn tell(
    place: &Place,
    mutants: &[Mutant],
    built: &Built,
    tried: &[usize],
    survivors: &[(usize, &'static str)],
) -> Result<()> {
    let mut file = fs::File::create(place.copy.join("survivors.txt"))?;
    for (id, how) in survivors {
        writeln!(file, "{how}: {}", mutants[*id].name)?;
    }
    let mut file = fs::File::create(place.copy.join("not-switched.txt"))?;
    for (id, why) in &built.dropped {
        writeln!(file, "{}: {why}", mutants[*id].name)?;
    }
    println!(
        "{} mutants tried, {} caught, {} survived; {} cannot be switched",
        tried.len(),
        tried.len() - survivors.len(),
        survivors.len(),
        built.dropped.len()
    );
    Ok(())
}

/// Whether no test catches a mutant.
fn survives(place: &Place, id: usize, mut rest: Vec<&Test>) -> bool {
    while let Some(first) = rest.first() {
        let program = first.program.clone();
        let mut sum = Duration::ZERO;
        let (batch, others): (Vec<&Test>, Vec<&Test>) = rest.into_iter().partition(|test| {
            let fits = test.program == program && (sum.is_zero() || sum + test.took < BATCH);
            if fits {
                sum += test.took.max(Duration::from_millis(1));
            }
            fits
        });
        rest = others;
        let names: Vec<&str> = batch.iter().map(|test| test.name.as_str()).collect();
        if !passes(place, &program, &names, Some(id), None, sum * PATIENCE + GRACE) {
            return false;
        }
    }
    true
}

/// Runs each test alone without a mutant; remembered in the copy for the same programs.
fn learn(place: &Place, built: &Built) -> Result<Vec<Test>> {
    let memory = place.copy.join("tests.json");
    if let Ok(bytes) = fs::read(&memory) {
        let known: Vec<Test> = serde_json::from_slice(&bytes)?;
        let fresh = |path: &str| {
            let age = |path: &Path| fs::metadata(path).and_then(|data| data.modified());
            matches!((age(&memory), age(Path::new(path))), (Ok(then), Ok(built)) if then > built)
        };
        if built.tests.iter().all(|path| fresh(path)) {
            return Ok(known);
        }
    }
    let mut names = Vec::new();
    for program in &built.tests {
        let listed = Command::new(program)
            .args(["--list", "--format", "terse"])
            .current_dir(&place.copy)
            .output()
            .with_context(|| program.clone())?;
        let listed = String::from_utf8(listed.stdout)?;
        let tests = listed.lines().filter_map(|line| line.strip_suffix(": test"));
        names.extend(tests.map(|name| (program.clone(), name.to_owned())));
    }
    println!("{} tests to learn from", names.len());
    let (next, learnt) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let (names, next, learnt) = (&names, &next, &learnt);
            scope.spawn(move || {
                let trace = place.copy.join(format!("trace.{worker}"));
                while let Some((program, name)) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let _ = fs::remove_file(&trace);
                    let started = Instant::now();
                    let passed = passes(place, program, &[name], None, Some(&trace), GRACE * 100);
                    let took = started.elapsed();
                    if !passed {
                        println!("left out, fails without a mutant: {name}");
                        continue;
                    }
                    let mut reaches: Vec<usize> = fs::read_to_string(&trace)
                        .unwrap_or_default()
                        .lines()
                        .filter_map(|line| line.parse().ok())
                        .collect();
                    reaches.sort_unstable();
                    reaches.dedup();
                    let (program, name) = (program.clone(), name.clone());
                    let test = Test { program, name, took, reaches };
                    learnt.lock().unwrap_or_else(|e| e.into_inner()).push(test);
                }
            });
        }
    });
    let learnt = learnt.into_inner().unwrap_or_else(|e| e.into_inner());
    fs::write(&memory, serde_json::to_vec(&learnt)?)?;
    Ok(learnt)
}

/// Whether tests pass, in time.
fn passes(
    place: &Place,
    program: &str,
    names: &[&str],
    mutant: Option<usize>,
    trace: Option<&Path>,
    limit: Duration,
) -> bool {
    let mut command = Command::new(program);
    command.arg("--exact").args(names).args(["--test-threads", "1"]).current_dir(&place.copy);
    command.env("PROPTEST_CASES", "64").env("MUTANT_RUN", "1");
    if let Some(id) = mutant {
        command.env("MUTANT", id.to_string());
    }
    if let Some(trace) = trace {
        command.env("MUTANT_TRACE", trace);
    }
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = spawned else { return false };
    let started = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if started.elapsed() > limit => {
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
            Ok(None) => std::thread::sleep(pause),
            Err(_) => return false,
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}
