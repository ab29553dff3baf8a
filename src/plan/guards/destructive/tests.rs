//! Which verbs are off until they are named. No policy of today wishes for one of them, so the
//! draft is made by hand from another.

use crate::model::Verb;
use crate::plan::guards::tests::over;
use crate::plan::tests::policies::workspace;

#[test]
fn what_cannot_be_taken_back_is_off_until_it_is_named() {
    let mut workspace = workspace();
    for verb in Verb::ALL {
        let expected: &[&str] = match verb {
            Verb::Offboard | Verb::Quarantine => &["destructive"],
            _ => &[],
        };
        assert_eq!(over(super::measure, &workspace, *verb), expected, "{verb}");
    }
    workspace.guardrails.destructive = [Verb::Offboard].into();
    assert!(over(super::measure, &workspace, Verb::Offboard).is_empty());
    assert_eq!(over(super::measure, &workspace, Verb::Quarantine), ["destructive"]);
}
