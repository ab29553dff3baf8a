//! What grows with what: selectors with their answers, a plan with its rows.
//!
//! Selectors of one shape, each over other values, at a tenth and at the whole of the policies, and
//! at a quarter and at the whole of the fleet: were the cost devices times policies, the lines of one
//! shape would stand at 1 : 10 and 1 : 4. Plans over an eighth, a quarter, a half and the whole of
//! the fleet: the cost of a row must stay the same.

use jiff::Timestamp;
use palisade::inventory::{Builder, Inventory};
use palisade::plan::{self, Circumstances, Input, Plan};
use palisade::policy::PolicySet;
use palisade::policy::selector::{self, DeviceExpr};

use crate::bodies::{Bodies, NOW, TENANT, TENANT_ID};
use crate::{Sizes, pages, policies, timed};

/// Policies of each shape.
const POLICIES: u32 = 1_000;

/// A selector of one shape, by number.
type Shape = (&'static str, fn(u32) -> String);

const SHAPES: &[Shape] = &[
    ("tag", |n| format!("{{tag: tag-{n:04}}}")),
    ("name", |n| format!("{{name: \"ws-0{n:04}*\"}}")),
    ("ip", |n| format!("{{ip: 10.{}.{}.0/24}}", n % 64, n / 64)),
    ("seen and tag", |n| format!("{{seen: \"<{}m\", tag: tag-{n:04}}}", n + 60)),
    ("tag and not", |n| {
        format!("{{tag: tag-{n:04}, not: {{version: \"2?H2\", risk: \">=low\"}}}}")
    }),
];

pub(crate) fn print(bodies: &Bodies, sizes: Sizes, now: Timestamp) {
    let whole = fleet(bodies, bodies.machines.len());
    let quarter = fleet(bodies, bodies.machines.len().div_ceil(4));
    println!(
        "\n{:<34}{:>9}{:>10}{:>10}{:>10}{:>12}",
        "selectors", "policies", "devices", "selected", "ms", "us a policy"
    );
    for (name, shape) in SHAPES {
        let set = policies::isolating(POLICIES, shape, now);
        for (inventory, policies) in
            [(&whole, POLICIES / 10), (&whole, POLICIES), (&quarter, POLICIES)]
        {
            select(name, inventory, &set, policies as usize, sizes, now);
        }
    }
    println!(
        "\n{:<34}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "rows of a plan", "changes", "others", "ms", "us a row", "write ms", "file MB"
    );
    let inventories = [whole];
    for (name, kind) in [("isolated", "isolate"), ("window missed", "scan")] {
        for bits in [13, 12, 11, 10] {
            let set = policies::single(kind, &format!("{{ip: 10.0.0.0/{bits}}}"), now);
            let share = format!("{name}, a 1/{} of the fleet", 1 << (bits - 10));
            rows(&share, &inventories, &set, sizes, now);
        }
    }
}

fn select(
    name: &str,
    inventory: &Inventory,
    set: &PolicySet,
    policies: usize,
    sizes: Sizes,
    now: Timestamp,
) {
    let wanted = set.isolation.iter().take(policies).map(|policy| &policy.containment.devices);
    let exprs: Vec<&DeviceExpr> = wanted.collect();
    let runs = (0..sizes.runs).map(|_| timed(|| selector::select_all(inventory, &exprs, now)));
    let (time, selected) = runs.min_by_key(|(time, _)| *time).unwrap();
    let ms = time.as_secs_f64() * 1e3;
    println!(
        "{name:<34}{:>9}{:>10}{:>10}{ms:>10.2}{:>12.2}",
        exprs.len(),
        inventory.len(),
        selected.iter().map(roaring::RoaringBitmap::len).sum::<u64>(),
        ms * 1e3 / exprs.len() as f64,
    );
}

fn rows(name: &str, inventories: &[Inventory], set: &PolicySet, sizes: Sizes, now: Timestamp) {
    let workspace = policies::uncapped();
    let around = Circumstances::default();
    let input = Input {
        policies: set,
        workspace: &workspace,
        inventories,
        now,
        around: &around,
        study: false,
        tool: "palisade scale",
    };
    let runs = (0..sizes.runs).map(|_| timed(|| plan::plan(&input).unwrap()));
    let (time, plan) = runs.min_by_key(|(time, _)| *time).unwrap();
    let (written, bytes) = timed(|| plan::file::to_bytes(&plan));
    let (changes, others) = (plan.changes.len(), others(&plan));
    println!(
        "{name:<34}{changes:>9}{others:>10}{:>10.1}{:>10.2}{:>10.1}{:>10.1}",
        time.as_secs_f64() * 1e3,
        time.as_secs_f64() * 1e6 / (changes + others).max(1) as f64,
        written.as_secs_f64() * 1e3,
        bytes.len() as f64 / 1e6,
    );
}

/// Rows that are not changes.
pub(crate) fn others(plan: &Plan) -> usize {
    [&plan.held, &plan.cannot, &plan.unknown, &plan.foreign, &plan.changing, &plan.audit]
        .into_iter()
        .map(Vec::len)
        .sum()
}

/// The machines of the first pages, without history.
fn fleet(bodies: &Bodies, count: usize) -> Inventory {
    let mut builder = Builder::new(TENANT, TENANT_ID, NOW.parse().unwrap());
    for page in bodies.machines.iter().take(count) {
        pages::machines(page, &mut builder).unwrap();
    }
    builder.build()
}
