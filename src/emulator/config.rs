//! What an emulated tenant is like: size, seed, applications and the switches for what the
//! documentation leaves open.
//!
//! Each switch names a behaviour that was documented or observed at least once; the defaults are
//! the most common one. Read by every part of the emulator; holds no state.

use jiff::SignedDuration;

/// The configuration of an emulator.
#[derive(Clone, Debug)]
pub struct Config {
    /// Devices in the seeded fleet.
    pub devices: u32,
    /// Everything that looks random follows from this number, the size and the time of the start.
    pub seed: u64,
    /// The Entra tenant's id.
    pub tenant_id: String,
    /// Its verified domains, which sign-in accepts in the id's place.
    pub domains: Vec<String>,
    /// The application that signs in.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Its display name: `requestor` of the actions it starts.
    pub app_name: String,
    /// Its roles, as tokens carry them. Both resources' roles in one list; each token carries the
    /// ones of its audience.
    pub roles: Vec<String>,
    /// Further applications that may sign in.
    pub other_apps: Vec<App>,
    /// How many times faster than real the socket server's clock runs. At least 1.
    pub speed: u32,
    /// The switches.
    pub behaviour: Behaviour,
}

/// An application registered in the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Application (client) id.
    pub client_id: String,
    /// Secret.
    pub client_secret: String,
    /// Display name.
    pub name: String,
    /// Roles.
    pub roles: Vec<String>,
}

impl Config {
    /// Every application, the main one first.
    #[must_use]
    pub fn apps(&self) -> Vec<App> {
        let main = App {
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            name: self.app_name.clone(),
            roles: self.roles.clone(),
        };
        std::iter::once(main).chain(self.other_apps.iter().cloned()).collect()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            devices: 500,
            seed: 1,
            tenant_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            domains: vec!["contoso.onmicrosoft.com".to_owned(), "contoso.example".to_owned()],
            client_id: "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee".to_owned(),
            client_secret: "emulator-secret".to_owned(),
            app_name: "palisade".to_owned(),
            roles: all_roles(),
            other_apps: Vec::new(),
            speed: 1,
            behaviour: Behaviour::default(),
        }
    }
}

/// The roles that the main application has by default: everything the emulator checks.
pub const ALL_ROLES: &[&str] = &[
    "Machine.Read.All",
    "Machine.ReadWrite.All",
    "Machine.Isolate",
    "Machine.RestrictExecution",
    "Machine.Scan",
    "Machine.Offboard",
    "Machine.CollectForensics",
    "Machine.StopAndQuarantine",
    "Alert.Read.All",
    "Alert.ReadWrite.All",
    "Score.Read.All",
    "SecurityAlert.Read.All",
    "SecurityAlert.ReadWrite.All",
    "SecurityIncident.Read.All",
    "SecurityIncident.ReadWrite.All",
];

/// [`ALL_ROLES`], owned.
#[must_use]
pub fn all_roles() -> Vec<String> {
    ALL_ROLES.iter().map(|role| (*role).to_owned()).collect()
}

