//! The moment in which a rollout stops: what is where, and what becomes of it.

use super::fixture::*;
use super::hand::*;
use super::world::*;
use crate::apply::Options;
use crate::apply::engine::track::{Kind, Phase};
use crate::apply::journal::{Entry, Noted, decode};
use crate::apply::outcome::Outcome;
use crate::apply::step::{Answer, Event, Lane, Question, Seen, Send, Step, Ticket, Wait};
use crate::inventory::ActionRow;
use crate::model::{ActionStatus, Verb};
use crate::plan::Plan;
use crate::plan::types::{Change, Parameters, Rollout, Wave};

/// A wave that bears no failure.
pub(super) fn strict(changes: u32) -> Wave {
    Wave { failure_limit: 0, ..wave(changes) }
}

fn isolations(count: usize) -> Vec<Change> {
    (1..=count).map(|n| change(n, Verb::Isolate)).collect()
}

fn refused() -> Answer {
    let (code, message) = ("Forbidden".to_owned(), String::new());
    Answer::Refused { status: 403, code, message }
}

fn stopped_by_the_rollout(hand: &Hand, index: usize) -> bool {
    let Phase::Ended(ended) = hand.phase(index) else { return false };
    let code = ended.reason.as_ref().map(|reason| reason.code.as_str());
    (ended.outcome, code) == (Outcome::NotAttempted, Some("rollout-halted"))
}

#[test]
fn what_is_ready_to_leave_stays() {
    let plan = staged(isolations(3), vec![strict(3)], 0);
    let mut hand = Hand::new(&plan, Options::default());
    let look = hand.turn().question();
    hand.tell(Event::Read(look, Ok(Seen::Actions(Vec::new()))));
    let Step::Submit { ticket, .. } = hand.step() else { panic!("nothing is sent") };
    assert_eq!((hand.phase(1).kind(), hand.phase(2).kind()), (Kind::Armed, Kind::Armed));
    let turn = hand.answer(ticket, refused());
    assert!(turn.is_idle() && turn.done.is_some(), "{turn:?}");
    assert!(stopped_by_the_rollout(&hand, 1) && stopped_by_the_rollout(&hand, 2));
    // Their intents are on the disk: it says, too, that nothing has left.
    let said = hand.noted().into_iter().filter(|noted| matches!(noted, Noted::NotSent { .. }));
    assert_eq!(said.count(), 2);
}

#[test]
fn what_is_being_read_stays() {
    let plan = staged(isolations(2), vec![strict(2)], 0);
    let mut hand = Hand::new(&plan, Options::default());
    hand.pace(Lane::Action, 0, 1);
    let ticket = hand.until_sent(&[]).request();
    hand.pace(Lane::Action, 0, 5);
    let look = hand.turn().question();
    assert!(hand.answer(ticket, refused()).is_idle());
    let turn = hand.show(look, &[]);
    assert!(turn.is_idle() && turn.done.is_some(), "{turn:?}");
    assert!(stopped_by_the_rollout(&hand, 1));
}

/// A rollout that stops while the request for its second device is under way; the service takes it.
/// Nothing is left of the budget for actions.
fn taken_after_the_stop() -> (Hand, Ticket, ActionRow) {
    let changes = isolations(2);
    let taken = row(&changes[1], "act-2", ActionStatus::Pending);
    let mut hand = Hand::new(&staged(changes, vec![strict(2)], 0), Options::default());
    let turn = hand.until_sent(&[]);
    let [(one, _), (two, _)] = turn.sent[..] else { panic!("{turn:?}") };
    hand.pace(Lane::Action, 3_600, 0);
    assert!(hand.answer(one, refused()).is_idle());
    let turn = hand.accept(two, &taken);
    assert_eq!(turn.filter().ids, ["act-2".into()]);
    let turn = hand.show(turn.question(), std::slice::from_ref(&taken));
    assert!(matches!(&turn.sent[..], [(_, Send::Cancel { action, .. })] if *action == taken.id));
    (hand, turn.request(), taken)
}

