//! GET `/api/$metadata`: a small EDM document with the entity types served here.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};

type Columns = &'static [(&'static str, &'static str)];

const MACHINE: Columns = &[
    ("id", "Edm.String"),
    ("mergedIntoMachineId", "Edm.String"),
    ("isPotentialDuplication", "Edm.Boolean"),
    ("isExcluded", "Edm.Boolean"),
    ("exclusionReason", "Edm.String"),
    ("computerDnsName", "Edm.String"),
    ("firstSeen", "Edm.DateTimeOffset"),
    ("lastSeen", "Edm.DateTimeOffset"),
    ("osPlatform", "Edm.String"),
    ("osVersion", "Edm.String"),
    ("osProcessor", "Edm.String"),
    ("version", "Edm.String"),
    ("lastIpAddress", "Edm.String"),
    ("lastExternalIpAddress", "Edm.String"),
    ("agentVersion", "Edm.String"),
    ("osBuild", "Edm.Int64"),
    ("healthStatus", "Edm.String"),
    ("deviceValue", "Edm.String"),
    ("rbacGroupId", "Edm.Int32"),
    ("rbacGroupName", "Edm.String"),
    ("riskScore", "Edm.String"),
    ("exposureLevel", "Edm.String"),
    ("isAadJoined", "Edm.Boolean"),
    ("aadDeviceId", "Edm.Guid"),
    ("machineTags", "Collection(Edm.String)"),
    ("defenderAvStatus", "Edm.String"),
    ("onboardingStatus", "Edm.String"),
    ("osArchitecture", "Edm.String"),
    ("managedBy", "Edm.String"),
    ("managedByStatus", "Edm.String"),
];
const ACTION: Columns = &[
    ("id", "Edm.Guid"),
    ("type", "Edm.String"),
    ("title", "Edm.String"),
    ("requestor", "Edm.String"),
    ("requestorComment", "Edm.String"),
    ("status", "Edm.String"),
    ("machineId", "Edm.String"),
    ("computerDnsName", "Edm.String"),
    ("creationDateTimeUtc", "Edm.DateTimeOffset"),
    ("lastUpdateDateTimeUtc", "Edm.DateTimeOffset"),
    ("cancellationRequestor", "Edm.String"),
    ("cancellationComment", "Edm.String"),
    ("cancellationDateTimeUtc", "Edm.DateTimeOffset"),
    ("errorHResult", "Edm.Int32"),
    ("scope", "Edm.String"),
    ("externalId", "Edm.String"),
    ("requestSource", "Edm.String"),
    ("troubleshootInfo", "Edm.String"),
];
const ALERT: Columns = &[
    ("id", "Edm.String"),
    ("incidentId", "Edm.Int64"),
    ("investigationId", "Edm.Int64"),
    ("assignedTo", "Edm.String"),
    ("severity", "Edm.String"),
    ("status", "Edm.String"),
    ("classification", "Edm.String"),
    ("determination", "Edm.String"),
    ("detectionSource", "Edm.String"),
    ("category", "Edm.String"),
    ("title", "Edm.String"),
    ("alertCreationTime", "Edm.DateTimeOffset"),
    ("lastUpdateTime", "Edm.DateTimeOffset"),
    ("lastEventTime", "Edm.DateTimeOffset"),
    ("machineId", "Edm.String"),
];
const TYPES: [(&str, &str, Columns); 3] = [
    ("Machine", "Machines", MACHINE),
    ("MachineAction", "MachineActions", ACTION),
    ("Alert", "Alerts", ALERT),
];

/// The document.
#[must_use]
pub fn get() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(document()));
    let xml = HeaderValue::from_static("application/xml");
    response.headers_mut().insert(CONTENT_TYPE, xml);
    response
}

// Writing to a String cannot fail, so results of `write!` are dropped below.
fn document() -> String {
    let mut out = String::from(concat!(
        r#"<?xml version="1.0" encoding="utf-8"?>"#,
        r#"<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>"#,
        r#"<Schema Namespace="microsoft.windowsDefenderATP.api" xmlns="http://docs.oasis-open.org/odata/ns/edm">"#,
    ));
    for (name, _, columns) in TYPES {
        let _ = write!(out, r#"<EntityType Name="{name}"><Key><PropertyRef Name="id" /></Key>"#);
        for (column, edm) in columns {
            let nullable = if *column == "id" { r#" Nullable="false""# } else { "" };
            let _ = write!(out, r#"<Property Name="{column}" Type="{edm}"{nullable} />"#);
        }
        out.push_str("</EntityType>");
    }
    out.push_str(r#"<EntityContainer Name="Container">"#);
    for (name, set, _) in TYPES {
        let _ = write!(
            out,
            r#"<EntitySet Name="{set}" EntityType="microsoft.windowsDefenderATP.api.{name}" />"#
        );
    }
    out.push_str("</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>");
    out
}
