//! An alert as Graph shows it: every property of v1.0, in the service's order.

use jiff::Timestamp;
use serde::Serialize;

use super::evidence::{self, Evidence};
use super::words::{self, Seen};
use crate::emulator::dates;
use crate::emulator::random::Guid;
use crate::emulator::tenant::{Alert, Comment, Tenant};

/// `microsoft.graph.security.alert`
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire<'a> {
    id: &'a str,
    provider_alert_id: &'a str,
    incident_id: String,
    status: &'static str,
    severity: &'static str,
    classification: &'static str,
    determination: &'static str,
    service_source: &'static str,
    detection_source: &'static str,
    product_name: &'static str,
    detector_id: Guid,
    tenant_id: &'a str,
    title: &'a str,
    description: &'a str,
    recommended_actions: &'a str,
    category: &'a str,
    categories: [&'a str; 1],
    assigned_to: Option<&'a str>,
    alert_web_url: String,
    incident_web_url: String,
    actor_display_name: Option<&'a str>,
    threat_display_name: Option<&'a str>,
    threat_family_name: Option<&'a str>,
    mitre_techniques: &'a [std::sync::Arc<str>],
    #[serde(serialize_with = "dates::serialize")]
    created_date_time: Timestamp,
    #[serde(serialize_with = "dates::serialize")]
    last_update_date_time: Timestamp,
    #[serde(serialize_with = "dates::optional::serialize")]
    resolved_date_time: Option<Timestamp>,
    #[serde(serialize_with = "dates::serialize")]
    first_activity_date_time: Timestamp,
    #[serde(serialize_with = "dates::serialize")]
    last_activity_date_time: Timestamp,
    investigation_state: Option<String>,
    system_tags: [&'a str; 0],
    alert_policy_id: Option<&'a str>,
    additional_data: Option<&'a str>,
    custom_details: Option<&'a str>,
    comments: Vec<WireComment<'a>>,
    evidence: Vec<Evidence<'a>>,
}

/// `microsoft.graph.security.alertComment`
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireComment<'a> {
    comment: &'a str,
    created_by_display_name: &'a str,
    #[serde(serialize_with = "dates::serialize")]
    created_date_time: Timestamp,
}

impl<'a> From<&'a Comment> for WireComment<'a> {
    fn from(comment: &'a Comment) -> Self {
        Self {
            comment: &comment.text,
            created_by_display_name: &comment.by,
            created_date_time: comment.at,
        }
    }
}

/// The alert for a caller, as it is at `now`.
pub(super) fn alert<'a>(
    tenant: &'a Tenant,
    alert: &'a Alert,
    seen: Seen,
    now: Timestamp,
) -> Wire<'a> {
    let page = |kind: &str, id: &str| {
        format!("https://security.microsoft.com/{kind}/{id}?tid={}", tenant.id)
    };
    let incident = alert.incident.to_string();
    Wire {
        id: &alert.id,
        provider_alert_id: &alert.id,
        status: alert.status.wire(),
        severity: alert.severity.wire(),
        classification: alert.classification.wire(),
        determination: alert.determination.wire(),
        service_source: seen.service(alert.service_source),
        detection_source: seen.detection(alert.detection_source),
        product_name: words::product(alert.service_source),
        detector_id: alert.detector_id,
        tenant_id: &tenant.id,
        title: &alert.title,
        description: &alert.description,
        recommended_actions: &alert.recommended,
        category: &alert.category,
        categories: [&alert.category],
        assigned_to: alert.assigned_to.as_deref(),
        alert_web_url: page("alerts", &alert.id),
        incident_web_url: page("incidents", &incident),
        incident_id: incident,
        actor_display_name: None,
        threat_display_name: alert.threat_name.as_deref(),
        threat_family_name: alert.threat_family.as_deref(),
        mitre_techniques: &alert.mitre,
        created_date_time: alert.created,
        last_update_date_time: alert.updated,
        resolved_date_time: alert.resolved,
        first_activity_date_time: alert.first_event,
        last_activity_date_time: alert.last_event,
        investigation_state: alert.investigation_state.map(words::lower_first),
        system_tags: [],
        alert_policy_id: None,
        additional_data: None,
        custom_details: None,
        comments: alert.comments.iter().map(WireComment::from).collect(),
        evidence: evidence::of(tenant, alert, now),
    }
}
