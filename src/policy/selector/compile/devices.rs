//! Device terms over the inventory's indexes and columns.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use foldhash::fast::FixedState;
use ipnet::IpNet;
use jiff::Timestamp;
use roaring::{MultiOps, RoaringBitmap};

use crate::inventory::{Dev, Inventory, Moment, fold, fold_into, host_part};
use crate::model::OsFamily;
use crate::policy::selector::ast::{AgeMatch, DeviceTerm, Glob, Op, OsMatch, SiteRef};
use crate::policy::selector::compile::ranges::Ranges;
use crate::policy::selector::glob::{self, Matcher, Matchers, Scratch};
use crate::policy::selector::interpret;

/// The inventory's columns with what look-ups by word need; each part is made when first used.
#[derive(Debug)]
pub(super) struct DeviceColumns<'a> {
    inventory: &'a Inventory,
    now: Timestamp,
    names: HashMap<&'a str, RoaringBitmap, FixedState>,
    groups: Option<Lookup>,
    tags: Option<Lookup>,
    platforms: Option<Lookup>,
    managers: Option<Lookup>,
    addresses: Option<Flat>,
    seen: Option<Ranges<i64>>,
    networks: HashMap<IpNet, RoaringBitmap, FixedState>,
    ages: HashMap<AgeMatch, RoaringBitmap, FixedState>,
    tag_globs: HashMap<Arc<str>, RoaringBitmap, FixedState>,
    release_globs: HashMap<Arc<str>, RoaringBitmap, FixedState>,
}

/// Numbers of a column's values by their folded text.
type Lookup = HashMap<String, Vec<u32>, FixedState>;

/// All addresses of the fleet with their rows.
#[derive(Debug)]
struct Flat {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
}

