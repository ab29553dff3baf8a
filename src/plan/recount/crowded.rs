//! How a limit is filled by now: as an error before a run begins, as a reason in one that goes on.

use std::fmt;

use crate::model::Verb;
use crate::plan::types::Reason;
use crate::policy::workspace::Rolling;

/// A limit that the plan would exceed by now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("by now the plan would {} `{setting}` in tenant `{tenant}`: {crowd}", crowd.breaks())]
pub struct Crowded {
    /// The tenant.
    pub tenant: String,
    /// The limit's setting.
    pub setting: String,
    /// How full it is.
    pub crowd: Crowd,
}

impl Crowded {
    /// Why a run that goes on sends nothing more.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let Self { tenant, setting, crowd } = self;
        let reason = Reason::new("crowded");
        let reason = reason.with("tenant", tenant.as_str()).with("setting", setting.as_str());
        match crowd {
            Crowd::Rolling { already, planned, rolling, .. } => reason
                .with("already", *already)
                .with("planned", *planned)
                .with("limit", rolling.count)
                .with("windowSeconds", rolling.window.as_secs()),
            Crowd::Room { group, taken, left, .. } => {
                let reason = reason.with("taken", *taken).with("left", *left);
                group.iter().fold(reason, |reason, group| reason.with("group", group.as_str()))
            }
        }
    }
}

/// How full a limit is by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Crowd {
    /// A rolling cap.
    Rolling {
        /// The verb.
        verb: Verb,
        /// Actions within the window now, whoever acted.
        already: u32,
        /// What the plan would add.
        planned: u32,
        /// The cap.
        rolling: Rolling,
    },
    /// A limit on devices.
    Room {
        /// The device group, if it counts one.
        group: Option<String>,
        /// Whether it counts what stays free.
        free: bool,
        /// Devices that were taken since the plan was made, by whoever else.
        taken: u32,
        /// Of these, devices whose group is not known.
        unknown: u32,
        /// So many could have been taken.
        left: u32,
    },
}

impl Crowd {
    const fn breaks(&self) -> &'static str {
        match self {
            Self::Room { free: true, .. } => "fall below",
            Self::Room { .. } | Self::Rolling { .. } => "exceed",
        }
    }
}

impl fmt::Display for Crowd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rolling { verb, already, planned, rolling } => {
                let Rolling { count, window } = rolling;
                write!(out, "{already} {verb} within {window} and {planned} planned, cap {count}")
            }
            Self::Room { group, taken, unknown, left, .. } => {
                let devices = if *taken == 1 { "device" } else { "devices" };
                write!(out, "{taken} {devices}")?;
                if let Some(group) = group {
                    let group = if group.is_empty() { "(none)" } else { group };
                    write!(out, " of group `{group}`")?;
                }
                write!(out, " taken since it was made, room for {left}")?;
                if *unknown > 0 {
                    write!(out, "; of {unknown} of them the group is not known")?;
                }
                Ok(())
            }
        }
    }
}
