//! Evidence of an alert in the Defender API: flat rows with every column, most of them null.

use jiff::Timestamp;
use serde::Serialize;

use crate::emulator::dates;
use crate::emulator::tenant::Alert;
use crate::emulator::tenant::alert::{ProcessEvidence, UserEvidence};

/// One row of evidence, in the service's order.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence<'a> {
    entity_type: &'static str,
    #[serde(serialize_with = "dates::optional::serialize")]
    evidence_creation_time: Option<Timestamp>,
    sha1: Option<&'a str>,
    sha256: Option<&'a str>,
    file_name: Option<&'a str>,
    file_path: Option<&'a str>,
    process_id: Option<u32>,
    process_command_line: Option<&'a str>,
    #[serde(serialize_with = "dates::optional::serialize")]
    process_creation_time: Option<Timestamp>,
    parent_process_id: Option<u32>,
    #[serde(serialize_with = "dates::optional::serialize")]
    parent_process_creation_time: Option<Timestamp>,
    parent_process_file_name: Option<&'a str>,
    parent_process_file_path: Option<&'a str>,
    ip_address: Option<&'a str>,
    url: Option<&'a str>,
    registry_key: Option<&'a str>,
    registry_hive: Option<&'a str>,
    registry_value_type: Option<&'a str>,
    registry_value: Option<&'a str>,
    account_name: Option<&'a str>,
    domain_name: Option<&'a str>,
    user_sid: Option<&'a str>,
    aad_user_id: Option<&'a str>,
    user_principal_name: Option<&'a str>,
    detection_status: Option<&'static str>,
}

/// The evidence of an alert: its process, its file, its user.
#[must_use]
pub fn of(alert: &Alert) -> Vec<Evidence<'_>> {
    let process =
        alert.process.iter().flat_map(|found| [process(alert, found), file(alert, found)]);
    process.chain(alert.user.iter().map(|found| user(alert, found))).collect()
}

fn process<'a>(alert: &Alert, found: &'a ProcessEvidence) -> Evidence<'a> {
    Evidence {
        entity_type: "Process",
        process_id: Some(found.pid),
        process_command_line: Some(&found.command),
        process_creation_time: Some(alert.first_event),
        parent_process_id: Some(found.parent),
        parent_process_creation_time: Some(alert.first_event),
        parent_process_file_name: Some("explorer.exe"),
        parent_process_file_path: Some("C:\\Windows"),
        ..file_columns(alert, found)
    }
}

fn file<'a>(alert: &Alert, found: &'a ProcessEvidence) -> Evidence<'a> {
    Evidence { entity_type: "File", ..file_columns(alert, found) }
}

fn file_columns<'a>(alert: &Alert, found: &'a ProcessEvidence) -> Evidence<'a> {
    Evidence {
        evidence_creation_time: Some(alert.created),
        sha1: Some(&found.sha1),
        sha256: Some(&found.sha256),
        file_name: Some(&found.file),
        file_path: Some(&found.folder),
        detection_status: Some("Detected"),
        ..Evidence::default()
    }
}

fn user<'a>(alert: &Alert, found: &'a UserEvidence) -> Evidence<'a> {
    Evidence {
        entity_type: "User",
        evidence_creation_time: Some(alert.created),
        account_name: Some(&found.account),
        domain_name: Some(&found.domain),
        user_sid: Some(&found.sid),
        user_principal_name: Some(&found.upn),
        ..Evidence::default()
    }
}
