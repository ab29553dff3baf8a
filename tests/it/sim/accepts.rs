//! Accepted deviations: somebody accepts what is live on a device, and the exemption that comes of it
//! joins the policies.
//!
//! What is written must be what is the case; the device is left as it is until the exemption ends,
//! is watched from the accepted value on, and is treated like any other afterwards. The first and
//! last are asked for with the other exemptions (`on_plans`), the watch here. Must never write a
//! document of its own: the text is the product's.

use jiff::{SignedDuration, Timestamp};
use palisade::model::{DeviceId, Facet};
use palisade::plan::accept::{About, Deviation, Refusal, deviations, documents};
use palisade::plan::{Circumstances, Entry, Plan};

use super::on_plans::{Scene, side_of};
use super::policy::{Doc, Kind, Pick, name};
use super::reference::Side;
use super::transition::Draw;
use super::world::{Site, World};
use super::{Broken, Check};
use crate::apply_rig::start;

/// Slots of accepted deviations begin here: nobody edits them.
const SLOTS: usize = 10;

/// What an exemption accepts, as strengths: absent is not exempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Accepted {
    network: Option<u8>,
    code: Option<u8>,
    /// Exempt from scans, which have no value.
    scan: bool,
}

impl Accepted {
    pub(super) fn value(self, side: Side) -> Option<u8> {
        match side {
            Side::Network => self.network,
            Side::Code => self.code,
            Side::Scan => None,
        }
    }

    /// Facets whose values are watched.
    pub(super) fn facets(self) -> impl Iterator<Item = Facet> {
        let network = self.network.map(|_| Facet::Isolation);
        network.into_iter().chain(self.code.map(|_| Facet::CodeExecution))
    }
}

/// What somebody accepts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accept {
    device: usize,
    facets: &'static [Facet],
    /// From now.
    hours: u32,
}

impl Accept {
    pub(super) fn draw(draw: &mut Draw, device: usize) -> Self {
        const FACETS: &[&[Facet]] = &[
            &[],
            &[],
            &[Facet::Isolation],
            &[Facet::Isolation],
            &[Facet::CodeExecution],
            &[Facet::Scan],
        ];
        Self { device, facets: draw.pick(FACETS), hours: draw.pick(&[1, 6, 30, 90]) }
    }
}

/// When an exemption ends.
pub(super) fn ends(doc: &Doc) -> Timestamp {
    start() + SignedDuration::from_hours(i64::from(doc.lease))
}

/// Whether the document keeps policies off that side of its devices, as long as it lasts.
pub(super) fn exempts(doc: &Doc, side: Side) -> bool {
    match doc.kind {
        Kind::Exempt => side != Side::Scan,
        Kind::Accepted(accepted) => {
            accepted.value(side).is_some() || (accepted.scan && side == Side::Scan)
        }
        _ => false,
    }
}

/// A strength as people call it.
const fn word(side: Side, level: u8) -> &'static str {
    match (side, level) {
        (Side::Network, 0) => "free",
        (Side::Network, 1) => "selective",
        (Side::Network, _) => "full",
        (_, 0) => "unrestricted",
        (..) => "restricted",
    }
}

impl World {
    /// Somebody accepts what is live on a device.
    pub(super) async fn accept(&mut self, site: usize, accept: &Accept) -> Check {
        let began = self.clock.now();
        let around = Circumstances::default();
        let Some(review) = self.plan(site, around).await? else { return Ok(()) };
        let name_of = self.names[accept.device % self.names.len()].clone();
        let row = self.truth(|truth| truth.row(&name_of)).unwrap();
        let id = self.truth(|truth| truth.0.machine(row).unwrap().id.to_string());
        let device = DeviceId::parse(&id);
        let plan = &review.plan;
        let found = deviations(plan, "contoso", &device, &name_of, accept.facets);
        let accepted = self.truth(|truth| {
            let scene = Scene { truth, site: &self.sites[site], began, plan };
            match &found {
                Ok(found) => scene.live(row, found).map(Some),
                Err(refusal) => scene.may_refuse(row, refusal).map(|()| None),
            }
        })?;
        let (Ok(found), Some(accepted)) = (found, accepted) else { return Ok(()) };
        let slot = SLOTS + self.sites[site].docs.range(SLOTS..).count();
        // A whole hour, and not before the hours are over.
        let hours = self.clock.now().duration_since(start()).as_hours() + 1;
        let doc = Doc {
            kind: Kind::Accepted(accepted),
            pick: Pick::Device(row),
            lease: u32::try_from(hours).unwrap() + accept.hours,
            text: None,
            ..Doc::draw(&mut Draw(0))
        };
        let name = name(slot);
        let expires = ends(&doc);
        let about = About { name: &name, reason: "a test", approver: "ciso", expires };
        let written = documents(&found, &about, ToOwned::to_owned);
        let [document] = written.as_slice() else {
            return Err(Broken::new(5, format!("{found:?} becomes {written:?}")));
        };
        let text = serde_yaml::to_string(document).unwrap();
        let doc = Doc { text: Some(text.into()), ..doc };
        self.sites[site].docs.insert(slot, doc);
        self.count("accepted");
        self.load(site)
    }
}

