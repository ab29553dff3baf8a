//! Comments of actions: the author's, or the description, or the name; with the workspace's suffix.

use std::sync::Arc;

use crate::diag::Code;
use crate::model::marker::{COMMENT_MAX, ENDED, MARKER_MAX, UNDO, VERDICT_NOTE_MAX, clean};
use crate::policy::checks::Cx;
use crate::policy::set::Header;
use crate::policy::yaml::Node;

/// Characters that are left for the author beside the longest marker.
const ROOM: usize = COMMENT_MAX - MARKER_MAX;

/// The comment that a policy's actions carry, without the marker.
pub(super) fn comment(cx: &mut Cx<'_>, spec: &Node, header: &Header) -> Arc<str> {
    let node = spec.get("comment");
    let written = node.and_then(Node::text);
    let text = written.or(header.description.as_deref()).unwrap_or(header.name.as_str());
    let finished = finish(cx, text, node.filter(|_| written.is_some()), ROOM);
    refuse_reserved(cx, &finished, node.unwrap_or(spec));
    finished
}

/// A comment of an alert rule, with the suffix.
pub(super) fn written(cx: &mut Cx<'_>, node: &Node) -> Option<Arc<str>> {
    let text = super::leaf::text(cx, node)?;
    let finished = finish(cx, &text, Some(node), ROOM - VERDICT_NOTE_MAX);
    refuse_reserved(cx, &finished, node);
    Some(finished)
}

/// What the comments say that are read again is not for an author to say, who may write it in a description too.
fn refuse_reserved(cx: &mut Cx<'_>, text: &str, node: &Node) {
    // A blank and the marker follow.
    let text = format!("{} ", clean(text).trim());
    if let Some(head) = [UNDO, ENDED].into_iter().find(|head| text.starts_with(head)) {
        let message = format!("a comment begins with `{}`", head.trim_end());
        cx.report::<()>(Code::ReservedComment, &node.place, message);
    }
}

fn finish(cx: &mut Cx<'_>, text: &str, node: Option<&Node>, room: usize) -> Arc<str> {
    let suffix = cx.workspace.and_then(|workspace| workspace.defaults.comment_suffix.clone());
    let whole = match suffix {
        Some(suffix) => format!("{} {suffix}", text.trim()),
        None => text.trim().to_owned(),
    };
    let length = whole.chars().count();
    if let Some(node) = node.filter(|_| length > room) {
        let message = format!("the comment has {length} characters, {room} are kept");
        cx.report::<()>(Code::LongComment, &node.place, message);
    }
    whole.into()
}
