//! Benchmarks at scale: prints what each stage costs beside a bare typed parse of the same bytes.
//!
//! Ratios of one run on one machine, not times to compare across machines, and nothing is asserted:
//! `docs/performance.md` has the goals, a recorded run and the command. Everything is generated from
//! a seed; nothing is read from disk or network.
#![expect(clippy::unwrap_used, reason = "a benchmark that meets the unexpected may stop")]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use palisade::inventory::{Builder, Inventory};
use palisade::plan::{self, Input};
use palisade::policy::selector::{Compiler, DeviceExpr};
use palisade::policy::{PolicySet, Workspace};
use palisade::wire::pages;

#[path = "scale/bare.rs"]
mod bare;
#[path = "scale/pages.rs"]
mod bodies;
#[path = "scale/growth.rs"]
mod growth;
#[path = "scale/policies.rs"]
mod policies;

use bodies::{Bodies, NOW};

/// How large everything is.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    devices: u32,
    actions: u32,
    alerts: u32,
    policies: u32,
    runs: u32,
    seed: u64,
}

fn main() {
    let sizes = arguments();
    let now = NOW.parse().unwrap();
    let workspace = policies::workspace();
    let set = policies::load(&workspace, sizes, now);
    let bodies = Bodies::generate(sizes);
    println!(
        "{} devices, {} actions, {} alerts, {} policies, seed {}; {:.1} MB of JSON in pages of {}\n",
        sizes.devices,
        sizes.actions,
        sizes.alerts,
        sizes.policies,
        sizes.seed,
        bodies.bytes() as f64 / 1e6,
        bodies::PAGE,
    );
    memory(&bodies, sizes.devices);
    stages(&bodies, &workspace, &set, sizes, now);
    growth::print(&bodies, sizes, now);
}

/// Best of several runs of each stage; stages take turns, so that a busy moment hits all alike.
fn stages(
    bodies: &Bodies,
    workspace: &Workspace,
    set: &PolicySet,
    sizes: Sizes,
    now: jiff::Timestamp,
) {
    let mut best = [Duration::MAX; 8];
    let (mut changes, mut others, mut file_bytes) = (0, 0, 0);
    for _ in 0..sizes.runs {
        let mut at = 0;
        let mut note = |time: Duration| {
            best[at] = best[at].min(time);
            at += 1;
        };
        let (time, parsed) = timed(|| bare::owned(bodies));
        note(time);
        drop(parsed);
        let (time, _) = timed(|| bare::borrowed(bodies));
        note(time);
        let (time, builder) = timed(|| fill(bodies));
        note(time);
        let (time, inventory) = timed(|| builder.build());
        note(time);
        let (time, _) = timed(|| select(&inventory, set, now));
        note(time);
        let inventories = [inventory];
        let input = Input {
            policies: set,
            workspace,
            inventories: &inventories,
            now,
            around: &palisade::plan::Circumstances::default(),
            study: false,
            tool: "palisade scale",
        };
        let (time, plan) = timed(|| plan::plan(&input).unwrap());
        note(time);
        let (time, bytes) = timed(|| plan::file::to_bytes(&plan));
        note(time);
        changes = plan.changes.len();
        others = growth::others(&plan);
        file_bytes = bytes.len();
        let (time, _) = timed(|| plan::file::read(&bytes).unwrap());
        note(time);
    }
    let [bare, borrowed, parse, index, selectors, plan, write, read] = best;
    let row = |stage: &str, time: Duration, goal: &str| {
        let ratio = time.as_secs_f64() / bare.as_secs_f64();
        println!("{stage:<34}{:>10.1} ms{ratio:>8.2} x   {goal}", time.as_secs_f64() * 1e3);
    };
    println!("{:<34}{:>13}{:>10}", "stage", "best", "of bare");
    row("bare typed parse", bare, "");
    row("  borrowed, dates left as text", borrowed, "");
    row("pages into the inventory", parse, "goal 1.30");
    row("index build", index, "");
    row("selectors", selectors, "");
    row("plan, selectors included", plan, "");
    row("index + plan", index + plan, "goal 0.50");
    row("plan file written", write, "");
    row("plan file read and checked", read, "");
    println!(
        "\n{changes} changes, {others} other rows, plan file of {:.2} MB",
        file_bytes as f64 / 1e6
    );
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = black_box(work());
    (start.elapsed(), result)
}

