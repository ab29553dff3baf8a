//! The marker that ends each comment we send: it is how ownership survives without a state file.
//!
//! `[palisade WORKSPACE/POLICY CHANGE-ID until 2026-11-26T10:02Z]`, at most 120 characters; the
//! whole comment is at most 400 and it is the author's text that is cut, never the marker. The
//! date is for people: a lease's end is computed from the policy, not from here.

use crate::model::ids::{ChangeId, PolicyName, WorkspaceId};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};

/// Longest marker in characters.
pub const MARKER_MAX: usize = 120;
/// Longest comment in characters. The service documents no limit; this one is ours.
pub const COMMENT_MAX: usize = 400;
/// Characters that are kept, before the marker of an alert's comment, for the verdict that goes with it.
pub const VERDICT_NOTE_MAX: usize = 70;
/// Longest workspace id a marker can carry whole.
pub const WORKSPACE_MAX: usize = 30;
/// Longest policy name a marker can carry whole; a longer one is abbreviated by `abbreviated`.
pub const POLICY_MAX: usize = 40;
/// How the comment of an undoing begins; the run and the policies follow.
pub const UNDO: &str = "undo of ";
/// How the comment of a release begins that ends leases; the names of the policies follow.
pub const ENDED: &str = "lease ended: ";
/// Hexadecimal digits of an abbreviation's hash.
const HASH_DIGITS: usize = 8;

/// The name as a marker carries it: whole, or its beginning, `~` and eight digits of the SHA-256 of
/// the whole. The same name is always abbreviated the same way, an abbreviation stays as it is, and
/// `~` keeps it apart from every name that an author may choose.
#[must_use]
pub fn abbreviated(policy: &PolicyName) -> PolicyName {
    let name = policy.as_str();
    if name.chars().count() <= POLICY_MAX {
        return policy.clone();
    }
    let kept: String = name.chars().take(POLICY_MAX - 1 - HASH_DIGITS).collect();
    PolicyName::from(format!("{kept}{}", hashed(name)))
}

/// What stands for a name where a list of whole names does not fit: `~` and eight digits of its SHA-256.
#[must_use]
pub fn hashed(name: &str) -> String {
    let hash = digest(&SHA256, name.as_bytes());
    let digits: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("~{}", digits.get(..HASH_DIGITS).unwrap_or(&digits))
}

/// `head` and a list of names, in front of a marker: each name stands `hashed` when the whole would be cut.
#[must_use]
pub fn listed(head: &str, names: &[(&str, String)]) -> String {
    let list =
        |short: bool| {
            let names = names.iter().map(|(name, behind)| {
                if short { hashed(name) + behind } else { format!("{name}{behind}") }
            });
            format!("{head}{}", names.collect::<Vec<_>>().join(", "))
        };
    let whole = list(false);
    if whole.chars().count() < COMMENT_MAX - MARKER_MAX { whole } else { list(true) }
}

/// Whether a name of such a list is this one's.
#[must_use]
pub fn lists(listed: &str, name: &str) -> bool {
    listed == name || listed == hashed(name)
}

/// Whether the policy that a marker names is this one. Never compare the two with `==`: a long name
/// stands abbreviated in the marker.
#[must_use]
pub fn names(marked: &PolicyName, policy: &PolicyName) -> bool {
    marked == policy || *marked == abbreviated(policy)
}

/// Who asked for an action, as written into its comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The workspace that sent the action.
    pub workspace: WorkspaceId,
    /// The policy that wanted it.
    pub policy: PolicyName,
    /// The change of the plan.
    pub change: ChangeId,
    /// When the lease was expected to end, to the minute; for people.
    pub until: Option<Timestamp>,
}

impl Marker {
    /// The marker's text.
    #[must_use]
    pub fn render(&self) -> String {
        let Self { workspace, policy, change, until } = self;
        let policy = abbreviated(policy);
        match until {
            Some(until) => {
                let until = until.strftime("%Y-%m-%dT%H:%MZ");
                format!("[palisade {workspace}/{policy} {change} until {until}]")
            }
            None => format!("[palisade {workspace}/{policy} {change}]"),
        }
    }

