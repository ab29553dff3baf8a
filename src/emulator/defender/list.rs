//! Lists: query options in, one page out.
//!
//! With `$top` there is no link to the next page, ever; without it the service sends up to a page
//! and may link to the rest. Options that are not documented are refused by the OData layer, `$stop`
//! (a misprint on several pages) included.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::emulator::config::NextLinks;
use crate::emulator::defender::Context;
use crate::emulator::error::{ApiError, json};
use crate::emulator::odata::{self, Filter, Record, Schema};

/// Largest `$top`.
const MAX_TOP: usize = 10_000;
/// What stays readable in a link.
const IN_LINK: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'$').remove(b':');

/// The options of a list call.
#[derive(Debug)]
pub struct Query {
    /// `$filter`.
    pub filter: Option<Filter>,
    /// `$top`.
    pub top: Option<usize>,
    /// `$skip`.
    pub skip: usize,
    /// `$count=true`.
    pub count: bool,
    /// Whether the one navigation that can be expanded is.
    pub expand: bool,
}

impl Query {
    /// Reads the options.
    ///
    /// # Errors
    /// 400 of the OData layer.
    pub fn read(
        context: &Context<'_>,
        schema: &Schema,
        expandable: Option<&str>,
    ) -> Result<Self, ApiError> {
        let mut query = Self { filter: None, top: None, skip: 0, count: false, expand: false };
        for (name, value) in &context.call.query {
            match name.to_ascii_lowercase().as_str() {
                "$filter" => {
                    query.filter = Some(Filter::parse(value, schema).map_err(ApiError::odata)?);
                }
                "$top" => query.top = Some(top(value)?),
                "$skip" => query.skip = odata::number("$skip", value).map_err(ApiError::odata)?,
                "$count" => query.count = flag(value)?,
                "$expand" if expandable.is_some_and(|known| known.eq_ignore_ascii_case(value)) => {
                    query.expand = true;
                }
                "$expand" => {
                    return Err(ApiError::odata(format_args!(
                        "Could not find a property named '{value}' on type '{}'.",
                        schema.entity
                    )));
                }
                other if other.starts_with('$') => {
                    return Err(ApiError::odata(format_args!(
                        "The query parameter '{name}' is not supported."
                    )));
                }
                _ => {}
            }
        }
        Ok(query)
    }

    /// Whether a row passes the filter.
    pub fn admits(&self, row: &impl Record) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.matches(row))
    }

    /// The text a property must equal, if the filter says so.
    #[must_use]
    pub fn required(&self, property: &str) -> Option<&str> {
        self.filter.as_ref().and_then(|filter| filter.required(property))
    }

    /// One page of rows that pass the filter, in the order they come: `size` of them, or what
    /// `$top` asks for and `most` allows.
    pub fn page<R: Record>(
        &self,
        size: usize,
        most: usize,
        rows: impl Iterator<Item = R>,
    ) -> Page<R> {
        let take = self.top.map_or(size, |top| top.min(most));
        let mut page = Page { rows: Vec::new(), more: false, total: None };
        let mut total = 0_usize;
        for row in rows {
            if !self.admits(&row) {
                continue;
            }
            total += 1;
            if total <= self.skip {
                continue;
            }
            if page.rows.len() < take {
                page.rows.push(row);
            } else {
                page.more = true;
                if !self.count {
                    break;
                }
            }
        }
        page.total = self.count.then_some(total);
        page
    }

    /// The link to the next page, when there is one.
    #[must_use]
    pub fn next_link(
        &self,
        context: &Context<'_>,
        size: usize,
        links: NextLinks,
    ) -> Option<String> {
        if self.top.is_some() || links == NextLinks::Never {
            return None;
        }
        let hop = context.call.option("$skip").is_some();
        let broken = links == NextLinks::Broken && hop;
        let mut link = format!("{}{}?", context.call.origin, context.call.raw_path);
        for (name, value) in &context.call.query {
            if name.eq_ignore_ascii_case("$skip") {
                continue;
            }
            let name = if broken { "" } else { name.as_str() };
            let (name, value) = (encode(name), encode(value));
            // Writing to a String cannot fail.
            let _ = write!(link, "{name}={value}&");
        }
        // The broken link stands still, so that the walk never ends.
        let skip = if broken { self.skip } else { self.skip.saturating_add(size) };
        let _ = write!(link, "$skip={skip}");
        Some(link)
    }
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, IN_LINK).to_string()
}

fn top(value: &str) -> Result<usize, ApiError> {
    let top = odata::number("$top", value).map_err(ApiError::odata)?;
    if top > MAX_TOP {
        return Err(ApiError::odata(format_args!(
            "The limit of '{MAX_TOP}' for Top query has been exceeded. The value from the incoming request is '{top}'."
        )));
    }
    Ok(top)
}

fn flag(value: &str) -> Result<bool, ApiError> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ApiError::odata(format_args!(
            "Invalid value '{value}' for $count query option found."
        ))),
    }
}

/// One page.
#[derive(Debug)]
pub struct Page<R> {
    /// Its rows.
    pub rows: Vec<R>,
    /// Whether there are more.
    pub more: bool,
    /// All rows that match, if that was asked for.
    pub total: Option<usize>,
}

#[derive(Serialize)]
struct Collection<'a, T> {
    #[serde(rename = "@odata.context")]
    context: String,
    #[serde(rename = "@odata.count", skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    value: &'a [T],
    #[serde(rename = "@odata.nextLink", skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct Single<T> {
    #[serde(rename = "@odata.context")]
    context: String,
    #[serde(flatten)]
    entity: T,
}

/// A collection's response.
pub fn collection<T: Serialize>(
    context: &Context<'_>,
    set: &str,
    value: &[T],
    count: Option<usize>,
    next: Option<String>,
) -> Response<Bytes> {
    let context = context.metadata(set);
    json(StatusCode::OK, &Collection { context, count, value, next })
}

/// One entity's response.
pub fn entity<T: Serialize>(
    context: &Context<'_>,
    status: StatusCode,
    set: &str,
    entity: T,
) -> Response<Bytes> {
    json(status, &Single { context: context.metadata(&format!("{set}/$entity")), entity })
}

/// One primitive's response.
pub fn primitive(context: &Context<'_>, edm: &str, value: &str) -> Response<Bytes> {
    #[derive(Serialize)]
    struct Primitive<'a> {
        #[serde(rename = "@odata.context")]
        context: String,
        value: &'a str,
    }
    json(StatusCode::OK, &Primitive { context: context.metadata(edm), value })
}
