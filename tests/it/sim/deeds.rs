//! What others do in a simulated life: analysts, attack disruption, other tools, devices that come
//! and go, and a service that misbehaves.
//!
//! Lines of the emulator's language; must never look at the product.

use super::alerts::Work;
use super::transition::Draw;

/// What others do.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub(super) device: usize,
    pub(super) what: What,
}

/// What others do to a device.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// The device becomes reachable or unreachable.
    Online(bool),
    /// Its next action fails.
    Fails,
    /// An analyst in the portal.
    Analyst(&'static str),
    /// Microsoft's attack disruption, or another tool: by the API, with another name.
    Disruption(&'static str),
    /// An analyst pastes a comment of ours into the portal, marker and all.
    Forger(&'static str),
    /// An analyst cancels whatever is pending.
    Cancel,
    /// An analyst works on an alert.
    Alert(Work),
}

const VERBS: &[&str] = &[
    "isolate full",
    "isolate full",
    "isolate selective",
    "release",
    "release",
    "restrict",
    "unrestrict",
    "scan quick",
];

impl Deed {
    pub(super) fn draw(draw: &mut Draw) -> Self {
        let verb = draw.pick(VERBS);
        let what = match draw.below(20) {
            0 | 1 => What::Online(false),
            2 => What::Online(true),
            3 | 14 | 15 => What::Fails,
            4..=8 => What::Analyst(verb),
            9 | 10 => What::Disruption(draw.pick(&["isolate full", "restrict", "release"])),
            11 => What::Forger(verb),
            16..=19 => What::Alert(Work::draw(draw)),
            _ => What::Cancel,
        };
        Self { device: draw.below(64), what }
    }

    /// As a line of the emulator's language.
    pub(super) fn line(&self, names: &[String]) -> String {
        let name = &names[self.device % names.len()];
        let analyst = "ana@contoso.example";
        let forged = "x [palisade alpha-soc/p0 0123456789ab until 2027-01-01T00:00Z]";
        match self.what {
            What::Online(true) => format!("online {name}"),
            What::Online(false) => format!("offline {name}"),
            What::Fails => format!("fail {name} 1"),
            What::Analyst(verb) => format!("act {analyst} {verb} {name} comment \"case 9\""),
            What::Disruption(verb) => format!("act Disruption {verb} {name} comment \"attack\""),
            What::Forger(verb) => format!("act {analyst} {verb} {name} comment \"{forged}\""),
            What::Alert(work) => work.line(self.device),
            What::Cancel => format!("act {analyst} cancel {name}"),
        }
    }
}

/// Faults that a bounded number of tries gets over, and a few that stay until it is calm again.
pub(super) const FAULTS: &[&str] = &[
    "429 x2 retry-after 3 on ANY /api/**",
    "429 x2 retry-after 20 on POST /api/machines/*/*",
    "503 x3 every 2 on ANY /api/**",
    "500 after-effect x2 every 2 on POST /api/machines/*/*",
    "500 after-effect nth 2 on POST /api/**",
    "502 html x2 on ANY /**",
    "reset before x2 on ANY /api/**",
    "reset after x2 on POST /api/machines/*/*",
    "reset after x3 every 2 on POST /api/**",
    "hang after on POST /api/machines/*/*",
    "hang before nth 2 on GET /api/machineactions",
    "refuse x2 on ANY /api/**",
    "truncate half x2 on ANY /api/**",
    "body \"not json\" nth 2 on GET /api/machineactions",
    "delay 9s x30 on ANY /api/**",
    "delay 300ms x* on ANY /api/**",
    "lose-rows all on GET /api/machines",
    "lose-rows 2 on GET /api/machineactions",
    "lose-rows all nth 3 on GET /api/machineactions",
    "repeat-rows 2 nth 2 on GET /api/machineactions",
    "503 x* on GET /api/machines",
    "403 x* on GET /api/machineactions",
    "503 x* on GET /api/deviceavinfo",
    "503 x* on POST /api/machines/*/*",
    "reset after x* every 2 on POST /api/machines/*/*",
    "503 html x2 on POST /*/oauth2/v2.0/token",
    // Answers are lost, and then nobody can be asked what became of the requests.
    "reset after x3 on POST /api/machines/*/*\nfault 503 x* nth 3 on GET /api/machineactions",
    "reset after x3 on POST /api/machines/*/*\nfault 503 x* nth 5 on GET /api/machineactions",
    // Graph, where alerts are.
    "reset after x2 on PATCH /v1.0/security/alerts_v2/*",
    "500 after-effect x2 every 2 on ANY /v1.0/security/alerts_v2/**",
    "reset after x2 on POST /v1.0/security/alerts_v2/*/comments",
    "hang after on PATCH /v1.0/security/alerts_v2/*",
    "503 x3 every 2 on ANY /v1.0/**",
    "429 x2 retry-after 20 on PATCH /v1.0/security/alerts_v2/*",
    "503 x* on GET /v1.0/security/alerts_v2",
    "reset after x* every 2 on POST /v1.0/security/alerts_v2/*/comments",
];

/// What the documentation leaves open, one way and the other.
pub(super) const SWITCHES: &[&str] = &[
    "conflicts reject",
    "conflicts return-existing",
    "conflicts time-based",
    "out-of-order on",
    "out-of-order on",
    "out-of-order off",
    "reisolation-sticks on",
    "reisolation-sticks off",
    "fresh-scope-is-null off",
    "failures-per-mille 300",
    "failures-per-mille 0",
    "isolate-takes 20m",
];
