//! Calls that change something, as data, and the requests they become.
//!
//! The engine decides on them, the client sends them, and none of them is idempotent: a comment
//! posted twice stands there twice. Body names are case-sensitive on the wire: machine actions use
//! PascalCase, Graph uses camelCase. Source: Microsoft Learn, one page for each action; Graph
//! `alert: update` and `alert: create comments`.

use std::sync::Arc;

use http::Method;
use serde::Serialize;

use crate::model::{
    ActionId, AlertId, AlertStatus, Classification, Determination, DeviceId, IsolationMode,
    ScanType,
};
use crate::wire::api::Operation;
use crate::wire::odata;
use crate::wire::outbound::Outbound;

/// One call that changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the service's own parameters")]
pub enum Call {
    /// Isolate a device.
    Isolate { device: DeviceId, comment: Arc<str>, isolation_type: IsolationMode },
    /// End an isolation.
    Release { device: DeviceId, comment: Arc<str> },
    /// Restrict code execution.
    Restrict { device: DeviceId, comment: Arc<str> },
    /// End a restriction.
    Unrestrict { device: DeviceId, comment: Arc<str> },
    /// Run an antivirus scan.
    Scan { device: DeviceId, comment: Arc<str>, scan_type: ScanType },
    /// Cancel a machine action that has not ended.
    CancelAction { action: ActionId, comment: Arc<str> },
    /// Set members of an alert; those left out keep their value.
    PatchAlert { alert: AlertId, patch: AlertPatch },
    /// Add a comment to an alert; comments can be neither edited nor removed.
    CommentAlert { alert: AlertId, comment: Arc<str> },
}

/// What to set on an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertPatch {
    /// Work status.
    pub status: Option<AlertStatus>,
    /// Verdict; `Unknown` takes it back.
    pub classification: Option<Classification>,
    /// Finer verdict; `Unknown` takes it back.
    pub determination: Option<Determination>,
    /// Assignee; `Some(None)` unassigns.
    pub assigned_to: Option<Option<Arc<str>>>,
}

impl AlertPatch {
    /// Whether there is nothing to set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Call {
    /// The operation it is.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Isolate { .. } => Operation::Isolate,
            Self::Release { .. } => Operation::Release,
            Self::Restrict { .. } => Operation::Restrict,
            Self::Unrestrict { .. } => Operation::Unrestrict,
            Self::Scan { .. } => Operation::Scan,
            Self::CancelAction { .. } => Operation::CancelAction,
            Self::PatchAlert { .. } => Operation::PatchAlert,
            Self::CommentAlert { .. } => Operation::CommentAlert,
        }
    }

    /// The comment it carries, if it carries one.
    #[must_use]
    pub fn comment(&self) -> Option<&str> {
        match self {
            Self::Isolate { comment, .. }
            | Self::Release { comment, .. }
            | Self::Restrict { comment, .. }
            | Self::Unrestrict { comment, .. }
            | Self::Scan { comment, .. }
            | Self::CancelAction { comment, .. }
            | Self::CommentAlert { comment, .. } => Some(comment),
            Self::PatchAlert { .. } => None,
        }
    }

    /// The request.
    #[must_use]
    pub fn outbound(&self) -> Outbound {
        let operation = self.operation();
        match self {
            Self::Isolate { device, comment, isolation_type } => {
                let body = ActionBody {
                    isolation_type: Some(isolation_type.wire()),
                    ..ActionBody::new(comment)
                };
                machine_action(operation, device, "isolate", &body)
            }
            Self::Release { device, comment } => {
                machine_action(operation, device, "unisolate", &ActionBody::new(comment))
            }
            Self::Restrict { device, comment } => {
                let body = ActionBody::new(comment);
                machine_action(operation, device, "restrictCodeExecution", &body)
            }
            Self::Unrestrict { device, comment } => {
                let body = ActionBody::new(comment);
                machine_action(operation, device, "unrestrictCodeExecution", &body)
            }
            Self::Scan { device, comment, scan_type } => {
                let body =
                    ActionBody { scan_type: Some(scan_type.wire()), ..ActionBody::new(comment) };
                machine_action(operation, device, "runAntiVirusScan", &body)
            }
            Self::CancelAction { action, comment } => {
                let path = format!("api/machineactions/{}/cancel", odata::segment(action.as_str()));
                Outbound::with_body(operation, Method::POST, path, &ActionBody::new(comment))
            }
            Self::PatchAlert { alert, patch } => {
                let body = PatchBody::new(patch);
                Outbound::with_body(operation, Method::PATCH, alert_path(alert), &body)
            }
            Self::CommentAlert { alert, comment } => {
                let path = format!("{}/comments", alert_path(alert));
                let kind = "microsoft.graph.security.alertComment";
                Outbound::with_body(operation, Method::POST, path, &CommentBody { kind, comment })
            }
        }
    }
}

