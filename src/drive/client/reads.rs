//! Calls that read: tried again within bounds, and read whole or not at all.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::SignedDuration;
use serde::Deserialize;

use super::Client;
use super::exchange::open;
use crate::inventory::{ActionRow, AlertRow, Builder};
use crate::model::{ActionId, AlertId, DeviceId};
use crate::wire::pages::{self, PageError};
use crate::wire::read::{self, DEFENDER_PAGE, IDS_PER_FILTER};
use crate::wire::skip_walk::{End, Order, Row, SkipWalk, key};
use crate::wire::{ActionFilter, ApiError, ErrorKind, Operation, Outbound};

/// Machines that exist have been answered with 404; the second answer is believed.
const SECOND_LOOK: SignedDuration = SignedDuration::from_secs(1);

/// Exposure scores, 0 to 100; lower is better.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// The tenant's.
    pub tenant: Option<f64>,
    /// By device group. The only list of groups the service has, of those with a score.
    pub groups: BTreeMap<String, f64>,
}

/// What a read gave.
#[derive(Debug)]
pub(crate) struct Given<T> {
    pub(crate) value: T,
    /// Set when the service says that it gave only a part.
    pub(crate) partial: Option<String>,
}

impl Client {
    /// Reads and parses; an answer that cannot be parsed is asked for again.
    pub(crate) async fn read<T>(
        &self,
        out: &Outbound,
        mut parse: impl FnMut(&Bytes) -> Result<T, PageError>,
    ) -> Result<Given<T>, ApiError> {
        let mut tries = self.tries(out.operation);
        let mut looked = false;
        loop {
            let error = match self.exchange(out, &open).await {
                Ok(good) => match parse(&good.body) {
                    Ok(value) => return Ok(Given { value, partial: good.partial }),
                    Err(error) => unreadable(out.operation, &error),
                },
                Err(error) => error,
            };
            let single = matches!(
                out.operation,
                Operation::GetMachine | Operation::GetAction | Operation::GetAlert
            );
            if single && error.kind == ErrorKind::NotFound && !std::mem::replace(&mut looked, true)
            {
                let at = self.now().checked_add(SECOND_LOOK).unwrap_or(jiff::Timestamp::MAX);
                self.shared.clock.sleep_until(at).await;
            } else {
                tries.again(error).await?;
            }
        }
    }

    /// Reads one machine into the builder; `None` when the service does not know it.
    ///
    /// # Errors
    /// Everything but "not found".
    pub async fn get_machine(
        &self,
        id: &DeviceId,
        into: &mut Builder,
    ) -> Result<Option<DeviceId>, ApiError> {
        let read = self.read(&read::machine(id), |body| pages::machine(body, into)).await;
        found(read)
    }

    /// Reads one machine action; `None` when the service does not know it.
    ///
    /// # Errors
    /// Everything but "not found".
    pub async fn get_action(&self, id: &ActionId) -> Result<Option<ActionRow>, ApiError> {
        found(self.read(&read::action(id), |body| pages::action(body)).await)
    }

    /// Reads one alert with its comments; `None` when the service does not know it.
    ///
    /// # Errors
    /// Everything but "not found".
    pub async fn get_alert(&self, id: &AlertId) -> Result<Option<AlertRow>, ApiError> {
        found(self.read(&read::alert(id), |body| pages::alert(body)).await)
    }

    /// All machine actions that pass the filter, oldest first, each once and in its latest state.
    ///
    /// A filter of many ids or devices becomes several requests, or one list by time when the
    /// filter has a `since` and that is cheaper.
    ///
    /// # Errors
    /// Also when the list could not be read to its proven end: an action that is not in the result
    /// was not there.
    pub async fn list_actions(&self, filter: &ActionFilter) -> Result<Vec<ActionRow>, ApiError> {
        let mut rows: BTreeMap<ActionId, ActionRow> = BTreeMap::new();
        for part in parts(filter) {
            for row in self.walk_actions(&part).await? {
                let newer = rows.get(&row.id).is_none_or(|held| held.updated <= row.updated);
                if newer && filter.passes(&row) {
                    rows.insert(row.id.clone(), row);
                }
            }
        }
        let mut rows: Vec<ActionRow> = rows.into_values().collect();
        rows.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        Ok(rows)
    }

