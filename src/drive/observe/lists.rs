//! The lists of an observation, walked to their proven end.
//!
//! One function per list; what they share is the walk of `wire`. A reason in the tally means that
//! rows may be missing; an error means that reading stopped there, and what was read stays.

use super::{Alerts, Reader, Tally};
use crate::drive::client::reads::{Given, action_key};
use crate::inventory::{AlertRow, What};
use crate::model::DeviceId;
use crate::wire::pages::{self, PageEnd};
use crate::wire::read::{self, DEFENDER_PAGE};
use crate::wire::skip_walk::{End, Order, Row, SkipWalk, key};
use crate::wire::time_walk::{self, TimeWalk};
use crate::wire::{ActionFilter, ApiError, ErrorKind, Outbound};

impl Reader<'_> {
    pub(super) async fn machines(&mut self, tally: &mut Tally) -> Result<(), ApiError> {
        let mut walk = SkipWalk::new(DEFENDER_PAGE, Order::Unknown);
        self.builder.watch(true);
        while let Some((top, skip)) = walk.request() {
            let (client, builder) = (self.client, &mut self.builder);
            let read = client
                .read(&read::machines(top, skip), |body| {
                    builder.take_watched();
                    pages::machines(body, builder)
                })
                .await;
            note(tally, What::Devices, &end_of_page(read)?);
            let began = self.began;
            let rows: Vec<Row> = self
                .builder
                .take_watched()
                .into_iter()
                .map(|(id, first)| row(&id, first.is_some_and(|first| first >= began)))
                .collect();
            walk.page(&rows);
            self.page(What::Devices, tally, walk.pages(), walk.rows());
        }
        self.builder.watch(false);
        conclude(tally, walk.end());
        Ok(())
    }

    pub(super) async fn av_health(&mut self, tally: &mut Tally) -> Result<(), ApiError> {
        let mut walk = SkipWalk::new(DEFENDER_PAGE, Order::Unknown);
        self.builder.watch(true);
        while let Some((top, skip)) = walk.request() {
            let (client, builder) = (self.client, &mut self.builder);
            let read = client
                .read(&read::av_health(top, skip), |body| {
                    builder.take_watched();
                    pages::av(body, builder)
                })
                .await;
            note(tally, What::AvHealth, &end_of_page(read)?);
            let rows: Vec<Row> =
                self.builder.take_watched().iter().map(|(id, _)| row(id, false)).collect();
            walk.page(&rows);
            self.page(What::AvHealth, tally, walk.pages(), walk.rows());
        }
        self.builder.watch(false);
        conclude(tally, walk.end());
        Ok(())
    }

    pub(super) async fn actions(&mut self, tally: &mut Tally) -> Result<(), ApiError> {
        let filter = ActionFilter::default();
        let mut walk = SkipWalk::new(DEFENDER_PAGE, Order::NewestFirst);
        let mut rows = Vec::new();
        while let Some((top, skip)) = walk.request() {
            rows.clear();
            let out = read::actions(&filter, top, skip);
            let read = self.client.read(&out, |body| pages::actions(body, &mut rows)).await;
            note(tally, What::Actions, &end_of_page(read)?);
            let keys: Vec<Row> = rows.iter().map(action_key).collect();
            walk.page(&keys);
            for row in rows.drain(..) {
                self.builder.action(row);
            }
            self.page(What::Actions, tally, walk.pages(), walk.rows());
        }
        conclude(tally, walk.end());
        Ok(())
    }

    pub(super) async fn alerts(
        &mut self,
        which: Alerts,
        tally: &mut Tally,
    ) -> Result<(), ApiError> {
        let mut walk = TimeWalk::new(self.began, which.since);
        let mut rows: Vec<AlertRow> = Vec::new();
        while let Some(out) = walk.request() {
            rows.clear();
            let page = match self.client.read(&out, |body| pages::alerts(body, &mut rows)).await {
                Ok(page) => page,
                Err(error) if detour(&mut walk, &error) => continue,
                Err(error) => return Err(error),
            };
            note(tally, What::Alerts, &page);
            let link = page.value.next_link;
            let seen: Vec<time_walk::Row> = rows.iter().map(alert_key).collect();
            let link = link.filter(|link| self.client.may_follow(&out, link));
            walk.page(&seen, link.as_deref());
            for row in rows.drain(..) {
                self.builder.alert(row);
            }
            self.page(What::Alerts, tally, walk.pages(), walk.rows());
        }
        match walk.end() {
            Some(time_walk::End::Complete) | None => {}
            Some(time_walk::End::Crowded { at }) => {
                tally.lacks(format!("more alerts than can be paged over were updated at {at}"));
            }
            Some(time_walk::End::Unproven) => tally.lacks("pages came in no order"),
        }
        Ok(())
    }
}

/// Whether there is another way after a refused page: without the link, or without the order.
fn detour(walk: &mut TimeWalk, error: &ApiError) -> bool {
    let refused =
        matches!(error.kind, ErrorKind::Refused | ErrorKind::NotFound | ErrorKind::ForeignOrigin);
    if walk.follows_link() && (refused || error.is_transient()) {
        walk.drop_link();
        return true;
    }
    error.status == Some(400) && walk.drop_order()
}

/// A list of the Defender API may say "not found" for "none", in its own words: a gateway's 404 is
/// no answer about the fleet.
fn end_of_page(read: Result<Given<PageEnd>, ApiError>) -> Result<Given<PageEnd>, ApiError> {
    match read {
        Err(error)
            if error.kind == ErrorKind::NotFound
                && ["ResourceNotFound", "NotFound"]
                    .iter()
                    .any(|code| error.code.eq_ignore_ascii_case(code)) =>
        {
            Ok(Given { value: PageEnd::default(), partial: None })
        }
        read => read,
    }
}

fn note(tally: &mut Tally, what: What, page: &Given<PageEnd>) {
    if let Some(why) = &page.partial {
        tally.lacks(format!("the service gave a part only: {why}"));
    }
    if let Some(missing) = page.value.missing(what) {
        tally.lacks(&*missing.why);
    }
}

fn conclude(tally: &mut Tally, end: Option<End>) {
    match end {
        Some(End::Complete) | None => {}
        Some(End::Unproven { skip }) => {
            tally.lacks(format!("pages contradict each other at row {skip}"));
        }
        Some(End::Moving { passes }) => {
            tally.lacks(format!("the list kept changing during {passes} passes"));
        }
    }
}

fn row(id: &DeviceId, young: bool) -> Row {
    Row { key: key(id.as_bytes()), young }
}

fn alert_key(row: &AlertRow) -> time_walk::Row {
    time_walk::Row {
        key: key(row.id.as_str().as_bytes()),
        updated: row.updated,
        created: row.created,
    }
}

impl crate::drive::client::Client {
    /// Whether a link leads to the origin the page itself came from.
    fn may_follow(&self, page: &Outbound, link: &str) -> bool {
        let follow = Outbound::follow(page.operation, link);
        let may = self.reaches(&follow);
        if !may {
            tracing::warn!("a link to another origin is not followed; paging goes on by time");
        }
        may
    }
}