fn machine_action(
    operation: Operation,
    device: &DeviceId,
    action: &str,
    body: &ActionBody<'_>,
) -> Outbound {
    let path = format!("api/machines/{}/{action}", odata::segment(&device.to_string()));
    Outbound::with_body(operation, Method::POST, path, body)
}

/// Path of one alert.
pub(crate) fn alert_path(alert: &AlertId) -> String {
    format!("v1.0/security/alerts_v2/{}", odata::segment(alert.as_str()))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ActionBody<'a> {
    comment: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    isolation_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scan_type: Option<&'static str>,
}

impl<'a> ActionBody<'a> {
    const fn new(comment: &'a str) -> Self {
        Self { comment, isolation_type: None, scan_type: None }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PatchBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    classification: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    determination: Option<&'static str>,
    /// A null unassigns; left out, the assignee stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_to: Option<Option<&'a str>>,
}

impl<'a> PatchBody<'a> {
    fn new(patch: &'a AlertPatch) -> Self {
        Self {
            status: patch.status.map(AlertStatus::wire),
            classification: patch.classification.map(Classification::wire),
            determination: patch.determination.map(Determination::wire),
            assigned_to: patch.assigned_to.as_ref().map(Option::as_deref),
        }
    }
}

#[derive(Serialize)]
struct CommentBody<'a> {
    #[serde(rename = "@odata.type")]
    kind: &'static str,
    comment: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";

    fn shown(call: &Call) -> String {
        let out = call.outbound();
        let body = String::from_utf8(out.body.to_vec()).unwrap();
        format!("{} {} {body}", out.method, out.path)
    }

    #[test]
    fn machine_actions_have_pascal_case_bodies() {
        let device = DeviceId::parse(DEVICE);
        let comment: Arc<str> = "case \"4711\"".into();
        let cases = [
            (
                Call::Isolate {
                    device: device.clone(),
                    comment: comment.clone(),
                    isolation_type: IsolationMode::Selective,
                },
                "isolate",
                r#"{"Comment":"case \"4711\"","IsolationType":"Selective"}"#,
            ),
            (
                Call::Release { device: device.clone(), comment: comment.clone() },
                "unisolate",
                r#"{"Comment":"case \"4711\""}"#,
            ),
            (
                Call::Restrict { device: device.clone(), comment: comment.clone() },
                "restrictCodeExecution",
                r#"{"Comment":"case \"4711\""}"#,
            ),
            (
                Call::Unrestrict { device: device.clone(), comment: comment.clone() },
                "unrestrictCodeExecution",
                r#"{"Comment":"case \"4711\""}"#,
            ),
            (
                Call::Scan { device, comment, scan_type: ScanType::Full },
                "runAntiVirusScan",
                r#"{"Comment":"case \"4711\"","ScanType":"Full"}"#,
            ),
        ];
        for (call, action, body) in cases {
            assert_eq!(shown(&call), format!("POST api/machines/{DEVICE}/{action} {body}"));
        }
    }

    #[test]
    fn ids_cannot_leave_their_path_segment() {
        let call = Call::CancelAction { action: "a/../b?c".into(), comment: "x".into() };
        assert_eq!(
            shown(&call),
            r#"POST api/machineactions/a%2F..%2Fb%3Fc/cancel {"Comment":"x"}"#
        );
        let call = Call::CommentAlert { alert: "da1_-2 é".into(), comment: "red team".into() };
        assert_eq!(
            shown(&call),
            "POST v1.0/security/alerts_v2/da1_-2%20%C3%A9/comments \
             {\"@odata.type\":\"microsoft.graph.security.alertComment\",\"comment\":\"red team\"}"
        );
    }

    #[test]
    fn a_patch_holds_what_is_set_and_nothing_else() {
        let patch = AlertPatch {
            status: Some(AlertStatus::Resolved),
            determination: Some(Determination::ConfirmedActivity),
            ..AlertPatch::default()
        };
        assert_eq!(
            shown(&Call::PatchAlert { alert: "da1".into(), patch }),
            "PATCH v1.0/security/alerts_v2/da1 \
             {\"status\":\"resolved\",\"determination\":\"confirmedActivity\"}"
        );
        let patch = AlertPatch { assigned_to: Some(None), ..AlertPatch::default() };
        assert_eq!(
            shown(&Call::PatchAlert { alert: "da1".into(), patch }),
            "PATCH v1.0/security/alerts_v2/da1 {\"assignedTo\":null}"
        );
        assert!(AlertPatch::default().is_empty());
    }
}
