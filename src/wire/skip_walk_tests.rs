//! Walks over lists that stay, slide, shrink, lose pages and lie.

use proptest::prelude::*;

use super::*;

/// Walks a list whose pages `serve` gives; `serve` sees the number of the call.
fn walk(
    order: Order,
    top: u32,
    mut serve: impl FnMut(u32, u32, u64) -> Vec<u64>,
) -> (SkipWalk, HashSet<u64>) {
    let mut walk = SkipWalk::new(top, order);
    let mut seen = HashSet::new();
    let mut call = 0;
    while let Some((top, skip)) = walk.request() {
        let ids = serve(call, top, skip);
        seen.extend(ids.iter().copied());
        let rows: Vec<Row> =
            ids.iter().map(|key| Row { key: *key, young: *key >= 1_000_000 }).collect();
        walk.page(&rows);
        call += 1;
        assert!(call < 500, "the walk does not end");
    }
    (walk, seen)
}

fn page(list: &[u64], top: u32, skip: u64) -> Vec<u64> {
    list.iter().copied().skip(usize::try_from(skip).unwrap()).take(top as usize).collect()
}

#[test]
fn a_list_that_stays_costs_one_request_more_than_its_rows_or_two() {
    for (rows, calls) in [(0u64, 2), (1, 2), (9, 2), (10, 3), (11, 3), (19, 4), (20, 4), (95, 12)] {
        let list: Vec<u64> = (0..rows).collect();
        let (walk, seen) = walk(Order::Unknown, 10, |_, top, skip| page(&list, top, skip));
        assert_eq!(walk.end(), Some(End::Complete), "{rows}");
        assert_eq!((seen.len() as u64, walk.rows()), (rows, rows));
        assert_eq!(walk.pages(), calls, "{rows}");
    }
}

#[test]
fn one_lost_or_short_page_at_any_call_is_made_good() {
    for rows in [1u64, 5, 10, 11, 35, 60] {
        let list: Vec<u64> = (0..rows).collect();
        for broken in 0..8 {
            for keep in [0, 1, 4, 9] {
                let (walk, seen) = walk(Order::Unknown, 10, |call, top, skip| {
                    let mut ids = page(&list, top, skip);
                    if call == broken {
                        ids.truncate(keep);
                    }
                    ids
                });
                assert_eq!(walk.end(), Some(End::Complete), "{rows} {broken} {keep}");
                assert_eq!(seen.len() as u64, rows, "{rows} {broken} {keep}");
            }
        }
    }
}

#[test]
fn a_smaller_maximum_than_ours_is_walked_all_the_same() {
    let list: Vec<u64> = (0..95).collect();
    let (walk, seen) = walk(Order::Unknown, 10_000, |_, _, skip| page(&list, 20, skip));
    assert_eq!((walk.end(), seen.len()), (Some(End::Complete), 95));
}

#[test]
fn a_service_that_ignores_the_offset_is_found_out() {
    let list: Vec<u64> = (0..95).collect();
    let (walk, _) = walk(Order::Unknown, 10, |_, top, _| page(&list, top, 0));
    assert!(matches!(walk.end(), Some(End::Unproven { .. })), "{:?}", walk.end());
}

#[test]
fn pages_that_stay_lost_leave_the_walk_unproven() {
    let list: Vec<u64> = (0..95).collect();
    let (walk, seen) =
        walk(
            Order::Unknown,
            10,
            |_, top, skip| {
                if skip >= 30 { Vec::new() } else { page(&list, top, skip) }
            },
        );
    assert!(matches!(walk.end(), Some(End::Unproven { .. })), "{:?}", walk.end());
    assert!(seen.len() < 95);
}

#[test]
fn a_row_that_moves_behind_us_is_found_by_the_second_pass() {
    let mut list: Vec<u64> = (0..40).collect();
    let (walk, seen) = walk(Order::Unknown, 10, |call, top, skip| {
        if call == 2 {
            // It reports in, and the list is by time of report.
            let moved = list.remove(35);
            list.insert(0, moved);
        }
        page(&list, top, skip)
    });
    assert_eq!((walk.end(), seen.len()), (Some(End::Complete), 40));
    assert!(walk.pages() > 6, "a second pass was made");
}

