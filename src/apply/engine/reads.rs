//! Reads: the last look before acting, the look for lost requests, polling, the look at the end.
//!
//! One list call by time answers for any number of devices, so that looking costs a handful of calls
//! and not one per device. Alerts are read one by one: their list has no filter by id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::apply::engine::Engine;
use crate::apply::engine::asked::{Asked, Purpose};
use crate::apply::engine::track::{Kind, Phase};
use crate::apply::step::{Filter, Question, Seen, Step, Ticket};
use crate::inventory::{ActionRow, AlertRow};
use crate::model::{ActionId, AlertId, DeviceId, Verb};

/// Changes that one last look covers at most: what a minute's window lets out.
const REREAD_AT_MOST: usize = 100;

/// How the target of a change is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// By the device's action history.
    History,
    /// By one action, for a cancelling.
    Action,
    /// By the alert.
    Alert,
}

impl Engine {
    /// The next read that is due.
    pub(super) fn ask(&mut self, now: Timestamp) -> Option<Step> {
        self.ask_looks(now)
            .or_else(|| self.brakes.settling.is_none().then(|| self.ask_rereads(now)).flatten())
            .or_else(|| self.ask_polls(now))
            .or_else(|| self.ask_verification(now))
    }

    fn source(&self, index: usize) -> Source {
        match self.change(index).map(|change| change.verb) {
            // The look at the end is for what the device came to.
            _ if self.cancelling(index).is_some() && !self.is_settled(index) => Source::Action,
            Some(Verb::Cancel) => Source::Action,
            Some(Verb::Classify) => Source::Alert,
            _ => Source::History,
        }
    }

    fn is_settled(&self, index: usize) -> bool {
        self.phase(index).is_none_or(Phase::is_settled)
    }

    /// The action that is, or is to be, cancelled.
    fn action_of(&self, index: usize) -> Option<ActionId> {
        let cancel = || self.change(index)?.parameters.action_id.as_deref().map(ActionId::from);
        self.cancelling(index).or_else(cancel)
    }

    fn tenant_of(&self, index: usize) -> Option<Arc<str>> {
        self.tracks.get(index).map(|track| track.tenant.clone())
    }

    /// Takes, of the changes that are due, those that one question can answer: the first decides.
    fn batch(&self, due: &[usize], most: usize) -> Vec<usize> {
        let Some(first) = due.first() else { return Vec::new() };
        let (tenant, source) = (self.tenant_of(*first), self.source(*first));
        let most = match source {
            Source::History => most,
            Source::Action => most.min(self.options.ids_per_call),
            Source::Alert => 1,
        };
        due.iter()
            .copied()
            .filter(|index| self.source(*index) == source && self.tenant_of(*index) == tenant)
            .take(most)
            .collect()
    }

    fn question(&self, batch: &[usize]) -> Option<Question> {
        let first = *batch.first()?;
        let from = self.tenants.get(&self.tenant_of(first)?)?.from;
        Some(match self.source(first) {
            Source::History => {
                let single = if batch.len() == 1 { self.tracks.get(first) } else { None };
                let device = single.and_then(|track| track.device.clone());
                Question::Actions(Filter { ids: Vec::new(), device, since: Some(from) })
            }
            Source::Action => {
                let ids = batch.iter().filter_map(|index| self.action_of(*index));
                Question::Actions(Filter { ids: ids.collect(), ..Filter::default() })
            }
            Source::Alert => Question::Alert(AlertId::from(self.change(first)?.target.id.as_str())),
        })
    }

    fn put_question(
        &mut self,
        purpose: Purpose,
        changes: Vec<usize>,
        question: Question,
        now: Timestamp,
    ) -> Option<Step> {
        let tenant = self.tenant_of(*changes.first()?)?;
        let until = now.checked_add(self.options.answer_within).unwrap_or(Timestamp::MAX);
        let ticket = self.ticket();
        self.asked.insert(ticket, Asked { tenant: tenant.clone(), purpose, changes, until });
        Some(Step::Ask { ticket, tenant, question })
    }

    fn ask_looks(&mut self, now: Timestamp) -> Option<Step> {
        let due: Vec<usize> = self
            .tracks
            .in_phase(Kind::Lost)
            .filter(|index| match self.phase(*index) {
                Some(Phase::Lost(lost)) => {
                    !lost.looking && lost.next <= now && self.retry_at(*index) <= now
                }
                _ => false,
            })
            .collect();
        let batch = self.batch(&due, usize::MAX);
        let question = self.question(&batch)?;
        for index in &batch {
            if let Some(Phase::Lost(lost)) = self.phase(*index) {
                let mut lost = lost.clone();
                lost.looking = true;
                self.tracks.put(*index, Phase::Lost(lost));
            }
        }
        self.put_question(Purpose::Look, batch, question, now)
    }

