//! Codes and their sentences, in alphabetical order.
//!
//! Read by `report::reason`; facts are named where the planner, the engine and the guardrails make
//! their reasons.

/// The code under which a code is listed: rules of an organization make codes of their own.
pub(super) fn listed(code: &str) -> &str {
    let own = code.starts_with("rego-") && code != "rego-failed";
    if own { "rego" } else { code }
}

/// Code, short form for a group, sentence for one target.
pub(super) const REASONS: &[(&str, &str, &str)] = &[
    (
        "accepted-moved",
        "exemption {name} accepts {accepted}",
        "exemption {name} accepts {accepted}[ until {expires}], and it is {found}[ since {since}]",
    ),
    ("action-ended", "action ended", "the action has ended[: {status}]"),
    ("action-gone", "action gone", "the service no longer lists the action"),
    ("action-in-flight", "in flight", "somebody's action is in flight[: {action}][ by {by}]"),
    ("adopted", "taken over", "somebody else put it there and the policy takes it over"),
    (
        "adopted-lease-ended",
        "adopted lease ended",
        "put there by [{by}][workspace {workspace}][policy {policy}], and the lease of the policy that took it over has ended",
    ),
    ("alert-changed", "alert changed", "the alert has changed since the plan was made[: {found}]"),
    ("alert-gone", "alert gone", "the service no longer knows the alert"),
    ("already-undone", "already undone", "the run was undone here already[ at {at}]"),
    (
        "ambiguous-record",
        "several records claim the device",
        "[{records} ]records claim to be this device and none is clearly the live one",
    ),
    (
        "analyst-verdict",
        "a person gave a verdict",
        "a person judged it[ {classification}][/{determination}]; `overwriteAnalyst: true` would overwrite that",
    ),
    (
        "answer-lost",
        "answer lost",
        "the answer was lost and it could not be found out what came of the request",
    ),
    ("audit-mode", "would be done", "the policy only reports (`mode: audit`)"),
    (
        "cancel-asked",
        "asked to be cancelled",
        "our pending action[ {action}][ of {created}] is to be cancelled",
    ),
    (
        "cancel-too-late",
        "done before its cancel",
        "the rollout stopped, and the action was done before its cancel arrived",
    ),
    (
        "cap-alert-rule",
        "over the cap of one alert rule",
        "{wouldBe} within {windowSeconds} through {trigger}, cap {limit}[ ({setting})]",
    ),
    (
        "cap-fleet",
        "over the cap of the fleet",
        "{wouldBe} of {size} devices would be in this state, cap {limit}[ ({setting})]",
    ),
    (
        "cap-group",
        "over the cap of {group}",
        "{wouldBe} of {size} in {group} would be in this state, cap {limit}[ ({setting})]",
    ),
    (
        "cap-rolling",
        "over the cap of the last[ {windowSeconds}]",
        "{wouldBe} within {windowSeconds}, cap {limit}[ ({setting})]",
    ),
    ("cap-run", "over the cap of one run", "{wouldBe} in one run, cap {limit}[ ({setting})]"),
    ("changed-after", "changed again", "it was set and somebody changed it again[: {found}]"),
    (
        "changed-since",
        "changed after it was confirmed",
        "confirmed in an earlier wave, and somebody changed it since[: {kind}][ by {by}][ at {created}][, {status}]",
    ),
    (
        "changed-since-plan",
        "changed since the plan",
        "changed since the plan was made[: {kind}][ by {by}][ at {created}][, {status}]",
    ),
    ("comment-gone", "comment gone", "the comment was posted and is not there any more"),
    (
        "comment-missing",
        "comment missing",
        "it was set as planned, and its comment was not posted[: {why}][ {status}][ {serviceCode}][: {message}]",
    ),
    (
        "cooldown",
        "released less than[ {leastSeconds}] ago",
        "we released it less than {leastSeconds} ago[; the last of them may be taken at {until}][ ({setting})]",
    ),
    (
        "crowded",
        "no room by now",
        "by now there is no room for it under {setting} in tenant {tenant}[, group {group}][: {already} within {windowSeconds} and {planned} planned, cap {limit}][: {taken} taken since the plan was made, room for {left}]: plan again",
    ),
    (
        "destructive",
        "{verb} is off",
        "{verb} cannot be taken back and the workspace does not name it[ ({setting})]",
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
        "domain-controller",
        "domain controller by {by}",
        "it is a domain controller by {by}[ ({setting})]",
    ),
    (
        "dwell",
        "placed less than[ {leastSeconds}] ago",
        "we placed it less than {leastSeconds} ago[; the last of them may be released at {until}][ ({setting})]",
    ),
    (
        "exemption",
        "exemption[ {name}][ (ends {expires})]",
        "exempted[ by {name}][ until {expires}][: {reason}][ (approved by {approver})]",
    ),
    (
        "expired",
        "plan expired",
        "the plan expired[ at {validUntil}] before the run went on: plan again",
    ),
    (
        "freeze-window",
        "freeze {name} until[ {ends}]",
        "the freeze {name} is open until[ {ends}][ ({setting})]",
    ),
    ("frozen", "workspace frozen", FROZEN),
    (
        "held-by-other",
        "put there by [{by}][workspace {workspace}][policy {policy}]",
        "put there by [{by}][workspace {workspace}][policy {policy}][ through {source}][ at {since}]; `adopt: true` would take it over",
    ),
    (
        "history-partial",
        "action history incomplete",
        "the action history is incomplete: a later action may be missing",
    ),
    ("in-flight", "in flight, ours", "our action is in flight[: {action}]"),
    (
        "in-flight-foreign",
        "in flight, by [{by}][workspace {workspace}]",
        "an action of [{by}][workspace {workspace}] is in flight[: {action}]",
    ),
    ("interrupted", "interrupted", "interrupted"),
    (
        "inventory-grew",
        "inventory grew from[ {before}] to[ {now}]",
        "the inventory grew from {before} devices to {now} since run {run}, at most {limit} more[ ({setting})]",
    ),
    (
        "inventory-shrank",
        "inventory shrank from[ {before}] to[ {now}]",
        "the inventory shrank from {before} devices to {now} since run {run}, at most {limit} fewer[ ({setting})]",
    ),
    (
        "isolation-type-unsupported",
        "{isolationType} isolation not supported on {platform}",
        "{platform} does not support {isolationType} isolation",
    ),
    ("lease-ended", "lease ended", "the lease ended[ at {ended}]"),
    (
        "lease-later",
        "ends later than written",
        "its lease ends at {ends}, later than written[: {written}]",
    ),
    ("lease-missing", "no lease", "it has no end[ ({setting})]"),
    (
        "lease-over",
        "its lease is over",
        "the lease it had is over[: it ended at {ended}]; nothing is put back without an end",
    ),
    (
        "lease-shortened",
        "lease shortened",
        "a shorter lease ended[ at {ended}]; it was to end at {written}",
    ),
    (
        "lease-sooner",
        "ends sooner than written",
        "its lease ends at {ends}, sooner than written[: {written}]",
    ),
    (
        "lease-spent",
        "lease spent",
        "the policy's lease on this device is spent[: it ended at {ended}]; `renewal` or a later `until` would take it again",
    ),
    (
        "lease-unknown",
        "its lease is not known",
        "the marker of what was released names no end; nothing is put back without one",
    ),
    (
        "max-lease",
        "lease too long[: {leaseSeconds}, at most {mostSeconds}]",
        "the lease[ of {leaseSeconds}] is longer than[ {mostSeconds}][ ({setting})][: it ends at {kept}, as before]",
    ),
    (
        "moved-since",
        "moved since",
        "somebody[ ({by})] changed it after the run[: {found}][ at {at}]",
    ),
    ("no-inverse", "no inverse", "there is no way back from it[: {verb}]"),
    ("no-longer-selected", "no longer selected", "no policy selects it any longer"),
    ("no-longer-wanted", "no longer wanted", "our pending action[ {action}] is no longer wanted"),
    ("not-arrived", "did not arrive", "the request did not arrive[ in {times} tries]"),
    ("not-begun", "not begun", "the run ended before it was its turn"),
    (
        "not-cancelled",
        "rollout stopped, still queued",
        "the rollout stopped, and the action could not be cancelled[: {why}][ {status}][ {serviceCode}][: {message}]",
    ),
    (
        "not-onboarded",
        "not onboarded",
        "the device is not onboarded[ ({onboarding})]: actions do not reach it",
    ),
    (
        "not-picked-up",
        "not picked up yet",
        "the device has not picked it up[ after {waitedSeconds}]; the service keeps it queued",
    ),
    ("not-verified", "not verified", "the last look did not confirm it"),
    ("not-waited-for", "not waited for", "accepted[ ({status})], and its end was not waited for"),
    ("not-yet", "its turn is later", "its turn in the spread is at[ {at}]; plan again then"),
    (
        "offline",
        "offline",
        "the device is offline[ since {since}]; `queueOffline: true` would queue it",
    ),
    (
        "offline-limit",
        "too many devices offline",
        "wave {wave} of {policy} has {pending} devices pending offline and the next one begins with up to {limit}",
    ),
    (
        "on-expiry-hold",
        "lease ended, kept by `onExpiry: hold`",
        "the lease ended[ at {ended}] and `onExpiry: hold` keeps it",
    ),
    (
        "orphaned-releases",
        "policy {policy} gone",
        "policy {policy} is gone[; {kept} more of its devices are kept by {keptBy}][ ({setting})]",
    ),
    ("paused", "waits for a person", "after wave {wave} of {policy} a person has to go on"),
    (
        "platform-unsupported",
        "platform[ {platform}] not supported",
        "the service does not support this on[ {platform}]",
    ),
    ("policy-gone", "policy[ {policy}] gone", "the policy behind it is gone[: {policy}]"),
    (
        "policy-in-audit",
        "policy in audit mode",
        "the policy that placed it only reports now[: {policy}]",
    ),
    (
        "policy-renamed",
        "placed by policy {policy}, which is gone",
        "placed by policy {policy}, which is gone, and kept by another: a policy that was renamed?",
    ),
    ("protected", "protected", "protected[ ({setting})]"),
    (
        "protected-in-force",
        "protected by now[ ({rule})], and restricted by us",
        "the device is protected by now[ ({rule})][: {sign}], and we restrict it[ until {until}]; a policy that no longer selects it, or a person, lets it go",
    ),
    (
        "protected-pending",
        "protected by now[ ({rule})]",
        "our pending action[ {action}] would restrict a device that is protected by now[ ({rule})][: {sign}]",
    ),
    (
        "protected-unknown",
        "who is protected is not known",
        "the selector of protected devices reads[ {missing}], which is incomplete",
    ),
    (
        "put-back",
        "put back by an undoing",
        "an undoing put it back[ until {until}]; it is let go then",
    ),
    ("read-failed", "read failed[: {what}]", "a read failed[: {what}]"),
    ("reading-failed", "could not be read", "the target could not be read just before acting"),
    (
        "reasserted",
        "put back after [{by} released it][run {run} released it][{cancelledBy} cancelled it]",
        "[{by} released it][the undoing of run {run} released it][{cancelledBy} cancelled it][ at {ended}] and the policy puts it back (`onManualRelease: reassert`)",
    ),
    (
        "refused",
        "refused[ ({serviceCode})]",
        "the service refused it[ with {status}][ {serviceCode}][: {message}]",
    ),
    ("rego", "a rule of the organization", "{msg}[ ({setting})]"),
    (
        "rego-failed",
        "a rule of the organization fails",
        "a rule of the organization fails: {file} line {line}: {msg}",
    ),
    (
        "released-by-hand",
        "[released by {by}][released by workspace {workspace}][released by undoing run {run}][cancelled by {cancelledBy}]",
        "[{by} released it][workspace {workspace} released it][the undoing of run {run} released it][{cancelledBy} cancelled it while it was pending][ at {ended}]; the policy does not take it again unless it says `onManualRelease: reassert`",
    ),
    (
        "remaining",
        "too few of {group} would stay free",
        "{free} of {size} in {group} would stay free of restriction, at least {least}[ ({setting})]",
    ),
    ("retry-delay", "tried again later", "the last try failed; the next is due[ at {at}]"),
    (
        "rollout-cancelled",
        "cancelled with its rollout",
        "the rollout stopped and the pending action was cancelled[: {action}]",
    ),
    (
        "rollout-halted",
        "rollout {policy} stopped",
        "rollout {policy} stopped in wave {wave}: {failures} failed, up to {limit} are borne",
    ),
    (
        "rule-conflict",
        "rules {rule} and {other} contradict",
        "rules {rule} and {other} of priority {priority} want different verdicts",
    ),
    ("run-undone", "run undone", "run {run} has undone it since"),
    (
        "selection-grew",
        "selection grew from[ {before}] to[ {now}]",
        "{policy} selected {before} devices in run {run} and selects {now} now, at most {limit} more[ ({setting})]",
    ),
    (
        "selection-shrank",
        "selection shrank from[ {before}] to[ {now}]",
        "{policy} selected {before} devices in run {run} and selects {now} now, at most {limit} fewer[ ({setting})]",
    ),
    (
        "selector-partial",
        "selector[ of {exemption}] cannot be answered: [{what} ]incomplete",
        "the selector[ of the exemption {exemption}] reads [{what}] and those are incomplete",
    ),
    (
        "self-lockout",
        "the machine that runs Palisade",
        "it is the machine that runs Palisade: isolated, it could release nobody",
    ),
    (
        "sensor-too-old",
        "sensor older than[ {least}]",
        "the sensor is too old[ ({version})]; at least[ {least}] is needed",
    ),
    ("set-since", "set since", "it was set since the plan was made[: {value}]"),
    (
        "stale",
        "plan stale",
        "the workspace or its policies have changed since the plan was made: plan again",
    ),
    ("strengthened", "strengthened", "a stronger policy applies now"),
    ("superseded", "superseded", "another wish has taken its place"),
    ("throttled", "throttled", "the service was too busy[ {times} times]"),
    (
        "uncounted",
        "not counted anew",
        "what others did since cannot be counted in tenant {tenant}[: {why}]",
    ),
    ("undo", "undo", "undone[: run {run}]"),
    (
        "undone",
        "undone",
        "[{by} ]took it back by undoing a run[ ({run})][ at {ended}]; it is not done again",
    ),
    ("unreachable", "unreachable", "the service could not be reached[: {why}]"),
    ("verb-not-supported", "not supported by this version", "this version cannot carry it out"),
    (
        "version-unsupported",
        "OS version not supported",
        "[{platform} ][{version} ]is too old[: at least {least}]",
    ),
    (
        "weakening-needs-release",
        "would be weaker",
        "it is stronger than wanted; weakening needs a release first",
    ),
    (
        "window-missed",
        "window missed",
        "the window of[ {tick}] closed[ at {closed}][; the next opens at {next}]",
    ),
];

