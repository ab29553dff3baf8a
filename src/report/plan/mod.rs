//! A plan as people read it: the screen, the drill-down, Markdown.
//!
//! `items` looks at changes and entries alike, `view` groups, sorts and counts them once, `screen`
//! and `markdown` write what `view` found, `show` narrows. All pure: a plan and a [`Style`] in,
//! text out. Called by `cli::commands::{plan, show, apply, demo}`.

mod blocks;
mod detail;
mod filter;
mod items;
mod markdown;
mod screen;
mod standing;
mod view;

#[cfg(test)]
pub(crate) mod tests;

pub use filter::Filter;
pub use markdown::markdown;
pub(super) use screen::rollout_line;
pub use screen::{text, verdict};

use crate::plan::Plan;
use crate::report::Style;
use crate::report::page::{Page, Role, piece};

/// The part of the plan that `filter` lets through, with every name; a filter by device gives each
/// field.
#[must_use]
pub fn show(plan: &Plan, filter: &Filter, style: Style) -> String {
    if filter.is_empty() {
        return text(plan, style);
    }
    let mut page = Page::new(style);
    let shown: Vec<_> = items::all(plan).into_iter().filter(|item| filter.lets(item)).collect();
    let total = plan.summary.total;
    screen::title(&mut page, plan);
    page.gap();
    if filter.device.is_some() {
        shown.iter().for_each(|item| detail::one(&mut page, plan, item));
    } else {
        detail::rollouts(&mut page, plan, &shown);
        let blocks = view::blocks(&shown, false);
        blocks.iter().for_each(|block| detail::block(&mut page, plan, block));
    }
    page.gap();
    let count = u32::try_from(shown.len()).unwrap_or(u32::MAX);
    let last = format!("Shown: {}.", crate::report::measure::of(count, total));
    page.line(2, &[piece(Role::Strong, last)]);
    page.finish()
}

/// The whole plan as YAML: the same content as the plan file, easier to read. Untrusted names are
/// quoted by the writer, which spells control characters out.
#[must_use]
pub fn yaml(plan: &Plan) -> String {
    serde_yaml::to_string(plan).unwrap_or_default()
}