impl<'a> DeviceColumns<'a> {
    /// `names` are the name globs of every selector: they are matched here, in one pass.
    pub(super) fn new(inventory: &'a Inventory, names: &[&'a str], now: Timestamp) -> Self {
        Self {
            inventory,
            now,
            names: match_names(inventory, names),
            groups: None,
            tags: None,
            platforms: None,
            managers: None,
            addresses: None,
            seen: None,
            networks: HashMap::default(),
            ages: HashMap::default(),
            tag_globs: HashMap::default(),
            release_globs: HashMap::default(),
        }
    }

    /// The devices of a term; those over alerts are not computed here and have none.
    pub(super) fn term(&mut self, term: &'a DeviceTerm) -> RoaringBitmap {
        let inventory = self.inventory;
        let index = &inventory.index;
        match term {
            DeviceTerm::Id(ids) => {
                ids.iter().filter_map(|id| inventory.find(id)).map(|Dev(row)| row).collect()
            }
            DeviceTerm::Name(globs) => self.name(globs),
            DeviceTerm::Group(groups) => {
                let words = &inventory.values.groups;
                let lookup = self.groups.get_or_insert_with(|| lookup(words));
                by_words(lookup, &index.groups, groups)
            }
            DeviceTerm::Site(sites) => self.site(sites),
            DeviceTerm::Tag(globs) => self.tag(globs),
            DeviceTerm::Os(wanted) => self.os(wanted),
            DeviceTerm::Version(globs) => {
                let words = &inventory.values.versions;
                for glob in globs {
                    let text = Arc::clone(&glob.text);
                    self.release_globs
                        .entry(text)
                        .or_insert_with(|| by_glob(words, &index.versions, glob));
                }
                globs.iter().filter_map(|glob| self.release_globs.get(&glob.text)).union()
            }
            DeviceTerm::Ip(networks) => self.ip(networks),
            DeviceTerm::Health(wanted) => by_member(&index.health, wanted, |member| member as u32),
            DeviceTerm::Risk(wanted) => by_order(&index.risk, crate::model::Risk::ALL, |risk| {
                wanted.iter().any(|wanted| wanted.op.holds(risk, &wanted.value))
            }),
            DeviceTerm::Exposure(wanted) => {
                by_order(&index.exposure, crate::model::Exposure::ALL, |exposure| {
                    wanted.iter().any(|wanted| wanted.op.holds(exposure, &wanted.value))
                })
            }
            DeviceTerm::Value(wanted) => {
                by_order(&index.value, crate::model::DeviceValue::ALL, |value| {
                    wanted.iter().any(|wanted| wanted.op.holds(value, &wanted.value))
                })
            }
            DeviceTerm::Onboarding(wanted) => {
                by_member(&index.onboarding, wanted, |member| member as u32)
            }
            DeviceTerm::Joined(wanted) => by_member(&index.joined, &[*wanted], u32::from),
            DeviceTerm::ManagedBy(wanted) => {
                let words = &inventory.values.managers;
                let lookup = self.managers.get_or_insert_with(|| lookup(words));
                by_words(lookup, &index.managers, wanted)
            }
            DeviceTerm::AvStatus(wanted) => {
                by_member(&index.av_status, wanted, |member| member as u32)
            }
            DeviceTerm::Seen(wanted) => self.seen(wanted),
            DeviceTerm::Alert(_) | DeviceTerm::Incident(_) => RoaringBitmap::new(),
        }
    }

    fn name(&mut self, globs: &'a [Glob]) -> RoaringBitmap {
        let unknown: Vec<&str> = globs.iter().map(|glob| &*glob.text).collect();
        if unknown.iter().any(|text| !self.names.contains_key(text)) {
            self.names.extend(match_names(self.inventory, &unknown));
        }
        globs.iter().filter_map(|glob| self.names.get(&*glob.text)).union()
    }

    fn tag(&mut self, globs: &[Glob]) -> RoaringBitmap {
        let words = &self.inventory.values.tags;
        let rows = &self.inventory.index.tags;
        let mut selected = RoaringBitmap::new();
        for wanted in globs {
            if glob::is_tag_pattern(&wanted.text) {
                let text = Arc::clone(&wanted.text);
                let entry = self.tag_globs.entry(text);
                selected |= &*entry.or_insert_with(|| by_glob(words, rows, wanted));
            } else {
                let lookup = self.tags.get_or_insert_with(|| lookup(words));
                selected |= by_words(lookup, rows, std::slice::from_ref(&wanted.text));
            }
        }
        selected
    }

    fn site(&mut self, sites: &[SiteRef]) -> RoaringBitmap {
        let inventory = self.inventory;
        let mut selected = RoaringBitmap::new();
        for site in sites.iter().filter(|site| interpret::in_tenant(site, inventory.tenant())) {
            if site.groups.is_empty() && site.tags.is_empty() {
                if !site.tenants.is_empty() {
                    selected.insert_range(0..u32::try_from(inventory.len()).unwrap_or(u32::MAX));
                }
                continue;
            }
            let (groups, tags) = (&inventory.values.groups, &inventory.values.tags);
            let group_lookup = self.groups.get_or_insert_with(|| lookup(groups));
            selected |= by_words(group_lookup, &inventory.index.groups, &site.groups);
            let tag_lookup = self.tags.get_or_insert_with(|| lookup(tags));
            selected |= by_words(tag_lookup, &inventory.index.tags, &site.tags);
        }
        selected
    }

    fn os(&mut self, wanted: &[OsMatch]) -> RoaringBitmap {
        let values = &self.inventory.values;
        let rows = &self.inventory.index.platforms;
        let mut selected = RoaringBitmap::new();
        for wanted in wanted {
            match wanted {
                OsMatch::Family(family) => {
                    let platforms = values.platforms.iter().zip(&values.families).zip(rows);
                    let of = |((text, is), _): &((&Arc<str>, &OsFamily), _)| {
                        *is == family && !text.is_empty()
                    };
                    platforms.filter(of).for_each(|(_, rows)| selected |= rows);
                }
                OsMatch::Platform(platform) => {
                    let words = &values.platforms;
                    let lookup = self.platforms.get_or_insert_with(|| lookup(words));
                    selected |= by_words(lookup, rows, std::slice::from_ref(platform));
                }
            }
        }
        selected
    }

    fn ip(&mut self, networks: &[IpNet]) -> RoaringBitmap {
        let inventory = self.inventory;
        let flat = self.addresses.get_or_insert_with(|| Flat::new(inventory));
        for network in networks {
            self.networks.entry(*network).or_insert_with(|| flat.within(network, inventory.len()));
        }
        networks.iter().filter_map(|network| self.networks.get(network)).union()
    }

    fn seen(&mut self, wanted: &[AgeMatch]) -> RoaringBitmap {
        let (inventory, now) = (self.inventory, self.now);
        let seen = self.seen.get_or_insert_with(|| {
            let moments = inventory.columns.seen.iter().map(|seen| seen.nanos());
            Ranges::new(moments.zip(0u32..).collect())
        });
        for wanted in wanted {
            self.ages
                .entry(*wanted)
                .or_insert_with(|| seen.within(&span(*wanted, now), inventory.len()));
        }
        wanted.iter().filter_map(|wanted| self.ages.get(wanted)).union()
    }
}

