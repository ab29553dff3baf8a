//! Requests that read.
//!
//! Every list request states its own `$top`: antivirus health would otherwise answer 20 rows, and
//! the links the Defender API builds have been seen to lose the filter. Source: Microsoft Learn,
//! list pages; Graph `security: list alerts_v2`.

use jiff::Timestamp;

use crate::inventory::ActionRow;
use crate::model::{ActionId, ActionKind, AlertId, DeviceId};
use crate::wire::api::Operation;
use crate::wire::call::alert_path;
use crate::wire::odata;
use crate::wire::outbound::Outbound;

/// Rows asked for in one page of the Defender API: its maximum.
pub const DEFENDER_PAGE: u32 = 10_000;
/// Rows asked for in one page of alerts: Graph clamps larger numbers to this.
pub const ALERT_PAGE: u32 = 1_000;
/// Graph refuses a larger `$skip` on alerts.
pub const ALERT_SKIP_MAX: u32 = 500;
/// Ids in one filter: keeps an address below the 2,048 characters that gateways pass for sure.
pub const IDS_PER_FILTER: usize = 25;

/// Which machine actions to list; all conditions hold at once, an empty one is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionFilter {
    /// These actions.
    pub ids: Vec<ActionId>,
    /// Of these devices.
    pub devices: Vec<DeviceId>,
    /// Of these kinds.
    pub kinds: Vec<ActionKind>,
    /// Created at or after this instant.
    pub since: Option<Timestamp>,
}

impl ActionFilter {
    /// Exactly these actions.
    #[must_use]
    pub fn ids(ids: impl IntoIterator<Item = ActionId>) -> Self {
        Self { ids: ids.into_iter().collect(), ..Self::default() }
    }

    /// Actions of one device of the given kinds.
    #[must_use]
    pub fn of_device(device: DeviceId, kinds: impl IntoIterator<Item = ActionKind>) -> Self {
        Self { devices: vec![device], kinds: kinds.into_iter().collect(), ..Self::default() }
    }

    /// All actions created at or after `since`.
    #[must_use]
    pub fn since(since: Timestamp) -> Self {
        Self { since: Some(since), ..Self::default() }
    }

    /// The same filter, for actions created at or after `since`.
    #[must_use]
    pub const fn and_since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }

    /// Whether an action passes, decided on our side.
    #[must_use]
    pub fn passes(&self, row: &ActionRow) -> bool {
        (self.ids.is_empty() || self.ids.contains(&row.id))
            && (self.devices.is_empty() || self.devices.contains(&row.device))
            && (self.kinds.is_empty() || self.kinds.contains(&row.kind))
            && self.since.is_none_or(|since| row.created >= since)
    }

    /// The text of `$filter`; empty when nothing is filtered.
    #[must_use]
    pub fn text(&self) -> String {
        let mut parts = Vec::new();
        if !self.ids.is_empty() {
            parts.push(odata::any_equal("id", self.ids.iter().map(ActionId::as_str)));
        }
        if !self.devices.is_empty() {
            let ids: Vec<String> = self.devices.iter().map(ToString::to_string).collect();
            parts.push(odata::any_equal("machineId", ids.iter().map(String::as_str)));
        }
        if !self.kinds.is_empty() {
            parts.push(odata::any_equal("type", self.kinds.iter().map(ActionKind::wire)));
        }
        if let Some(since) = self.since {
            parts.push(format!("creationDateTimeUtc ge {}", odata::instant(since)));
        }
        if parts.len() > 1 {
            for part in &mut parts {
                if part.contains(" or ") {
                    *part = format!("({part})");
                }
            }
        }
        parts.join(" and ")
    }
}

fn list(operation: Operation, path: &str, filter: &str, top: u32, skip: u64) -> Outbound {
    let mut query = String::new();
    if !filter.is_empty() {
        query = format!("$filter={}&", odata::query_value(filter));
    }
    query.push_str(&format!("$top={top}"));
    if skip > 0 {
        query.push_str(&format!("&$skip={skip}"));
    }
    Outbound::get(operation, path, query)
}

