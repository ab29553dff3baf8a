//! Query options of a Graph list and the link to its next page.
//!
//! `$top` is the size of a page and is cut to 1,000; `$skip` above 500 is refused; the next link
//! carries an opaque `$skiptoken` that stands for the last row seen, so that rows which arrive while
//! somebody pages are neither lost nor repeated. Source: Microsoft Learn, "constraints" of the
//! security API, and field reports of July 2026.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::GraphError;
use crate::emulator::call::Call;
use crate::emulator::odata;

/// The largest page.
pub(super) const LARGEST: usize = 1_000;
/// The page when nothing is said.
const USUAL: usize = 100;
/// The largest offset.
const FURTHEST: usize = 500;

/// The property that gives the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Created,
    Updated,
}

/// A place in the order: what the page before ended with.
pub(super) type Place = (Timestamp, String);

/// The options of a list.
#[derive(Debug)]
pub(super) struct Query<'a> {
    pub(super) filter: Option<&'a str>,
    pub(super) top: usize,
    pub(super) skip: usize,
    pub(super) count: bool,
    pub(super) key: Key,
    pub(super) descending: bool,
    pub(super) after: Option<Place>,
}

impl<'a> Query<'a> {
    /// Reads the options.
    pub(super) fn read(call: &'a Call<'_>) -> Result<Self, GraphError> {
        let number = |name: &str| {
            let text = call.option(name);
            let number = text.map(|text| odata::number(name, text)).transpose();
            number.map_err(|error| GraphError::bad(error.0))
        };
        let top = number("$top")?;
        if top == Some(0) {
            return Err(GraphError::bad(
                "Invalid page size specified: '0'. Must be between 1 and 1000 inclusive.",
            ));
        }
        let skip = number("$skip")?.unwrap_or(0);
        if skip > FURTHEST {
            return Err(GraphError::bad(format!(
                "Invalid value '{skip}' for $skip query option found. The maximum value is {FURTHEST}."
            )));
        }
        let (key, descending) = order(call.option("$orderby").unwrap_or_default())?;
        let after = call.option("$skiptoken").map(|token| {
            place(token).ok_or_else(|| GraphError::bad("The $skiptoken is not valid."))
        });
        Ok(Self {
            filter: call.option("$filter").filter(|filter| !filter.trim().is_empty()),
            top: top.unwrap_or(USUAL).min(LARGEST),
            skip,
            count: flag(call.option("$count"))?,
            key,
            descending,
            after: after.transpose()?,
        })
    }
}

fn flag(text: Option<&str>) -> Result<bool, GraphError> {
    match text.map(str::to_ascii_lowercase).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(GraphError::bad("The $count query option must be 'true' or 'false'.")),
    }
}

/// Newest first unless the caller says otherwise.
fn order(text: &str) -> Result<(Key, bool), GraphError> {
    let mut words = text.split_whitespace();
    let Some(property) = words.next() else { return Ok((Key::Created, true)) };
    let key = match property.to_ascii_lowercase().as_str() {
        "createddatetime" => Key::Created,
        "lastupdatedatetime" => Key::Updated,
        _ => {
            return Err(GraphError::bad(format!(
                "The $orderby property '{property}' is not supported."
            )));
        }
    };
    let direction = words.next().map(str::to_ascii_lowercase);
    let descending = match direction.as_deref() {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return Err(GraphError::bad("The $orderby direction must be 'asc' or 'desc'.")),
    };
    if words.next().is_some() {
        return Err(GraphError::bad("Only one $orderby property is supported."));
    }
    Ok((key, descending))
}

fn place(token: &str) -> Option<Place> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (at, id) = text.split_once(' ')?;
    Some((Timestamp::from_nanosecond(at.parse().ok()?).ok()?, id.to_owned()))
}

/// The link to the page after that place: the caller's own options, the offset replaced.
pub(super) fn next_link(call: &Call<'_>, (at, id): &Place) -> String {
    let mut link = format!("{}{}?", call.origin, call.raw_path);
    let moved =
        |name: &str| name.eq_ignore_ascii_case("$skip") || name.eq_ignore_ascii_case("$skiptoken");
    for (name, value) in call.query.iter().filter(|(name, _)| !moved(name)) {
        let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
        link.push_str(&format!("{name}={value}&"));
    }
    let token = URL_SAFE_NO_PAD.encode(format!("{} {id}", at.as_nanosecond()));
    link.push_str(&format!("$skiptoken={token}"));
    link
}
