//! From a live deviation to the `Exemption` that accepts it.
//!
//! A deviation is a row or a change of a plan: a posture that somebody else placed, a wish that is
//! held, a device that a policy wants otherwise. Isolation and code execution are accepted with the
//! value they have, so that the exemption goes on watching; other facets have no value of their own
//! and are exempted as they are. What is not known, or about to change, is not accepted: nobody can
//! say what it would be. Pure; called by `cli::commands::accept`, which writes what comes out.

use jiff::Timestamp;

use crate::inventory::{Dev, Inventory};
use crate::model::{DeviceId, Facet, Isolation, Restriction, Verb};
use crate::plan::scene::unread;
use crate::plan::types::{Disposition, Plan, Reason, TargetKind};
use crate::policy::PolicySet;
use crate::policy::document::exempt::{AcceptedSpec, FacetWord};
use crate::policy::document::{DeviceSelector, ExemptionSpec, Metadata, OneOrMany, PolicyDocument};
use crate::policy::selector::select;

/// A facet of a device that is not as the policies want it.
#[derive(Clone, Debug, PartialEq)]
pub struct Deviation {
    /// Name of the tenant.
    pub tenant: String,
    /// The device.
    pub device: DeviceId,
    /// Its name; untrusted text.
    pub name: String,
    /// Which aspect.
    pub facet: Facet,
    /// The value there is, as a word; absent where the aspect has none of its own.
    pub live: Option<String>,
    /// Where it stands in the plan.
    pub disposition: Disposition,
    /// Why it is not as wanted.
    pub reason: Option<Reason>,
}

/// Why a deviation cannot be accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing is known about it.
    #[error("the {facet} of `{name}` is not known: {code}")]
    Unknown {
        /// Device name.
        name: String,
        /// Aspect.
        facet: Facet,
        /// The reason's code.
        code: String,
    },
    /// An action is in flight.
    #[error("an action on the {facet} of `{name}` is in flight")]
    Changing {
        /// Device name.
        name: String,
        /// Aspect.
        facet: Facet,
    },
    /// An exemption stands over it already.
    #[error("the {facet} of `{name}` is exempted already, by `{exemption}`")]
    Exempt {
        /// Device name.
        name: String,
        /// Aspect.
        facet: Facet,
        /// The exemption.
        exemption: String,
    },
    /// It is as wanted.
    #[error("`{name}` does not deviate{}", of_facets(.facets))]
    None {
        /// Device name.
        name: String,
        /// The aspects that were looked at; none stands for the posture.
        facets: Vec<Facet>,
    },
}

fn of_facets(facets: &[Facet]) -> String {
    let words: Vec<&str> = facets.iter().map(|facet| facet.word()).collect();
    if words.is_empty() { String::new() } else { format!(" in {}", words.join(", ")) }
}

/// Whether the facet has a value that can be accepted and watched.
const fn has_value(facet: Facet) -> bool {
    matches!(facet, Facet::Isolation | Facet::CodeExecution)
}

/// The deviations of one device. Without `facets` those of its posture; a scan that is due is
/// exempted only when it is named.
///
/// # Errors
/// When one of them cannot be accepted, or there is none.
pub fn deviations(
    plan: &Plan,
    tenant: &str,
    device: &DeviceId,
    name: &str,
    facets: &[Facet],
) -> Result<Vec<Deviation>, Refusal> {
    let id = device.to_string();
    let wanted = |facet: Facet| match facets {
        [] => has_value(facet),
        named => named.contains(&facet),
    };
    let mut found = Vec::new();
    for change in &plan.changes {
        let own = change.target.kind == TargetKind::Device && change.target.id == id;
        if own && change.tenant == tenant && wanted(change.facet) {
            let (live, reason) = (Some(&change.from), change.reason.as_ref());
            found.push((Disposition::Do, Some(change.verb), change.facet, live, reason));
        }
    }
    for (disposition, list) in [
        (Disposition::Held, &plan.held),
        (Disposition::Cannot, &plan.cannot),
        (Disposition::Unknown, &plan.unknown),
        (Disposition::Foreign, &plan.foreign),
        (Disposition::Changing, &plan.changing),
    ] {
        for entry in list {
            let own = entry.target.kind == TargetKind::Device && entry.target.id == id;
            if own && entry.tenant == tenant && wanted(entry.facet) {
                let (live, reason) = (entry.from.as_ref(), Some(&entry.reason));
                found.push((disposition, entry.verb, entry.facet, live, reason));
            }
        }
    }
    if found.is_empty() {
        return Err(Refusal::None { name: name.to_owned(), facets: facets.to_vec() });
    }
    found
        .into_iter()
        .map(|(disposition, verb, facet, live, reason)| {
            refuse(name, (disposition, verb), facet, reason)?;
            Ok(Deviation {
                tenant: tenant.to_owned(),
                device: device.clone(),
                name: name.to_owned(),
                facet,
                live: live.filter(|_| has_value(facet)).cloned(),
                disposition,
                reason: reason.cloned(),
            })
        })
        .collect()
}

/// The exemption by which a device deviates no longer: as long as the value is the accepted one, a
/// plan has no row for it. Where nobody can tell whom an exemption means that accepts the aspect, that is not known.
#[must_use]
pub fn accepted_already(
    policies: &PolicySet,
    inventory: &Inventory,
    device: Dev,
    facets: &[Facet],
    now: Timestamp,
) -> Option<Refusal> {
    let wanted = |facet: &Facet| has_value(*facet) && (facets.is_empty() || facets.contains(facet));
    policies.exemptions.iter().filter(|exemption| exemption.expires > now).find_map(|exemption| {
        let accepts = |facet: &&Facet| wanted(facet) && exemption.accepted.word(**facet).is_some();
        let facet = *exemption.facets.iter().find(accepts)?;
        let name = inventory.name(device).to_owned();
        if unread(inventory, &exemption.devices).is_some() {
            let code = "selector-partial".to_owned();
            return Some(Refusal::Unknown { name, facet, code });
        }
        let reaches = select(inventory, &exemption.devices, now).contains(device.0);
        let exemption = exemption.header.name.to_string();
        reaches.then_some(Refusal::Exempt { name, facet, exemption })
    })
}

