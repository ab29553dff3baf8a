//! Exposure and configuration scores. `time` is the time of the call, so it changes every call.
//!
//! `ByMachineGroups` is the only endpoint that names device groups, and only those with a score.
//! Devices that have been silent for 30 days are not counted.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::emulator::dates;
use crate::emulator::defender::{Answer, Context, list};
use crate::emulator::tenant::{Group, Tenant};
use crate::model::{Exposure, Onboarding};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Score<'a> {
    #[serde(serialize_with = "dates::serialize")]
    time: Timestamp,
    score: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rbac_group_name: Option<&'a str>,
}

/// GET `/api/exposureScore`: 0 to 100, lower is better.
///
/// # Errors
/// None.
pub fn exposure(tenant: &Tenant, context: &Context<'_>) -> Answer {
    let (score, _) = measure(tenant, context.now, |_| true);
    let score = Score { time: context.now, score, rbac_group_name: None };
    Ok(list::entity(context, StatusCode::OK, "ExposureScore", score))
}

/// GET `/api/exposureScore/ByMachineGroups`.
///
/// # Errors
/// None.
pub fn by_group(tenant: &Tenant, context: &Context<'_>) -> Answer {
    let score = |group: &Group| measure(tenant, context.now, |id| id == group.id);
    let scored = tenant.groups.iter().map(|group| (group, score(group)));
    let value: Vec<Score<'_>> = scored
        .filter(|(_, (_, counted))| *counted > 0)
        .map(|(group, (score, _))| Score {
            time: context.now,
            score,
            rbac_group_name: Some(&group.name),
        })
        .collect();
    Ok(list::collection(context, "ExposureScore", &value, None, None))
}

/// GET `/api/configurationScore`: the secure score for devices.
///
/// # Errors
/// None.
pub fn configuration(tenant: &Tenant, context: &Context<'_>) -> Answer {
    let (exposed, _) = measure(tenant, context.now, |_| true);
    let score =
        Score { time: context.now, score: round(1_000.0 - 8.0 * exposed), rbac_group_name: None };
    Ok(list::entity(context, StatusCode::OK, "ConfigurationScore", score))
}

/// The mean exposure of devices whose group passes, and how many were counted.
fn measure(tenant: &Tenant, now: Timestamp, group: impl Fn(u32) -> bool) -> (f64, u32) {
    let month = SignedDuration::from_hours(30 * 24);
    let (mut sum, mut count) = (0.0, 0_u32);
    for machine in tenant.machines() {
        let silent = now.duration_since(machine.last_seen(now)) > month;
        if silent || machine.onboarding != Onboarding::Onboarded || !group(machine.group) {
            continue;
        }
        count += 1;
        sum += match machine.exposure.unwrap_or(Exposure::None) {
            Exposure::None => 0.0,
            Exposure::Low => 20.0,
            Exposure::Medium => 50.0,
            Exposure::High => 85.0,
        };
    }
    (if count == 0 { 0.0 } else { round(sum / f64::from(count)) }, count)
}

fn round(score: f64) -> f64 {
    (score * 100.0).round() / 100.0
}
