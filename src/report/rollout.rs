//! Rollouts in words: on the plan's screen, in a drill-down, on the progress line, after the run.
//!
//! Pure; names are ours, numbers come from the plan or the run. Called by `report::{plan, apply}`.

use jiff::Timestamp;

use crate::apply::{Course, CourseState};
use crate::plan::types::{Rollout, Wave};
use crate::report::{escape, measure};

/// Waves up to so many are named with their sizes.
const SIZES: usize = 6;
/// Rollouts up to so many stand on the progress line.
const COURSES: usize = 2;

/// `Rollout ir-7781`, as the head of a line.
#[must_use]
pub fn head(rollout: &Rollout) -> String {
    measure::unbroken(&format!("Rollout {}", escape::name(rollout.name(), 60)))
}

/// `3 waves (1, 10, 89)`, `30 min bake`, `stops above 2 failures`, `pause after wave 1`.
#[must_use]
pub fn words(rollout: &Rollout) -> Vec<String> {
    let waves = measure::plural(rollout.waves.len() as u64, "wave", "waves");
    let sizes: Vec<String> =
        rollout.waves.iter().take(SIZES).map(|it| measure::number(it.changes.into())).collect();
    let more = if rollout.waves.len() > SIZES { ", …" } else { "" };
    let mut words = vec![format!("{waves} ({}{more})", sizes.join(", "))];
    words.extend(manner(rollout));
    words
}

/// The same without the sizes, for the head of a block.
#[must_use]
pub fn short(rollout: &Rollout) -> String {
    let waves = measure::plural(rollout.waves.len() as u64, "wave", "waves");
    let mut words = vec![waves];
    words.extend(manner(rollout));
    words.iter().map(|word| measure::unbroken(word)).collect::<Vec<_>>().join(" · ")
}

fn manner(rollout: &Rollout) -> Vec<String> {
    let mut words = Vec::new();
    if rollout.bake_seconds > 0 && rollout.waves.len() > 1 {
        words.push(format!("{} bake", measure::length(rollout.bake_seconds)));
    }
    words.extend(stops(&rollout.waves));
    words.extend(pauses(&rollout.waves));
    words
}

fn stops(waves: &[Wave]) -> Option<String> {
    let (first, last) = (waves.first()?.failure_limit, waves.last()?.failure_limit);
    let failures = |limit: u32| measure::plural(limit.into(), "failure", "failures");
    Some(match (first, last) {
        (0, 0) => "stops at the first failure".to_owned(),
        _ if first == last => format!("stops above {}", failures(last)),
        _ => format!("stops above {} to {}", measure::number(first.into()), failures(last)),
    })
}

fn pauses(waves: &[Wave]) -> Option<String> {
    let at: Vec<String> = (1u32..)
        .zip(waves)
        .filter(|(_, wave)| wave.pause)
        .map(|(number, _)| number.to_string())
        .collect();
    match at.as_slice() {
        [] => None,
        [one] => Some(format!("pause after wave {one}")),
        many if many.len() + 1 == waves.len() => Some("pause after each wave".to_owned()),
        many => Some(format!("pauses after waves {}", many.join(", "))),
    }
}

/// One line for each wave, for a drill-down.
#[must_use]
pub fn waves(rollout: &Rollout) -> Vec<String> {
    let last = rollout.waves.len();
    (1..).zip(&rollout.waves).map(|(number, wave)| one(number, wave, number == last)).collect()
}

fn one(number: usize, wave: &Wave, last: bool) -> String {
    let mut parts = vec![
        format!("wave {number}"),
        measure::plural(wave.changes.into(), "change", "changes"),
        match wave.failure_limit {
            0 => "the first failure so far stops it".to_owned(),
            limit => format!("more than {} failed so far stop it", measure::number(limit.into())),
        },
    ];
    if !last {
        let limit = measure::number(wave.offline_limit.into());
        parts.push(format!("the next begins with up to {limit} pending offline"));
    }
    if wave.pause {
        parts.push("then a person goes on".to_owned());
    }
    parts.join(" · ").replace(measure::NO_BREAK, " ")
}

