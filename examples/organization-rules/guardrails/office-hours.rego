# No server is isolated or restricted outside office hours, and changes of many devices at once are
# pointed out. `palisade plan` runs every file of `guardrails/` over each tenant's draft plan:
#
#   input            the plan as `palisade plan --format json` shows it, before guardrails, and `now`
#   data.workspace   `id` and `tenants` of `palisade.yaml`
#
# `deny` holds the changes it names (all, when it names none), `warn` only says so. Each entry is a text
# or an object with `msg` and, as far as they are needed, `code`, `changes`, `verb` and `setting`.
package office_hours

restrictive := {"isolate", "restrict", "quarantine", "offboard"}

# `now` is RFC 3339 in UTC, so that its hour stands at a fixed place and compares as text.
hour := substring(input.now, 11, 2)

is_open if {
	hour >= "07"
	hour < "17"
}

deny contains {
	"code": "office-hours",
	"msg": sprintf("servers are left alone outside 07:00-17:00 UTC: %s", [change.target.name]),
	"changes": [change.id],
} if {
	not is_open
	some change in input.changes
	change.verb in restrictive
	startswith(change.target.group, "Servers")
}

warn contains {
	"code": "many-devices",
	"msg": sprintf("%d devices are restricted at once: has the service desk been told?", [count(taken)]),
} if {
	taken := {change.target.id | some change in input.changes; change.verb in restrictive}
	count(taken) > 5
}
