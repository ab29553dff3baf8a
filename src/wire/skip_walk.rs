//! Walking a list of the Defender API to its proven end.
//!
//! The service gives no link, no count and no snapshot: only `$top` and `$skip` over a list that
//! changes while it is read. Each page therefore begins at the last row seen so far, one row of
//! overlap, and a pass ends only when such a page brings that row back and nothing behind it. That
//! one rule covers a page shorter than asked (the next begins where it stopped), a page that was
//! lost (it lacks the overlap), a smaller maximum than ours, and an ignored `$skip` (it brings the
//! first row again). One such page after a short one is proof; after a full one it is looked at
//! twice, since a page cut to its first row looks the same. All of it costs one request more than
//! the rows need, two when the last page is full.
//!
//! When offsets slide, the overlap is another row. Rows pushed in at the front slide known rows
//! towards us: duplicates, and no gap except for a row that moved from ahead of us to behind us;
//! so the list is read once more from the front, until a pass brings nothing that was there
//! before. Rows taken away slide unknown rows behind us: a gap, so the walk steps back to known
//! ones first. A list that never settles is incomplete, and says so.
//!
//! A service that ignores `$skip` and whose first page is shorter than asked has shown the whole
//! list: when it shows exactly the same again, that is the list.
//!
//! Machine actions are listed newest first: what arrives during the walk pushes in at the front,
//! gives duplicates and no gap, and one look from the front finds it.
//!
//! Pure: `request` says what to read, `page` takes what came. Driven by `drive::walk`.

use std::collections::HashSet;
use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;

/// Passes from the front, the first included.
const PASSES: u32 = 4;
/// How far to step back after each page in a row that contradicts what is known.
const BACK: [u64; 3] = [16, 2_500, 10_000];
/// More pages than any tenant has: a service that invents rows for ever must not hold us.
const PAGES: u32 = 20_000;

/// What is known about the order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Nothing.
    Unknown,
    /// Newest first, and rows stay in their order.
    NewestFirst,
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every row was seen.
    Complete,
    /// Pages kept contradicting each other at this offset: rows may be missing.
    Unproven {
        /// Where.
        skip: u64,
    },
    /// The list kept changing during each pass: rows may be missing.
    Moving {
        /// Passes made.
        passes: u32,
    },
}

/// One row of a page as the walk sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The row's id, see [`key`].
    pub key: u64,
    /// Whether the row came into being after the walk began: it need not be found.
    pub young: bool,
}

/// A row's id as the walk keeps it: eight bytes instead of forty characters.
#[must_use]
pub fn key(id: &[u8]) -> u64 {
    FixedState::default().hash_one(id)
}

type Keys = HashSet<u64, FixedState>;

/// A walk under way.
#[derive(Debug)]
pub struct SkipWalk {
    top: u32,
    order: Order,
    /// Rows of all passes.
    all: Keys,
    /// Rows of this pass; in the first pass they are the same and this is empty.
    pass: Keys,
    passes: u32,
    pages: u32,
    /// Where the list goes on, in rows from its front.
    position: u64,
    /// The first row of this pass.
    first: Option<u64>,
    /// The row just before `position`.
    last: Option<u64>,
    /// Whether the page before was as long as pages get, so that its end proves nothing.
    full: bool,
    /// Pages in a row that contradicted or brought nothing.
    doubts: usize,
    back: u64,
    /// Whether offsets slid during this pass.
    slid: bool,
    /// Whether this pass brought older rows that no earlier pass had.
    news: bool,
    end: Option<End>,
}

impl SkipWalk {
    /// A walk with pages of `top` rows.
    #[must_use]
    pub fn new(top: u32, order: Order) -> Self {
        Self {
            top: top.max(2),
            order,
            all: Keys::default(),
            pass: Keys::default(),
            passes: 1,
            pages: 0,
            position: 0,
            first: None,
            last: None,
            full: false,
            doubts: 0,
            back: 0,
            slid: false,
            news: false,
            end: None,
        }
    }

    /// `$top` and `$skip` of the next page, or `None` when the walk has ended.
    #[must_use]
    pub fn request(&self) -> Option<(u32, u64)> {
        self.end.is_none().then(|| (self.top, self.offset()))
    }

    fn offset(&self) -> u64 {
        self.position.saturating_sub(self.back + 1)
    }

    /// How it ended, once it has.
    #[must_use]
    pub const fn end(&self) -> Option<End> {
        self.end
    }

