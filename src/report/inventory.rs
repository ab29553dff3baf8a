//! What was read of a tenant: devices, alerts, actions and scores as lists.
//!
//! Pure. The same rows become text and JSON. Called by `cli::commands::{devices, alerts, actions,
//! scores}`.

mod rows;

use jiff::Timestamp;
use serde::Serialize;

use crate::inventory::Inventory;
use crate::report::page::{Page, Role, join, piece, plain};
use crate::report::table::{self, Column};
use crate::report::{Style, escape, measure};

pub use rows::{ActionLine, AlertLine, DeviceLine, Listed, Listing, Scores};

/// Version of the JSON forms.
pub const FORMAT_VERSION: u32 = 1;

/// Something that can be listed.
pub trait Line: Serialize {
    /// Its columns.
    const COLUMNS: &'static [Column];
    /// What many of them are called.
    const MANY: &'static str;
    /// Its cells.
    fn cells(&self) -> Vec<String>;
}

impl Line for DeviceLine {
    const COLUMNS: &'static [Column] = &[
        Column::text("name", 12),
        Column::text("group", 8),
        Column::text("platform", 9),
        Column::text("health", 8),
        Column::text("risk", 6),
        Column::text("value", 6),
        Column::text("tags", 6),
        Column::text("seen", 10),
    ];
    const MANY: &'static str = "devices";
    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.group.clone(),
            self.platform.clone(),
            self.health.clone(),
            self.risk.clone(),
            self.value.clone(),
            self.tags.join(", "),
            self.last_seen.map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default(),
        ]
    }
}

impl Line for AlertLine {
    const COLUMNS: &'static [Column] = &[
        Column::text("created", 16),
        Column::text("severity", 8),
        Column::text("status", 10),
        Column::text("title", 16),
        Column::text("devices", 8),
        Column::text("assigned to", 11),
        Column::text("id", 8),
    ];
    const MANY: &'static str = "alerts";
    fn cells(&self) -> Vec<String> {
        vec![
            minute(self.created),
            self.severity.clone(),
            self.status.clone(),
            self.title.clone(),
            self.devices.join(", "),
            self.assigned_to.clone().unwrap_or_default(),
            self.id.clone(),
        ]
    }
}

impl Line for ActionLine {
    const COLUMNS: &'static [Column] = &[
        Column::text("created", 16),
        Column::text("kind", 10),
        Column::text("status", 9),
        Column::text("device", 10),
        Column::text("requestor", 9),
        Column::text("comment", 8),
        Column::text("id", 8),
    ];
    const MANY: &'static str = "actions";
    fn cells(&self) -> Vec<String> {
        let device = if self.device.is_empty() { &self.device_id } else { &self.device };
        vec![
            minute(self.created),
            self.kind.clone(),
            self.status.clone(),
            device.clone(),
            self.requestor.clone(),
            self.comment.clone(),
            self.id.clone(),
        ]
    }
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M").to_string()
}

/// The rows of every tenant as tables, each with a line that counts them.
#[must_use]
pub fn text<T: Line>(listings: &[Listing<T>], style: Style) -> String {
    let mut page = Page::new(style);
    for listing in listings {
        page.gap();
        if !listing.rows.is_empty() {
            let rows: Vec<Vec<String>> = listing.rows.iter().map(Line::cells).collect();
            table::write(&mut page, T::COLUMNS, &rows);
        }
        foot(&mut page, listing, T::MANY);
    }
    page.finish()
}

fn foot<T>(page: &mut Page, listing: &Listing<T>, many: &str) {
    let shown = u32::try_from(listing.rows.len()).unwrap_or(u32::MAX);
    let count = if shown == listing.total {
        format!("{} {many}", measure::number(shown.into()))
    } else {
        format!("{} {many}", measure::of(shown, listing.total))
    };
    let mut groups = vec![
        vec![piece(Role::Name, format!("tenant {}", escape::name(&listing.tenant, 40)))],
        vec![plain(count)],
        vec![plain(format!("read {}", measure::instant(listing.observed_at)))],
    ];
    if !listing.missing.is_empty() {
        let missing: Vec<String> =
            listing.missing.iter().map(|what| escape::name(what, 120)).collect();
        groups.push(vec![
            piece(Role::Danger, "INCOMPLETE"),
            plain(format!(": {}", missing.join("; "))),
        ]);
    }
    page.line(2, &join(groups));
}

/// The rows of every tenant as JSON, with a line feed at its end.
#[must_use]
pub fn json<T: Line>(listings: &[Listing<T>]) -> String {
    page(&Listed { format_version: FORMAT_VERSION, tenants: listings })
}

fn page(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// Each action with every field, its comment whole.
#[must_use]
pub fn actions_in_full(listings: &[Listing<ActionLine>], style: Style) -> String {
    let mut page = Page::new(style);
    for action in listings.iter().flat_map(|listing| &listing.rows) {
        page.gap();
        let title = format!("action {}", escape::name(&action.id, 80));
        page.line(2, &[piece(Role::Strong, title)]);
        let (created, updated) =
            (measure::instant(action.created), measure::instant(action.updated));
        for (label, text) in [
            ("kind", &action.kind),
            ("status", &action.status),
            ("device", &action.device),
            ("device id", &action.device_id),
            ("requestor", &action.requestor),
            ("created", &created),
            ("updated", &updated),
            ("comment", &action.comment),
        ] {
            let text = escape::name(text, 600);
            page.line(18, &[piece(Role::Dim, format!("    {label:<14}")), plain(text)]);
        }
    }
    page.finish()
}

/// Exposure scores of each tenant and its groups, worst first.
#[must_use]
pub fn scores_text(inventories: &[Inventory], style: Style) -> String {
    let mut page = Page::new(style);
    for inventory in inventories {
        page.gap();
        let mut groups: Vec<(&str, f64)> =
            inventory.group_scores().iter().map(|(name, score)| (&**name, *score)).collect();
        groups.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let mut rows: Vec<Vec<String>> = Vec::new();
        if let Some(score) = inventory.exposure_score() {
            rows.push(vec!["whole tenant".to_owned(), format!("{score:.1}")]);
        }
        rows.extend(
            groups
                .iter()
                .map(|(name, score)| vec![measure::group(name).to_owned(), format!("{score:.1}")]),
        );
        if !rows.is_empty() {
            table::write(
                &mut page,
                &[Column::text("group", 12), Column::number("exposure")],
                &rows,
            );
        }
        let scored = rows.len();
        foot(&mut page, &Listing::of(inventory, rows, scored), "scores");
    }
    page.finish()
}

/// Exposure scores as JSON, with a line feed at its end.
#[must_use]
pub fn scores_json(inventories: &[Inventory]) -> String {
    let scores = |inventory: &Inventory| Scores {
        tenant: inventory.tenant().to_owned(),
        observed_at: inventory.observed_at(),
        exposure_score: inventory.exposure_score(),
        groups: inventory
            .group_scores()
            .iter()
            .map(|(group, score)| (group.to_string(), *score))
            .collect(),
    };
    let tenants: Vec<Scores> = inventories.iter().map(scores).collect();
    page(&Listed { format_version: FORMAT_VERSION, tenants })
}
