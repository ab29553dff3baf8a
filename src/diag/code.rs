//! The one table of codes: word, severity, title, help.
//!
//! A code is a promise: people silence, count and search for it, so it is never renamed. Every code
//! has a fixture of the same name under `tests/fixtures/policy`, and `docs/codes.md` is made from
//! this table by `diag::page`.

use crate::diag::Severity;

macro_rules! codes {
    ($($variant:ident $severity:ident $word:literal $title:literal $help:literal)+) => {
        /// What kind of problem a finding is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the table's titles say what each means")]
        pub enum Code { $($variant),+ }

        impl Code {
            /// Every code, in the table's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The kebab-case word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
            /// How bad.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }
            /// One sentence about the problem, without a full stop.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
            /// What to do about it.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help),+ }
            }
        }
    };
}

codes! {
    FileTooLarge Error "file-too-large"
        "a file is larger than 4 MiB"
        "split the file; selectors by tag or group need no long lists of devices"
    YamlSyntax Error "yaml-syntax"
        "the text is not YAML"
        "check quotes, brackets and indentation around the place shown; later documents of the file were read"
    YamlTab Error "yaml-tab"
        "a line is indented with a tab"
        "indent with spaces: YAML does not allow tabs there"
    YamlAlias Error "yaml-alias"
        "an anchor, alias or merge key is used"
        "write the value out: anchors and aliases make a policy say more than a reviewer sees"
    YamlTag Error "yaml-tag"
        "a value carries a YAML tag"
        "remove the tag; put text in quotes where it would be read as something else"
    YamlKey Error "yaml-key"
        "a key is not plain text"
        "write the key as one word before a colon"
    YamlDepth Error "yaml-depth"
        "values are nested too deeply"
        "a policy needs a handful of levels; write the selector flatter"
    DuplicateKey Error "duplicate-key"
        "a key stands twice in one mapping"
        "keep one of the two; for alternatives give the key a list"
    AmbiguousWord Error "ambiguous-word"
        "a bare `yes`, `no`, `on` or `off`"
        "write `true` or `false`, or put the word in quotes: programs read it as either"
    LeadingZero Error "leading-zero"
        "a bare number with a leading zero"
        "drop the zero, or put the text in quotes: some programs read it as octal"
    TooManyFindings Error "too-many-findings"
        "a file has so many problems that the rest is not shown"
        "repair the first ones and validate again"
    UnknownKey Error "unknown-key"
        "a key that the document does not have"
        "remove the key or correct its spelling"
    MissingKey Error "missing-key"
        "a required key is missing"
        "add the key"
    WrongType Error "wrong-type"
        "a value of the wrong type"
        "write a value of the type named in the message"
    UnknownValue Error "unknown-value"
        "a word that is not one of those allowed here"
        "use one of the allowed words"
    OutOfRange Error "out-of-range"
        "a number or text beyond its limits"
        "stay within the limits named in the message"
    UnknownApiVersion Error "unknown-api-version"
        "an `apiVersion` that this program does not read"
        "write `apiVersion: palisade/v1`"
    UnknownKind Error "unknown-kind"
        "a `kind` that this program does not know"
        "use one of the kinds named in the message"
    BadName Error "bad-name"
        "a name with characters that names do not have"
        "names are 1 to 63 lower-case letters, digits, `-`, `.` or `_` and start with a letter or digit"
    DuplicateName Error "duplicate-name"
        "two documents of one kind have the same name"
        "rename one of them: names are unique per kind in the whole workspace"
    EmptyList Error "empty-list"
        "a list without members"
        "add a member or remove the key: an empty list never means everything"
    EmptyText Error "empty-text"
        "a text without characters"
        "write the text or remove the key"
    EmptySelector Error "empty-selector"
        "a selector without terms"
        "name at least one term; for every device write `everything: true`"
    EmptyVerdict Error "empty-verdict"
        "an alert rule that sets nothing"
        "give `set` at least one of `status`, `classification`, `determination`, `assignedTo` or `comment`"
    EverythingShorthand Error "everything-shorthand"
        "every device, written as a shorthand"
        "write `everything: true`: a selector of the whole fleet has one spelling that reviewers can search for"
    EverythingWithTerms Warning "everything-with-terms"
        "`everything: true` beside other terms"
        "remove `everything`: the other terms already decide"
    GroupPattern Warning "group-pattern"
        "a device group with `*` or `?` in its name"
        "device groups are compared whole: name each; `tag` and `name` take patterns"
    NotOrdered Error "not-ordered"
        "a comparison on a field that has no order"
        "name the words themselves, as one value or a list"
    BadGlob Error "bad-glob"
        "a pattern that cannot be read"
        "use `*`, `?` and `[…]`; close every bracket"
    BadCidr Error "bad-cidr"
        "an address or network that cannot be read"
        "write an address (`10.1.2.3`) or a network (`10.1.0.0/16`, `2001:db8::/32`)"
    BadCron Error "bad-cron"
        "a cron expression that cannot be read"
        "write five fields: minute, hour, day of month, month, day of week, such as `0 20 * * SAT`"
    BadDuration Error "bad-duration"
        "a length of time that cannot be read"
        "write numbers with units from long to short: `72h`, `30d`, `1d12h`, `90m`"
    BadTimeZone Error "bad-time-zone"
        "a time zone that does not exist"
        "use an IANA name such as `Europe/Berlin`, or `UTC`"
    BadTimestamp Error "bad-timestamp"
        "an instant that cannot be read"
        "write date, time and offset: `2026-12-01T06:00:00Z`"
    BadPercentage Error "bad-percentage"
        "a share that cannot be read"
        "write `5%` or `2.5%`, from 0 to 100 with at most two decimals"
    CapWithoutEffect Error "cap-without-effect"
        "a cap that cannot count what its verb does"
        "remove it: a limit that never holds anything looks like one that guards"
    BadIncidentId Error "bad-incident-id"
        "an incident id that is not a number"
        "incident ids are digits, as in the portal's address"
    BadTechnique Error "bad-technique"
        "a MITRE technique that cannot be read"
        "write `T1059` or `T1059.001`"
    Contradiction Error "contradiction"
        "selector terms that can never hold together"
        "terms of one mapping must all hold; for alternatives use a list or `any`"
    DeterminationMismatch Error "determination-mismatch"
        "a determination that does not fit its classification"
        "use one of the determinations named in the message"
    MissingLease Error "missing-lease"
        "a restrictive policy without an end"
        "add `lease: 72h` or `until: …`, or a `defaults.lease` to the workspace"
    LeaseAndUntil Error "lease-and-until"
        "both `lease` and `until`"
        "keep one: `lease` counts from each device's start, `until` is one instant for all"
    LeaseTooLong Error "lease-too-long"
        "a lease beyond the longest one allowed"
        "shorten it; a posture that must last is renewed by review"
    UntilPast Error "until-past"
        "`until` has passed"
        "set a later instant, or remove the policy"
    MissingSchedule Error "missing-schedule"
        "a scan schedule without `schedule` or `every`"
        "add `schedule: \"0 20 * * SAT\"` or `every: 7d`"
    ScheduleAndEvery Error "schedule-and-every"
        "both `schedule` and `every`"
        "keep one of the two"
    SpreadOverWindow Error "spread-over-window"
        "the spread does not fit into the window"
        "make `spread` shorter than `window`: the last devices would start after it has closed"
    WindowOverInterval Warning "window-over-interval"
        "the window is longer than the time between two ticks"
        "shorten `window`: a new tick comes while the last window is still open"
    EmptyWave Error "empty-wave"
        "a wave without members"
        "give the wave a number or share above zero, or remove it"
    WavesOverWhole Error "waves-over-whole"
        "the waves are more than the whole"
        "shares are of all changes of the policy, not cumulative; what they leave is the last wave"
    WavesDecrease Warning "waves-decrease"
        "a wave is smaller than the one before"
        "put smaller waves first: few devices show a mistake before many have it"
    BakeTooLong Error "bake-too-long"
        "a rollout bakes for too long"
        "shorten `bake` or use fewer waves: the first devices would be let go before the last are taken"
    RolloutAtOnce Warning "rollout-at-once"
        "a bake or pause between waves, and only one wave"
        "remove it, or make the first wave smaller"
    ExemptionExpired Warning "exemption-expired"
        "an exemption that has ended"
        "remove it, or have it approved again with a later `expires`"
    ExemptionExpiresSoon Warning "exemption-expires-soon"
        "an exemption that ends within 14 days"
        "have it approved again in time, or let it end"
    AcceptedNotExempt Error "accepted-not-exempt"
        "an accepted value of an aspect that the exemption does not cover"
        "add the aspect to `facets`, or remove its accepted value"
    PlatformUnsupported Warning "platform-unsupported"
        "a policy that selects only platforms without support for it"
        "select devices on which the service can do it; others end as `cannot`"
    RegoInvalid Error "rego-invalid"
        "a rule in Rego that cannot be evaluated"
        "correct the rule; it may use the plan (`input`), the workspace (`data.workspace`) and no built-in that reads anything else"
    RegoNoRule Warning "rego-no-rule"
        "a Rego package that never says anything"
        "add a set `deny` or `warn`, or use the package in another one that has one"
    RuleOverlap Warning "rule-overlap"
        "two alert rules of equal priority can meet with different verdicts"
        "give one of them a lower `priority` number so that it goes first"
    LongComment Warning "long-comment"
        "a comment that will be cut"
        "keep comments within 280 characters: the marker that shows ownership needs the rest"
    ReservedComment Error "reserved-comment"
        "a comment that begins as one of Palisade's own does"
        "begin it in another way: later plans would read it as what a lease's end or an undoing says"
    UnknownSite Error "unknown-site"
        "a site that the workspace does not have"
        "use a site of `palisade.yaml`, or add it there"
    SiteUnresolved Warning "site-unresolved"
        "a site without a workspace to look it up in"
        "validate inside a workspace: until then the term matches nothing"
    UnknownTenant Error "unknown-tenant"
        "a tenant that the workspace does not have"
        "use the `name` of one of the workspace's tenants"
    DuplicateTenant Error "duplicate-tenant"
        "two tenants with the same name or id"
        "keep one of them"
    BadTenantId Error "bad-tenant-id"
        "a tenant id that is not a GUID"
        "copy the directory (tenant) id from the Entra admin centre"
    BadUrl Error "bad-url"
        "an address that cannot be used"
        "write scheme and host only, such as `https://api.security.microsoft.com`"
    InsecureEndpoint Error "insecure-endpoint"
        "plain `http` to another machine"
        "use `https`; `http` is accepted for loopback hosts only"
    SecretInFile Error "secret-in-file"
        "a secret stands in the workspace file"
        "remove it and renew the secret: it has been readable; secrets come from the environment"
    UnknownVerb Error "unknown-verb"
        "a guardrail for a verb that does not exist"
        "use one of the verbs named in the message"
    BadPath Error "bad-path"
        "a path that leaves the workspace"
        "write a relative path with `/` and without `..`"
}

impl Code {
    /// The code with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.word() == word)
    }

    /// Whether the line must not be shown: it holds a secret.
    #[must_use]
    pub const fn hides_source(self) -> bool {
        matches!(self, Self::SecretInFile)
    }
}
