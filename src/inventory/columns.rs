//! The storage of one observation: a column for each field, values interned to small numbers.
//!
//! The builder fills these columns row by row and the finished inventory keeps them, gathered into
//! the order of device ids. Nothing here knows what a value means; `view` gives the words back.
//! Interned numbers depend on the order of pages and therefore never leave the module.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use foldhash::fast::FixedState;
use jiff::Timestamp;

use crate::inventory::flags::Flags;
use crate::model::DeviceId;

/// Texts as small numbers. Looking up a text that was just seen costs one comparison.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32, FixedState>,
    last: u32,
}

impl Interner {
    /// The number of a text.
    pub(crate) fn number(&mut self, text: &str) -> u32 {
        if self.texts.get(self.last as usize).is_some_and(|last| **last == *text) {
            return self.last;
        }
        if let Some(number) = self.numbers.get(text) {
            self.last = *number;
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let shared: Arc<str> = Arc::from(text);
        self.texts.push(Arc::clone(&shared));
        self.numbers.insert(shared, number);
        self.last = number;
        number
    }

    /// The text of a number.
    pub(crate) fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |text| text)
    }

    /// All texts by number; the way back from text to number is given up.
    pub(crate) fn into_texts(self) -> Vec<Arc<str>> {
        self.texts
    }
}

/// Many short texts in one allocation.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    bytes: String,
    ends: Vec<u32>,
}

impl Texts {
    pub(crate) fn push(&mut self, text: &str) {
        // Beyond four gigabytes of names a text is dropped rather than another one cut.
        if u32::try_from(self.bytes.len() + text.len()).is_ok() {
            self.bytes.push_str(text);
        }
        self.ends.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
    }

    pub(crate) fn get(&self, row: u32) -> &str {
        let row = row as usize;
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(row).copied().unwrap_or(0);
        self.bytes.get(start.unwrap_or(0) as usize..end as usize).unwrap_or("")
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<u32>()
    }

    fn gather(self, order: &[u32]) -> Self {
        let mut out = Self { bytes: String::new(), ends: Vec::with_capacity(order.len()) };
        out.bytes.reserve_exact(order.iter().map(|row| self.get(*row).len()).sum());
        order.iter().for_each(|row| out.push(self.get(*row)));
        out
    }
}

/// Addresses of each row as 32-bit words: one for IPv4, a zero and four more for IPv6.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    words: Vec<u32>,
    ends: Vec<u32>,
}

impl Addresses {
    /// Adds a row. Unspecified addresses say nothing and are left out, repeated ones are kept once.
    pub(crate) fn push(&mut self, addresses: &[IpAddr]) {
        for (at, address) in addresses.iter().enumerate() {
            if address.is_unspecified() || addresses.iter().take(at).any(|seen| seen == address) {
                continue;
            }
            match address {
                IpAddr::V4(v4) => self.words.push(v4.to_bits()),
                IpAddr::V6(v6) => {
                    self.words.push(0);
                    let bits = v6.to_bits();
                    let word = |shift: u32| ((bits >> shift) & 0xffff_ffff) as u32;
                    self.words.extend([word(96), word(64), word(32), word(0)]);
                }
            }
        }
        self.ends.push(u32::try_from(self.words.len()).unwrap_or(u32::MAX));
    }

    fn words(&self, row: u32) -> &[u32] {
        let row = row as usize;
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(row).copied().unwrap_or(0);
        self.words.get(start.unwrap_or(0) as usize..end as usize).unwrap_or(&[])
    }

    /// The addresses of a row, in the service's order.
    pub(crate) fn get(&self, row: u32) -> impl Iterator<Item = IpAddr> + '_ {
        let mut rest = self.words(row);
        std::iter::from_fn(move || {
            let (first, tail) = rest.split_first()?;
            if *first != 0 {
                rest = tail;
                return Some(IpAddr::V4(Ipv4Addr::from_bits(*first)));
            }
            let (words, tail) = tail.split_at_checked(4)?;
            rest = tail;
            let bits = words.iter().fold(0u128, |bits, word| bits << 32 | u128::from(*word));
            Some(IpAddr::V6(Ipv6Addr::from_bits(bits)))
        })
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        (self.words.capacity() + self.ends.capacity()) * size_of::<u32>()
    }

    fn gather(self, order: &[u32]) -> Self {
        let mut out = Self { words: Vec::new(), ends: Vec::with_capacity(order.len()) };
        out.words.reserve_exact(order.iter().map(|row| self.words(*row).len()).sum());
        for row in order {
            out.words.extend_from_slice(self.words(*row));
            out.ends.push(u32::try_from(out.words.len()).unwrap_or(u32::MAX));
        }
        out
    }
}

/// An instant in eight bytes, to the nanosecond between 1677 and 2262.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i64);

impl Moment {
    /// Never.
    pub(crate) const UNSET: Self = Self(i64::MIN);

    /// Instants before year 2 are the service's way to say "never".
    pub(crate) fn new(at: Option<Timestamp>) -> Self {
        match at {
            Some(at) if !is_unset(at) => Self::of(at),
            _ => Self::UNSET,
        }
    }

    /// The moment of an instant, clamped to what eight bytes hold.
    pub(crate) fn of(at: Timestamp) -> Self {
        let nanos = at.as_nanosecond().clamp(i128::from(i64::MIN) + 1, i128::from(i64::MAX));
        Self(i64::try_from(nanos).unwrap_or(i64::MAX))
    }

