//! `protected-nobody`: a protection that is written and protects no device.
//!
//! Nothing is held by it, and nothing would be: a tag that nobody has, a group that is called
//! otherwise. Only told where all that the selector reads was read, and of a tenant with devices.

use roaring::RoaringBitmap;

use crate::plan::guards::{Breach, Ground, Measured};
use crate::policy::selector::{self, DeviceExpr};

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let (rails, scene) = (ground.guardrails(), ground.scene);
    let also = (&rails.domain_controllers.also, &scene.domain_controllers.also);
    let settings = [
        ("protected devices", "protected", (&rails.protected, &scene.protected)),
        ("domain controllers", "domainControllers.also", also),
    ];
    let idle = settings.into_iter().filter(|(.., (expr, found))| is_idle(ground, expr, found));
    idle.map(|(scope, key, _)| note(ground, scope, key).measured(true)).collect()
}

fn is_idle(ground: &Ground<'_>, expr: &Option<DeviceExpr>, found: &RoaringBitmap) -> bool {
    let inventory = ground.scene.inventory;
    let whole = |expr: &DeviceExpr| {
        selector::reads(expr).into_iter().all(|what| !inventory.is_partial(what))
    };
    found.is_empty() && !inventory.is_empty() && expr.as_ref().is_some_and(whole)
}

fn note(ground: &Ground<'_>, scope: &str, key: &str) -> Breach {
    Breach {
        code: "protected-nobody".into(),
        scope: scope.to_owned(),
        verb: None,
        setting: format!("guardrails.{key}"),
        facts: vec![("devices", ground.scene.inventory.len().into())],
        held: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::What;
    use crate::plan::guards::tests::{fleet, policies};
    use crate::plan::tests::fleet::Fleet;
    use crate::plan::tests::planned;
    use crate::plan::tests::policies::{tag, workspace};
    use crate::plan::types::Level;
    use crate::policy::selector::{DeviceTerm, is_void};

    fn incident() -> DeviceExpr {
        DeviceExpr::Term(DeviceTerm::Incident(vec!["7".into()]))
    }

    /// Changes of the plan, and the settings that protect nobody.
    fn told(
        fleet: Fleet,
        protected: Option<DeviceExpr>,
        also: Option<DeviceExpr>,
    ) -> (usize, Vec<String>) {
        let mut workspace = workspace();
        workspace.guardrails.protected = protected;
        workspace.guardrails.domain_controllers.also = also;
        let plan = planned(&policies(), &workspace, fleet.build());
        let notes = plan.objections.iter().filter(|it| it.code == "protected-nobody");
        let told = notes.map(|note| {
            assert_eq!((note.level, note.about, note.held), (Level::Warn, 0, 0));
            note.setting.clone()
        });
        (plan.changes.len(), told.collect())
    }

    #[test]
    fn a_selector_that_matches_no_device_is_told_and_holds_nothing() {
        let (nobody, kiosk) = (|| Some(tag("vip")), || Some(tag("ir")));
        let told = |protected, also| told(fleet(), protected, also);
        assert_eq!(told(None, None), (10, vec![]));
        assert_eq!(told(nobody(), None), (10, vec!["guardrails.protected".to_owned()]));
        let also = "guardrails.domainControllers.also".to_owned();
        assert_eq!(told(None, nobody()), (10, vec![also.clone()]));
        assert_eq!(told(nobody(), nobody()).1, [also, "guardrails.protected".to_owned()]);
        assert_eq!(told(kiosk(), None), (0, vec![]));
    }

    #[test]
    fn where_something_was_not_read_nobody_can_tell() {
        assert!(!is_void(&incident()));
        assert_eq!(told(fleet(), Some(incident()), None).1.len(), 1);
        assert_eq!(told(fleet().lacks(What::Alerts), Some(incident()), None).1.len(), 0);
        assert_eq!(told(fleet().lacks(What::Alerts), Some(tag("vip")), None).1.len(), 1);
        assert_eq!(told(fleet().lacks(What::Devices), Some(tag("vip")), None).1.len(), 0);
        assert_eq!(told(Fleet::of([]), Some(tag("vip")), None).1.len(), 0);
    }
}
