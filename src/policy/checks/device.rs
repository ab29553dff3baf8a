//! Terms over devices.

use std::sync::Arc;

use crate::diag::{Code, words};
use crate::model::{DeviceId, OsFamily};
use crate::policy::checks::expr::{Sx, Terms, selector};
use crate::policy::checks::facts::{Domain, Fielded, ages, exact, mask, names, ordered};
use crate::policy::checks::leaf;
use crate::policy::checks::terms::list;
use crate::policy::checks::{Cx, alert, contradiction};
use crate::policy::selector::ast::{DeviceExpr, DeviceTerm, Glob, OsMatch, SiteRef};
use crate::policy::workspace::Workspace;
use crate::policy::yaml::{Entry, Node};

/// The selector of devices that `entry` holds, checked for contradictions.
pub(crate) fn expr(cx: &mut Cx<'_>, entry: &Entry) -> Option<DeviceExpr> {
    let selector = selector::<DeviceTerm>(cx, entry)?;
    contradiction::check(cx, &selector);
    all_but_a_pattern(cx, &selector, true);
    Some(plain(selector))
}

/// `not: {group: "*"}`: groups are compared whole and none is called so, which leaves every device.
fn all_but_a_pattern(cx: &mut Cx<'_>, selector: &Sx<DeviceTerm>, holds: bool) {
    match selector {
        Sx::Term(DeviceTerm::Group(groups), place) if !holds => {
            let stars = |group: &&Arc<str>| group.chars().all(|c| c == '*');
            if let Some(group) = groups.iter().find(stars) {
                let message = format!("`not` group {} is every device", words::quote(group));
                cx.report::<()>(Code::EverythingShorthand, place, message);
            }
        }
        Sx::Everything(_) | Sx::Term(..) => {}
        Sx::Not(part) => all_but_a_pattern(cx, part, !holds),
        Sx::All(parts) | Sx::Any(parts) => {
            parts.iter().for_each(|part| all_but_a_pattern(cx, part, holds));
        }
    }
}

/// The tree without places. A site that nothing is known of matches nothing.
fn plain(selector: Sx<DeviceTerm>) -> DeviceExpr {
    match selector {
        Sx::Everything(_) => DeviceExpr::Everything,
        Sx::All(parts) => DeviceExpr::All(parts.into_iter().map(plain).collect()),
        Sx::Any(parts) => DeviceExpr::Any(parts.into_iter().map(plain).collect()),
        Sx::Not(part) => DeviceExpr::Not(Box::new(plain(*part))),
        Sx::Term(DeviceTerm::Site(sites), _) if sites.is_empty() => DeviceExpr::Any(Vec::new()),
        Sx::Term(term, _) => DeviceExpr::Term(term),
    }
}

impl Terms for DeviceTerm {
    const EVERYTHING: bool = true;

    fn read(cx: &mut Cx<'_>, entry: &Entry) -> Option<Self> {
        let node = &entry.value;
        Some(match entry.key.as_str() {
            "id" => Self::Id(list(cx, node, |cx, node| {
                leaf::text(cx, node).map(|text| DeviceId::parse(text.trim()))
            })?),
            "name" => Self::Name(list(cx, node, name)?),
            "group" => Self::Group(list(cx, node, leaf::group)?),
            "site" => Self::Site(list(cx, node, site)?.concat()),
            "tag" => Self::Tag(list(cx, node, tag)?),
            "os" => Self::Os(list(cx, node, os)?),
            "version" => Self::Version(list(cx, node, leaf::glob)?),
            "ip" => Self::Ip(list(cx, node, leaf::network)?),
            "health" => Self::Health(list(cx, node, leaf::word)?),
            "risk" => Self::Risk(list(cx, node, leaf::ordered)?),
            "exposure" => Self::Exposure(list(cx, node, leaf::ordered)?),
            "value" => Self::Value(list(cx, node, leaf::ordered)?),
            "onboarding" => Self::Onboarding(list(cx, node, leaf::word)?),
            "joined" => Self::Joined(node.bool()?),
            "managedBy" => Self::ManagedBy(list(cx, node, leaf::text)?),
            "avStatus" => Self::AvStatus(list(cx, node, leaf::word)?),
            "seen" => Self::Seen(list(cx, node, leaf::age)?),
            "alert" => Self::Alert(Box::new(alert::expr(cx, entry)?)),
            "incident" => Self::Incident(list(cx, node, leaf::incident)?),
            _ => return None,
        })
    }
}