    /// Nanoseconds since 1970; never is before everything.
    pub(crate) const fn nanos(self) -> i64 {
        self.0
    }

    pub(crate) fn get(self) -> Option<Timestamp> {
        if self == Self::UNSET { None } else { Timestamp::from_nanosecond(self.0.into()).ok() }
    }
}

/// Whether an instant is the service's way to say "never": year 1 (or before it).
#[must_use]
pub fn is_unset(at: Timestamp) -> bool {
    // 0002-01-01T00:00:00Z
    at.as_second() < -62_104_060_800
}

/// What many devices share: one combination of platform, release, build, agent and manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Profile {
    pub(crate) platform: u32,
    pub(crate) version: u32,
    pub(crate) agent: u32,
    pub(crate) managed_by: u32,
    pub(crate) build: Option<i64>,
}

/// Distinct things as small numbers.
#[derive(Debug)]
pub(crate) struct Distinct<T> {
    pub(crate) items: Vec<T>,
    numbers: HashMap<T, u32, FixedState>,
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self { items: Vec::new(), numbers: HashMap::default() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Distinct<T> {
    pub(crate) fn number<Q>(&mut self, item: &Q) -> u32
    where
        T: std::borrow::Borrow<Q>,
        Q: Eq + std::hash::Hash + ToOwned<Owned = T> + ?Sized,
    {
        if let Some(number) = self.numbers.get(item) {
            return *number;
        }
        let number = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        self.items.push(item.to_owned());
        self.numbers.insert(item.to_owned(), number);
        number
    }
}

/// One entry for each row in every column.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    pub(crate) ids: Vec<DeviceId>,
    pub(crate) names: Texts,
    pub(crate) groups: Vec<u32>,
    pub(crate) profiles: Vec<u32>,
    pub(crate) tags: Vec<u32>,
    pub(crate) flags: Vec<Flags>,
    pub(crate) seen: Vec<Moment>,
    pub(crate) addresses: Addresses,
}

impl Columns {
    /// The rows of `order`, in that order. Each column is let go as soon as it is copied, so that
    /// the fleet is never held twice.
    pub(crate) fn gather(self, order: &[u32]) -> Self {
        Self {
            ids: gather(self.ids, order),
            names: self.names.gather(order),
            groups: gather(self.groups, order),
            profiles: gather(self.profiles, order),
            tags: gather(self.tags, order),
            flags: gather(self.flags, order),
            seen: gather(self.seen, order),
            addresses: self.addresses.gather(order),
        }
    }
}

fn gather<T: Clone>(column: Vec<T>, order: &[u32]) -> Vec<T> {
    let mut out = Vec::with_capacity(order.len());
    out.extend(order.iter().filter_map(|row| column.get(*row as usize)).cloned());
    out
}

/// What the numbers in the columns stand for.
#[derive(Debug, Default)]
pub(crate) struct Values {
    pub(crate) groups: Interner,
    pub(crate) platforms: Interner,
    pub(crate) versions: Interner,
    pub(crate) agents: Interner,
    pub(crate) managers: Interner,
    pub(crate) tags: Interner,
    pub(crate) profiles: Distinct<Profile>,
    pub(crate) tag_sets: Distinct<Vec<u32>>,
}

impl Values {
    /// Orders two rows by their words, without regard to how they were interned.
    pub(crate) fn compare(&self, columns: &Columns, left: u32, right: u32) -> Ordering {
        self.words(columns, left).cmp(&self.words(columns, right))
    }

    fn words<'a>(&'a self, columns: &'a Columns, row: u32) -> impl Ord + use<'a> {
        let at = row as usize;
        let number = |column: &[u32]| column.get(at).copied().unwrap_or(u32::MAX);
        let profile = self.profiles.items.get(number(&columns.profiles) as usize);
        let tags = self.tag_sets.items.get(number(&columns.tags) as usize);
        (
            columns.names.get(row),
            self.groups.text(number(&columns.groups)),
            profile.map(|profile| {
                (
                    self.platforms.text(profile.platform),
                    self.versions.text(profile.version),
                    self.agents.text(profile.agent),
                    self.managers.text(profile.managed_by),
                    profile.build,
                )
            }),
            tags.map(|set| set.iter().map(|tag| self.tags.text(*tag)).collect::<Vec<_>>()),
            columns.flags.get(at).copied(),
            columns.addresses.words(row),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_before_everything_and_nothing_else_is_never() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let never = Moment::new(Some(at("0001-01-01T00:00:00Z")));
        assert_eq!((never, never.get()), (Moment::UNSET, None));
        assert!(is_unset(at("0001-12-31T23:59:59Z")) && !is_unset(at("0002-01-01T00:00:00Z")));
        // Beyond what eight bytes of nanoseconds hold an instant is clamped, in its own direction.
        let (first, last) = (Moment::of(Timestamp::MIN), Moment::of(Timestamp::MAX));
        let now = Moment::new(Some(at("2026-11-24T00:00:00Z")));
        assert!(never < first && first < now && now < last);
        assert!(first.get().unwrap() < at("1700-01-01T00:00:00Z"));
        assert!(last.get().unwrap() > at("2200-01-01T00:00:00Z"));
    }
}