/// `wave 2 of 4, bakes 12 min more`; with names when there are several, those at work first.
#[must_use]
pub fn courses(courses: &[Course], now: Timestamp) -> Option<String> {
    let rank = |course: &&Course| match course.state {
        CourseState::Running | CourseState::Baking(_) => 0,
        CourseState::Paused | CourseState::Offline | CourseState::Halted => 1,
        CourseState::Ended => 2,
    };
    let mut row: Vec<&Course> = courses.iter().collect();
    row.sort_by_key(rank);
    let named = row.len() > 1;
    let more = row.len().saturating_sub(COURSES);
    row.truncate(COURSES);
    let mut texts: Vec<String> = row.iter().map(|course| moment(course, named, now)).collect();
    if more > 0 {
        texts.push(format!("{more} more in waves"));
    }
    (!texts.is_empty()).then(|| texts.join(" · "))
}

fn moment(course: &Course, named: bool, now: Timestamp) -> String {
    let name = if named { format!("{} ", escape::name(&course.name, 40)) } else { String::new() };
    let state = match course.state {
        CourseState::Running => String::new(),
        CourseState::Baking(until) => format!(", bakes {} more", measure::between(now, until)),
        CourseState::Paused => ", waits for a person".to_owned(),
        CourseState::Offline => ", waits for offline devices".to_owned(),
        CourseState::Halted => ", stopped".to_owned(),
        CourseState::Ended => ", ended".to_owned(),
    };
    format!("{name}wave {} of {}{state}", course.wave, course.waves)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout(waves: &[(u32, u32, bool)], bake_seconds: u64) -> Rollout {
        let wave = |(changes, failure_limit, pause): &(u32, u32, bool)| Wave {
            changes: *changes,
            failure_limit: *failure_limit,
            offline_limit: 1,
            pause: *pause,
        };
        Rollout {
            tenant: "contoso".into(),
            policy: "IsolationSet/ir-7781".into(),
            bake_seconds,
            waves: waves.iter().map(wave).collect(),
        }
    }

    fn said(rollout: &Rollout) -> String {
        words(rollout).join(" · ").replace(measure::NO_BREAK, " ")
    }

    #[test]
    fn a_rollout_is_one_line() {
        for (waves, bake, text) in [
            (
                &[(1, 2, true), (10, 2, false), (1_200, 2, false)][..],
                1_800,
                "3 waves (1, 10, 1,200) · 30 min bake · stops above 2 failures · pause after wave 1",
            ),
            (
                &[(5, 0, true), (5, 0, false)],
                0,
                "2 waves (5, 5) · stops at the first failure · pause after wave 1",
            ),
            (
                &[(9, 1, false), (99, 10, false)],
                60,
                "2 waves (9, 99) · 1 min bake · stops above 1 to 10 failures",
            ),
            (
                &[(1, 1, true), (2, 1, true), (3, 1, false)],
                0,
                "3 waves (1, 2, 3) · stops above 1 failure · pause after each wave",
            ),
            (&[(4, 1, false)], 60, "1 wave (4) · stops above 1 failure"),
        ] {
            assert_eq!(said(&rollout(waves, bake)), text);
        }
        let many = rollout(&[(1, 1, false); 9], 0);
        assert_eq!(said(&many), "9 waves (1, 1, 1, 1, 1, 1, …) · stops above 1 failure");
    }

    #[test]
    fn each_wave_says_what_lets_the_next_one_go() {
        let lines = waves(&rollout(&[(5, 0, true), (50, 2, false)], 0));
        assert_eq!(
            lines,
            [
                "wave 1 · 5 changes · the first failure so far stops it · the next begins with up \
                 to 1 pending offline · then a person goes on",
                "wave 2 · 50 changes · more than 2 failed so far stop it",
            ]
        );
    }

    #[test]
    fn the_progress_line_names_rollouts_when_there_are_several() {
        let now: Timestamp = "2026-11-23T10:05:00Z".parse().unwrap();
        let until = "2026-11-23T10:17:00Z".parse().unwrap();
        let course = |name: &str, wave, state| Course { name: name.into(), wave, waves: 4, state };
        let say = |list: &[Course]| {
            courses(list, now).unwrap_or_default().replace(measure::NO_BREAK, " ")
        };
        assert_eq!(say(&[]), "");
        let baking = course("ir", 2, CourseState::Baking(until));
        assert_eq!(say(std::slice::from_ref(&baking)), "wave 2 of 4, bakes 12 min more");
        let row =
            [course("done", 4, CourseState::Ended), course("bad", 1, CourseState::Halted), baking];
        assert_eq!(
            say(&row),
            "ir wave 2 of 4, bakes 12 min more · bad wave 1 of 4, stopped · 1 more in waves"
        );
    }
}