/// A name pattern; one that matches every name is the fleet in disguise.
fn name(cx: &mut Cx<'_>, node: &Node) -> Option<Glob> {
    let glob = leaf::glob(cx, node)?;
    if glob.text.chars().all(|c| c == '*') {
        let message = format!("{} matches every device", words::quote(&glob.text));
        return cx.report(Code::EverythingShorthand, &node.place, message);
    }
    Some(glob)
}

/// A tag: a pattern only when it has a `*` or `?`.
fn tag(cx: &mut Cx<'_>, node: &Node) -> Option<Glob> {
    let text = node.text()?;
    if text.contains(['*', '?']) {
        return leaf::glob(cx, node);
    }
    leaf::text(cx, node).map(|text| Glob { text })
}

fn os(cx: &mut Cx<'_>, node: &Node) -> Option<OsMatch> {
    let text = leaf::text(cx, node)?;
    if text.starts_with(['<', '>']) {
        let message =
            format!("{} compares, but operating systems have no order", words::quote(&text));
        return cx.report(Code::NotOrdered, &node.place, message);
    }
    if text.contains(['*', '?']) {
        let message = format!("{} is compared whole, not as a pattern", words::quote(&text));
        let help = "name families such as `windows` and `windowsServer`, or whole platform strings";
        return cx.advise(Code::UnknownValue, &node.place, message, help);
    }
    if let Some(family) = OsFamily::ALL.iter().find(|family| family.word() == &*text) {
        return Some(OsMatch::Family(*family));
    }
    // These family names, in this spelling, are also platform strings of the service.
    if matches!(&*text, "macOS" | "Linux" | "iOS" | "Android" | "Other") {
        return Some(OsMatch::Platform(text));
    }
    let families = OsFamily::ALL.iter().map(|family| family.word()).filter(|word| *word != "other");
    if let Some(near) = words::near(&text, families) {
        let is_platform = OsFamily::of_platform(&text) != OsFamily::Other;
        if !is_platform || near.eq_ignore_ascii_case(&text) {
            let message = format!("operating system {} is not known", words::quote(&text));
            let help = format!("did you mean {}?", words::quote(near));
            return cx.advise(Code::UnknownValue, &node.place, message, help);
        }
    }
    Some(OsMatch::Platform(text))
}

/// What a site and everything below it map to.
fn site(cx: &mut Cx<'_>, node: &Node) -> Option<Vec<SiteRef>> {
    let path = leaf::text(cx, node)?;
    let Some(workspace) = cx.workspace else {
        let message = format!("site {} cannot be looked up", words::quote(&path));
        cx.report::<()>(Code::SiteUnresolved, &node.place, message);
        return Some(Vec::new());
    };
    let known = known_sites(workspace);
    if !known.iter().any(|site| is_below(site, &path)) {
        let message = format!("site {} is not known", words::quote(&path));
        let known = known.iter().map(|site| &**site);
        let help = match words::near(&path, known.clone()) {
            Some(near) => format!("did you mean {}?", words::quote(near)),
            None if known.clone().next().is_none() => "the workspace has no sites".to_owned(),
            None => format!("sites are {}", words::all_of(known)),
        };
        return cx.advise(Code::UnknownSite, &node.place, message, help);
    }
    Some(resolve(workspace, &path))
}

/// Sites of the workspace file, and those that only tenants name.
pub(crate) fn known_sites(workspace: &Workspace) -> Vec<Arc<str>> {
    let mut known: Vec<Arc<str>> = workspace.sites.keys().cloned().collect();
    known.extend(workspace.tenants.iter().filter_map(|tenant| tenant.site.clone()));
    known.sort();
    known.dedup();
    known
}

