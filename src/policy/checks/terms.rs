//! Lists: one value stands for a list of one, an empty list is never everything.

use crate::diag::Code;
use crate::policy::checks::Cx;
use crate::policy::yaml::{Content, Node};

/// Every member through `read`; nothing when one fails, after all have been read.
pub(super) fn list<T>(
    cx: &mut Cx<'_>,
    node: &Node,
    read: impl Fn(&mut Cx<'_>, &Node) -> Option<T>,
) -> Option<Vec<T>> {
    if matches!(&node.content, Content::Seq(items) if items.is_empty()) {
        return cx.report(Code::EmptyList, &node.place, "the list is empty");
    }
    let read: Vec<Option<T>> = node.members().iter().map(|member| read(cx, member)).collect();
    read.into_iter().collect()
}