fn fill(bodies: &Bodies) -> Builder {
    let mut builder = Builder::new(bodies::TENANT, bodies::TENANT_ID, NOW.parse().unwrap());
    for page in &bodies.machines {
        pages::machines(page, &mut builder).unwrap();
    }
    for page in &bodies.av {
        pages::av(page, &mut builder).unwrap();
    }
    let (mut actions, mut alerts) = (Vec::new(), Vec::new());
    for page in &bodies.actions {
        pages::actions(page, &mut actions).unwrap();
    }
    for page in &bodies.alerts {
        pages::alerts(page, &mut alerts).unwrap();
    }
    actions.into_iter().for_each(|row| builder.action(row));
    alerts.into_iter().for_each(|row| builder.alert(row));
    builder
}

fn select(inventory: &Inventory, set: &PolicySet, now: jiff::Timestamp) -> u64 {
    let contained = set.isolation.iter().map(|policy| &policy.containment);
    let restricted = set.restriction.iter().map(|policy| &policy.containment);
    let devices: Vec<&DeviceExpr> = contained
        .chain(restricted)
        .map(|containment| &containment.devices)
        .chain(set.scans.iter().map(|policy| &policy.devices))
        .chain(set.exemptions.iter().map(|policy| &policy.devices))
        .collect();
    let alerts: Vec<_> = set.alert_rules.iter().map(|rule| &rule.alerts).collect();
    let mut compiler = Compiler::new(inventory, &devices, &alerts, now);
    let devices: u64 = devices.iter().map(|expr| compiler.devices(expr).len()).sum();
    let alerts: u64 = alerts.iter().map(|expr| compiler.alerts(expr).len()).sum();
    devices + alerts
}

/// Memory a device keeps: counted by the inventory itself, and as the process grows.
fn memory(bodies: &Bodies, devices: u32) {
    let before = resident();
    let mut builder = Builder::new(bodies::TENANT, bodies::TENANT_ID, NOW.parse().unwrap());
    for page in &bodies.machines {
        pages::machines(page, &mut builder).unwrap();
    }
    for page in &bodies.av {
        pages::av(page, &mut builder).unwrap();
    }
    let inventory = builder.build();
    let after = resident();
    let a_device = |bytes: usize| bytes as f64 / f64::from(devices);
    let kept = inventory.footprint();
    println!("memory a device, without actions and alerts (goal 150 bytes)");
    println!("  counted            {:>8.1} bytes", a_device(kept.of_devices()));
    println!("    columns          {:>8.1}", a_device(kept.columns));
    println!("    indexes          {:>8.1}", a_device(kept.indexes));
    println!("    scan times       {:>8.1}", a_device(kept.scans));
    match (before, after) {
        (Some(before), Some(after)) => {
            let grown = after.saturating_sub(before);
            println!("  process growth     {:>8.1} bytes, freed pages included", a_device(grown));
        }
        _ => println!("  process growth     not known on this system"),
    }
    println!();
}

/// Resident memory of this process in bytes, where `/proc` tells.
fn resident() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

fn arguments() -> Sizes {
    let mut sizes =
        Sizes { devices: 100_000, actions: 50_000, alerts: 5_000, policies: 200, runs: 5, seed: 7 };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().unwrap().parse::<u64>().unwrap();
        let small = |number: u64| u32::try_from(number).unwrap();
        match word.as_str() {
            "--devices" => sizes.devices = small(number()),
            "--actions" => sizes.actions = small(number()),
            "--alerts" => sizes.alerts = small(number()),
            "--policies" => sizes.policies = small(number()),
            "--runs" => sizes.runs = small(number()).max(1),
            "--seed" => sizes.seed = number(),
            // What cargo itself passes.
            _ => {}
        }
    }
    sizes
}
