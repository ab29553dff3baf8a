//! Rows of Graph's `/security/alerts_v2`.
//!
//! Evidence is polymorphic, about fifty kinds and growing: only device evidence is read, the rest
//! is skipped token by token.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::{IgnoredAny, MapAccess};

use crate::inventory::{AlertRow, is_unset};
use crate::model::{AlertStatus, Classification, Determination, DeviceId, IncidentId, Severity};
use crate::wire::pages::lenient::{Field, FromJson, List, Objects, Row};

const DEVICE_EVIDENCE: &str = "#microsoft.graph.security.deviceEvidence";

/// One alert as it is read.
#[derive(Debug, Default)]
pub(super) struct Alert<'de> {
    wrong: bool,
    id: Option<Cow<'de, str>>,
    title: Option<Cow<'de, str>>,
    severity: Option<Cow<'de, str>>,
    status: Option<Cow<'de, str>>,
    classification: Option<Cow<'de, str>>,
    determination: Option<Cow<'de, str>>,
    assigned_to: Option<Cow<'de, str>>,
    category: Option<Cow<'de, str>>,
    categories: Vec<Cow<'de, str>>,
    detection_source: Option<Cow<'de, str>>,
    service_source: Option<Cow<'de, str>>,
    mitre: Vec<Cow<'de, str>>,
    incident: Option<Id>,
    created: Option<Timestamp>,
    updated: Option<Timestamp>,
    devices: Vec<DeviceId>,
    comments: Comments,
}

/// An id that is text here and a number there.
#[derive(Debug)]
struct Id(IncidentId);

impl FromJson<'_> for Id {
    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.into()))
    }
    fn from_number(number: i64) -> Option<Self> {
        Some(Self(number.to_string().into()))
    }
}

impl<'de> Row<'de> for Alert<'de> {
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
            "incidentId" => self.incident = value!(),
            "status" => self.status = value!(),
            "severity" => self.severity = value!(),
            "classification" => self.classification = value!(),
            "determination" => self.determination = value!(),
            "serviceSource" => self.service_source = value!(),
            "detectionSource" => self.detection_source = value!(),
            "assignedTo" => self.assigned_to = value!(),
            "title" => self.title = value!(),
            "category" => self.category = value!(),
            "categories" => {
                map.next_value_seed(List(&mut self.categories))?.note(wrong);
            }
            "mitreTechniques" => {
                map.next_value_seed(List(&mut self.mitre))?.note(wrong);
            }
            "createdDateTime" => self.created = value!(),
            "lastUpdateDateTime" => self.updated = value!(),
            "evidence" => return self.evidence(map),
            "comments" => return self.comments(map),
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> Alert<'de> {
    fn evidence<A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        let (devices, mut malformed) = (&mut self.devices, false);
        let list = map.next_value_seed(Objects {
            row: &mut Evidence::default(),
            take: |row: Option<&mut Evidence>| match row {
                Some(row) => {
                    malformed |= row.is_device == Some(true) && row.wrong;
                    let device = row.device.take().filter(|id| !id.as_bytes().is_empty());
                    if let Some(device) = device.filter(|_| row.is_device == Some(true))
                        && !devices.contains(&device)
                    {
                        devices.push(device);
                    }
                }
                None => malformed = true,
            },
        })?;
        list.note(&mut self.wrong);
        self.wrong |= malformed;
        Ok(())
    }

    fn comments<A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        let (comments, mut malformed) = (&mut self.comments, false);
        let list = map.next_value_seed(Objects {
            row: &mut Comment::default(),
            take: |row: Option<&mut Comment<'de>>| {
                malformed |= !row.is_some_and(|row| comments.take(row));
            },
        })?;
        list.note(&mut self.wrong);
        self.wrong |= malformed;
        Ok(())
    }

    /// The row; none when it is not readable.
    pub(super) fn deliver(&mut self) -> Option<AlertRow> {
        let id = self.id.as_deref().filter(|id| !id.is_empty() && !self.wrong)?;
        let created = self.created.filter(|at| !is_unset(*at))?;
        let category = self.category.as_deref().or_else(|| self.categories.first().map(|c| &**c));
        let word = |text: &Option<Cow<'_, str>>| text.as_deref().unwrap_or_default().to_owned();
        Some(AlertRow {
            id: id.into(),
            title: arc(self.title.as_deref()),
            severity: Severity::from_wire(&word(&self.severity)),
            status: AlertStatus::from_wire(&word(&self.status)),
            classification: Classification::read(self.classification.as_deref()),
            determination: Determination::read(self.determination.as_deref()),
            assigned_to: self.assigned_to.as_deref().filter(|name| !name.is_empty()).map(Arc::from),
            category: arc(category),
            detection_source: arc(self.detection_source.as_deref()),
            service_source: arc(self.service_source.as_deref()),
            mitre: self.mitre.iter().map(|technique| Arc::from(&**technique)).collect(),
            incident: self.incident.take().map(|Id(id)| id).filter(|id| !id.as_str().is_empty()),
            created,
            updated: self.updated.filter(|at| !is_unset(*at)).unwrap_or(created),
            devices: std::mem::take(&mut self.devices),
            comments: std::mem::take(&mut self.comments).oldest_first(),
        })
    }
}

fn arc(text: Option<&str>) -> Arc<str> {
    Arc::from(text.unwrap_or_default())
}

/// One piece of evidence; `mdeDeviceId` stands in several kinds, device evidence counts.
#[derive(Debug, Default)]
struct Evidence {
    wrong: bool,
    is_device: Option<bool>,
    device: Option<DeviceId>,
}

impl<'de> Row<'de> for Evidence {
    fn reset(&mut self) {
        *self = Self::default();
    }
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "@odata.type" => {
                let kind: Field<Cow<'de, str>> = map.next_value()?;
                self.is_device = kind.note(&mut self.wrong).map(|kind| kind == DEVICE_EVIDENCE);
            }
            "mdeDeviceId" if self.is_device != Some(false) => {
                self.device = map.next_value::<Field<DeviceId>>()?.note(&mut self.wrong);
            }
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// One comment of an alert.
#[derive(Debug, Default)]
pub(super) struct Comment<'de> {
    wrong: bool,
    text: Option<Cow<'de, str>>,
    created: Option<Timestamp>,
}

impl<'de> Row<'de> for Comment<'de> {
    fn reset(&mut self) {
        *self = Self::default();
    }
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "comment" => {
                self.text = map.next_value::<Field<Cow<'de, str>>>()?.note(&mut self.wrong);
            }
            "createdDateTime" => {
                self.created = map.next_value::<Field<Timestamp>>()?.note(&mut self.wrong);
            }
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Comments of one alert, in the service's order until they are asked for.
#[derive(Debug, Default)]
pub(super) struct Comments(Vec<(Option<Timestamp>, Arc<str>)>);

impl Comments {
    /// Keeps a comment's text; the answer is whether it was readable.
    pub(super) fn take(&mut self, row: &mut Comment<'_>) -> bool {
        if let Some(text) = row.text.take() {
            self.0.push((row.created, Arc::from(&*text)));
        }
        !row.wrong
    }

    pub(super) fn oldest_first(mut self) -> Vec<Arc<str>> {
        self.0.sort_by_key(|(created, _)| *created);
        self.0.into_iter().map(|(_, text)| text).collect()
    }
}