/// A freeze file says as much as somebody wrote into it.
const FROZEN: &str = "the workspace is frozen[ by {by}][ since {at}][ until {until}][: {because}][ (the file cannot be read whole: {trouble})]";

/// Code and what the guardrail says.
pub(super) const OBJECTIONS: &[(&str, &str)] = &[
    (
        "cap-alert-rule",
        "[policy {policy}: ][policies {policies}: ]{wouldBe} within {windowSeconds} through {trigger}, cap {limit}",
    ),
    ("cap-fleet", "{wouldBe} of {size} devices would be in this state, cap {limit}"),
    ("cap-group", "{scope}: {wouldBe} of {size} would be in this state, cap {limit}"),
    ("cap-rolling", "{wouldBe} within {windowSeconds}, cap {limit}"),
    ("cap-run", "{wouldBe} in one run, cap {limit}"),
    ("cooldown", "released by us less than {leastSeconds} ago, the last may be taken at {until}"),
    ("destructive", "{verb} cannot be taken back and the workspace does not name it"),
    ("domain-controller", "domain controllers by {by}"),
    ("dwell", "{scope}: placed less than {leastSeconds} ago, the last may be released at {until}"),
    ("exemption-ended", "{scope} ended {expires}; devices of it that are touched now: {devices}"),
    ("exemption-ending", "{scope} ends {expires}; devices that it covers: {devices}"),
    ("freeze-window", "{scope}, until {ends}"),
    ("frozen", FROZEN),
    ("inventory-grew", "{before} devices in run {run}, {now} now, at most {limit} more"),
    ("inventory-shrank", "{before} devices in run {run}, {now} now, at most {limit} fewer"),
    ("last-run-unreadable", "{scope} cannot be compared with: {why}"),
    ("lease-missing", "no lease"),
    (
        "max-lease",
        "{scope}: lease[ of {leaseSeconds}] longer than {mostSeconds}[; devices that keep the end they had: {devices}]",
    ),
    (
        "orphaned-releases",
        "{scope} is gone and held {devices}[; {kept} more are kept by {keptBy}: renamed?]",
    ),
    ("protected", "protected"),
    (
        "protected-in-force",
        "protected devices ({rule}) that we restrict until their leases end: {devices}; to let go, take them out of the policies' selectors",
    ),
    ("protected-nobody", "{scope}: the selector matches none of {devices} devices"),
    ("protected-unknown", "who is protected is not known: {missing} incomplete"),
    // Its setting is a file: the code is what a lift has to name.
    ("rego", "{code}: {msg}[, and {more} more]"),
    ("rego-failed", "{file} line {line}: {msg}"),
    (
        "released-by-hand",
        "[{by} released][the undoing of run {run} released][{cancelledBy} cancelled] {devices}, last {ended}",
    ),
    ("remaining", "{scope}: {free} of {size} would stay free of restriction, at least {least}"),
    ("rule-conflict", "rules {rule} and {other}[ of priority {priority}] want different verdicts"),
    ("selection-grew", "{scope}: {before} selected in run {run}, {now} now, at most {limit} more"),
    (
        "selection-shrank",
        "{scope}: {before} selected in run {run}, {now} now, at most {limit} fewer",
    ),
    ("self-lockout", "the machine that runs Palisade"),
    (
        "self-lockout-shared",
        "{devices} devices carry {by}, as the machine that runs Palisade does: by that none of them is protected",
    ),
];
