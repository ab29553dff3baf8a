//! Walking Graph's alerts to their proven end, by link where there is one and by time where not.
//!
//! Graph hands out `@odata.nextLink` for some queries and not for others, and refuses a `$skip`
//! above 500. Alerts are therefore asked for by time of last update, oldest first; when no link
//! comes, the next page begins at the last row's own instant (`ge`, not `gt`: others may have the
//! same instant) and the walk drops rows it has seen. An alert that changes during the walk moves
//! towards the end and is read again; no gap can arise, since instants do not slide as offsets do.
//! The walk ends when a page brings its last row again and nothing else (twice after a full page),
//! or reaches the instant at which it began.
//!
//! More rows with one instant than `$skip` can pass are stepped over and reported. When the service
//! ignores the order we ask for, the walk turns to its own: newest first by creation. One that
//! answers every question with the same page, short and without a link, has shown all it has.
//!
//! Pure: `request` says what to read, `page` takes what came. Driven by `drive::walk`.

use std::collections::HashSet;

use foldhash::fast::FixedState;
use jiff::{SignedDuration, Timestamp};

use crate::wire::odata;
use crate::wire::outbound::Outbound;
use crate::wire::read::{self, ALERT_PAGE, ALERT_SKIP_MAX};
use crate::wire::skip_walk::key;

/// Pages in a row that bring nothing before the walk takes it for the end, or for a fault.
const DOUBTS: u32 = 2;
/// More pages than any tenant has.
const PAGES: u32 = 20_000;
/// The service's resolution.
const TICK: SignedDuration = SignedDuration::from_nanos(100);

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every alert was seen.
    Complete,
    /// More alerts have this instant than can be paged over: some of them are missing.
    Crowded {
        /// The instant (UTC).
        at: Timestamp,
    },
    /// Pages are in no order or never end: alerts may be missing.
    Unproven,
}

/// One row of a page as the walk sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The alert's id, see [`key`].
    pub key: u64,
    /// Last update (UTC).
    pub updated: Timestamp,
    /// Creation (UTC).
    pub created: Timestamp,
}

/// Which way the walk goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Axis {
    /// By last update, oldest first: asked for with `$orderby`.
    Updated,
    /// By creation, newest first: the service's own order.
    Created,
}

/// A walk under way.
#[derive(Debug)]
pub struct TimeWalk {
    began: Timestamp,
    since: Option<Timestamp>,
    axis: Axis,
    /// Where the next page begins along the axis.
    from: Option<Timestamp>,
    skip: u32,
    link: Option<String>,
    followed: HashSet<u64, FixedState>,
    /// Ids with the update they were seen at.
    seen: HashSet<(u64, Timestamp), FixedState>,
    alerts: HashSet<u64, FixedState>,
    last: Option<u64>,
    /// Whether the page before was as long as pages get, so that its end proves nothing.
    full: bool,
    /// Whether the page before was short, without a link, and brought every alert known so far.
    whole: bool,
    crowded: Option<Timestamp>,
    doubts: u32,
    pages: u32,
    end: Option<End>,
}

impl TimeWalk {
    /// A walk over the alerts updated at or after `since`, begun at `began`.
    #[must_use]
    pub fn new(began: Timestamp, since: Option<Timestamp>) -> Self {
        Self {
            began,
            since,
            axis: Axis::Updated,
            from: None,
            skip: 0,
            link: None,
            followed: HashSet::default(),
            seen: HashSet::default(),
            alerts: HashSet::default(),
            last: None,
            full: false,
            whole: false,
            crowded: None,
            doubts: 0,
            pages: 0,
            end: None,
        }
    }

    /// The next page, or `None` when the walk has ended.
    #[must_use]
    pub fn request(&self) -> Option<Outbound> {
        if self.end.is_some() {
            return None;
        }
        if let Some(link) = &self.link {
            return Some(Outbound::follow(crate::wire::Operation::ListAlerts, link));
        }
        let mut parts = Vec::new();
        match (self.axis, self.since.max(self.from), self.from) {
            (Axis::Updated, Some(at), _) => {
                parts.push(format!("lastUpdateDateTime ge {}", odata::instant(at)));
            }
            (Axis::Created, _, from) => {
                let since = self.since.map(odata::instant);
                parts.extend(since.map(|at| format!("lastUpdateDateTime ge {at}")));
                // Up to the end of the tick: the row itself must come again.
                let from = from.map(odata::instant);
                parts.extend(from.map(|at| format!("createdDateTime le {at}")));
            }
            (Axis::Updated, None, _) => {}
        }
        Some(read::alerts(&parts.join(" and "), self.axis == Axis::Updated, self.skip))
    }

    /// How it ended, once it has.
    #[must_use]
    pub const fn end(&self) -> Option<End> {
        self.end
    }