impl Scene<'_> {
    /// The exemption over that side of a device; one that accepts before one that does not.
    fn over(&self, row: u32, side: Side) -> Option<&Doc> {
        let traits = self.truth.traits(row);
        let docs = self.site.docs.values().filter(|doc| {
            exempts(doc, side) && doc.pick.selects(&traits) && ends(doc) > self.plan.created_at
        });
        docs.max_by_key(|doc| matches!(doc.kind, Kind::Accepted(_)))
    }

    /// Whether nothing can have changed since the observation began.
    fn is_still(&self, row: u32, side: Side) -> bool {
        let truth = self.truth;
        truth.is_quiet_since(row, side, self.began)
            && truth.in_flight(row, side, self.began).next().is_none()
    }

    /// What is accepted is what is the case, and what no other exemption speaks of.
    fn live(&self, row: u32, found: &[Deviation]) -> Result<Accepted, Broken> {
        let mut accepted = Accepted::default();
        for deviation in found {
            let wrong = |law, what: &str| Err(Broken::new(law, format!("{what}: {deviation:?}")));
            let Some(side) = side_of(deviation.facet) else { return wrong(5, "no such facet") };
            // A plain exemption has no value, and may be given one.
            let over = self.over(row, side);
            if let Some(doc) = over.filter(|doc| doc.kind != Kind::Exempt) {
                return wrong(6, &format!("it is exempted already by {doc:?}"));
            }
            let level = (0..3).find(|level| deviation.live.as_deref() == Some(word(side, *level)));
            match (side, level) {
                (Side::Network, Some(level)) => accepted.network = Some(level),
                (Side::Code, Some(level)) => accepted.code = Some(level),
                (Side::Scan, None) => accepted.scan = true,
                _ => return wrong(4, "no value, or one of nothing"),
            }
            let settled = self.truth.is_quiet_since(row, side, self.began);
            if settled && level.is_some() && !self.is_still(row, side) {
                return wrong(4, "an action is in flight");
            }
            let standing = self.truth.standing(row, side, self.began);
            if level.is_some_and(|level| level != standing.level) && self.is_still(row, side) {
                return wrong(4, &format!("what is live is {standing:?}"));
            }
        }
        Ok(accepted)
    }

    /// A refusal has its reason.
    fn may_refuse(&self, row: u32, refusal: &Refusal) -> Check {
        let wrong = |law, what: &str| Err(Broken::new(law, format!("{what}: {refusal:?}")));
        match refusal {
            Refusal::Changing { facet, .. } => match side_of(*facet) {
                Some(side) if self.is_still(row, side) => wrong(4, "nothing is in flight"),
                _ => Ok(()),
            },
            Refusal::Exempt { facet, .. } => match side_of(*facet) {
                Some(side) if self.over(row, side).is_none() => wrong(4, "nothing exempts it"),
                _ => Ok(()),
            },
            Refusal::Unknown { .. } | Refusal::None { .. } => Ok(()),
        }
    }

    /// The watch: nothing is said while a device has its accepted value, and it is shown as soon as
    /// it has another one.
    pub(super) fn watched(&self) -> Check {
        for (doc, accepted, row) in in_force(self.site, self.plan.created_at) {
            let id = self.truth.0.machine(row).unwrap().id.to_string();
            for facet in accepted.facets() {
                let side = side_of(facet).unwrap();
                if !self.is_still(row, side) {
                    continue;
                }
                let about = |entry: &&Entry| entry.target.id == id && entry.facet == facet;
                let said = entries(self.plan).find(about);
                let level = self.truth.standing(row, side, self.began).level;
                let is_so = Some(level) == accepted.value(side);
                let told = said.is_some_and(|it| it.reason.code == "accepted-moved");
                if is_so && said.is_some() {
                    let what = format!("accepted, and not left at that: {said:?} of {doc:?}");
                    return Err(Broken::new(6, what));
                }
                if !is_so && !told {
                    let what = format!("{id} is not watched: {facet} {level}, {said:?} of {doc:?}");
                    return Err(Broken::new(4, what));
                }
            }
        }
        self.counted()
    }

    /// Law 5: a plan counts what is as each exemption accepts it.
    fn counted(&self) -> Check {
        for (doc, accepted, row) in in_force(self.site, self.plan.created_at) {
            let mut slots = self.site.docs.iter();
            let name = slots.find(|(_, other)| *other == doc).map(|(slot, _)| name(*slot));
            let said = self.plan.exemptions.iter().find(|it| Some(&it.name) == name.as_ref());
            let sides = || accepted.facets().filter_map(side_of);
            if !sides().all(|side| self.is_still(row, side)) {
                continue;
            }
            let level = |side| Some(self.truth.standing(row, side, self.began).level);
            let so = sides().filter(|side| level(*side) == accepted.value(*side)).count();
            if said.is_none_or(|said| said.accepted as usize != so) {
                return Err(Broken::new(5, format!("{so} are accepted, {said:?} of {doc:?}")));
            }
        }
        Ok(())
    }
}

fn entries(plan: &Plan) -> impl Iterator<Item = &Entry> {
    let lists: [&Vec<Entry>; 6] =
        [&plan.held, &plan.cannot, &plan.unknown, &plan.foreign, &plan.changing, &plan.audit];
    lists.into_iter().flatten()
}

/// Acceptances that have not ended, with their devices.
fn in_force(site: &Site, now: Timestamp) -> impl Iterator<Item = (&Doc, Accepted, u32)> {
    site.docs.values().filter(move |doc| ends(doc) > now).filter_map(|doc| {
        match (doc.kind, doc.pick) {
            (Kind::Accepted(accepted), Pick::Device(row)) => Some((doc, accepted, row)),
            _ => None,
        }
    })
}

/// Whether any acceptance has still to end.
pub(super) fn holds_any(world: &World) -> bool {
    let now = world.clock.now();
    world.sites.iter().any(|site| in_force(site, now).next().is_some())
}

/// How often the watch had something to say.
pub(super) fn count(world: &mut World, plan: &Plan) {
    let moved = plan.held.iter().filter(|row| row.reason.code == "accepted-moved").count();
    (0..moved).for_each(|_| world.count("accepted moved"));
}