    /// The whole comment: the author's text, cut to fit, then the marker.
    #[must_use]
    pub fn comment(&self, text: &str) -> String {
        let marker = self.render();
        let room = COMMENT_MAX.saturating_sub(marker.chars().count() + 1);
        // A bracketed marker inside the author's text would claim another owner.
        let clean = clean(text).replace("[palisade ", "(palisade ");
        let cut = cut(&clean, room);
        if cut.is_empty() { marker } else { format!("{cut} {marker}") }
    }

    /// Finds the marker that ends a comment. Markers elsewhere in the text do not count: the text
    /// before is free and may quote anything.
    #[must_use]
    pub fn find(comment: &str) -> Option<Self> {
        let body = comment.trim_end().strip_suffix(']')?;
        let start = body.rfind("[palisade ")?;
        let mut words = body.get(start + "[palisade ".len()..)?.split(' ');
        let (workspace, policy) = words.next()?.split_once('/')?;
        let change = words.next()?;
        if workspace.is_empty() || policy.is_empty() || change.is_empty() {
            return None;
        }
        let until = match (words.next(), words.next(), words.next()) {
            (None, _, _) => None,
            (Some("until"), Some(text), None) => Some(parse_minute(text)?),
            _ => return None,
        };
        Some(Self {
            workspace: workspace.into(),
            policy: policy.into(),
            change: change.into(),
            until,
        })
    }
}

/// The text with a blank in place of each control character.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The text without blanks around it, and with `…` in place of what is beyond so many characters.
pub(crate) fn cut(text: &str, room: usize) -> String {
    let text = text.trim();
    if text.chars().count() > room {
        text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
    } else {
        text.to_owned()
    }
}

fn parse_minute(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.strip_suffix('Z')?.split_once('T')?;
    format!("{date}T{rest}:00Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marker() -> Marker {
        Marker {
            workspace: "contoso-soc".into(),
            policy: "ir-7781".into(),
            change: "0123456789ab".into(),
            until: Some("2026-11-26T10:02:00Z".parse().unwrap()),
        }
    }

    #[test]
    fn a_marker_is_read_back_from_the_end_of_a_comment() {
        let comment = marker().comment("IR-7781 containment");
        assert_eq!(
            comment,
            "IR-7781 containment [palisade contoso-soc/ir-7781 0123456789ab until 2026-11-26T10:02Z]"
        );
        assert_eq!(Marker::find(&comment), Some(marker()));
    }

    #[test]
    fn the_authors_text_is_cut_and_the_marker_never() {
        let comment = marker().comment(&"ä".repeat(900));
        assert_eq!(comment.chars().count(), COMMENT_MAX);
        assert_eq!(Marker::find(&comment), Some(marker()));
    }

    #[test]
    fn a_marker_quoted_in_the_middle_claims_nothing() {
        assert_eq!(Marker::find("see [palisade a/b c] for why"), None);
        let forged = marker().comment("x [palisade evil/p 1]");
        assert_eq!(Marker::find(&forged), Some(marker()));
    }

    #[test]
    fn a_long_name_is_abbreviated_the_same_way_every_time() {
        let long = PolicyName::from("p".repeat(63));
        let other = PolicyName::from(format!("{}q", "p".repeat(62)));
        let short = abbreviated(&long);
        assert_eq!(short.as_str().len(), POLICY_MAX);
        assert_eq!(abbreviated(&short), short);
        assert_ne!(abbreviated(&other), short);
        assert!(names(&short, &long) && names(&long, &long) && !names(&short, &other));
        let exact = PolicyName::from("p".repeat(POLICY_MAX));
        assert_eq!(abbreviated(&exact), exact);

        let sent = Marker {
            workspace: "w".repeat(WORKSPACE_MAX).into(),
            policy: long.clone(),
            ..marker()
        };
        assert!(sent.render().chars().count() <= MARKER_MAX);
        let found = Marker::find(&sent.comment("text")).unwrap();
        assert!(names(&found.policy, &long), "{found:?}");
    }

    #[test]
    fn the_longest_names_fit() {
        let long = Marker {
            workspace: "w".repeat(WORKSPACE_MAX).into(),
            policy: "p".repeat(POLICY_MAX).into(),
            ..marker()
        };
        assert!(long.render().chars().count() <= MARKER_MAX);
    }
}