    /// Different alerts so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.alerts.len() as u64
    }

    /// Pages so far.
    #[must_use]
    pub const fn pages(&self) -> u32 {
        self.pages
    }

    /// Whether the page asked for is one that the service's link leads to.
    #[must_use]
    pub const fn follows_link(&self) -> bool {
        self.link.is_some()
    }

    /// The link leads nowhere (refused, gone, another origin): go on by time.
    pub fn drop_link(&mut self) {
        self.link = None;
    }

    /// The service does not take our order: begin again in its own.
    ///
    /// Returns false when that has been tried already.
    pub fn drop_order(&mut self) -> bool {
        let first = self.axis == Axis::Updated;
        self.axis = Axis::Created;
        self.from = None;
        self.skip = 0;
        self.link = None;
        self.last = None;
        self.doubts = 0;
        self.seen.clear();
        first
    }

    /// Takes the page that was requested, in the page's order; `link` is the page's `nextLink` if
    /// its origin is ours.
    pub fn page(&mut self, rows: &[Row], link: Option<&str>) {
        self.pages += 1;
        let linked = self.link.take().is_some();
        if self.pages >= PAGES {
            self.end = Some(End::Unproven);
            return;
        }
        let known = self.alerts.len();
        self.alerts.extend(rows.iter().map(|row| row.key));
        let short = rows.len() < ALERT_PAGE as usize && !linked && link.is_none();
        let whole = short && rows.len() == self.alerts.len();
        let again = std::mem::replace(&mut self.whole, whole) && whole && rows.len() == known;
        if !self.in_order(rows) {
            if again {
                return self.finish();
            }
            // A link that leads back is left; an order that is not kept is given up.
            if !linked && !self.drop_order() {
                self.end = Some(End::Unproven);
            }
            return;
        }
        let fresh = rows.iter().filter(|row| self.seen.insert((row.key, row.updated))).count();
        self.step(rows, fresh);
        if self.end.is_none() && fresh > 0 {
            self.follow(link);
        }
    }

    fn step(&mut self, rows: &[Row], fresh: usize) {
        let full = rows.len() >= ALERT_PAGE as usize;
        let again = self.last.is_some_and(|last| rows.iter().any(|row| row.key == last));
        let Some(row) = rows.last() else { return self.doubt() };
        if fresh == 0 && !full {
            // The last row again and nothing else: the end. Without it, a page was lost.
            match (again, std::mem::take(&mut self.full)) {
                (true, true) => {}
                (true, false) => self.finish(),
                (false, _) => self.doubt(),
            }
            return;
        }
        self.doubts = 0;
        self.full = full;
        self.last = Some(row.key);
        let at = self.along(row);
        if self.from != Some(at) {
            self.from = Some(at);
            self.skip = 0;
        } else if full {
            self.pass_equals(at, rows.len());
        }
        if self.axis == Axis::Updated && at >= self.began {
            self.finish();
        }
    }

    /// A full page of one instant: go on within it, and over it when `$skip` ends.
    fn pass_equals(&mut self, at: Timestamp, rows: usize) {
        if self.skip < ALERT_SKIP_MAX {
            let rows = u32::try_from(rows).unwrap_or(u32::MAX);
            self.skip = self.skip.saturating_add(rows).min(ALERT_SKIP_MAX);
            return;
        }
        self.crowded = self.crowded.or(Some(at));
        self.skip = 0;
        let over = match self.axis {
            Axis::Updated => at.checked_add(TICK),
            Axis::Created => at.checked_sub(TICK),
        };
        self.from = over.ok();
        self.last = None;
    }

    /// A page without anything: once may be a fault, again is the end, or a list without rows.
    fn doubt(&mut self) {
        self.doubts += 1;
        if self.doubts >= DOUBTS {
            self.finish();
        }
    }

    fn finish(&mut self) {
        self.end = Some(self.crowded.map_or(End::Complete, |at| End::Crowded { at }));
    }

    fn follow(&mut self, link: Option<&str>) {
        let Some(link) = link else { return };
        if self.followed.insert(key(link.as_bytes())) {
            self.link = Some(link.to_owned());
        }
    }

    const fn along(&self, row: &Row) -> Timestamp {
        match self.axis {
            Axis::Updated => row.updated,
            Axis::Created => row.created,
        }
    }

    fn in_order(&self, rows: &[Row]) -> bool {
        let pairs = rows.iter().zip(rows.iter().skip(1));
        let inside = match self.axis {
            Axis::Updated => pairs.clone().all(|(a, b)| a.updated <= b.updated),
            Axis::Created => pairs.clone().all(|(a, b)| a.created >= b.created),
        };
        let begins = rows.first().zip(self.from).is_none_or(|(row, from)| match self.axis {
            Axis::Updated => row.updated >= floor(from),
            Axis::Created => row.created <= from,
        });
        inside && begins
    }
}

/// Down to the service's resolution, as the filter was printed.
fn floor(at: Timestamp) -> Timestamp {
    let over = at.subsec_nanosecond().rem_euclid(100);
    at.checked_sub(SignedDuration::from_nanos(i64::from(over))).unwrap_or(at)
}

#[cfg(test)]
#[path = "time_walk_tests.rs"]
mod tests;