    fn ask_rereads(&mut self, now: Timestamp) -> Option<Step> {
        // A reading is taken when its change can leave, not long before: what one call has read, or is
        // about to, leaves before the next call.
        let begun: BTreeSet<(Option<Arc<str>>, Source)> = self
            .tracks
            .in_phase(Kind::Fresh)
            .chain(self.tracks.in_phase(Kind::Reading))
            .map(|index| (self.tenant_of(index), self.source(index)))
            .collect();
        let ahead = self.tracks.count(Kind::Fresh) + self.tracks.count(Kind::Reading);
        let full = |engine: &Self, index: usize| match engine.source(index) {
            Source::Alert => ahead >= 2 * engine.options.concurrency,
            source => begun.contains(&(engine.tenant_of(index), source)),
        };
        let mut due = Vec::new();
        for (at, index) in self.tracks.queued() {
            if at > now || due.len() >= REREAD_AT_MOST {
                break;
            }
            let ready = self.ready_at(index).max(self.retry_at(index)) <= now;
            // Once one is due its kind decides; the others of the kind go with it.
            if ready && (!due.is_empty() || !full(self, index)) {
                due.push(index);
            }
        }
        let most = due.first().map_or(0, |first| self.left(*first).max(1));
        let batch = self.batch(&due, most);
        let question = self.question(&batch)?;
        for index in &batch {
            self.tracks.put(*index, Phase::Reading);
        }
        self.put_question(Purpose::Reread, batch, question, now)
    }

    fn ask_polls(&mut self, now: Timestamp) -> Option<Step> {
        let tenant = self.tenants.iter().find(|(name, tenant)| {
            tenant.next_poll.max(tenant.retry_at) <= now
                && !self.asked_for(Purpose::Poll).any(|asked| asked.tenant == **name)
                && self
                    .tracks
                    .in_phase(Kind::Accepted)
                    .any(|index| self.tracks.get(index).is_some_and(|t| t.tenant == **name))
        });
        let (name, turn) = tenant.map(|(name, tenant)| (name.clone(), tenant.polls))?;
        let mut pending: Vec<usize> = self
            .tracks
            .in_phase(Kind::Accepted)
            .filter(|index| self.tracks.get(*index).is_some_and(|track| track.tenant == name))
            .collect();
        if pending.len() > self.options.ids_per_call {
            // By time in one call; actions to be cancelled may be older and take turns with it.
            let sources: BTreeSet<Source> =
                pending.iter().map(|index| self.source(*index)).collect();
            let turn = sources.into_iter().nth(turn % 2);
            pending.retain(|index| turn.as_ref().is_none_or(|turn| self.source(*index) == *turn));
        }
        let first = *pending.first()?;
        let filter =
            if pending.len() > self.options.ids_per_call && self.source(first) == Source::History {
                let from = self.tenants.get(&name).map(|tenant| tenant.from);
                Filter { since: from, ..Filter::default() }
            } else {
                pending.truncate(self.options.ids_per_call);
                let ids = pending.iter().filter_map(|index| match self.phase(*index) {
                    Some(Phase::Accepted(accepted)) => Some(accepted.action.clone()),
                    _ => None,
                });
                Filter { ids: ids.collect(), ..Filter::default() }
            };
        if let Some(tenant) = self.tenants.get_mut(&name) {
            tenant.polls = tenant.polls.wrapping_add(1);
        }
        self.put_question(Purpose::Poll, pending, Question::Actions(filter), now)
    }

    /// Whether the look at the end may be taken: every change is settled, or what is left waits.
    pub(super) fn may_verify(&self) -> bool {
        self.tracks.unsettled() == 0 || self.is_at_rest() || self.is_settled_down()
    }

    /// The look at the end.
    fn ask_verification(&mut self, now: Timestamp) -> Option<Step> {
        if !self.may_verify() {
            return None;
        }
        let asked: BTreeSet<usize> = self
            .asked_for(Purpose::Verify)
            .flat_map(|asked| asked.changes.iter().copied())
            .collect();
        let alerts = self.asked_for(Purpose::Verify).count();
        let due: Vec<usize> = self
            .tracks
            .in_phase(Kind::Claimed)
            // What is pending when the run stops for a while is looked at again when it goes on.
            .chain(self.tracks.in_phase(Kind::Shelved).filter(|_| self.tracks.unsettled() == 0))
            .chain(self.earlier())
            .filter(|index| !asked.contains(index) && self.retry_at(*index) <= now)
            .collect();
        if alerts >= self.options.concurrency {
            return None;
        }
        let batch = self.batch(&due, usize::MAX);
        let question = self.question(&batch)?;
        self.put_question(Purpose::Verify, batch, question, now)
    }

