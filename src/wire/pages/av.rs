//! Rows of `/api/deviceavinfo`.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::de::{IgnoredAny, MapAccess};

use crate::inventory::{AvRow, is_unset};
use crate::model::DeviceId;
use crate::wire::pages::lenient::{Field, Row};

/// One row of antivirus health as it is read.
#[derive(Debug, Default)]
pub(super) struct AvHealth<'de> {
    wrong: bool,
    id: Option<DeviceId>,
    machine: Option<DeviceId>,
    quick_result: Option<Cow<'de, str>>,
    quick_time: Option<Timestamp>,
    full_result: Option<Cow<'de, str>>,
    full_time: Option<Timestamp>,
}

impl<'de> Row<'de> for AvHealth<'de> {
    fn reset(&mut self) {
        *self = Self::default();
    }

    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let wrong = &mut self.wrong;
        macro_rules! value {
            () => {
                map.next_value::<Field<_>>()?.note(wrong)
            };
        }
        match key {
            "id" => self.id = value!(),
            "machineId" => self.machine = value!(),
            "quickScanResult" => self.quick_result = value!(),
            "quickScanTime" => self.quick_time = date(map.next_value()?, wrong),
            "fullScanResult" => self.full_result = value!(),
            "fullScanTime" => self.full_time = date(map.next_value()?, wrong),
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// A scan that never ran has null, and its neighbours have `""`.
fn date(text: Field<Cow<'_, str>>, wrong: &mut bool) -> Option<Timestamp> {
    let text = text.note(wrong).filter(|text| !text.is_empty())?;
    let date = crate::wire::pages::parse_date(&text);
    *wrong |= date.is_none();
    date
}

impl AvHealth<'_> {
    /// The row; none when it is not readable. Only a scan that completed has a time.
    pub(super) fn deliver(&mut self) -> Option<AvRow> {
        let device = self.machine.take().or_else(|| self.id.take());
        let device = device.filter(|id| !id.as_bytes().is_empty() && !self.wrong)?;
        let completed = |result: &Option<Cow<'_, str>>, at: Option<Timestamp>| {
            let completed =
                result.as_deref().is_some_and(|result| result.eq_ignore_ascii_case("Completed"));
            at.filter(|at| completed && !is_unset(*at))
        };
        Some(AvRow {
            device,
            quick_scan: completed(&self.quick_result, self.quick_time),
            full_scan: completed(&self.full_result, self.full_time),
        })
    }
}
