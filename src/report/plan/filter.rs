//! Drill-down: which part of a plan `show` lets through.
//!
//! Filters are ANDed; texts compare without regard to case. Filled by `cli::commands::show`.

use crate::model::Verb;
use crate::plan::types::{Disposition, Plan, TargetKind};
use crate::report::measure;
use crate::report::plan::items::{self, Item};

/// What is let through; an empty filter lets through everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Names of tenants, any of them.
    pub tenants: Vec<String>,
    /// Device group; the empty name and `ungrouped` mean devices without one.
    pub group: Option<String>,
    /// Name of a policy, or `Kind/name`.
    pub policy: Option<String>,
    /// A verb.
    pub verb: Option<Verb>,
    /// A device or alert by id, by name or by the host part of its name.
    pub device: Option<String>,
    /// A disposition.
    pub disposition: Option<Disposition>,
    /// A wave, from 1; what waits for no wave is in the first.
    pub wave: Option<u32>,
}

impl Filter {
    /// Whether everything is let through.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        let Self { tenants, group, policy, verb, device, disposition, wave } = self;
        tenants.is_empty()
            && group.is_none()
            && policy.is_none()
            && verb.is_none()
            && device.is_none()
            && disposition.is_none()
            && wave.is_none()
    }

    pub(super) fn lets(&self, item: &Item<'_>) -> bool {
        let Self { tenants, group, policy, verb, device, disposition, wave } = self;
        let own = |name: &String| name.eq_ignore_ascii_case(item.tenant());
        (tenants.is_empty() || tenants.iter().any(own))
            && group.as_deref().is_none_or(|wanted| lets_group(wanted, item))
            && policy.as_deref().is_none_or(|wanted| lets_policy(wanted, item))
            && verb.is_none_or(|verb| item.verb() == Some(verb))
            && device.as_deref().is_none_or(|wanted| lets_target(wanted, item))
            && disposition.is_none_or(|kind| item.disposition() == kind)
            && wave.is_none_or(|wave| matches!(item, Item::Change(it) if it.wave == wave))
    }

    /// How many changes and entries of the plan the filter lets through.
    #[must_use]
    pub fn count(&self, plan: &Plan) -> usize {
        items::all(plan).iter().filter(|item| self.lets(item)).count()
    }
}

fn lets_group(wanted: &str, item: &Item<'_>) -> bool {
    let group = item.target().group.as_str();
    let wanted = if wanted.eq_ignore_ascii_case(measure::UNGROUPED) { "" } else { wanted };
    item.target().kind == TargetKind::Device && group.eq_ignore_ascii_case(wanted)
}

fn lets_policy(wanted: &str, item: &Item<'_>) -> bool {
    item.because().iter().any(|why| match wanted.split_once('/') {
        Some((kind, name)) => {
            why.kind.eq_ignore_ascii_case(kind) && why.name.eq_ignore_ascii_case(name)
        }
        None => why.name.eq_ignore_ascii_case(wanted),
    })
}

fn lets_target(wanted: &str, item: &Item<'_>) -> bool {
    let target = item.target();
    let host = target.name.split('.').next().unwrap_or(&target.name);
    [target.id.as_str(), target.name.as_str(), host]
        .iter()
        .any(|text| text.eq_ignore_ascii_case(wanted))
}