    /// Different rows so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.all.len() as u64
    }

    /// Pages so far.
    #[must_use]
    pub const fn pages(&self) -> u32 {
        self.pages
    }

    /// Takes the page that was requested, in the page's order.
    pub fn page(&mut self, rows: &[Row]) {
        self.pages += 1;
        if self.pages >= PAGES {
            self.end = Some(End::Unproven { skip: self.offset() });
            return;
        }
        match self.last {
            None => self.first(rows),
            Some(last) => self.next(rows, last),
        }
    }

    /// An empty first page is looked at twice: a lost page looks like an empty list.
    fn first(&mut self, rows: &[Row]) {
        if rows.is_empty() && self.doubts > 0 && self.all.is_empty() {
            self.end = Some(End::Complete);
        } else if rows.is_empty() {
            self.doubt();
        } else {
            self.take(0, rows, true);
        }
    }

    fn next(&mut self, rows: &[Row], last: u64) {
        if self.is_whole(rows) {
            self.end = Some(End::Complete);
            return;
        }
        let offset = self.offset();
        // Where the last row must stand when nothing slid.
        let expected = usize::try_from(self.position - 1 - offset).unwrap_or(usize::MAX);
        let joined = rows.first().is_some_and(|row| self.known(row.key));
        if !joined {
            // Lost, or beyond a gap: step back to known rows. These rows come again.
            self.doubt();
            return;
        }
        let clean = rows.get(expected).is_some_and(|row| row.key == last);
        if self.ends_at(rows, last) {
            self.slid |= !clean;
            if std::mem::take(&mut self.full) {
                return;
            }
            self.finish_pass();
        } else {
            self.take(offset, rows, clean);
        }
    }

    /// Whether the page brings back the last row, and nothing that was not walked. The first row
    /// again would mean that the offset was ignored.
    fn ends_at(&self, rows: &[Row], last: u64) -> bool {
        let from_the_front = rows.first().map(|row| row.key) == self.first && self.position > 1;
        rows.last().is_some_and(|row| row.key == last)
            && rows.len() < self.top as usize
            && !from_the_front
            && rows.iter().all(|row| self.known(row.key))
    }

    /// Whether everything that is known came once more in one page from the front, shorter than
    /// asked: there is nothing behind it, whatever became of the offset.
    fn is_whole(&self, rows: &[Row]) -> bool {
        self.passes == 1
            && !self.full
            && self.position > 1
            && rows.len() < self.top as usize
            && rows.len() == self.all.len()
            && rows.first().map(|row| row.key) == self.first
            && rows.iter().all(|row| self.all.contains(&row.key))
    }

    fn take(&mut self, offset: u64, rows: &[Row], clean: bool) {
        let before = self.walked();
        let mut fresh = 0;
        for row in rows {
            if self.all.insert(row.key) {
                fresh += 1;
                self.news |= !row.young;
            }
            if self.passes > 1 {
                self.pass.insert(row.key);
            }
        }
        self.slid |= !clean;
        self.position = offset + rows.len() as u64;
        self.first = self.first.or(rows.first().map(|row| row.key));
        self.last = rows.last().map(|row| row.key).or(self.last);
        self.full = rows.len() >= self.top as usize;
        if self.order == Order::NewestFirst && self.passes > 1 && fresh < rows.len() {
            // The look from the front has met a known row: behind it, all are known.
            self.end = Some(End::Complete);
        }
        if self.walked() == before {
            self.doubt();
        } else {
            self.doubts = 0;
        }
        // Nothing contradicted: the next page begins where this one ended.
        self.back = 0;
    }

    fn known(&self, key: u64) -> bool {
        if self.passes > 1 { self.pass.contains(&key) } else { self.all.contains(&key) }
    }

    fn walked(&self) -> usize {
        if self.passes > 1 { self.pass.len() } else { self.all.len() }
    }

    fn doubt(&mut self) {
        match BACK.get(self.doubts) {
            Some(back) => self.back = *back,
            None => self.end = Some(End::Unproven { skip: self.offset() }),
        }
        self.doubts += 1;
    }

    fn finish_pass(&mut self) {
        if !self.slid || (self.passes > 1 && !self.news) {
            self.end = Some(End::Complete);
        } else if self.passes >= PASSES {
            self.end = Some(End::Moving { passes: self.passes });
        } else {
            self.passes += 1;
            self.pass.clear();
            self.position = 0;
            self.first = None;
            self.last = None;
            self.doubts = 0;
            self.back = 0;
            self.slid = false;
            self.news = false;
        }
    }
}

#[cfg(test)]
#[path = "skip_walk_tests.rs"]
mod tests;
