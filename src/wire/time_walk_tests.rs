//! Walks over alerts with and without links, with crowds at one instant, and in no order.

use super::*;

fn at(tick: i64) -> Timestamp {
    let start: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    start.checked_add(SignedDuration::from_micros(tick)).unwrap()
}

/// A tenant's alerts as `(id, updated)`; created in the order of ids.
#[derive(Clone)]
struct Sim {
    alerts: Vec<(u64, i64)>,
    links: bool,
    honours_order: bool,
    page: usize,
}

impl Sim {
    fn new(alerts: impl IntoIterator<Item = (u64, i64)>) -> Self {
        Self {
            alerts: alerts.into_iter().collect(),
            links: false,
            honours_order: true,
            page: 1_000,
        }
    }

    fn serve(&self, out: &Outbound) -> (Vec<Row>, Option<String>) {
        let query = match &out.link {
            Some(link) => link.split_once('?').unwrap().1.to_owned(),
            None => out.query.clone(),
        };
        let decoded = percent_encoding::percent_decode_str(&query).decode_utf8().unwrap();
        let after = |text: &str| {
            let (_, rest) = decoded.split_once(text)?;
            let end = rest.find([' ', '&']).unwrap_or(rest.len());
            Some(rest[..end].to_owned())
        };
        let instant = |text: &str| after(text).map(|text| text.parse::<Timestamp>().unwrap());
        let skip: usize = after("$skip=").map_or(0, |text| text.parse().unwrap());
        let token: usize = after("token=").map_or(0, |text| text.parse().unwrap());
        assert!(skip <= 500, "Graph refuses this");
        let rows = |(id, tick): &(u64, i64)| Row {
            key: *id,
            updated: at(*tick),
            created: at(i64::try_from(*id).unwrap()),
        };
        let mut rows: Vec<Row> = self.alerts.iter().map(rows).collect();
        rows.retain(|row| instant("lastUpdateDateTime ge ").is_none_or(|at| row.updated >= at));
        rows.retain(|row| instant("createdDateTime le ").is_none_or(|at| row.created <= at));
        if self.honours_order && decoded.contains("$orderby") {
            rows.sort_by_key(|row| (row.updated, row.key));
        } else {
            rows.sort_by_key(|row| std::cmp::Reverse((row.created, row.key)));
        }
        let total = rows.len();
        let from = skip + token;
        let page: Vec<Row> = rows.into_iter().skip(from).take(self.page).collect();
        let more = self.links && from + page.len() < total;
        let base = query.split("&token=").next().unwrap_or_default();
        let link = more.then(|| format!("https://g/x?{base}&token={}", from + page.len()));
        (page, link)
    }
}

fn walk(
    since: Option<Timestamp>,
    mut serve: impl FnMut(u32, &Outbound) -> (Vec<Row>, Option<String>),
) -> (TimeWalk, HashSet<u64>) {
    let mut walk = TimeWalk::new(at(1_000_000_000), since);
    let mut seen = HashSet::new();
    let mut call = 0;
    while let Some(out) = walk.request() {
        let (rows, link) = serve(call, &out);
        seen.extend(rows.iter().map(|row| row.key));
        walk.page(&rows, link.as_deref());
        call += 1;
        assert!(call < 100, "the walk does not end");
    }
    (walk, seen)
}

fn spread(count: u64) -> Vec<(u64, i64)> {
    (0..count).map(|id| (id, i64::try_from(id).unwrap() * 7)).collect()
}

#[test]
fn without_links_the_walk_goes_on_by_time() {
    for (count, calls) in [(0, 2), (1, 2), (999, 2), (1_000, 3), (1_001, 3), (3_500, 5)] {
        let sim = Sim::new(spread(count));
        let (walk, seen) = walk(None, |_, out| sim.serve(out));
        assert_eq!((walk.end(), seen.len() as u64), (Some(End::Complete), count), "{count}");
        assert_eq!((walk.pages(), walk.rows()), (calls, count), "{count}");
    }
}

#[test]
fn links_are_followed_and_the_end_is_proven_by_time() {
    let sim = Sim { links: true, ..Sim::new(spread(3_500)) };
    let mut links = 0;
    let (walk, seen) = walk(None, |_, out| {
        links += u32::from(out.link.is_some());
        sim.serve(out)
    });
    assert_eq!((walk.end(), seen.len(), links), (Some(End::Complete), 3_500, 3));
}

#[test]
fn a_link_that_goes_stale_or_round_in_circles_is_left() {
    let sim = Sim { links: true, ..Sim::new(spread(2_500)) };
    let (walk, seen) = walk(None, |_, out| {
        let (rows, _) = sim.serve(out);
        (rows, Some("https://g/x?token=0".to_owned()))
    });
    assert_eq!((walk.end(), seen.len()), (Some(End::Complete), 2_500));
}

