//! Sites, host names, people, applications and comments of the invented company.

use crate::emulator::random::Random;
use crate::emulator::seed::kinds::Place;

/// People who work on cases.
pub(super) const ANALYSTS: &[&str] = &[
    "anna.keller@contoso.example",
    "j.okafor@contoso.example",
    "mei.tanaka@contoso.example",
    "lucia.ferrari@contoso.example",
    "tom.brandt@contoso.example",
];

/// Other applications that act on the tenant. The last one shows up by its id.
pub(super) const APPS: &[&str] = &[
    "Contoso SOAR",
    "nightly-scan-runner",
    "mail-triage-playbook",
    "5c9b6f0e-3a7d-4d52-9f0b-8e1f2a3b4c5d",
];

/// Comments people and applications write.
pub(super) const COMMENTS: &[&str] = &[
    "INC-20417 beaconing to 203.0.113.50",
    "INC-20388 user opened attachment",
    "case 4711: beaconing",
    "requested by help desk, ticket 88120",
    "weekly hygiene",
    "suspicious scheduled task, isolating until reviewed",
    "false alarm, back to normal",
    "playbook run 7f31",
    "per CISO",
    "Überprüfung abgeschlossen",
];

const EMEA: &[&str] = &["lon", "par", "ber", "mad", "ams", "waw", "dub"];
const NA: &[&str] = &["nyc", "chi", "tor", "sea", "dal"];
const LATAM: &[&str] = &["sao", "mex", "bog"];
const APAC: &[&str] = &["sin", "tyo", "syd", "hkg"];
const DATACENTER: &[&str] = &["dc1", "dc2"];
const ROLES: &[&str] = &["sql-prd", "fs", "web-prd", "app-prd", "app-tst", "print", "ci", "mail"];

/// A site of the place and the domain below which its hosts are named.
pub(super) fn site(random: &mut Random, place: Place) -> (&'static str, &'static str) {
    let (sites, domain) = match place {
        Place::EmeaWorkstations | Place::EmeaServers | Place::Roaming | Place::Discovered => {
            (EMEA, "emea.contoso.example")
        }
        Place::NaWorkstations | Place::NaServers => (NA, "na.contoso.example"),
        Place::Latam => (LATAM, "latam.contoso.example"),
        Place::Kiosk => (APAC, "apac.contoso.example"),
        Place::Datacenter => (DATACENTER, "dc.contoso.example"),
    };
    (random.pick(sites).copied().unwrap_or("hq"), domain)
}

/// A host name that no other row has.
pub(super) fn host(random: &mut Random, place: Place, row: u32) -> String {
    let (site, domain) = site(random, place);
    match place {
        Place::EmeaServers | Place::NaServers | Place::Datacenter => {
            let role = random.pick(ROLES).copied().unwrap_or("srv");
            format!("{role}-{row:02}.{site}.{domain}")
        }
        Place::Kiosk => format!("{site}-kiosk-{row:04}.{domain}"),
        Place::Roaming => format!("mobile-{row:05}"),
        Place::Discovered => format!("{site}-dev-{row:05}"),
        _ => format!("{site}-{row:04}.{domain}"),
    }
}

/// Names that break terminals, pages, pipelines and shells of whoever trusts them.
pub(super) const HOSTILE_NAMES: &[&str] = &[
    "bell\u{7}-and-\u{1b}[31mred\u{1b}[0m.emea.contoso.example",
    "<script>alert(1)</script>",
    "::error::not-a-workflow-command",
    "tick`id`$(reboot).emea.contoso.example",
    "line\r\nbreak.emea.contoso.example",
    "\u{202e}elpmaxe.osotnoc",
    "büro-größe-07.emea.contoso.example",
    "=cmd|' /c calc'!A1",
];

/// Titles of the same kind.
pub(super) const HOSTILE_TITLES: &[&str] = &[
    "<img src=x onerror=alert(1)> in a script block",
    "::error file=x::forged annotation",
    "Tool output \u{1b}]0;owned\u{7} in title",
    "`rm -rf` | seen $(in) command line",
];

/// Tags with characters that need care in queries and on screen.
pub(super) const ODD_TAGS: &[&str] = &[
    "London (HQ), floor 3",
    "owner's choice",
    "größe/über",
    "🚀 launch",
    "a&b=c+d%20e",
    "Ring-1",
    " leading and trailing ",
];
