//! Pages and single entities of the service, read straight into inventory rows.
//!
//! Never a JSON tree: typed visitors over the bytes of one page, texts borrowed from it where no
//! escape stands in them, so that reading costs little more than parsing. What the service adds is
//! skipped, what it leaves out or sets to null is unset. A row that cannot be understood (no id, a
//! field of another type, a date that is none) is dropped *and counted*: the caller reports it as
//! `Missing`, because a page that quietly got smaller would look like a smaller fleet.
//!
//! Called by `drive` with response bodies; does no I/O. Dates are UTC with 0 to 7 digits; year 1
//! is unset. Sources: `defender-api` 4.2, 6.1, 7.1, 14; Graph `alerts_v2` metadata.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::inventory::{ActionRow, AlertRow, Builder, Missing, What};
use crate::model::DeviceId;

mod actions;
mod alerts;
mod av;
mod date;
mod lenient;
mod machines;

use lenient::{Field, Key, Object, Objects, Row};

pub use date::parse_date;

/// How a page ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageEnd {
    /// Rows of the page, those that could not be read among them: a page with fewer rows than
    /// were asked for is the last one.
    pub rows: usize,
    /// Rows that could not be read.
    pub bad: usize,
    /// `@odata.nextLink`, as it stands. Its host is not checked here: a token goes only to
    /// configured origins.
    pub next_link: Option<String>,
}

impl PageEnd {
    /// What the page's unreadable rows leave missing.
    #[must_use]
    pub fn missing(&self, what: What) -> Option<Missing> {
        let rows = if self.bad == 1 { "row" } else { "rows" };
        let why = format!("{} {rows} of a page could not be read", self.bad);
        (self.bad > 0).then(|| Missing { what, why: why.into() })
    }
}

/// Why a body is not what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// Not JSON, cut off, or nested beyond reason.
    #[error("the answer is not readable JSON")]
    Json(#[from] serde_json::Error),
    /// A JSON object without a list under `value`.
    #[error("the answer has no list under `value`")]
    NoValue,
    /// An entity without its id, or with a field of another type.
    #[error("the answer is not a readable {0}")]
    Entity(&'static str),
}

/// Reads a page of `/api/machines` into the builder; unreadable rows make it partial.
///
/// # Errors
/// The body is not such a page. Rows before the fault are in the builder; that does no harm,
/// since rows that come again count once.
pub fn machines(bytes: &[u8], builder: &mut Builder) -> Result<PageEnd, PageError> {
    let mut row = machines::Machine::default();
    let end = page(bytes, &mut row, |row| row.deliver(builder).is_some())?;
    if let Some(missing) = end.missing(What::Devices) {
        builder.missing(missing);
    }
    Ok(end)
}

/// Reads a page of `/api/machineactions`. The caller reports `PageEnd::missing`.
///
/// # Errors
/// The body is not such a page; `rows` is as it was.
pub fn actions(bytes: &[u8], rows: &mut Vec<ActionRow>) -> Result<PageEnd, PageError> {
    let before = rows.len();
    let mut row = actions::Action::default();
    let end = page(bytes, &mut row, |row| row.deliver().map(|row| rows.push(row)).is_some());
    if end.is_err() {
        rows.truncate(before);
    }
    end
}

/// Reads a page of `/api/deviceavinfo` into the builder; unreadable rows make it partial.
///
/// # Errors
/// The body is not such a page. Rows before the fault are in the builder.
pub fn av(bytes: &[u8], builder: &mut Builder) -> Result<PageEnd, PageError> {
    let mut row = av::AvHealth::default();
    let end = page(bytes, &mut row, |row| row.deliver().map(|row| builder.av(row)).is_some())?;
    if let Some(missing) = end.missing(What::AvHealth) {
        builder.missing(missing);
    }
    Ok(end)
}

/// Reads a page of Graph's `/security/alerts_v2`. The caller reports `PageEnd::missing`.
///
/// # Errors
/// The body is not such a page; `rows` is as it was.
pub fn alerts(bytes: &[u8], rows: &mut Vec<AlertRow>) -> Result<PageEnd, PageError> {
    let before = rows.len();
    let mut row = alerts::Alert::default();
    let end = page(bytes, &mut row, |row| row.deliver().map(|row| rows.push(row)).is_some());
    if end.is_err() {
        rows.truncate(before);
    }
    end
}

/// Reads one machine into the builder and says which it was.
///
/// # Errors
/// The body is not a machine.
pub fn machine(bytes: &[u8], builder: &mut Builder) -> Result<DeviceId, PageError> {
    let mut row = machines::Machine::default();
    entity(bytes, &mut row)?;
    row.deliver(builder).ok_or(PageError::Entity("machine"))
}

/// Reads one machine action.
///
/// # Errors
/// The body is not a machine action.
pub fn action(bytes: &[u8]) -> Result<ActionRow, PageError> {
    let mut row = actions::Action::default();
    entity(bytes, &mut row)?;
    row.deliver().ok_or(PageError::Entity("machine action"))
}

/// Reads one alert.
///
/// # Errors
/// The body is not an alert.
pub fn alert(bytes: &[u8]) -> Result<AlertRow, PageError> {
    let mut row = alerts::Alert::default();
    entity(bytes, &mut row)?;
    row.deliver().ok_or(PageError::Entity("alert"))
}

/// Reads the texts of a list of alert comments, oldest first: the answer to posting one.
///
/// # Errors
/// The body is not such a list.
pub fn alert_comments(bytes: &[u8]) -> Result<Vec<std::sync::Arc<str>>, PageError> {
    let mut texts = alerts::Comments::default();
    let mut row = alerts::Comment::default();
    page(bytes, &mut row, |row| texts.take(row))?;
    Ok(texts.oldest_first())
}

fn entity<'de, R: Row<'de>>(bytes: &'de [u8], row: &mut R) -> Result<(), PageError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    Object(row).deserialize(&mut json)?;
    json.end()?;
    Ok(())
}

/// Reads an envelope; `take` is given each row that is an object and says whether it was readable.
fn page<'de, R: Row<'de>>(
    bytes: &'de [u8],
    row: &mut R,
    take: impl FnMut(&mut R) -> bool,
) -> Result<PageEnd, PageError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let end = Envelope { row, take }.deserialize(&mut json)?;
    json.end()?;
    end.ok_or(PageError::NoValue)
}

struct Envelope<'r, R, F> {
    row: &'r mut R,
    take: F,
}

impl<'de, R: Row<'de>, F: FnMut(&mut R) -> bool> DeserializeSeed<'de> for Envelope<'_, R, F> {
    type Value = Option<PageEnd>;
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de, R: Row<'de>, F: FnMut(&mut R) -> bool> Visitor<'de> for Envelope<'_, R, F> {
    type Value = Option<PageEnd>;
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a page of results")
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut end = PageEnd::default();
        let mut found = false;
        while let Some(Key(key)) = map.next_key()? {
            match &*key {
                "value" => {
                    let read = map.next_value_seed(Objects {
                        row: &mut *self.row,
                        take: |row: Option<&mut R>| {
                            end.rows += 1;
                            if !row.is_some_and(&mut self.take) {
                                end.bad += 1;
                            }
                        },
                    })?;
                    found |= matches!(read, Field::Is(()));
                }
                "@odata.nextLink" => {
                    let link: Field<std::borrow::Cow<'de, str>> = map.next_value()?;
                    end.next_link = link.get().map(std::borrow::Cow::into_owned);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found.then_some(end))
    }
}

#[cfg(test)]
mod tests;