#[test]
fn what_is_on_its_way_is_cancelled_once_it_has_arrived() {
    // The service says that it is at it, with whatever comment: one cancel, and then waiting.
    let (mut hand, ticket, taken) = taken_after_the_stop();
    let at_it = ActionRow { comment: "".into(), status: ActionStatus::InProgress, ..taken.clone() };
    let turn = hand.accept(ticket, &at_it);
    assert_eq!((turn.is_idle(), turn.wait), (true, Some((5, Wait::Devices))), "{turn:?}");
    let last = Noted::Accepted { action: Some("act-2".into()) };
    assert_eq!(hand.noted().last(), Some(&&last));
    let poll = hand.at(5).question();
    let gone = ActionRow { status: ActionStatus::Cancelled, ..taken };
    assert!(hand.show(poll, &[gone]).done.is_some());
    let Phase::Ended(ended) = hand.phase(1) else { panic!("{:?}", hand.phase(1)) };
    assert_eq!(ended.reason.as_ref().unwrap().code, "rollout-cancelled");
}

#[test]
fn an_answer_about_another_action_cancels_nothing() {
    let (mut hand, ticket, taken) = taken_after_the_stop();
    let other = ActionRow { id: "act-9".into(), status: ActionStatus::Cancelled, ..taken.clone() };
    let turn = hand.accept(ticket, &other);
    assert!(matches!(hand.noted().last(), Some(Noted::AlreadyExists { .. })));
    assert_eq!(turn.filter().ids, ["act-2".into()], "it is looked for");
}

#[test]
fn what_was_given_up_in_an_earlier_wave_is_cancelled_too() {
    let plan = staged(isolations(2), vec![wave(1), strict(1)], 0);
    let mut world = World::new();
    world.fates.extend([(device(1), Fate::Offline), (device(2), Fate::Fails)]);
    let mut runner = Runner::new(world);
    let summary = runner.run(&plan, &Options::default(), usize::MAX, 0).unwrap();
    assert_eq!(runner.world.ours(&device(1))[0].status, ActionStatus::Cancelled);
    assert_eq!(summary.count(Outcome::Failed), 2, "{summary:?}");
}

#[test]
fn an_alert_that_is_set_is_still_commented_on() {
    let mut only_comment = classify(12);
    let comment = only_comment.parameters.comment.take();
    only_comment.parameters = Parameters { comment, ..Parameters::default() };
    let changes = vec![change(1, Verb::Isolate), classify(11), only_comment];
    let mut hand = Hand::new(&staged(changes, vec![strict(3)], 0), Options::default());
    let turn = hand.turn();
    let alerts: Vec<Ticket> = turn
        .asked
        .iter()
        .filter(|(_, question)| matches!(question, Question::Alert(_)))
        .map(|(ticket, _)| *ticket)
        .collect();
    let device = turn.asked.iter().find(|(ticket, _)| !alerts.contains(ticket)).unwrap().0;
    let isolate = hand.show(device, &[]).request();
    let patch = hand.show_alert(alerts[0], Some(&alert(11)));
    let reread = hand.answer(patch.request(), Answer::Taken).question();
    assert!(hand.answer(isolate, refused()).is_idle());
    // The one that is half done gets its comment; the one that has not begun is left alone.
    let mut set = alert(11);
    let world = &mut World::new();
    world.alerts.insert(set.id.clone(), set.clone());
    world.submit(&patch.sent[0].1);
    set.clone_from(&world.alerts[&set.id]);
    let turn = hand.show_alert(reread, Some(&set));
    assert!(matches!(turn.sent[..], [(_, Send::Comment { .. })]), "{turn:?}");
    assert!(hand.show_alert(alerts[1], Some(&alert(12))).sent.is_empty());
    assert!(stopped_by_the_rollout(&hand, 2));
}

/// A further rollout of the plan, of isolations of these devices, one in each wave.
fn add(plan: &mut Plan, policy: &str, devices: &[usize], waves: Vec<Wave>) {
    let policy = format!("IsolationSet/{policy}");
    for (wave, n) in (1..).zip(devices) {
        let rollout = Some(policy.clone());
        plan.changes.push(Change { rollout, wave, ..change(*n, Verb::Isolate) });
    }
    plan.rollouts.push(Rollout { policy, waves, ..plan.rollouts[0].clone() });
}