    /// The answer to a read.
    pub(super) fn read(&mut self, ticket: Ticket, seen: Result<Seen, String>, now: Timestamp) {
        let Some(asked) = self.asked.remove(&ticket) else { return };
        match seen {
            Err(_) => {
                self.back_off(&asked.tenant, now);
                self.unread(&asked, now);
            }
            Ok(Seen::Actions(rows)) => {
                self.recovered(&asked.tenant);
                self.saw_actions(&asked, &rows, now);
            }
            Ok(Seen::Alert(row)) => {
                self.recovered(&asked.tenant);
                self.saw_alert(&asked, row.as_deref(), now);
            }
        }
    }

    fn saw_actions(&mut self, asked: &Asked, rows: &[ActionRow], now: Timestamp) {
        let by_device = by_device(rows);
        let by_id: BTreeMap<&ActionId, &ActionRow> =
            rows.iter().map(|row| (&row.id, row)).collect();
        let none = Vec::new();
        for index in &asked.changes {
            let row = self.action_of(*index).and_then(|id| by_id.get(&id).copied());
            let device = self.tracks.get(*index).and_then(|track| track.device.as_ref());
            let rows = device.and_then(|device| by_device.get(device)).unwrap_or(&none);
            match (asked.purpose, self.source(*index)) {
                (Purpose::Poll, _) => self.polled(*index, &by_id, now),
                (Purpose::Reread, Source::Action) if self.cancelling(*index).is_some() => {
                    self.reread_own(*index, row, now);
                }
                (Purpose::Reread, Source::Action) => self.reread_action(*index, row, now),
                (Purpose::Reread, _) => self.reread_device(*index, rows, now),
                (Purpose::Look, Source::Action) => self.looked_action(*index, row, now),
                (Purpose::Look, _) => self.looked_device(*index, rows, now),
                (Purpose::Verify, _) if self.is_earlier(*index) => self.look_again(*index, rows),
                (Purpose::Verify, Source::Action) => self.verify_action(*index, row),
                (Purpose::Verify, _) => self.verify_device(*index, rows),
            }
        }
        if asked.purpose == Purpose::Poll {
            self.schedule_poll(&asked.tenant, now);
        }
    }

    fn saw_alert(&mut self, asked: &Asked, row: Option<&AlertRow>, now: Timestamp) {
        for index in &asked.changes {
            match asked.purpose {
                Purpose::Reread => self.reread_alert(*index, row, now),
                Purpose::Look => self.looked_alert(*index, row, now),
                Purpose::Verify => self.verify_alert(*index, row),
                Purpose::Poll => {}
            }
        }
    }

    /// A read that failed: what waited for it waits on, for a bounded number of times.
    fn unread(&mut self, asked: &Asked, now: Timestamp) {
        let failed = self.tenants.get(&asked.tenant).map_or(0, |tenant| tenant.failed);
        let given_up = failed > self.options.failed_reads;
        match asked.purpose {
            Purpose::Reread => self.reread_failed(&asked.changes, given_up, now),
            Purpose::Look => self.look_failed(&asked.changes, now),
            Purpose::Poll => {
                // Reads fail and time passes: what has been waited for long enough is given up.
                for index in &asked.changes {
                    self.check_deadline(*index, now);
                }
                self.schedule_poll(&asked.tenant, now);
            }
            Purpose::Verify if given_up => self.verification_failed(&asked.changes),
            Purpose::Verify => {}
        }
    }

    fn back_off(&mut self, name: &Arc<str>, now: Timestamp) {
        let (pause, most) = (self.options.retry_pause, self.options.poll_most);
        if let Some(tenant) = self.tenants.get_mut(name) {
            tenant.failed = tenant.failed.saturating_add(1);
            let factor = 1_i32 << tenant.failed.saturating_sub(1).min(10);
            let pause = pause.checked_mul(factor).unwrap_or(most).min(most);
            tenant.retry_at = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        }
    }

    fn recovered(&mut self, name: &Arc<str>) {
        if let Some(tenant) = self.tenants.get_mut(name) {
            tenant.failed = 0;
            tenant.retry_at = Timestamp::MIN;
        }
    }

    /// A tenth of the time since the last action was taken, within bounds: quick at first, and never
    /// late by more than a tenth of what was waited.
    pub(super) fn schedule_poll(&mut self, name: &Arc<str>, now: Timestamp) {
        let (least, most) = (self.options.poll_least, self.options.poll_most);
        let sending = self.tracks.count(Kind::Fresh) > 0 || self.tracks.queued().next().is_some();
        if let Some(tenant) = self.tenants.get_mut(name) {
            let age = now.duration_since(tenant.last_accepted);
            let pause = if sending { least * 4 } else { (age / 10).max(least) };
            let pause: SignedDuration = pause.min(most);
            tenant.next_poll = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        }
    }
}

fn by_device(rows: &[ActionRow]) -> BTreeMap<&DeviceId, Vec<&ActionRow>> {
    let mut map: BTreeMap<&DeviceId, Vec<&ActionRow>> = BTreeMap::new();
    for row in rows {
        map.entry(&row.device).or_default().push(row);
    }
    map
}
