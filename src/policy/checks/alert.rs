//! Terms over alerts.

use crate::policy::checks::expr::{Sx, Terms, selector};
use crate::policy::checks::facts::{Domain, Fielded, ages, exact, names, ordered};
use crate::policy::checks::leaf;
use crate::policy::checks::terms::list;
use crate::policy::checks::{Cx, contradiction, device};
use crate::policy::selector::ast::{AlertExpr, AlertTerm};
use crate::policy::yaml::Entry;

/// The selector of alerts that `entry` holds, checked for contradictions.
pub(crate) fn expr(cx: &mut Cx<'_>, entry: &Entry) -> Option<AlertExpr> {
    spanned(cx, entry).map(plain)
}

/// The same with places.
pub(super) fn spanned(cx: &mut Cx<'_>, entry: &Entry) -> Option<Sx<AlertTerm>> {
    let selector = selector::<AlertTerm>(cx, entry)?;
    contradiction::check(cx, &selector);
    Some(selector)
}

/// The tree without places.
pub(super) fn plain(selector: Sx<AlertTerm>) -> AlertExpr {
    match selector {
        // Cannot be written for alerts; nothing may ever mean everything by accident.
        Sx::Everything(_) => AlertExpr::Any(Vec::new()),
        Sx::All(parts) => AlertExpr::All(parts.into_iter().map(plain).collect()),
        Sx::Any(parts) => AlertExpr::Any(parts.into_iter().map(plain).collect()),
        Sx::Not(part) => AlertExpr::Not(Box::new(plain(*part))),
        Sx::Term(term, _) => AlertExpr::Term(term),
    }
}

impl Terms for AlertTerm {
    const EVERYTHING: bool = false;

    fn read(cx: &mut Cx<'_>, entry: &Entry) -> Option<Self> {
        let node = &entry.value;
        Some(match entry.key.as_str() {
            "id" => Self::Id(list(cx, node, leaf::text)?),
            "title" => Self::Title(list(cx, node, leaf::glob)?),
            "severity" => Self::Severity(list(cx, node, leaf::ordered)?),
            "status" => Self::Status(list(cx, node, leaf::word)?),
            "category" => Self::Category(list(cx, node, leaf::text)?),
            "detectionSource" => Self::DetectionSource(list(cx, node, leaf::text)?),
            "serviceSource" => Self::ServiceSource(list(cx, node, leaf::text)?),
            "classification" => Self::Classification(list(cx, node, leaf::word)?),
            "assignedTo" => Self::AssignedTo(list(cx, node, |cx, node| {
                leaf::text(cx, node).map(|text| (&*text != "nobody").then_some(text))
            })?),
            "mitreTechnique" => Self::MitreTechnique(list(cx, node, leaf::technique)?),
            "incident" => Self::Incident(list(cx, node, leaf::incident)?),
            "created" => Self::Created(list(cx, node, leaf::age)?),
            "device" => Self::Device(Box::new(device::expr(cx, entry)?)),
            _ => return None,
        })
    }
}

impl Fielded for AlertTerm {
    fn field(&self) -> &'static str {
        match self {
            Self::Id(_) => "id",
            Self::Title(_) => "title",
            Self::Severity(_) => "severity",
            Self::Status(_) => "status",
            Self::Category(_) => "category",
            Self::DetectionSource(_) => "detectionSource",
            Self::ServiceSource(_) => "serviceSource",
            Self::Classification(_) => "classification",
            Self::AssignedTo(_) => "assignedTo",
            Self::MitreTechnique(_) => "mitreTechnique",
            Self::Incident(_) => "incident",
            Self::Created(_) => "created",
            Self::Device(_) => "device",
        }
    }

    fn domain(&self) -> Domain {
        match self {
            Self::Id(words) => names(true, words.iter().map(ToString::to_string)),
            Self::Category(words) | Self::DetectionSource(words) | Self::ServiceSource(words) => {
                names(true, words.iter().map(|text| text.to_lowercase()))
            }
            Self::AssignedTo(words) => {
                let spelled = |text: &Option<std::sync::Arc<str>>| {
                    text.as_ref().map_or_else(|| "nobody".to_owned(), |text| text.to_lowercase())
                };
                names(true, words.iter().map(spelled))
            }
            Self::Incident(ids) => names(true, ids.iter().map(ToString::to_string)),
            Self::Title(globs) => names(false, globs.iter().map(|glob| glob.text.to_lowercase())),
            Self::MitreTechnique(words) => names(false, words.iter().map(ToString::to_string)),
            Self::Severity(list) => ordered(list),
            Self::Status(list) => exact(list),
            Self::Classification(list) => exact(list),
            Self::Created(list) => ages(list),
            Self::Device(_) => Domain::Opaque,
        }
    }
}