#[test]
fn a_rollout_that_waits_for_a_person_stops_the_run_whatever_the_others_came_to() {
    let paused = Wave { pause: true, ..wave(1) };
    let mut plan = staged(isolations(2), vec![paused, wave(1)], 0);
    add(&mut plan, "ends", &[11, 12], vec![wave(1), wave(1)]);
    add(&mut plan, "fails", &[21, 22], vec![strict(1), strict(1)]);
    let mut world = World::new();
    world.fates.insert(device(21), Fate::Fails);
    let mut runner = Runner::new(world);
    let summary = runner.run(&plan, &Options::default(), usize::MAX, 0).unwrap();
    assert_eq!(summary.stopped.as_ref().map(|reason| reason.code.as_str()), Some("paused"));
    assert_eq!((summary.count(Outcome::Done), summary.count(Outcome::Failed)), (3, 1));
    let entries = decode(&runner.journal).unwrap().entries;
    let waves: Vec<(&str, u32)> = entries
        .iter()
        .filter_map(|line| match &line.entry {
            Entry::WavePaused { wave, .. } => Some(("paused", *wave)),
            Entry::WaveBegun { wave, .. } => Some(("begun", *wave)),
            _ => None,
        })
        .collect();
    assert_eq!(waves, [("begun", 2), ("paused", 2)], "the last wave has none after it");
}

#[test]
fn a_run_does_not_stop_for_a_person_before_its_successes_are_confirmed() {
    let paused = Wave { pause: true, ..wave(1) };
    let plan = staged(isolations(2), vec![paused, wave(1)], 0);
    let first = |faults: Vec<bool>| {
        let mut runner = Runner::new(World::new());
        runner.world.read_faults.extend(faults);
        let summary = runner.run(&plan, &Options::default(), usize::MAX, 0).unwrap();
        assert_eq!(summary.stopped.unwrap().code, "paused");
        let ended = runner.words().iter().filter(|word| *word == "outcome").count();
        (runner.world.reads, ended)
    };
    let (reads, ended) = first(Vec::new());
    assert_eq!(ended, 1);
    let mut faults = vec![false; reads - 1];
    faults.push(true);
    assert_eq!(first(faults), (reads + 1, 1), "the look that failed is taken again");
}

#[test]
fn what_has_no_rollout_neither_stops_one_nor_holds_it_up() {
    let mut plan = staged(isolations(2), vec![strict(1), strict(1)], 0);
    plan.changes.extend([change(8, Verb::Isolate), change(9, Verb::Isolate)]);
    let mut world = World::new();
    world.fates.extend([(device(8), Fate::Fails), (device(9), Fate::Offline)]);
    let mut runner = Runner::new(world);
    let summary = runner.run(&plan, &Options::default(), usize::MAX, 0).unwrap();
    assert_eq!(summary.count(Outcome::Done), 2, "{summary:?}");
    let last = runner.world.requests.last().unwrap().0;
    assert!(last < after(120), "the second wave went at {last}");
}

#[test]
fn a_failure_that_turned_out_well_is_no_failure() {
    // The look for the first device's request fails to the end, and the wave counts it as failed;
    // the look at the end finds that it was isolated.
    let mut world = World::new();
    world.faults.push_back(Fault::LostAfter(0));
    world.read_faults.push_back(false);
    world.read_faults.extend(std::iter::repeat_n(true, 7));
    let mut hand = Hand::new(&plan(isolations(1)), Options::default());
    let mut turn = hand.turn();
    for _ in 0..60 {
        if turn.done.is_some() {
            break;
        }
        for (ticket, question) in &turn.asked {
            let seen = world.ask(question);
            hand.tell(Event::Read(*ticket, seen));
        }
        for (ticket, send) in &turn.sent {
            let answer = world.submit(send);
            hand.tell(Event::Answered(*ticket, answer));
        }
        if turn.is_idle() {
            let (at, _) = turn.wait.unwrap();
            world.advance(after(at + 60));
            hand.now = world.now;
        }
        turn = hand.turn();
    }
    assert_eq!(turn.only().0, Outcome::Done);
    let progress = hand.engine.progress(hand.now);
    assert_eq!((progress.succeeded, progress.failed, progress.offline), (1, 0, 0));
    assert_eq!(hand.engine.tracks.failures_of(0..=0), 0);
}
