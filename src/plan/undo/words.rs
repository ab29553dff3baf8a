//! What the comment of an undoing says to later plans: that it is one, of which run, of whose wishes.
//!
//! Called by `undo`, leases and alert rules. The marker at its end says whose undoing it is; nothing here
//! asks for that.

use jiff::Timestamp;

use crate::model::marker::UNDO;
use crate::model::{Marker, PolicyName, marker};

/// Until when a posture lasts that an undoing put back; none for any other comment.
pub(in crate::plan) fn put_back_until(comment: &str) -> Option<Timestamp> {
    Marker::find(comment).filter(|_| is_undo(comment))?.until
}

/// Whether the comment is one of an undoing.
pub(in crate::plan) fn is_undo(comment: &str) -> bool {
    comment.starts_with(UNDO)
}

/// The run that an undoing's comment names.
pub(in crate::plan) fn run_of(comment: &str) -> &str {
    let rest = comment.strip_prefix(UNDO).unwrap_or_default();
    rest.split([' ', ':']).next().unwrap_or_default()
}

/// Whether an undoing's comment names the policy among those whose wish it took back. When the list
/// was cut to fit, the marker's own policy still counts.
pub(in crate::plan) fn names(comment: &str, policy: &PolicyName) -> bool {
    let marked = Marker::find(comment).is_some_and(|found| marker::names(&found.policy, policy));
    let text = comment.split_once(" [palisade ").map_or(comment, |(text, _)| text);
    let list = text.split_once(": ").map_or("", |(_, list)| list);
    is_undo(comment)
        && (marked || list.split(", ").any(|name| marker::lists(name, policy.as_str())))
}
