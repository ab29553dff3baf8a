//! Which record stands for which device.
//!
//! The rule, in this order:
//!
//! 1. Records with the same id are one record: the one that was merged, else the one seen last,
//!    else the greater by content counts.
//! 2. A record with `mergedIntoMachineId` is followed, over chains, to the record that survives;
//!    its actions, scans and alerts count for the survivor. When the chain ends at an id that was
//!    not read, or runs in a circle, the record stays and is ambiguous: nobody said who it is.
//! 3. Records left with the same DNS name (case-insensitive, not empty) claim to be one device.
//!    A record looks alive when it is onboarded, its health is not `Inactive` and it was seen in
//!    the seven days before the observation (or carries no such date). When exactly one looks
//!    alive it is the device and the others are *superseded*: stale records of an older
//!    installation, whose actions do not count for the new one, and so are records that were merged
//!    into one of them. Otherwise every one of them is
//!    ambiguous, never guessed, whether or not the service set `isPotentialDuplication`.
//!
//! Pure over the staged columns; called by `build` only.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use jiff::Timestamp;

use crate::inventory::builder::Builder;
use crate::inventory::columns::Moment;
use crate::inventory::ids;
use crate::inventory::text::{fold, fold_into};
use crate::model::{DeviceId, Health, Onboarding, Span};

/// A record not seen for so long is stale: the service's own threshold for `Inactive`.
pub(crate) const STALE: Span = Span::from_days(7);

/// What became of the records. All numbers are positions in `rows`.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// Staged rows, each record once, in the order of ids.
    pub(crate) rows: Vec<u32>,
    /// The record that stands for each: itself, or the survivor of a merge; none when superseded.
    pub(crate) survivor: Vec<Option<u32>>,
    /// Ambiguous records and how many claim to be the device.
    pub(crate) ambiguous: BTreeMap<u32, u32>,
    /// Superseded records and the one that is the device.
    pub(crate) superseded: BTreeMap<u32, u32>,
}

/// Resolves the staged records.
pub(crate) fn resolve(builder: &Builder) -> Resolved {
    let rows = distinct(builder);
    let mut resolved = Resolved {
        survivor: (0..rows.len()).map(|at| u32::try_from(at).ok()).collect(),
        rows,
        ..Resolved::default()
    };
    if !builder.merged.is_empty() {
        follow_merges(builder, &mut resolved);
    }
    settle_names(builder, &mut resolved);
    give_way_together(&mut resolved);
    resolved
}

/// Staged rows in the order of ids, each id once.
fn distinct(builder: &Builder) -> Vec<u32> {
    let all = &builder.columns.ids;
    let mut keyed: Vec<(u64, u32)> =
        all.iter().zip(0u32..).map(|(id, row)| (ids::prefix(id), row)).collect();
    let id = |row: u32| all.get(row as usize);
    let by_id = |left: &(u64, u32), right: &(u64, u32)| {
        left.0.cmp(&right.0).then_with(|| match (id(left.1), id(right.1)) {
            (Some(left), Some(right)) => ids::order(left, right),
            (left, right) => left.cmp(&right),
        })
    };
    keyed.sort_unstable_by(by_id);
    let mut rows: Vec<u32> = Vec::with_capacity(keyed.len());
    let mut group = keyed.chunk_by(|left, right| by_id(left, right).is_eq());
    while let Some([(_, first), more @ ..]) = group.next() {
        let best = more.iter().fold(*first, |best, (_, row)| better(builder, best, *row));
        rows.push(best);
    }
    rows
}

/// Of two rows with the same id, the one that counts; by content alone, so that order says nothing.
fn better(builder: &Builder, left: u32, right: u32) -> u32 {
    let merged = |row: u32| builder.merged.get(&row);
    let seen = |row: u32| builder.columns.seen.get(row as usize);
    let order = merged(left)
        .cmp(&merged(right))
        .then_with(|| seen(left).cmp(&seen(right)))
        .then_with(|| builder.values.compare(&builder.columns, left, right));
    if order.is_lt() { right } else { left }
}

/// Where a chain of merges ends.
enum End {
    Survivor(u32),
    Absent,
    Circle(u32),
}

