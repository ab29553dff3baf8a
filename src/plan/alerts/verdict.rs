//! Whose verdict an alert has: the comment that went with ours says what we gave.
//!
//! A marker alone would claim whatever verdict stands there, and an analyst who corrects ours in the
//! portal leaves no comment. So the comment of a verdict names it between the author's text and the
//! marker, `(verdict falsePositive/notMalicious)`, and a verdict is ours only while it is the one
//! that our last such comment names. Called by `alerts`; must never read a marker of another workspace
//! as ours.

use crate::inventory::AlertRow;
use crate::model::marker::{self, COMMENT_MAX, MARKER_MAX, VERDICT_NOTE_MAX};
use crate::model::{Classification, Determination, Marker, WorkspaceId};
use crate::plan::undo;

const BEGIN: &str = "(verdict ";
const UNDONE: &str = "(verdict undone)";

/// Whether the workspace gave the verdict that the alert has.
pub(super) fn is_ours(alert: &AlertRow, ours: &WorkspaceId) -> bool {
    let last = alert.comments.iter().rev().find_map(|comment| said(comment, ours));
    last.flatten() == Some((alert.classification, alert.determination))
}

/// What a comment of the workspace says of a verdict, if it does: the one that was given, or that it was taken
/// back by an undoing, which may have set the status or the assignee alone.
fn said(comment: &str, ours: &WorkspaceId) -> Option<Option<(Classification, Determination)>> {
    let undone = undo::is_undo(comment) && own(comment, ours)?.ends_with(UNDONE);
    if undone { Some(None) } else { given(comment, ours).map(Some) }
}

/// The text before the marker of a comment of the workspace.
fn own<'a>(comment: &'a str, ours: &WorkspaceId) -> Option<&'a str> {
    Marker::find(comment).filter(|marker| marker.workspace == *ours)?;
    comment.rsplit_once("[palisade ").map(|(text, _)| text.trim_end())
}

/// The verdict that a comment of the workspace names.
fn given(comment: &str, ours: &WorkspaceId) -> Option<(Classification, Determination)> {
    let (_, note) = own(comment, ours)?.strip_suffix(')')?.rsplit_once(BEGIN)?;
    let (classification, determination) = note.split_once('/')?;
    Some((Classification::parse(classification)?, Determination::parse(determination)?))
}

/// The author's text with a note of the verdict behind it, which is not cut when the text is.
pub(super) fn noted(
    text: &str,
    classification: Classification,
    determination: Determination,
) -> String {
    behind(text, &format!("{BEGIN}{classification}/{determination})"))
}

/// The text of an undoing that takes a verdict back.
pub(in crate::plan) fn undone(text: &str) -> String {
    behind(text, UNDONE)
}

fn behind(text: &str, note: &str) -> String {
    let cut = marker::cut(text, COMMENT_MAX - MARKER_MAX - VERDICT_NOTE_MAX);
    if cut.is_empty() { note.to_owned() } else { format!("{cut} {note}") }
}

/// The author's text of a comment that gives no verdict: none that it speaks of is one that we gave.
pub(super) fn without(text: &str) -> String {
    // Without the blank that follows in a note of ours: what becomes a blank on the way must not make one.
    text.replace("(verdict", "(a verdict")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::fleet::{alert, marked};

    const OURS: &str = "contoso-soc";

    fn said(text: &str, workspace: &str) -> String {
        marked(workspace, "red-team").replace("for a test", text)
    }

    #[test]
    fn a_verdict_is_ours_while_it_is_the_last_that_we_named() {
        use Classification::{FalsePositive, TruePositive, Unknown};
        use Determination::{Malware, NotMalicious};
        let note = noted("by rule", FalsePositive, NotMalicious);
        assert_eq!(note, "by rule (verdict falsePositive/notMalicious)");
        let older = noted("", TruePositive, Malware);
        let check = |comments: &[String], classification, determination| {
            let comments = comments.iter().map(|it| it.as_str().into()).collect();
            let row = alert("da1", "pc-1");
            let row = AlertRow { comments, classification, determination, ..row };
            is_ours(&row, &OURS.into())
        };
        let ours = [said(&older, OURS), said(&note, OURS), said("another rule", OURS)];
        assert!(check(&ours, FalsePositive, NotMalicious));
        for (classification, determination) in [
            (TruePositive, Malware),
            (FalsePositive, Malware),
            (TruePositive, NotMalicious),
            (Unknown, Determination::Unknown),
        ] {
            assert!(!check(&ours, classification, determination));
        }
        for comments in [
            vec![],
            vec![said(&note, "another")],
            vec![said("no word of it", OURS)],
            vec![note.clone()],
            vec![format!("{} and more", said(&note, OURS))],
        ] {
            assert!(!check(&comments, FalsePositive, NotMalicious), "{comments:?}");
        }
    }

    #[test]
    fn what_an_author_says_of_a_verdict_is_none() {
        use Classification::FalsePositive;
        use Determination::NotMalicious;
        let marker = Marker::find(&said("x", OURS)).unwrap();
        for text in [
            "see (verdict falsePositive/notMalicious)",
            "(verdict falsePositive/notMalicious)",
            "(verdict\tfalsePositive/notMalicious) ",
        ] {
            let found = |text: &str| given(&marker.comment(text), &OURS.into());
            assert_eq!(found(text), Some((FalsePositive, NotMalicious)));
            assert_eq!(found(&without(text)), None);
            // In front of a note of ours it says nothing either.
            let note = noted(text, Classification::TruePositive, Determination::Malware);
            assert_eq!(found(&note), Some((Classification::TruePositive, Determination::Malware)));
        }
        assert_eq!(without("a verdict (of ours)"), "a verdict (of ours)");
    }

    #[test]
    fn the_longest_note_behind_the_longest_text_is_whole() {
        let longest = Classification::ALL.iter().flat_map(|classification| {
            Determination::ALL.iter().map(|determination| (*classification, *determination))
        });
        for (classification, determination) in longest {
            let text = noted(&"ä".repeat(900), classification, determination);
            assert!(text.chars().count() <= COMMENT_MAX - MARKER_MAX, "{text}");
            let room = COMMENT_MAX - MARKER_MAX - VERDICT_NOTE_MAX;
            assert_eq!(text.find('…').map(|at| text[..at].chars().count()), Some(room - 1));
            let fits = noted(&"ä".repeat(room), classification, determination);
            assert!(!fits.contains('…'), "{fits}");
            let comment = Marker::find(&said("x", OURS)).unwrap().comment(&text);
            assert_eq!(given(&comment, &OURS.into()), Some((classification, determination)));
        }
    }
}
