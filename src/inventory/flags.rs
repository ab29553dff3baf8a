//! The closed enums of a device in one 32-bit word.
//!
//! Eight small fields for each of a million devices: packed they cost four bytes instead of eight
//! or more, and one array serves all their indexes. The layout is private to this file.

use crate::model::{AvStatus, DeviceValue, Exposure, Health, Onboarding, Risk};

/// The packed fields of one device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Flags(u32);

/// Declares a field of three bits that holds a member of an enum by its position in `ALL`.
macro_rules! fields {
    ($($get:ident / $with:ident: $kind:ident at $shift:literal),+ $(,)?) => {
        $(
            pub(crate) fn $get(self) -> $kind {
                let at = (self.0 >> $shift) & 0b111;
                $kind::ALL.get(at as usize).copied().unwrap_or_else(|| $kind::from_wire(""))
            }
            pub(crate) fn $with(self, value: $kind) -> Self {
                Self(self.0 & !(0b111 << $shift) | (value as u32 & 0b111) << $shift)
            }
        )+
    };
}

impl Flags {
    fields!(
        health / with_health: Health at 0,
        risk / with_risk: Risk at 3,
        exposure / with_exposure: Exposure at 6,
        value / with_value: DeviceValue at 9,
        onboarding / with_onboarding: Onboarding at 12,
        av_status / with_av_status: AvStatus at 15,
    );

    const JOINED: u32 = 1 << 18;
    const DUPLICATE: u32 = 1 << 19;

    pub(crate) fn joined(self) -> bool {
        self.0 & Self::JOINED != 0
    }
    pub(crate) fn with_joined(self, joined: bool) -> Self {
        Self(if joined { self.0 | Self::JOINED } else { self.0 & !Self::JOINED })
    }
    /// What the service calls a potential duplication.
    pub(crate) fn duplicate(self) -> bool {
        self.0 & Self::DUPLICATE != 0
    }
    pub(crate) fn with_duplicate(self, duplicate: bool) -> Self {
        Self(if duplicate { self.0 | Self::DUPLICATE } else { self.0 & !Self::DUPLICATE })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_keeps_its_value_beside_all_others() {
        for health in Health::ALL {
            for av in AvStatus::ALL {
                for risk in Risk::ALL {
                    let flags = Flags::default()
                        .with_risk(Risk::High)
                        .with_health(*health)
                        .with_av_status(*av)
                        .with_risk(*risk)
                        .with_exposure(Exposure::High)
                        .with_value(DeviceValue::High)
                        .with_onboarding(Onboarding::Unsupported)
                        .with_joined(true)
                        .with_duplicate(true);
                    assert_eq!(
                        (flags.health(), flags.av_status(), flags.risk()),
                        (*health, *av, *risk)
                    );
                    assert_eq!(flags.exposure(), Exposure::High);
                    assert_eq!(flags.value(), DeviceValue::High);
                    assert_eq!(flags.onboarding(), Onboarding::Unsupported);
                    assert!(flags.joined() && flags.duplicate());
                    let again = flags.with_joined(true).with_duplicate(true);
                    assert!(again.joined() && again.duplicate());
                    let not_joined = flags.with_joined(false);
                    assert!(!not_joined.joined() && not_joined.duplicate());
                    let no_duplicate = flags.with_duplicate(false);
                    assert!(no_duplicate.joined() && !no_duplicate.duplicate());
                }
            }
        }
    }

    #[test]
    fn every_enum_fits_three_bits() {
        let sizes = [
            Health::ALL.len(),
            Risk::ALL.len(),
            Exposure::ALL.len(),
            DeviceValue::ALL.len(),
            Onboarding::ALL.len(),
            AvStatus::ALL.len(),
        ];
        assert!(sizes.iter().all(|size| *size <= 8));
    }
}
