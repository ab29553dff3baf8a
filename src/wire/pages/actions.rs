//! Rows of `/api/machineactions`.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::{IgnoredAny, MapAccess};

use crate::inventory::{ActionRow, Cancelled, is_unset};
use crate::model::{ActionKind, ActionStatus, DeviceId, Isolation, ScanType};
use crate::wire::pages::lenient::{Field, Row};

/// One machine action as it is read.
#[derive(Debug, Default)]
pub(super) struct Action<'de> {
    wrong: bool,
    id: Option<Cow<'de, str>>,
    kind: Option<Cow<'de, str>>,
    requestor: Option<Cow<'de, str>>,
    comment: Option<Cow<'de, str>>,
    status: Option<Cow<'de, str>>,
    device: Option<DeviceId>,
    created: Option<Timestamp>,
    updated: Option<Timestamp>,
    scope: Option<Cow<'de, str>>,
    source: Option<Cow<'de, str>>,
    cancelled_by: Option<Cow<'de, str>>,
    cancelled_with: Option<Cow<'de, str>>,
    cancelled_at: Option<Timestamp>,
    /// Requestors and sources are few: neighbours share one allocation.
    last_requestor: Option<Arc<str>>,
    last_source: Option<Arc<str>>,
}

impl<'de> Row<'de> for Action<'de> {
    fn reset(&mut self) {
        let Self { last_requestor, last_source, .. } = std::mem::take(self);
        *self = Self { last_requestor, last_source, ..Self::default() };
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
            "type" => self.kind = value!(),
            "requestor" => self.requestor = value!(),
            "requestorComment" => self.comment = value!(),
            "status" => self.status = value!(),
            "machineId" => self.device = value!(),
            "creationDateTimeUtc" => self.created = value!(),
            // The second name stands in samples of the documentation only.
            "lastUpdateDateTimeUtc" | "lastUpdateTimeUtc" => {
                self.updated = value!().or(self.updated)
            }
            "scope" => self.scope = value!(),
            "requestSource" => self.source = value!(),
            "cancellationRequestor" => self.cancelled_by = value!(),
            "cancellationComment" => self.cancelled_with = value!(),
            "cancellationDateTimeUtc" => self.cancelled_at = value!(),
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl Action<'_> {
    /// The row; none when it is not readable. An action without a machine is kept, unless it is of
    /// a kind that posture is read from: then something about some device is not known.
    pub(super) fn deliver(&mut self) -> Option<ActionRow> {
        let id = self.id.as_deref().filter(|id| !id.is_empty())?;
        let kind = ActionKind::from_wire(self.kind.as_deref()?);
        let status = ActionStatus::from_wire(self.status.as_deref()?);
        let created = self.created.filter(|at| !is_unset(*at))?;
        let device = match self.device.take() {
            Some(device) if !device.as_bytes().is_empty() => device,
            _ if is_posture(&kind) => return None,
            _ => DeviceId::parse(""),
        };
        if self.wrong {
            return None;
        }
        let scope = self.scope.as_deref().unwrap_or_default();
        let isolation = match kind {
            ActionKind::Isolate => {
                Isolation::parse(scope).filter(|scope| *scope != Isolation::Free)
            }
            _ => None,
        };
        let scan = match kind {
            ActionKind::RunAntiVirusScan => ScanType::parse(scope),
            _ => None,
        };
        let updated = self.updated.filter(|at| !is_unset(*at)).unwrap_or(created);
        Some(ActionRow {
            id: id.into(),
            device,
            kind,
            status,
            requestor: shared(self.requestor.as_deref(), &mut self.last_requestor),
            comment: Arc::from(self.comment.as_deref().unwrap_or_default()),
            source: shared(self.source.as_deref(), &mut self.last_source),
            created,
            updated,
            isolation,
            scan,
            cancelled: self.cancelled(updated),
        })
    }

    /// Who cancelled it, when the service says anything of that; the time may be missing.
    fn cancelled(&self, updated: Timestamp) -> Option<Box<Cancelled>> {
        let text = |text: &Option<Cow<'_, str>>| Arc::from(text.as_deref().unwrap_or_default());
        let at = self.cancelled_at.filter(|at| !is_unset(*at));
        let (requestor, comment): (Arc<str>, Arc<str>) =
            (text(&self.cancelled_by), text(&self.cancelled_with));
        let told = at.is_some() || !requestor.is_empty() || !comment.is_empty();
        told.then(|| Box::new(Cancelled { requestor, comment, at: at.unwrap_or(updated) }))
    }
}

fn is_posture(kind: &ActionKind) -> bool {
    matches!(
        kind,
        ActionKind::Isolate
            | ActionKind::Unisolate
            | ActionKind::RestrictCodeExecution
            | ActionKind::UnrestrictCodeExecution
    )
}

fn shared(text: Option<&str>, last: &mut Option<Arc<str>>) -> Arc<str> {
    let text = text.unwrap_or_default();
    match last {
        Some(last) if **last == *text => Arc::clone(last),
        _ => Arc::clone(last.insert(Arc::from(text))),
    }
}
