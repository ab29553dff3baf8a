//! A page of a list, changed without touching what is not meant: rows stay byte for byte.

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::emulator::call::Call;
use crate::emulator::faults::{Link, Rows};

const NEXT: &str = "@odata.nextLink";

/// The members of a page in their order, its rows apart.
pub(super) struct Page {
    members: Vec<(String, Box<RawValue>)>,
    rows: Vec<Box<RawValue>>,
}

/// Lets a change run over the page in a response; other responses stay as they are.
pub(super) fn change(response: &mut Response<Bytes>, change: impl FnOnce(&mut Page)) {
    if response.status() != StatusCode::OK {
        return;
    }
    let Ok(mut page) = serde_json::from_slice::<Page>(response.body()) else { return };
    change(&mut page);
    if let Ok(body) = serde_json::to_vec(&page) {
        *response.body_mut() = Bytes::from(body);
    }
}

impl Page {
    /// Drops rows; count and link stay.
    pub(super) fn lose(&mut self, rows: Rows) {
        let keep = match rows {
            Rows::All => 0,
            Rows::Last(count) => self.rows.len().saturating_sub(count),
        };
        self.rows.truncate(keep);
    }

    /// Puts the held rows in front and holds the last ones of this page.
    pub(super) fn repeat(&mut self, held: &mut Vec<Box<RawValue>>, count: usize) {
        let from = self.rows.len().saturating_sub(count);
        let last = self.rows.get(from..).unwrap_or_default().to_vec();
        let mut rows = std::mem::replace(held, last);
        rows.append(&mut self.rows);
        self.rows = rows;
    }

    /// Changes the link to the next page.
    pub(super) fn link(&mut self, link: Link, call: &Call<'_>) {
        let target = match link {
            Link::Missing => None,
            Link::Stale => Some(call.url()),
            Link::Nameless => Some(nameless(call)),
            Link::Malformed => Some("://next page".to_owned()),
            Link::Foreign => {
                let own = call.url();
                let rest = own.strip_prefix(&call.origin).unwrap_or_default();
                Some(format!("https://graph.microsoft.com.evil.example{rest}"))
            }
        };
        self.members.retain(|(name, _)| name != NEXT);
        let raw = target.and_then(|target| serde_json::value::to_raw_value(&target).ok());
        if let Some(raw) = raw {
            self.members.push((NEXT.to_owned(), raw));
        }
    }
}

/// The link as it was seen degrading: values without names, and the offset.
fn nameless(call: &Call<'_>) -> String {
    let skip = call.option("$skip").unwrap_or("10000");
    let values = call.query.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("$skip"));
    let values: String =
        values.map(|(_, value)| format!("={}&", value.replace(' ', "%20"))).collect();
    format!("{}{}?{values}$skip={skip}", call.origin, call.raw_path)
}

impl<'de> Deserialize<'de> for Page {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Page;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a page")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page, A::Error> {
                let mut members = Vec::new();
                let mut rows = None;
                while let Some(name) = map.next_key::<String>()? {
                    if name == "value" {
                        rows = Some(map.next_value()?);
                        members.push((name, RawValue::NULL.to_owned()));
                    } else {
                        members.push((name, map.next_value()?));
                    }
                }
                let rows = rows.ok_or_else(|| serde::de::Error::missing_field("value"))?;
                Ok(Page { members, rows })
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl Serialize for Page {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len()))?;
        for (name, value) in &self.members {
            if name == "value" {
                map.serialize_entry(name, &self.rows)?;
            } else {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}
