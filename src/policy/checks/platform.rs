//! Policies that can act on none of the platforms they select.
//!
//! The families that support an action are those of the service's platform matrix (Microsoft Learn,
//! `respond-machine-alerts`, 2025-12-31). The planner decides for each device; this only says early
//! that a whole policy cannot work.

use crate::diag::{Code, Place, words};
use crate::model::OsFamily;
use crate::policy::checks::Cx;
use crate::policy::selector::ast::{DeviceExpr, DeviceTerm, OsMatch};

/// What a policy wants to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish {
    Isolation,
    SelectiveIsolation,
    Restriction,
    Scan,
}

impl Wish {
    const fn families(self) -> &'static [OsFamily] {
        use OsFamily::{Linux, Macos, Windows, WindowsServer};
        match self {
            Self::Isolation | Self::Scan => &[Windows, WindowsServer, Macos, Linux],
            Self::SelectiveIsolation => &[Windows, WindowsServer, Macos],
            Self::Restriction => &[Windows, WindowsServer],
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Isolation => "isolation",
            Self::SelectiveIsolation => "selective isolation",
            Self::Restriction => "restriction of code execution",
            Self::Scan => "an antivirus scan",
        }
    }
}

/// Warns when every platform that `expr` can select lacks support.
pub(super) fn check(cx: &mut Cx<'_>, expr: &DeviceExpr, wish: Wish, place: &Place) {
    let possible = families(expr);
    let supported = wish.families().iter().fold(0, |mask, family| mask | bit(*family));
    if possible == 0 || possible & supported != 0 {
        return;
    }
    let selected = OsFamily::ALL.iter().filter(|family| possible & bit(**family) != 0);
    let selected = words::all_of(selected.map(|family| family.word()));
    let works = words::all_of(wish.families().iter().map(|family| family.word()));
    let message = format!("{} does not work on {selected}", wish.words());
    let help = format!("it works on {works}; the selected devices would all end as `cannot`");
    cx.advise::<()>(Code::PlatformUnsupported, place, message, help);
}

fn bit(family: OsFamily) -> u32 {
    OsFamily::ALL.iter().position(|known| *known == family).map_or(0, |at| 1 << at)
}

/// Families that the selector can match; more rather than fewer.
fn families(expr: &DeviceExpr) -> u32 {
    let all = (1 << OsFamily::ALL.len()) - 1;
    match expr {
        DeviceExpr::All(parts) => parts.iter().fold(all, |mask, part| mask & families(part)),
        DeviceExpr::Any(parts) => parts.iter().fold(0, |mask, part| mask | families(part)),
        DeviceExpr::Not(part) => match &**part {
            DeviceExpr::Term(DeviceTerm::Os(list)) => {
                let whole = list.iter().filter_map(|each| match each {
                    OsMatch::Family(family) => Some(bit(*family)),
                    OsMatch::Platform(_) => None,
                });
                all & !whole.fold(0, |mask, bit| mask | bit)
            }
            _ => all,
        },
        DeviceExpr::Term(DeviceTerm::Os(list)) => list.iter().fold(0, |mask, each| {
            mask | match each {
                OsMatch::Family(family) => bit(*family),
                OsMatch::Platform(platform) => bit(OsFamily::of_platform(platform)),
            }
        }),
        DeviceExpr::Everything | DeviceExpr::Term(_) => all,
    }
}