    async fn walk_actions(&self, filter: &ActionFilter) -> Result<Vec<ActionRow>, ApiError> {
        let mut walk = SkipWalk::new(DEFENDER_PAGE, Order::NewestFirst);
        let mut rows = Vec::new();
        while let Some((top, skip)) = walk.request() {
            let before = rows.len();
            let out = read::actions(filter, top, skip);
            let page = self.read(&out, |body| pages::actions(body, &mut rows)).await?;
            if let Some(why) = page.partial {
                return Err(unproven(&why));
            }
            if page.value.bad > 0 {
                tracing::warn!(rows = page.value.bad, "machine actions that cannot be read");
            }
            let keys: Vec<Row> = rows.iter().skip(before).map(action_key).collect();
            walk.page(&keys);
            if !filter.ids.is_empty() && walk.rows() == filter.ids.len() as u64 {
                // Each of them was found: there is nothing to prove.
                return Ok(rows);
            }
        }
        match walk.end() {
            Some(End::Complete) | None => Ok(rows),
            Some(end) => Err(unproven(&format!("{end:?}"))),
        }
    }

    /// The exposure scores.
    ///
    /// # Errors
    /// When either read fails.
    pub async fn scores(&self) -> Result<Scores, ApiError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct One {
            score: Option<f64>,
            rbac_group_name: Option<String>,
        }
        #[derive(Deserialize)]
        struct Many {
            value: Vec<One>,
        }
        let one = |body: &Bytes| Ok(serde_json::from_slice::<One>(body)?.score);
        let tenant = self.read(&read::exposure_score(), one).await?.value;
        let many = |body: &Bytes| Ok(serde_json::from_slice::<Many>(body)?.value);
        let groups = self.read(&read::exposure_by_group(), many).await?.value;
        let groups = groups
            .into_iter()
            .filter_map(|one| Some((one.rbac_group_name.unwrap_or_default(), one.score?)))
            .collect();
        Ok(Scores { tenant, groups })
    }
}

/// How the walk sees a machine action.
pub(crate) fn action_key(row: &ActionRow) -> Row {
    Row { key: key(row.id.as_str().as_bytes()), young: false }
}

/// The requests that answer a filter.
fn parts(filter: &ActionFilter) -> Vec<ActionFilter> {
    let many = filter.ids.len().max(filter.devices.len());
    let requests = many.div_ceil(IDS_PER_FILTER);
    if requests > 2 && filter.since.is_some() {
        // The list since then takes one request for ten thousand actions.
        return vec![ActionFilter { ids: Vec::new(), devices: Vec::new(), ..filter.clone() }];
    }
    if filter.ids.len() > IDS_PER_FILTER {
        let chunk = |ids: &[ActionId]| ActionFilter { ids: ids.to_vec(), ..filter.clone() };
        return filter.ids.chunks(IDS_PER_FILTER).map(chunk).collect();
    }
    if filter.devices.len() > IDS_PER_FILTER {
        let chunk =
            |devices: &[DeviceId]| ActionFilter { devices: devices.to_vec(), ..filter.clone() };
        return filter.devices.chunks(IDS_PER_FILTER).map(chunk).collect();
    }
    vec![filter.clone()]
}

fn found<T>(read: Result<Given<T>, ApiError>) -> Result<Option<T>, ApiError> {
    match read {
        Ok(given) => Ok(Some(given.value)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn unreadable(operation: Operation, error: &PageError) -> ApiError {
    use std::error::Error as _;
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    ApiError::new(operation, ErrorKind::Unreadable).with_message(&format!("{error}{cause}"))
}

fn unproven(why: &str) -> ApiError {
    ApiError::new(Operation::ListActions, ErrorKind::Unreadable)
        .with_message(&format!("the list could not be read to its end: {why}"))
}