/// One page of machines.
#[must_use]
pub fn machines(top: u32, skip: u64) -> Outbound {
    list(Operation::ListMachines, "api/machines", "", top, skip)
}

/// One page of machine actions.
#[must_use]
pub fn actions(filter: &ActionFilter, top: u32, skip: u64) -> Outbound {
    list(Operation::ListActions, "api/machineactions", &filter.text(), top, skip)
}

/// One page of antivirus health.
#[must_use]
pub fn av_health(top: u32, skip: u64) -> Outbound {
    list(Operation::ListAvHealth, "api/deviceavinfo", "", top, skip)
}

/// One machine. The service also takes a name here; an id is always meant.
#[must_use]
pub fn machine(id: &DeviceId) -> Outbound {
    let path = format!("api/machines/{}", odata::segment(&id.to_string()));
    Outbound::get(Operation::GetMachine, path, "")
}

/// One machine action.
#[must_use]
pub fn action(id: &ActionId) -> Outbound {
    let path = format!("api/machineactions/{}", odata::segment(id.as_str()));
    Outbound::get(Operation::GetAction, path, "")
}

/// The tenant's exposure score.
#[must_use]
pub fn exposure_score() -> Outbound {
    Outbound::get(Operation::ExposureScore, "api/exposureScore", "")
}

/// Exposure scores by device group.
#[must_use]
pub fn exposure_by_group() -> Outbound {
    Outbound::get(Operation::ExposureByGroup, "api/exposureScore/ByMachineGroups", "")
}

/// One alert.
#[must_use]
pub fn alert(id: &AlertId) -> Outbound {
    Outbound::get(Operation::GetAlert, alert_path(id), "")
}

/// One page of alerts by time of last update, oldest first. `$orderby` is undocumented on alerts
/// but accepted; the walk checks that it took effect.
#[must_use]
pub fn alerts(filter: &str, ordered: bool, skip: u32) -> Outbound {
    let path = "v1.0/security/alerts_v2";
    let mut out = list(Operation::ListAlerts, path, filter, ALERT_PAGE, u64::from(skip));
    if ordered {
        out.query.push_str("&$orderby=lastUpdateDateTime%20asc");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_quoted_and_grouped() {
        let device = DeviceId::parse("till'07");
        let kinds = [ActionKind::Isolate, ActionKind::Unisolate];
        let since: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let filter = ActionFilter::of_device(device, kinds).and_since(since);
        assert_eq!(
            filter.text(),
            "machineId eq 'till''07' and (type eq 'Isolate' or type eq 'Unisolate') and \
             creationDateTimeUtc ge 2026-01-01T00:00:00Z"
        );
        let two = ActionFilter::ids(["a".into(), "b".into()]);
        assert_eq!(two.text(), "id eq 'a' or id eq 'b'");
        assert_eq!(ActionFilter::default().text(), "");
    }

    #[test]
    fn every_list_states_its_own_top() {
        for (out, query) in [
            (machines(10_000, 0), "$top=10000"),
            (av_health(10_000, 9_999), "$top=10000&$skip=9999"),
            (alerts("", true, 0), "$top=1000&$orderby=lastUpdateDateTime%20asc"),
            (
                actions(&ActionFilter::ids(["x y".into()]), 10, 0),
                "$filter=id%20eq%20%27x%20y%27&$top=10",
            ),
        ] {
            assert_eq!(out.query, query);
        }
    }

    #[test]
    fn a_full_filter_of_ids_stays_a_short_address() {
        let id = "7b3b1e0a-55aa-4b0c-9a52-0d7f3b1f9c10";
        let filter = ActionFilter::ids(std::iter::repeat_n(ActionId::from(id), IDS_PER_FILTER));
        let out = actions(&filter, DEFENDER_PAGE, 0);
        assert!(out.path.len() + out.query.len() < 2_000, "{}", out.query.len());
    }
}
