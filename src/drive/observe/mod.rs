//! One observation: every page of every part, into one inventory.
//!
//! Called by the commands that plan, audit or show. A part that cannot be read whole becomes
//! `Missing` with its reason; it never becomes a smaller part. Machine actions are read last, so
//! that the history is the freshest part: a reading is about what was done to a device, and apply
//! looks again before it acts.

mod lists;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::drive::client::Client;
use crate::drive::progress::{Event, Progress};
use crate::inventory::{Builder, Inventory, Missing, What};
use crate::model::DeviceId;
use crate::wire::{ApiError, ErrorKind, Operation};

/// What to observe. Machines and machine actions are always read.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Whether scan times are needed: a policy is about scans.
    pub av_health: bool,
    /// Which alerts are needed, if any: a policy is about alerts, or selects devices by them.
    pub alerts: Option<Alerts>,
    /// Whether exposure scores are needed.
    pub scores: bool,
    /// Devices that policies or journals name: absent from a partial list they are unknown.
    pub named_devices: Vec<DeviceId>,
}

/// Which alerts to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alerts {
    /// Those updated at or after this instant (UTC); all of them without one.
    pub since: Option<Timestamp>,
}

impl Scope {
    /// The operations an observation of this scope performs, for checking roles beforehand.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        let mut operations = vec![Operation::ListMachines, Operation::ListActions];
        if self.av_health {
            operations.push(Operation::ListAvHealth);
        }
        if self.alerts.is_some() {
            operations.push(Operation::ListAlerts);
        }
        if self.scores {
            operations.extend([Operation::ExposureScore, Operation::ExposureByGroup]);
        }
        operations
    }
}

/// Reads a tenant.
///
/// # Errors
/// When signing in to the Defender API fails, so that nothing at all can be read. Every other
/// failure makes the inventory partial.
pub async fn observe(
    client: &Client,
    scope: &Scope,
    progress: &dyn Progress,
) -> Result<Inventory, ApiError> {
    let began = client.clock().now();
    client.forget_service_clock();
    let mut builder = Builder::new(client.tenant(), client.tenant_id(), began);
    for id in &scope.named_devices {
        builder.note_named_device(id);
    }
    let mut reader = Reader { client, progress, began, builder, rows: BTreeMap::new() };
    reader.part(What::Devices).await?;
    if scope.av_health {
        reader.part(What::AvHealth).await?;
    }
    if let Some(alerts) = scope.alerts {
        reader.alerts_part(alerts).await;
    }
    if scope.scores {
        reader.scores_part().await;
    }
    reader.part(What::Actions).await?;
    reader.compare();
    if let Some(there) = client.service_ahead().and_then(|ahead| began.checked_add(ahead).ok()) {
        tracing::debug!(%began, %there, "the service's clock");
        reader.builder.service_clock(there);
    }
    Ok(reader.builder.build())
}

struct Reader<'a> {
    client: &'a Client,
    progress: &'a dyn Progress,
    began: Timestamp,
    builder: Builder,
    /// Rows of each part that was read.
    rows: BTreeMap<What, u64>,
}

/// How the reading of one part went on so far.
#[derive(Debug, Default)]
struct Tally {
    pages: u32,
    rows: u64,
    lacking: Vec<String>,
}

impl Tally {
    /// Notes why something is missing, each reason once.
    fn lacks(&mut self, why: impl Into<String>) {
        let why = why.into();
        if !self.lacking.contains(&why) {
            self.lacking.push(why);
        }
    }
}

impl Reader<'_> {
    async fn part(&mut self, what: What) -> Result<(), ApiError> {
        self.progress.tell(&Event::Started { what });
        let mut tally = Tally::default();
        let read = match what {
            What::AvHealth => self.av_health(&mut tally).await,
            What::Actions => self.actions(&mut tally).await,
            _ => self.machines(&mut tally).await,
        };
        match read {
            // Without a token nothing can be read: an empty inventory would help nobody.
            Err(error) if is_about_signing_in(&error) => return Err(error),
            Err(error) => tally.lacks(reason(&error)),
            Ok(()) => {}
        }
        self.finish(what, tally);
        Ok(())
    }

    async fn alerts_part(&mut self, which: Alerts) {
        self.progress.tell(&Event::Started { what: What::Alerts });
        let mut tally = Tally::default();
        if let Err(error) = self.alerts(which, &mut tally).await {
            tally.lacks(reason(&error));
        }
        self.finish(What::Alerts, tally);
    }

    async fn scores_part(&mut self) {
        self.progress.tell(&Event::Started { what: What::Scores });
        let mut tally = Tally::default();
        match self.client.scores().await {
            Ok(scores) => {
                tally.rows = scores.groups.len() as u64;
                if let Some(score) = scores.tenant {
                    self.builder.exposure_score(score);
                }
                for (group, score) in &scores.groups {
                    self.builder.group_score(group, *score);
                }
            }
            Err(error) => tally.lacks(reason(&error)),
        }
        self.finish(What::Scores, tally);
    }

    fn page(&self, what: What, tally: &mut Tally, pages: u32, rows: u64) {
        (tally.pages, tally.rows) = (pages, rows);
        self.progress.tell(&Event::Page { what, pages, rows });
    }

    /// A list that is empty again and again proves nothing when other lists speak of its rows.
    fn compare(&mut self) {
        let rows = |what| self.rows.get(&what).copied().unwrap_or(0);
        let others = rows(What::Actions).max(rows(What::AvHealth));
        if rows(What::Devices) == 0 && others > 0 {
            let why =
                format!("no machine is listed, but other lists have {others} rows about machines");
            tracing::warn!(why, "incomplete");
            self.builder.missing(Missing { what: What::Devices, why: why.into() });
        }
    }

    fn finish(&mut self, what: What, tally: Tally) {
        self.rows.insert(what, tally.rows);
        let complete = tally.lacking.is_empty();
        let rows = tally.rows;
        tracing::info!(what = what.word(), rows, pages = tally.pages, complete, "read");
        self.progress.tell(&Event::Finished { what, rows, complete });
        for why in tally.lacking {
            tracing::warn!(what = what.word(), why, "incomplete");
            self.builder.missing(Missing { what, why: why.into() });
        }
    }
}

fn is_about_signing_in(error: &ApiError) -> bool {
    matches!(error.operation, Operation::SignIn(_)) || error.kind == ErrorKind::Unauthorized
}

/// The error without "cannot list machines: ", which the part's name says already.
fn reason(error: &ApiError) -> String {
    let text = error.to_string();
    let prefix = format!("cannot {}: ", error.operation);
    match error.operation {
        Operation::SignIn(_) => text,
        _ => text.strip_prefix(&prefix).unwrap_or(&text).to_owned(),
    }
}

#[cfg(test)]
mod tests;
