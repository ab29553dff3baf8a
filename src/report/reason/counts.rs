//! What guardrails counted, in sentences for `plan --explain-guardrails`.
//!
//! For codes whose objection does not say all there is to say: what stands when the guardrail does
//! not object, of which the first that has all its facts is taken, and what is added when it does. In
//! alphabetical order; a code that is not listed says what its objection says. Read by
//! `report::reason`; facts are named where the guardrails count.

/// Devices that a guardrail protects, and the restrictions that would touch them.
const MATCHED: &str = "devices that match: {devices}; restrictions of them: {hits} of {changes}";

/// A cap that others are over: the first sentence of it.
const BEYOND: &str =
    "{already} already, {beyond} over the cap of {limit}; nothing planned adds to it";

/// Code, what stands when it passes, what is added when it objects.
pub(super) const COUNTS: &[(&str, &[&str], Option<&str>)] = &[
    ("cap-fleet", &[BEYOND], None),
    ("cap-group", &[BEYOND], None),
    ("cap-rolling", &[BEYOND], None),
    (
        "cooldown",
        &[
            "taken that we released before: {changes}, the last {sinceSeconds} ago, at least {leastSeconds}",
            "nothing is taken that we released before",
        ],
        None,
    ),
    ("destructive", &["{verb} is {state}; changes: {changes}"], None),
    (
        "domain-controller",
        &[
            "devices by {by}: {devices}; restrictions of them: {hits} of {changes}",
            "no device looks like one; restrictions: {changes}",
        ],
        Some(MATCHED),
    ),
    (
        "dwell",
        &[
            "{scope}: released {changes}, the last placed {sinceSeconds} ago, at least {leastSeconds}",
            "nothing is released that a flicker could have brought about",
        ],
        None,
    ),
    (
        "freeze-window",
        &["{scope} opens {opens}", "{scope} is open until {ends}; changes of its verbs: {changes}"],
        None,
    ),
    (
        "inventory-grew",
        &[
            "{before} devices in run {run}, {now} now, at most {limit} more",
            "{now} devices now, no journalled run to compare with",
        ],
        None,
    ),
    (
        "inventory-shrank",
        &[
            "{before} devices in run {run}, {now} now, at most {limit} fewer",
            "{now} devices now, no journalled run to compare with",
        ],
        None,
    ),
    ("lease-missing", &[LEASES], Some(LEASES)),
    (
        "max-lease",
        &["{scope}: lease of {leaseSeconds}, at most {mostSeconds}"],
        Some("the longest {leaseSeconds}"),
    ),
    ("orphaned-releases", &["releases of a policy that is gone: {orphaned} of {changes}"], None),
    ("protected", &[MATCHED], Some(MATCHED)),
    ("rego-failed", &["files of rules: {files}; denials: {denials}; warnings: {warnings}"], None),
    ("released-by-hand", &["restrictions that ask a person: {asked} of {changes}"], None),
    (
        "selection-grew",
        &[
            "{scope}: {before} selected in run {run}, {now} now, at most {limit} more",
            "{scope}: {now} selected now, no journalled run to compare with",
        ],
        None,
    ),
    (
        "selection-shrank",
        &[
            "{scope}: {before} selected in run {run}, {now} now, at most {limit} fewer",
            "{scope}: {now} selected now, no journalled run to compare with",
        ],
        None,
    ),
    ("self-lockout", &[MATCHED], Some(MATCHED)),
];

const LEASES: &str = "without an end: {without} of {changes}";
