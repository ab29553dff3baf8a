//! The numbers of a run: how much at once, how long to wait for what. All waits are bounded.

use jiff::SignedDuration;

use crate::model::Verb;

/// The numbers of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Requests that change something, in flight at once. The rate windows allow 100 a minute; eight
    /// cover them even when an answer takes five seconds, and bound what a crash leaves unclear.
    pub concurrency: usize,
    /// How old a reading may be when its change is sent; an older one is read again.
    pub reading_age: SignedDuration,
    /// How far before the observation the action history is read again, for clocks that differ.
    pub overlap: SignedDuration,
    /// Ids in one list call, bounded by the length of an address; more are read by time instead.
    pub ids_per_call: usize,
    /// Delays of the looks for the marker after an answer was lost. Together they are the settling
    /// time: a request that took effect is listed by then.
    pub looks: Vec<SignedDuration>,
    /// Times a change is sent at most, when looks have shown that it did not arrive.
    pub sends: u32,
    /// Reads of one kind that may fail in a row before the engine goes on without them.
    pub failed_reads: u32,
    /// Pause before a failed read is tried again; doubled each time up to `poll_most`.
    pub retry_pause: SignedDuration,
    /// Shortest pause between two polls.
    pub poll_least: SignedDuration,
    /// Longest pause between two polls.
    pub poll_most: SignedDuration,
    /// Times a change may be throttled before it is given up.
    pub throttles: u32,
    /// How long an answer may take before it counts as lost. The client's own bounds are shorter.
    pub answer_within: SignedDuration,
    /// How long containment actions are waited for.
    pub wait_containment: SignedDuration,
    /// How long scans are waited for.
    pub wait_scan: SignedDuration,
    /// How far ahead a change's `notBefore` may lie.
    pub wait_spread: SignedDuration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 8,
            reading_age: SignedDuration::from_secs(60),
            overlap: SignedDuration::from_mins(60),
            ids_per_call: 25,
            looks: [2, 8, 20].map(SignedDuration::from_secs).to_vec(),
            sends: 3,
            failed_reads: 6,
            retry_pause: SignedDuration::from_secs(2),
            poll_least: SignedDuration::from_secs(5),
            poll_most: SignedDuration::from_secs(60),
            throttles: 20,
            answer_within: SignedDuration::from_mins(10),
            wait_containment: SignedDuration::from_mins(30),
            wait_scan: SignedDuration::from_hours(6),
            wait_spread: SignedDuration::from_hours(24),
        }
    }
}

impl Options {
    /// How long an action of this verb is waited for after the service took it.
    #[must_use]
    pub const fn wait_for(&self, verb: Verb) -> SignedDuration {
        match verb {
            Verb::Scan => self.wait_scan,
            _ => self.wait_containment,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scans_are_waited_for_longer_than_containment() {
        let options = Options::default();
        assert_eq!(options.wait_for(Verb::Scan), SignedDuration::from_hours(6));
        for verb in [Verb::Isolate, Verb::Release, Verb::Restrict, Verb::Unrestrict, Verb::Cancel] {
            assert_eq!(options.wait_for(verb), SignedDuration::from_mins(30), "{verb}");
        }
    }
}
