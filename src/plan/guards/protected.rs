//! `protected`: devices that nothing may restrict.
//!
//! Beats everything. It stands against taking something away (isolate, restrict, quarantine,
//! offboard), not against letting go: a device that became protected while it was isolated must
//! still be released when its lease ends. When the selector reads a part of the observation that is
//! missing, nobody knows who is protected, and every restrictive change is held.

use crate::inventory::{Dev, What};
use crate::plan::guards::{Breach, Ground, Measured};
use crate::plan::scene::{Scene, unread};

const SETTING: &str = "guardrails.protected";

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let scene = ground.scene;
    if ground.guardrails().protected.is_none() {
        return Vec::new();
    }
    let doubt = doubt(scene);
    let is_protected = |at: usize| {
        let device = ground.proposals.get(at).and_then(|proposal| proposal.device);
        device.is_some_and(|device| doubt.is_some() || selects(scene, device))
    };
    let held: Vec<usize> =
        ground.restrictions().filter(|(at, _)| is_protected(*at)).map(|(at, _)| at).collect();
    let hits = held.len();
    let facts = doubt.map(|what| ("missing", what.word().into()));
    let breach = Breach {
        code: if doubt.is_some() { "protected-unknown" } else { "protected" }.into(),
        scope: "protected devices".to_owned(),
        verb: None,
        setting: SETTING.to_owned(),
        facts: facts.into_iter().collect(),
        held,
    };
    let measured = breach.measured(hits > 0).with("hits", hits);
    let measured = measured.with("changes", ground.restrictions().count());
    vec![measured.with("devices", scene.protected.len())]
}

/// Whether the selector takes the device in.
pub(super) fn selects(scene: &Scene<'_>, device: Dev) -> bool {
    scene.protected.contains(device.0)
}

/// What the selector reads and nobody could read whole.
pub(super) fn doubt(scene: &Scene<'_>) -> Option<What> {
    unread(scene.inventory, scene.input.workspace.guardrails.protected.as_ref()?)
}