fn follow_merges(builder: &Builder, resolved: &mut Resolved) {
    let all = &builder.columns.ids;
    // Rows stand in the order of ids, and merges are few: no table is worth its making.
    let find = |id: &DeviceId| {
        let probe = |row: &u32| all.get(*row as usize).map(|probe| ids::order(probe, id));
        let at = resolved.rows.binary_search_by(|row| probe(row).unwrap_or(Ordering::Less)).ok()?;
        u32::try_from(at).ok()
    };
    let target = |at: u32| builder.merged.get(resolved.rows.get(at as usize)?);
    let merged = builder.merged.keys().filter_map(|row| {
        let at = find(all.get(*row as usize)?)?;
        // Of two rows with the same id only one counts.
        (resolved.rows.get(at as usize) == Some(row)).then_some(at)
    });
    let ends: Vec<(u32, End)> = merged.map(|at| (at, follow(at, target, find))).collect();
    for (at, end) in ends {
        match end {
            End::Survivor(survivor) => {
                if let Some(slot) = resolved.survivor.get_mut(at as usize) {
                    *slot = Some(survivor);
                }
            }
            // The record and the one it points to, which was not read.
            End::Absent => drop(resolved.ambiguous.insert(at, 2)),
            End::Circle(records) => drop(resolved.ambiguous.insert(at, records)),
        }
    }
}

fn follow<'a>(
    start: u32,
    target: impl Fn(u32) -> Option<&'a DeviceId>,
    find: impl Fn(&DeviceId) -> Option<u32>,
) -> End {
    let mut path = vec![start];
    let mut at = start;
    while let Some(id) = target(at) {
        match find(id) {
            // A record in the middle of the chain may itself point at nothing that was read: then
            // it is the last that is known of, and the ones before it count for it.
            None if at == start => return End::Absent,
            None => return End::Survivor(at),
            Some(next) if path.contains(&next) => {
                return End::Circle(u32::try_from(path.len()).unwrap_or(u32::MAX));
            }
            Some(next) => {
                path.push(next);
                at = next;
            }
        }
    }
    End::Survivor(at)
}

fn settle_names(builder: &Builder, resolved: &mut Resolved) {
    for records in same_names(builder, resolved) {
        let row = |at: &u32| resolved.rows.get(*at as usize).copied();
        let mut alive = records
            .iter()
            .filter(|at| row(at).is_some_and(|row| looks_alive(builder, row)))
            .filter(|at| !resolved.ambiguous.contains_key(at));
        match (alive.next().copied(), alive.next()) {
            (Some(device), None) => {
                for at in records.iter().filter(|at| **at != device) {
                    resolved.superseded.insert(*at, device);
                    resolved.ambiguous.remove(at);
                    if let Some(slot) = resolved.survivor.get_mut(*at as usize) {
                        *slot = None;
                    }
                }
            }
            _ => {
                let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
                resolved.ambiguous.extend(records.iter().map(|at| (*at, count)));
            }
        }
    }
}

/// What was merged into a record that gave way gives way with it: neither is the device.
fn give_way_together(resolved: &mut Resolved) {
    if resolved.superseded.is_empty() {
        return;
    }
    for (at, survivor) in (0u32..).zip(&mut resolved.survivor) {
        let device = survivor.and_then(|survivor| resolved.superseded.get(&survivor).copied());
        if let Some(device) = device {
            *survivor = None;
            resolved.superseded.insert(at, device);
        }
    }
}

/// Groups of two or more standing records with the same name.
fn same_names(builder: &Builder, resolved: &Resolved) -> Vec<Vec<u32>> {
    let hasher = FixedState::default();
    let name =
        |at: u32| resolved.rows.get(at as usize).map_or("", |row| builder.columns.names.get(*row));
    let mut keyed: Vec<(u64, u32)> = Vec::with_capacity(resolved.rows.len());
    let mut folded = String::new();
    for at in 0u32..u32::try_from(resolved.rows.len()).unwrap_or(u32::MAX) {
        let stands = resolved.survivor.get(at as usize).is_some_and(|s| *s == Some(at));
        if stands && !name(at).is_empty() {
            folded.clear();
            fold_into(name(at), &mut folded);
            keyed.push((hasher.hash_one(folded.as_str()), at));
        }
    }
    keyed.sort_unstable();
    let mut groups = Vec::new();
    for run in keyed.chunk_by(|left, right| left.0 == right.0).filter(|run| run.len() > 1) {
        let mut by_name: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (_, at) in run {
            by_name.entry(fold(name(*at))).or_default().push(*at);
        }
        groups.extend(by_name.into_values().filter(|records| records.len() > 1));
    }
    groups
}

fn looks_alive(builder: &Builder, row: u32) -> bool {
    let Some(flags) = builder.columns.flags.get(row as usize) else { return false };
    let seen = builder.columns.seen.get(row as usize).copied().unwrap_or(Moment::UNSET);
    flags.onboarding() == Onboarding::Onboarded
        && flags.health() != Health::Inactive
        && seen.get().is_none_or(|seen| !is_stale(seen, builder.observed_at))
}

/// Whether a record last seen then is stale now.
pub(crate) fn is_stale(seen: Timestamp, now: Timestamp) -> bool {
    seen < STALE.before(now)
}
