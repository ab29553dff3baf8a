//! `alerts_v2`: list and get.

use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::Serialize;

use super::error::GraphError;
use super::query::{self, Key, Query};
use super::words::{SERVICES, Seen};
use super::{Answer, Context, evidence, reply, wire};
use crate::emulator::odata::{Filter, Kind, Property, Record, Schema, Value};
use crate::emulator::tenant::{Alert, Tenant};

/// What may be filtered, as documented; everything else is refused.
const SCHEMA: Schema = Schema {
    entity: "microsoft.graph.security.alert",
    filterable: &[
        Property { name: "assignedTo", kind: Kind::Text },
        Property {
            name: "classification",
            kind: Kind::Enum(&[
                "unknown",
                "falsePositive",
                "truePositive",
                "informationalExpectedActivity",
                "unknownFutureValue",
            ]),
        },
        Property {
            name: "determination",
            kind: Kind::Enum(&[
                "unknown",
                "apt",
                "malware",
                "securityPersonnel",
                "securityTesting",
                "unwantedSoftware",
                "other",
                "multiStagedAttack",
                "compromisedAccount",
                "phishing",
                "maliciousUserActivity",
                "notMalicious",
                "notEnoughDataToValidate",
                "confirmedActivity",
                "lineOfBusinessApplication",
                "unknownFutureValue",
            ]),
        },
        Property { name: "createdDateTime", kind: Kind::Time },
        Property { name: "lastUpdateDateTime", kind: Kind::Time },
        Property {
            name: "severity",
            kind: Kind::Enum(&[
                "unknown",
                "informational",
                "low",
                "medium",
                "high",
                "unknownFutureValue",
            ]),
        },
        Property { name: "serviceSource", kind: Kind::Enum(SERVICES) },
        Property {
            name: "status",
            kind: Kind::Enum(&["unknown", "new", "inProgress", "resolved", "unknownFutureValue"]),
        },
        Property { name: "evidence", kind: Kind::Objects },
    ],
    others: &[
        "id",
        "providerAlertId",
        "incidentId",
        "detectionSource",
        "productName",
        "detectorId",
        "tenantId",
        "title",
        "description",
        "recommendedActions",
        "category",
        "categories",
        "alertWebUrl",
        "incidentWebUrl",
        "actorDisplayName",
        "threatDisplayName",
        "threatFamilyName",
        "mitreTechniques",
        "resolvedDateTime",
        "firstActivityDateTime",
        "lastActivityDateTime",
        "investigationState",
        "systemTags",
        "alertPolicyId",
        "additionalData",
        "customDetails",
        "comments",
    ],
};

/// An alert as a filter sees it.
struct Row<'a> {
    tenant: &'a Tenant,
    alert: &'a Alert,
    now: Timestamp,
}

impl Record for Row<'_> {
    fn get(&self, property: &str) -> Value<'_> {
        let alert = self.alert;
        match property {
            "assignedTo" => Value::maybe(alert.assigned_to.as_deref()),
            "classification" => Value::text(alert.classification.wire()),
            "determination" => Value::text(alert.determination.wire()),
            "createdDateTime" => Value::Time(alert.created),
            "lastUpdateDateTime" => Value::Time(alert.updated),
            "severity" => Value::text(alert.severity.wire()),
            "serviceSource" => Value::text(alert.service_source),
            "status" => Value::text(alert.status.wire()),
            "evidence" => {
                let evidence = evidence::of(self.tenant, alert, self.now);
                let objects = evidence.iter().filter_map(|one| serde_json::to_value(one).ok());
                Value::Objects(objects.collect())
            }
            _ => Value::Null,
        }
    }
}

#[derive(Serialize)]
struct Page<'a> {
    #[serde(rename = "@odata.context")]
    context: String,
    #[serde(rename = "@odata.count", skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    #[serde(rename = "@odata.nextLink", skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    value: Vec<wire::Wire<'a>>,
}

/// GET `/security/alerts_v2`.
pub(super) fn list(tenant: &Tenant, context: &Context<'_>) -> Answer {
    let query = Query::read(context.call)?;
    let filter = query.filter.map(|text| Filter::parse(text, &SCHEMA)).transpose();
    let filter = filter.map_err(|error| GraphError::bad(error.0))?;
    let now = context.now;
    let matching = tenant.alerts().iter().filter(|alert| {
        filter.as_ref().is_none_or(|filter| filter.matches(&Row { tenant, alert, now }))
    });
    let at = |alert: &Alert| match query.key {
        Key::Created => alert.created,
        Key::Updated => alert.updated,
    };
    let mut rows: Vec<&Alert> = matching.collect();
    let count = query.count.then_some(rows.len());
    // Equal times are ordered by id, so that pages join without a gap.
    rows.sort_by(|a, b| (at(a), &a.id).cmp(&(at(b), &b.id)));
    if query.descending {
        rows.reverse();
    }
    let from = match &query.after {
        None => query.skip,
        Some((time, id)) => rows.partition_point(|alert| {
            let place = (at(alert), &*alert.id).cmp(&(*time, id.as_str()));
            if query.descending { place.is_ge() } else { place.is_le() }
        }),
    };
    let rest = rows.get(from..).unwrap_or_default();
    let page = rest.get(..query.top).unwrap_or(rest);
    let more = rest.len() > page.len() && tenant.behaviour.graph_next_links;
    let last = page.last().filter(|_| more).map(|alert| (at(alert), alert.id.to_string()));
    let body = Page {
        context: context.metadata("security/alerts_v2"),
        count,
        next: last.map(|last| query::next_link(context.call, &last)),
        value: page.iter().map(|alert| wire::alert(tenant, alert, context.seen, now)).collect(),
    };
    Ok(reply(context, StatusCode::OK, &body))
}

/// An alert with the context of a single entity.
#[derive(Serialize)]
struct Entity<'a> {
    #[serde(rename = "@odata.context")]
    context: String,
    #[serde(flatten)]
    alert: wire::Wire<'a>,
}

/// GET `/security/alerts_v2/{id}`.
pub(super) fn get(tenant: &Tenant, context: &Context<'_>, id: &str) -> Answer {
    let alert = tenant.find_alert(id).and_then(|row| tenant.alert(row));
    let alert = alert.ok_or_else(|| unknown(id))?;
    Ok(entity(tenant, context, alert))
}

/// The whole resource, as get and PATCH answer it.
pub(super) fn entity(
    tenant: &Tenant,
    context: &Context<'_>,
    alert: &Alert,
) -> http::Response<bytes::Bytes> {
    let body = Entity {
        context: context.metadata("security/alerts_v2/$entity"),
        alert: wire::alert(tenant, alert, context.seen, context.now),
    };
    reply(context, StatusCode::OK, &body)
}

/// No such alert, or none that this API shows.
pub(super) fn unknown(id: &str) -> GraphError {
    GraphError::not_found(format!("Alert '{id}' was not found."))
}

/// What the caller asked to see of newer enum members, and how that is acknowledged.
pub(super) fn preference(headers: &http::HeaderMap) -> (Seen, Option<HeaderValue>) {
    const ASKED: &str = "include-unknown-enum-members";
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let newer = values
        .flat_map(|value| value.split([',', ';']))
        .any(|part| part.trim().eq_ignore_ascii_case(ASKED));
    (Seen { newer }, newer.then(|| HeaderValue::from_static(ASKED)))
}