#[test]
fn rows_taken_away_do_not_take_others_with_them() {
    for gone in [1, 3, 9, 17] {
        let mut list: Vec<u64> = (0..60).collect();
        let (walk, seen) = walk(Order::Unknown, 10, |call, top, skip| {
            if call == 3 {
                list.drain(0..gone);
            }
            page(&list, top, skip)
        });
        assert_eq!((walk.end(), seen.len()), (Some(End::Complete), 60), "{gone}");
    }
}

#[test]
fn new_rows_during_every_page_do_not_keep_the_walk_from_ending() {
    for order in [Order::Unknown, Order::NewestFirst] {
        let mut list: Vec<u64> = (0..100).collect();
        let (walk, seen) = walk(order, 10, |call, top, skip| {
            list.insert(0, 1_000_000 + u64::from(call));
            page(&list, top, skip)
        });
        assert_eq!(walk.end(), Some(End::Complete), "{order:?}");
        assert!((0..100).all(|key| seen.contains(&key)), "{order:?}");
    }
}

#[test]
fn a_newest_first_list_is_looked_at_once_more_from_the_front() {
    let mut list: Vec<u64> = (0..30).collect();
    let (walk, seen) = walk(Order::NewestFirst, 10, |call, top, skip| {
        if call == 1 {
            list.insert(0, 77);
        }
        page(&list, top, skip)
    });
    assert_eq!((walk.end(), seen.contains(&77)), (Some(End::Complete), true));
    assert!(walk.pages() <= 6, "{}", walk.pages());
}

#[test]
fn a_list_that_never_settles_is_incomplete() {
    let mut next = 1_000;
    let mut list: Vec<u64> = (0..50).collect();
    let (walk, _) = walk(Order::Unknown, 10, |_, top, skip| {
        // Rows that claim to be old keep turning up at the front.
        list.insert(0, next);
        next += 1;
        page(&list, top, skip)
    });
    assert_eq!(walk.end(), Some(End::Moving { passes: PASSES }));
}

proptest! {
    /// Rows come and go between pages: a walk that says it is complete has seen every row that was
    /// there from the first page to the last.
    #[test]
    fn complete_means_complete(
        rows in 0u64..80,
        changes in prop::collection::vec((0u32..12, any::<bool>(), 0usize..200), 0..6),
        lost in prop::option::of(0u32..10),
    ) {
        let mut list: Vec<u64> = (0..rows).collect();
        let mut stayed: HashSet<u64> = list.iter().copied().collect();
        let mut next = 1_000_000;
        let (walk, seen) = walk(Order::Unknown, 10, |call, top, skip| {
            for (when, add, at) in &changes {
                if *when != call {
                    continue;
                }
                if *add {
                    list.insert(at % (list.len() + 1), next);
                    next += 1;
                } else if !list.is_empty() {
                    let gone = list.remove(at % list.len());
                    stayed.remove(&gone);
                }
            }
            if lost == Some(call) { Vec::new() } else { page(&list, top, skip) }
        });
        if walk.end() == Some(End::Complete) {
            for key in &stayed {
                prop_assert!(seen.contains(key), "{key} was missed");
            }
        }
    }
}

#[test]
fn a_short_list_whose_offset_is_ignored_is_complete_when_it_comes_again() {
    for rows in 1..10u64 {
        let list: Vec<u64> = (0..rows).collect();
        let (walk, seen) = walk(Order::Unknown, 10, |_, top, _| page(&list, top, 0));
        assert_eq!((walk.end(), seen.len() as u64), (Some(End::Complete), rows));
        assert_eq!(walk.pages(), 2);
    }
    // What was cut at first came whole later.
    let list: Vec<u64> = (0..9).collect();
    let (cut, seen) = walk(Order::NewestFirst, 10, |call, top, _| {
        page(&list, if call == 0 { 4 } else { top }, 0)
    });
    assert_eq!((cut.end(), seen.len()), (Some(End::Complete), 9));
    // A full page proves nothing: there may be more that the service never shows.
    let list: Vec<u64> = (0..10).collect();
    let (full, _) = walk(Order::Unknown, 10, |_, top, _| page(&list, top, 0));
    assert!(matches!(full.end(), Some(End::Unproven { .. })));
}

#[test]
fn a_list_that_is_only_ever_shown_from_the_front_is_complete_when_it_comes_again() {
    let list: Vec<u64> = (0..9).collect();
    let serve = |_, top, skip| if skip == 0 { page(&list, top, 0) } else { Vec::new() };
    let (walk, seen) = walk(Order::Unknown, 10, serve);
    assert_eq!((walk.end(), seen.len()), (Some(End::Complete), 9));
}