/// What the documentation leaves open, or contradicts itself on.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// A second request of the same kind while one is active.
    pub conflicts: Conflicts,
    /// Isolating an isolated device leaves an action that stays `Pending` and wins after the next
    /// release (observed).
    pub reisolation_sticks: bool,
    /// An action overtakes the opposite one that is in flight on the same device (observed).
    pub out_of_order: bool,
    /// `scope` of an isolation is null in the answer to its submission (observed).
    pub fresh_scope_is_null: bool,
    /// An empty machine list is answered with 404 (documented).
    pub empty_machines_are_404: bool,
    /// Links to the next page.
    pub next_links: NextLinks,
    /// Machine action reads accept `Machine.ReadWrite.All` only (pages of November 2025).
    pub strict_roles: bool,
    /// Wording of a 403 for a missing role.
    pub forbidden: ForbiddenWording,
    /// A record merged into another one is listed, but answers 404 by its id (observed).
    pub merged_records_are_404: bool,
    /// Rows of a page when the caller names no `$top`.
    pub page_size: usize,
    /// Most rows of a page when the caller names one: a larger `$top` gets no more.
    pub most_rows: usize,
    /// The same for antivirus health.
    pub av_page_size: usize,
    /// The tenant's plan.
    pub plan: Plan,
    /// How long devices and actions stay visible.
    pub retention: SignedDuration,
    /// How long an action waits for its device.
    pub patience: SignedDuration,
    /// How long a second submit gets the existing action back under [`Conflicts::TimeBased`].
    pub conflict_grace: SignedDuration,
    /// Of a thousand actions, how many fail on the device.
    pub failures_per_mille: u32,
    /// How long a token holds.
    pub token_lifetime: SignedDuration,
    /// Whether lists of alerts in Graph link to the next page (observed without, in 2026).
    pub graph_next_links: bool,
    /// Whether the two rate windows are enforced.
    pub enforce_limits: bool,
    /// Whether refused calls count against the windows.
    pub count_refused: bool,
    /// How long actions take.
    pub durations: Durations,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            conflicts: Conflicts::TimeBased,
            reisolation_sticks: false,
            out_of_order: false,
            fresh_scope_is_null: true,
            empty_machines_are_404: false,
            next_links: NextLinks::Sound,
            strict_roles: false,
            forbidden: ForbiddenWording::Newer,
            merged_records_are_404: false,
            page_size: 10_000,
            most_rows: 10_000,
            av_page_size: 20,
            plan: Plan::Two,
            retention: SignedDuration::from_hours(180 * 24),
            patience: SignedDuration::from_hours(72),
            conflict_grace: SignedDuration::from_secs(60),
            failures_per_mille: 0,
            token_lifetime: SignedDuration::from_secs(3_599),
            graph_next_links: true,
            enforce_limits: true,
            count_refused: true,
            durations: Durations::default(),
        }
    }
}

/// How a duplicate submit is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflicts {
    /// 201 with the action that is already active.
    ReturnExisting,
    /// 400 `ActiveRequestAlreadyExists`.
    Reject,
    /// The existing action first, refusal later: which one depends on the time passed.
    TimeBased,
}

/// How pages link to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextLinks {
    /// With filter and offset.
    Sound,
    /// After the first hop the names of the options are gone (observed in 2022).
    Broken,
    /// Never sent (observed in 2026).
    Never,
}

/// The two wordings seen for a missing role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForbiddenWording {
    /// `Missing application roles. API required roles: …`
    Newer,
    /// `The application does not have any of the required application permissions …`
    Older,
}

/// The plan the tenant has bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Plan 1: scan, isolate, stop and quarantine.
    One,
    /// Plan 2: everything.
    Two,
    /// Defender for Business: no stop and quarantine.
    Business,
}

/// Typical time from acceptance to the end of an action; each one deviates by up to 15 %.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are the names of the actions")]
pub struct Durations {
    /// Until the device picks an action up.
    pub pickup: SignedDuration,
    pub isolate: SignedDuration,
    pub unisolate: SignedDuration,
    pub restrict: SignedDuration,
    pub quick_scan: SignedDuration,
    pub full_scan: SignedDuration,
    pub quarantine: SignedDuration,
    pub package: SignedDuration,
    pub offboard: SignedDuration,
}

impl Default for Durations {
    fn default() -> Self {
        Self {
            pickup: SignedDuration::from_secs(8),
            isolate: SignedDuration::from_secs(66),
            unisolate: SignedDuration::from_secs(58),
            restrict: SignedDuration::from_secs(45),
            quick_scan: SignedDuration::from_secs(34),
            full_scan: SignedDuration::from_secs(95),
            quarantine: SignedDuration::from_secs(34),
            package: SignedDuration::from_secs(88),
            offboard: SignedDuration::from_secs(60),
        }
    }
}