/// Whether `site` is `above` or lies below it.
pub(crate) fn is_below(site: &str, above: &str) -> bool {
    site.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn resolve(workspace: &Workspace, path: &Arc<str>) -> Vec<SiteRef> {
    let mut refs = Vec::new();
    for site in known_sites(workspace).iter().filter(|site| is_below(site, path)) {
        let own = workspace.sites.get(site);
        let belongs = workspace.tenants.iter().filter(|tenant| tenant.site.as_ref() == Some(site));
        let belongs: Vec<Arc<str>> = belongs.map(|tenant| Arc::clone(&tenant.name)).collect();
        let groups = own.map(|own| own.groups.clone()).unwrap_or_default();
        let tags = own.map(|own| own.tags.clone()).unwrap_or_default();
        let whole =
            |tenants| SiteRef { path: Arc::clone(path), groups: vec![], tags: vec![], tenants };
        if groups.is_empty() && tags.is_empty() {
            let mut tenants = own.map(|own| own.tenants.clone()).unwrap_or_default();
            tenants.extend(belongs);
            if !tenants.is_empty() {
                refs.push(whole(tenants));
            }
            continue;
        }
        refs.push(SiteRef {
            path: Arc::clone(path),
            groups,
            tags,
            tenants: confined(workspace, site),
        });
        // A tenant that belongs to the site belongs to it whole, whatever its groups are called.
        if !belongs.is_empty() {
            refs.push(whole(belongs));
        }
    }
    refs
}

/// Tenants of the site, or of the nearest site above that names some.
fn confined(workspace: &Workspace, site: &str) -> Vec<Arc<str>> {
    let mut at = Some(site);
    while let Some(path) = at {
        if let Some(found) = workspace.sites.get(path).filter(|found| !found.tenants.is_empty()) {
            return found.tenants.clone();
        }
        at = path.rsplit_once('/').map(|(above, _)| above);
    }
    Vec::new()
}

impl Fielded for DeviceTerm {
    fn field(&self) -> &'static str {
        match self {
            Self::Id(_) => "id",
            Self::Name(_) => "name",
            Self::Group(_) => "group",
            Self::Site(_) => "site",
            Self::Tag(_) => "tag",
            Self::Os(_) => "os",
            Self::Version(_) => "version",
            Self::Ip(_) => "ip",
            Self::Health(_) => "health",
            Self::Risk(_) => "risk",
            Self::Exposure(_) => "exposure",
            Self::Value(_) => "value",
            Self::Onboarding(_) => "onboarding",
            Self::Joined(_) => "joined",
            Self::ManagedBy(_) => "managedBy",
            Self::AvStatus(_) => "avStatus",
            Self::Seen(_) => "seen",
            Self::Alert(_) => "alert",
            Self::Incident(_) => "incident",
        }
    }

    fn domain(&self) -> Domain {
        match self {
            Self::Id(ids) => names(true, ids.iter().map(ToString::to_string)),
            Self::Group(groups) => names(true, groups.iter().map(|text| text.to_lowercase())),
            Self::ManagedBy(words) => names(true, words.iter().map(|text| text.to_lowercase())),
            Self::Name(globs) | Self::Tag(globs) | Self::Version(globs) => {
                names(false, globs.iter().map(|glob| glob.text.to_lowercase()))
            }
            Self::Ip(nets) => names(false, nets.iter().map(ToString::to_string)),
            Self::Incident(ids) => names(false, ids.iter().map(ToString::to_string)),
            Self::Os(list) => os_domain(list),
            Self::Health(list) => exact(list),
            Self::Onboarding(list) => exact(list),
            Self::AvStatus(list) => exact(list),
            Self::Risk(list) => ordered(list),
            Self::Exposure(list) => ordered(list),
            Self::Value(list) => ordered(list),
            Self::Joined(joined) => mask(if *joined { 1 } else { 2 }, 3),
            Self::Seen(list) => ages(list),
            Self::Site(_) | Self::Alert(_) => Domain::Opaque,
        }
    }
}

/// Families as a mask; a platform counts as its family when it is wanted and as nothing when it is
/// excluded.
fn os_domain(list: &[OsMatch]) -> Domain {
    let bit = |family: OsFamily| {
        OsFamily::ALL.iter().position(|known| *known == family).map_or(0, |at| 1u64 << at)
    };
    let (mut wanted, mut excluded) = (0, 0);
    for each in list {
        match each {
            OsMatch::Family(family) => {
                wanted |= bit(*family);
                excluded |= bit(*family);
            }
            OsMatch::Platform(platform) => wanted |= bit(OsFamily::of_platform(platform)),
        }
    }
    Domain::Mask { wanted, excluded, full: (1 << OsFamily::ALL.len()) - 1 }
}
