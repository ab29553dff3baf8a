//! Codes and their sentences, in alphabetical order.
//!
//! Read by `report::reason`; the planner's facts are named in `plan::types::Reason`.

/// Code, short form for a group, sentence for one target.
pub(super) const REASONS: &[(&str, &str, &str)] = &[
    (
        "ambiguous-record",
        "several records claim the device",
        "[{records} ]records claim to be this device and none is clearly the live one",
    ),
    (
        "device-missing",
        "not in the devices that were read",
        "the device list is incomplete and this device is not in it",
    ),
    (
        "disputed",
        "sources disagree",
        "sources disagree[: the action history says {history}][, another source says {other}]",
    ),
    (
        "exemption",
        "exemption[ {name}][ (ends {expires})]",
        "exempted[ by {name}][ until {expires}][: {reason}][ (approved by {approver})]",
    ),
    (
        "history-partial",
        "action history incomplete",
        "the action history is incomplete: a later action may be missing",
    ),
    ("lease-ended", "lease ended", "the lease ended[ at {ended}]"),
    (
        "lease-spent",
        "lease spent",
        "the policy's lease on this device is spent[: it ended at {ended}]; `renewal` or a later `until` would take it again",
    ),
    ("no-longer-selected", "no longer selected", "no policy selects it any longer"),
    (
        "offline",
        "offline",
        "the device is offline[ since {since}]; `queueOffline: true` would queue it",
    ),
    ("policy-gone", "policy gone", "the policy that placed it is gone[: {policy}]"),
    ("protected", "protected", "protected[ ({setting})]"),
    ("read-failed", "read failed[: {what}]", "a read failed[: {what}]"),
    ("superseded", "superseded", "another wish has taken its place"),
];

/// Code and what the guardrail says.
pub(super) const OBJECTIONS: &[(&str, &str)] = &[
    ("cap-fleet", "{wouldBe} of {size} devices would be in this state, cap {limit}"),
    ("cap-group", "{scope}: {wouldBe} of {size} would be in this state, cap {limit}"),
    ("cap-rolling", "{wouldBe} within {windowSeconds}, cap {limit}"),
    ("cap-run", "{wouldBe} in one run, cap {limit}"),
];