#[test]
fn a_lost_or_short_page_is_read_again() {
    for broken in 0..5 {
        for keep in [0, 1, 500] {
            let sim = Sim::new(spread(2_500));
            let (walk, seen) = walk(None, |call, out| {
                let (mut rows, link) = sim.serve(out);
                if call == broken {
                    rows.truncate(keep);
                }
                (rows, link)
            });
            assert_eq!((walk.end(), seen.len()), (Some(End::Complete), 2_500), "{broken} {keep}");
        }
    }
}

#[test]
fn equal_instants_are_paged_over_as_far_as_the_service_allows() {
    // 1,400 alerts of one instant straddle two pages.
    let crowd = |size: u64| (0..size).map(|id| (id, 50)).chain((5_000..5_100).map(|id| (id, 90)));
    let sim = Sim::new(crowd(1_400));
    let (done, seen) = walk(None, |_, out| sim.serve(out));
    assert_eq!((done.end(), seen.len()), (Some(End::Complete), 1_500));
    // 2,000 are more than can be reached: the rest is read, and the instant named.
    let sim = Sim::new(crowd(2_000));
    let (walk, seen) = walk(None, |_, out| sim.serve(out));
    assert_eq!(walk.end(), Some(End::Crowded { at: at(50) }));
    assert_eq!(seen.len(), 1_600);
}

#[test]
fn a_smaller_page_than_asked_for_is_no_end() {
    let sim = Sim { page: 90, ..Sim::new(spread(500)) };
    let (walk, seen) = walk(None, |_, out| sim.serve(out));
    assert_eq!((walk.end(), seen.len()), (Some(End::Complete), 500));
}

#[test]
fn an_order_that_is_ignored_is_noticed_and_the_services_own_is_used() {
    let mut alerts = spread(2_500);
    alerts.iter_mut().step_by(3).for_each(|alert| alert.1 += 100_000);
    let sim = Sim { honours_order: false, ..Sim::new(alerts) };
    let (walk, seen) = walk(None, |_, out| sim.serve(out));
    assert_eq!((walk.end(), seen.len()), (Some(End::Complete), 2_500));
}

#[test]
fn no_order_at_all_is_unproven() {
    let (walk, _) = walk(None, |_, _| {
        // Full pages: there may be more.
        let row = |key: u64| {
            let tick = i64::try_from(key * 7_919 % 1_000).unwrap();
            Row { key, updated: at(tick), created: at(tick) }
        };
        ((1..=1_000).map(row).collect(), None)
    });
    assert_eq!(walk.end(), Some(End::Unproven));
}

#[test]
fn alerts_that_change_during_the_walk_are_read_again_and_the_walk_ends() {
    let mut sim = Sim::new(spread(2_500));
    let mut last_seen = 0;
    let (walk, seen) = walk(None, |call, out| {
        if call < 8 {
            sim.alerts[3].1 = 900_000 + i64::from(call);
        }
        let answer = sim.serve(out);
        if answer.0.iter().any(|row| row.key == 3 && row.updated >= at(900_000)) {
            last_seen = call;
        }
        answer
    });
    assert_eq!((walk.end(), seen.len()), (Some(End::Complete), 2_500));
    assert!(last_seen > 0, "the changed alert came again");
}

#[test]
fn the_walk_ends_where_it_began_in_time() {
    let mut sim = Sim::new(spread(100));
    let mut next = 1_000_000_000;
    let (walk, seen) = walk(None, |call, out| {
        sim.alerts.push((1_000 + u64::from(call), next));
        next += 1;
        sim.serve(out)
    });
    assert_eq!((walk.end(), seen.len(), walk.pages()), (Some(End::Complete), 101, 1));
}

#[test]
fn only_what_is_asked_for_is_read() {
    let sim = Sim::new(spread(100));
    let (_, seen) = walk(Some(at(350)), |_, out| sim.serve(out));
    assert_eq!(seen.len(), 50);
}

#[test]
fn one_page_that_answers_every_question_is_all_there_is() {
    // In no order on either axis, filters ignored, short, without a link.
    let updated = [5, 1, 9, 3];
    let created = [2, 8, 1, 4];
    let row = |n: usize| Row { key: n as u64, updated: at(updated[n]), created: at(created[n]) };
    let (same, seen) = walk(None, |_, _| ((0..4).map(row).collect(), None));
    assert_eq!((same.end(), seen.len()), (Some(End::Complete), 4));
    // A page that grew is asked for again; one that keeps changing proves nothing.
    let (grown, seen) =
        walk(None, |call, _| ((0..if call == 0 { 3 } else { 4 }).map(row).collect(), None));
    assert_eq!((grown.end(), seen.len()), (Some(End::Unproven), 4));
}
