//! The screen of hand-made plans at several widths.

pub(crate) mod samples;

use super::*;
use crate::model::Verb;
use crate::plan::types::Disposition;
use crate::report::escape;
use samples::{add_up, busy, empty, fits, golden, lifted, partial};

#[test]
fn the_screen_fits_every_width() {
    for width in [60, 80, 120, 200] {
        let shown = text(&busy(), Style::new(width, false));
        fits(&shown, width);
        golden(&format!("busy-{width}.txt"), &shown);
    }
    for width in 60..=200 {
        fits(&text(&busy(), Style::new(width, false)), width);
    }
}

#[test]
fn several_tenants_have_a_section_and_a_verdict_each() {
    let shown = text(&partial(), Style::new(100, false));
    fits(&shown, 100);
    golden("tenants-100.txt", &shown);
}

#[test]
fn what_is_lifted_is_seen_with_its_numbers_and_the_reason() {
    let shown = text(&lifted(), Style::new(80, false));
    fits(&shown, 80);
    golden("lifted-80.txt", &shown);
    let (open, _) = markdown(&lifted())
        .split_once("<details>")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    for said in [
        "cap-run, max-lease lifted",
        "LIFTED 60: 60 in one run, cap 50",
        "because “IR-7781: three days”",
    ] {
        assert!(open.contains(said), "{said}: {open}");
    }
}

#[test]
fn an_empty_plan_says_that_nothing_is_to_do() {
    let shown = text(&add_up(empty(), 28_424), Style::new(80, false));
    golden("empty-80.txt", &shown);
    assert!(shown.ends_with("Nothing to do.\n"));
}

#[test]
fn colour_carries_no_meaning_alone() {
    for width in [60, 100] {
        let painted = text(&busy(), Style::new(width, true));
        let plain = text(&busy(), Style::new(width, false));
        assert_eq!(anstream::adapter::strip_str(&painted).to_string(), plain);
    }
}

#[test]
fn devices_that_matter_are_named_however_many_there_are() {
    let shown = text(&busy(), Style::new(80, false));
    for name in (0..10).map(|n| format!("dc-{n:02}")).chain((0..9).map(|n| format!("bog-{n}"))) {
        assert!(shown.contains(&name), "{name}");
    }
    assert!(shown.contains("sql-prd-04 (value high)"));
    assert!(shown.contains("… 41 more"));
}

#[test]
fn drill_down_narrows_and_unfolds() {
    let plan = busy();
    let isolate = Filter {
        verb: Some(Verb::Isolate),
        disposition: Some(Disposition::Do),
        ..Filter::default()
    };
    let shown = show(&plan, &isolate, Style::new(80, false));
    assert!((0..44).all(|n| shown.contains(&format!("lon-{n:04}"))));
    assert!(!shown.contains("more"));
    assert!(shown.ends_with("Shown: 46 of 13,422.\n"), "{shown}");
    for (filter, count) in [
        (Filter { group: Some("apac-kiosk".into()), ..Filter::default() }, 310),
        (Filter { policy: Some("ScanSchedule/weekly-full".into()), ..Filter::default() }, 29),
        (Filter { disposition: Some(Disposition::Unknown), ..Filter::default() }, 9),
        (Filter { wave: Some(2), ..Filter::default() }, 25),
        (Filter { wave: Some(1), verb: Some(Verb::Scan), ..Filter::default() }, 4),
        (Filter { tenants: vec!["fabrikam".into()], ..Filter::default() }, 0),
    ] {
        assert_eq!(filter.count(&plan), count, "{filter:?}");
    }
    let device = Filter { device: Some("SQL-PRD-04".into()), ..Filter::default() };
    golden("device-100.txt", &show(&plan, &device, Style::new(100, false)));
}

#[test]
fn drill_down_says_what_each_wave_waits_for() {
    let weekly = Filter { policy: Some("weekly-full".into()), ..Filter::default() };
    let shown = show(&busy(), &weekly, Style::new(120, false));
    let waves = "
    wave 1 · 4 changes · more than 1 failed so far stop it · the next begins with up to 2 pending offline · then a
      person goes on
    wave 2 · 25 changes · more than 2 failed so far stop it
";
    assert!(shown.contains(waves), "{shown}");
    fits(&shown, 120);
}

#[test]
fn markdown_names_what_is_dangerous_outside_the_fold() {
    let text = markdown(&busy());
    golden("busy.md", &text);
    let (open, fold) = text.split_once("<details>").unwrap();
    assert!(open.contains("`sql-prd-04` **(value high)**") && open.contains("HELD 310"));
    assert!(fold.contains("In scope: 13,422") && fold.ends_with("</details>\n"));
    assert!(!text.chars().any(|c| c != '\n' && escape::is_hidden(c)));
}

#[test]
fn markdown_stays_short_enough_for_a_comment() {
    let mut plan = busy();
    let one = plan.changes[0].clone();
    for n in 0..4_000 {
        let mut change = one.clone();
        change.target.value = Some(crate::model::DeviceValue::High);
        change.target.name = format!("```````high-{n:05}-<b>&|@team");
        plan.changes.push(change);
    }
    let text = markdown(&plan);
    assert!(text.len() <= super::markdown::LIMIT, "{}", text.len());
    assert!(
        text.contains("Cut here") && text.contains("cut here") && text.ends_with("</details>\n")
    );
}

#[test]
fn leases_that_end_or_were_moved_are_listed_though_nothing_is_done() {
    use crate::plan::standing::{LeaseRow, Then};
    use crate::plan::types::{Reason, Why};
    let change = busy().changes[0].clone();
    let row = |name: &str, ends: &str, then, reason| {
        let mut target = change.target.clone();
        (target.name, target.id, target.value) = (name.to_owned(), name.to_owned(), None);
        let why = Why { terms: Vec::new(), ..change.because[0].clone() };
        LeaseRow {
            tenant: "contoso".into(),
            target,
            facet: crate::model::Facet::Isolation,
            value: "full".into(),
            because: vec![why],
            ends: ends.parse().unwrap(),
            written: Some("2026-11-25T09:00:00Z".parse().unwrap()),
            then,
            reason,
            action: "action-1".into(),
            since: "2026-11-22T09:05:00Z".parse().unwrap(),
        }
    };
    let mut plan = empty();
    let soon = "2026-11-24T09:05:00Z";
    plan.ending =
        (0..12).map(|n| row(&format!("pc-{n:02}\u{1b}"), soon, Then::Release, None)).collect();
    plan.ending.push(row("srv-1", "2026-11-23T20:00:00Z", Then::Hold, None));
    let moved = |code: &str| Some(Reason::new(code).with("policy", "ir-old"));
    plan.leases = vec![
        row("pc-90", "2026-11-29T09:05:00Z", Then::Release, moved("lease-later")),
        row("pc-91", "2026-11-25T09:05:00Z", Then::Release, moved("policy-renamed")),
        row("pc-92", "2026-11-24T20:00:00Z", Then::Orphan, moved("policy-renamed")),
    ];
    let plan = add_up(plan, 28_424);
    for width in [60, 100] {
        let shown = text(&plan, Style::new(width, false));
        fits(&shown, width);
        golden(&format!("leases-{width}.txt"), &shown);
        assert!(shown.ends_with("Nothing to do.\n"), "{shown}");
    }
    let markdown = markdown(&plan);
    let (open, _) = markdown.split_once("<details>").unwrap();
    assert!(open.contains("- lease 1 ·") && open.contains("`pc-90`"), "{open}");
    assert!(open.contains("- ending 12 ·") && open.contains("… 9 more"), "{open}");
    assert!(!open.contains('\u{1b}'));
}