/// Nanoseconds of the moments that are so old; `interpret::is_age` for a whole column.
fn span(wanted: AgeMatch, now: Timestamp) -> RangeInclusive<i64> {
    let limit = wanted.age.before(now).as_nanosecond();
    // Never is older than any age, and younger than none.
    let (never, first) = (Moment::UNSET.nanos(), Moment::UNSET.nanos() + 1);
    let clamp = |nanos: i128| i64::try_from(nanos.clamp(never.into(), i64::MAX.into()));
    let nanos = |nanos: i128| clamp(nanos).unwrap_or(i64::MAX);
    match wanted.op {
        Op::Lt => nanos(limit + 1).max(first)..=i64::MAX,
        Op::Le => nanos(limit).max(first)..=i64::MAX,
        Op::Eq => nanos(limit).max(first)..=nanos(limit),
        Op::Ge => never..=nanos(limit),
        Op::Gt => never..=nanos(limit - 1),
    }
}

/// A plain bit vector over rows: filling one and packing it beats sorting rows.
pub(super) struct Bits(Vec<u8>);

impl Bits {
    pub(super) fn new(rows: usize) -> Self {
        Self(vec![0; rows.div_ceil(8)])
    }
    pub(super) fn set(&mut self, row: u32) {
        if let Some(byte) = self.0.get_mut(row as usize / 8) {
            *byte |= 1 << (row % 8);
        }
    }
    pub(super) fn rows(&self) -> RoaringBitmap {
        RoaringBitmap::from_lsb0_bytes(0, &self.0)
    }
}

impl Flat {
    fn new(inventory: &Inventory) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for device in inventory.devices() {
            for address in inventory.ips(device) {
                match address {
                    IpAddr::V4(address) => v4.push((address.to_bits(), device.0)),
                    IpAddr::V6(address) => v6.push((address.to_bits(), device.0)),
                }
            }
        }
        Self { v4: Ranges::new(v4), v6: Ranges::new(v6) }
    }

    fn within(&mut self, network: &IpNet, rows: usize) -> RoaringBitmap {
        match network {
            IpNet::V4(network) => {
                let range = network.network().to_bits()..=network.broadcast().to_bits();
                self.v4.within(&range, rows)
            }
            IpNet::V6(network) => {
                let range = network.network().to_bits()..=network.broadcast().to_bits();
                self.v6.within(&range, rows)
            }
        }
    }
}

/// Rows whose name each glob covers, all globs in one pass over the names.
fn match_names<'a>(
    inventory: &Inventory,
    globs: &[&'a str],
) -> HashMap<&'a str, RoaringBitmap, FixedState> {
    let mut distinct = globs.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.is_empty() {
        return HashMap::default();
    }
    let matchers = Matchers::new(distinct.iter().copied());
    let mut rows: Vec<Vec<u32>> = vec![Vec::new(); distinct.len()];
    let (mut folded, mut scratch, mut covering) = (String::new(), Scratch::default(), Vec::new());
    for device in inventory.devices() {
        folded.clear();
        fold_into(inventory.name(device), &mut folded);
        if folded.is_empty() {
            continue;
        }
        covering.clear();
        matchers.covering(&folded, host_part(&folded), &mut scratch, &mut covering);
        for at in &covering {
            if let Some(rows) = rows.get_mut(*at)
                && rows.last() != Some(&device.0)
            {
                rows.push(device.0);
            }
        }
    }
    let bitmaps = rows.iter().map(|rows| super::ascending(rows.iter().copied()));
    distinct.into_iter().zip(bitmaps).collect()
}

/// Numbers of values by folded text; empty values cannot be looked up.
fn lookup(words: &[Arc<str>]) -> Lookup {
    let mut lookup = Lookup::default();
    for (word, number) in words.iter().zip(0u32..).filter(|(word, _)| !word.is_empty()) {
        lookup.entry(fold(word)).or_default().push(number);
    }
    lookup
}

fn by_words(lookup: &Lookup, rows: &[RoaringBitmap], wanted: &[Arc<str>]) -> RoaringBitmap {
    let numbers = wanted.iter().filter_map(|word| lookup.get(&fold(word))).flatten();
    numbers.filter_map(|number| rows.get(*number as usize)).union()
}

fn by_glob(words: &[Arc<str>], rows: &[RoaringBitmap], wanted: &Glob) -> RoaringBitmap {
    let matcher = Matcher::new(&wanted.text);
    let values = words.iter().zip(rows).filter(|(word, _)| !word.is_empty());
    values.filter(|(word, _)| matcher.covers(&fold(word))).map(|(_, rows)| rows).union()
}

fn by_member<T: Copy>(
    rows: &[RoaringBitmap],
    wanted: &[T],
    position: fn(T) -> u32,
) -> RoaringBitmap {
    wanted.iter().filter_map(|member| rows.get(position(*member) as usize)).union()
}

fn by_order<T>(rows: &[RoaringBitmap], all: &[T], holds: impl Fn(&T) -> bool) -> RoaringBitmap {
    all.iter().zip(rows).filter(|(member, _)| holds(member)).map(|(_, rows)| rows).union()
}