fn refuse(
    name: &str,
    (disposition, verb): (Disposition, Option<Verb>),
    facet: Facet,
    reason: Option<&Reason>,
) -> Result<(), Refusal> {
    let name = name.to_owned();
    let code = reason.map_or("", |reason| reason.code.as_str());
    match (disposition, code) {
        (Disposition::Changing, _) => Err(Refusal::Changing { name, facet }),
        // A cancellation is of something in flight, done or held.
        _ if verb == Some(Verb::Cancel) => Err(Refusal::Changing { name, facet }),
        (Disposition::Unknown, code) => {
            Err(Refusal::Unknown { name, facet, code: code.to_owned() })
        }
        // One whose device has left the accepted value still speaks of it: a second one would have no say.
        (_, "exemption" | "accepted-moved") => {
            let exemption = reason.and_then(|reason| reason.text("name")).unwrap_or_default();
            Err(Refusal::Exempt { name, facet, exemption })
        }
        _ => Ok(()),
    }
}

/// What a person says about it.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Name of the first document; later ones have a number after it.
    pub name: &'a str,
    /// Why.
    pub reason: &'a str,
    /// Who agreed.
    pub approver: &'a str,
    /// When it ends (UTC).
    pub expires: Timestamp,
}

/// What one document says of each of its devices.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    facets: Vec<Facet>,
    accepted: Vec<(Facet, String)>,
}

/// One document for the devices that deviate alike, in the order of their first device. `describe`
/// makes safe text of a device's name.
#[must_use]
pub fn documents(
    deviations: &[Deviation],
    about: &About<'_>,
    describe: impl Fn(&str) -> String,
) -> Vec<PolicyDocument> {
    let mut devices: Vec<&DeviceId> = Vec::new();
    for deviation in deviations {
        if !devices.contains(&&deviation.device) {
            devices.push(&deviation.device);
        }
    }
    let mut groups: Vec<(Said, Vec<&DeviceId>)> = Vec::new();
    for device in devices {
        let said = said(deviations, device);
        match groups.iter_mut().find(|(other, _)| *other == said) {
            Some((_, devices)) => devices.push(device),
            None => groups.push((said, vec![device])),
        }
    }
    let groups = groups.into_iter().zip(1_usize..);
    groups
        .map(|((said, devices), number)| {
            let name = match number {
                1 => about.name.to_owned(),
                later => format!("{}-{later}", about.name),
            };
            let called: Vec<String> = devices
                .iter()
                .filter_map(|id| deviations.iter().find(|it| it.device == **id))
                .map(|deviation| describe(&deviation.name))
                .collect();
            document(said, &devices, name, &called, about)
        })
        .collect()
}

fn said(deviations: &[Deviation], device: &DeviceId) -> Said {
    let own = || deviations.iter().filter(|deviation| deviation.device == *device);
    let mut facets: Vec<Facet> = own().map(|deviation| deviation.facet).collect();
    facets.sort_unstable();
    facets.dedup();
    let mut accepted: Vec<(Facet, String)> =
        own().filter_map(|deviation| Some((deviation.facet, deviation.live.clone()?))).collect();
    accepted.sort();
    // A device that was named twice.
    accepted.dedup();
    Said { facets, accepted }
}

fn document(
    said: Said,
    devices: &[&DeviceId],
    name: String,
    called: &[String],
    about: &About<'_>,
) -> PolicyDocument {
    let ids: Vec<_> = devices.iter().map(|id| id.to_string().into()).collect();
    let mut accepted = AcceptedSpec::default();
    for (facet, live) in &said.accepted {
        match facet {
            Facet::Isolation => accepted.isolation = Isolation::parse(live),
            Facet::CodeExecution => accepted.code_execution = Restriction::parse(live),
            _ => {}
        }
    }
    let values: Vec<String> =
        said.accepted.iter().map(|(facet, live)| format!("{facet} {live}")).collect();
    let description = match values.as_slice() {
        [] => format!("Accepted on {}", called.join(", ")),
        values => format!("Accepted on {}: {}", called.join(", "), values.join(", ")),
    };
    let facets: Vec<FacetWord> = said.facets.iter().filter_map(|facet| word(*facet)).collect();
    let metadata = Metadata {
        name: name.into(),
        description: Some(description.into()),
        ..Metadata::default()
    };
    let spec = ExemptionSpec {
        devices: DeviceSelector { id: Some(OneOrMany::from(ids)), ..DeviceSelector::default() },
        facets: Some(OneOrMany::from(facets)),
        accepted: (!values.is_empty()).then_some(accepted),
        reason: about.reason.into(),
        approver: about.approver.into(),
        expires: about.expires.to_string().into(),
    };
    PolicyDocument::Exemption(metadata, spec)
}

const fn word(facet: Facet) -> Option<FacetWord> {
    Some(match facet {
        Facet::Isolation => FacetWord::Isolation,
        Facet::CodeExecution => FacetWord::CodeExecution,
        Facet::Scan => FacetWord::Scan,
        Facet::QuarantinedFile => FacetWord::QuarantinedFile,
        Facet::InvestigationPackage => FacetWord::InvestigationPackage,
        Facet::Onboarding => FacetWord::Onboarding,
        Facet::Tags => FacetWord::Tags,
        Facet::Value => FacetWord::Value,
        Facet::Classification => return None,
    })
}
