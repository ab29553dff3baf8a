//! Property: the compiled form selects exactly what the interpreter selects.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select as pick;

use super::*;
use crate::policy::selector::interpret::Meaning;
use crate::policy::selector::trigger;

const HOSTS: &[&str] =
    &["", "web-01", "WEB-01.shop.example", "web-02.shop.example", "db", "müller-pc", ".odd"];
const GROUPS: &[&str] = &["", "EMEA", "emea", "APAC-Kiosk"];
const TAGS: &[&str] = &["ir-7781", "IR-7781", "ring-1", "ring-2", "Übung", "", "[x]"];
const PLATFORMS: &[&str] = &["", "Windows11", "windows11", "WindowsServer2019", "Ubuntu", "Plan9"];
const VERSIONS: &[&str] = &["", "24H2", "22H2", "1809"];
const ADDRESSES: &[&str] = &["10.0.0.1", "10.0.7.9", "192.0.2.7", "2001:db8::1", "fe80::1"];
const NETS: &[&str] = &["10.0.0.0/8", "10.0.7.0/24", "192.0.2.7/32", "0.0.0.0/0", "2001:db8::/32"];
const GLOBS: &[&str] =
    &["*", "web-*", "web-0?", "*.example", "db", "ir-*", "RING-1", "24H2", "2*", "[", "*ü*", "?"];
const TITLES: &[&str] = &["", "Mimikatz seen", "Log cleared", "Übung läuft"];
const TECHNIQUES: &[&str] = &["T1059", "T1059.001", "t1003", ""];

fn text_list(texts: &'static [&'static str]) -> impl Strategy<Value = Vec<Arc<str>>> {
    vec(pick(texts).prop_map(Arc::from), 0..3)
}

fn glob_list() -> impl Strategy<Value = Vec<Glob>> {
    vec(pick(GLOBS).prop_map(|text| Glob { text: Arc::from(text) }), 0..3)
}

fn members<T: Clone + std::fmt::Debug + 'static>(
    all: &'static [T],
) -> impl Strategy<Value = Vec<T>> {
    vec(pick(all), 0..3)
}

fn comparisons<T: Copy + std::fmt::Debug + 'static>(
    all: &'static [T],
) -> impl Strategy<Value = Vec<OrderedMatch<T>>> {
    let op = pick(&[Op::Eq, Op::Lt, Op::Le, Op::Gt, Op::Ge][..]);
    vec((op, pick(all)).prop_map(|(op, value)| OrderedMatch { op, value }), 0..3)
}

fn age_list() -> impl Strategy<Value = Vec<AgeMatch>> {
    let op = pick(&[Op::Lt, Op::Le, Op::Gt, Op::Ge][..]);
    vec((op, 0u64..6).prop_map(|(op, days)| AgeMatch { op, age: Span::from_days(days) }), 0..3)
}

fn id_list() -> impl Strategy<Value = Vec<DeviceId>> {
    vec((0u32..14).prop_map(id), 0..3)
}

fn incident_list() -> impl Strategy<Value = Vec<IncidentId>> {
    vec(pick(&["7", "42", "a", "A"][..]).prop_map(IncidentId::from), 0..3)
}

fn sites() -> impl Strategy<Value = Vec<SiteRef>> {
    let tenants = text_list(&["contoso", "CONTOSO", "fabrikam"]);
    let site = (text_list(GROUPS), text_list(TAGS), tenants).prop_map(|(groups, tags, tenants)| {
        SiteRef { path: Arc::from("acme"), groups, tags, tenants }
    });
    vec(site, 0..3)
}

fn os_list() -> impl Strategy<Value = Vec<OsMatch>> {
    vec(
        prop_oneof![
            pick(OsFamily::ALL).prop_map(OsMatch::Family),
            pick(PLATFORMS).prop_map(|text| OsMatch::Platform(Arc::from(text))),
        ],
        0..3,
    )
}

fn device_term() -> BoxedStrategy<DeviceTerm> {
    prop_oneof![
        id_list().prop_map(DeviceTerm::Id),
        glob_list().prop_map(DeviceTerm::Name),
        text_list(GROUPS).prop_map(DeviceTerm::Group),
        sites().prop_map(DeviceTerm::Site),
        prop_oneof![glob_list(), text_list(TAGS).prop_map(as_globs)].prop_map(DeviceTerm::Tag),
        os_list().prop_map(DeviceTerm::Os),
        glob_list().prop_map(DeviceTerm::Version),
        vec(pick(NETS).prop_map(|text| text.parse().unwrap()), 0..3).prop_map(DeviceTerm::Ip),
        members(Health::ALL).prop_map(DeviceTerm::Health),
        comparisons(Risk::ALL).prop_map(DeviceTerm::Risk),
        comparisons(Exposure::ALL).prop_map(DeviceTerm::Exposure),
        comparisons(DeviceValue::ALL).prop_map(DeviceTerm::Value),
        members(Onboarding::ALL).prop_map(DeviceTerm::Onboarding),
        any::<bool>().prop_map(DeviceTerm::Joined),
        text_list(&["", "Intune", "INTUNE", "Unknown"]).prop_map(DeviceTerm::ManagedBy),
        members(AvStatus::ALL).prop_map(DeviceTerm::AvStatus),
        age_list().prop_map(DeviceTerm::Seen),
        incident_list().prop_map(DeviceTerm::Incident),
    ]
    .boxed()
}

fn as_globs(texts: Vec<Arc<str>>) -> Vec<Glob> {
    texts.into_iter().map(|text| Glob { text }).collect()
}

fn alert_term() -> BoxedStrategy<AlertTerm> {
    let titles = vec(pick(&["*mimi*", "LOG *", "", "*", "übung*", "["][..]), 0..3);
    let people = vec(option::of(pick(&["ann", "ANN", "bob", ""][..]).prop_map(Arc::from)), 0..3);
    prop_oneof![
        vec((0u32..6).prop_map(|n| Arc::from(format!("da{n:04}_1"))), 0..3).prop_map(AlertTerm::Id),
        titles.prop_map(|texts| AlertTerm::Title(globs(&texts))),
        comparisons(Severity::ALL).prop_map(AlertTerm::Severity),
        members(AlertStatus::ALL).prop_map(AlertTerm::Status),
        text_list(&["execution", "Malware", ""]).prop_map(AlertTerm::Category),
        text_list(&["antivirus", "edr", ""]).prop_map(AlertTerm::DetectionSource),
        text_list(&["MICROSOFTDEFENDERFORENDPOINT", ""]).prop_map(AlertTerm::ServiceSource),
        members(Classification::ALL).prop_map(AlertTerm::Classification),
        people.prop_map(AlertTerm::AssignedTo),
        text_list(TECHNIQUES).prop_map(AlertTerm::MitreTechnique),
        incident_list().prop_map(AlertTerm::Incident),
        age_list().prop_map(AlertTerm::Created),
    ]
    .boxed()
}

fn device_expr(depth: u32) -> BoxedStrategy<DeviceExpr> {
    let leaf = prop_oneof![
        8 => device_term().prop_map(DeviceExpr::Term),
        1 => Just(DeviceExpr::Everything),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let parts = || vec(device_expr(depth - 1), 0..4);
    prop_oneof![
        3 => leaf,
        2 => parts().prop_map(DeviceExpr::All),
        2 => parts().prop_map(DeviceExpr::Any),
        2 => device_expr(depth - 1).prop_map(|part| DeviceExpr::Not(Box::new(part))),
        1 => alert_expr(depth - 1).prop_map(|part| term(DeviceTerm::Alert(Box::new(part)))),
    ]
    .boxed()
}

fn alert_expr(depth: u32) -> BoxedStrategy<AlertExpr> {
    let leaf = alert_term().prop_map(AlertExpr::Term);
    if depth == 0 {
        return leaf.boxed();
    }
    let parts = || vec(alert_expr(depth - 1), 0..4);
    let on_device =
        device_expr(depth - 1).prop_map(|part| AlertExpr::Term(AlertTerm::Device(Box::new(part))));
    prop_oneof![
        3 => leaf,
        2 => parts().prop_map(AlertExpr::All),
        2 => parts().prop_map(AlertExpr::Any),
        2 => alert_expr(depth - 1).prop_map(|part| AlertExpr::Not(Box::new(part))),
        1 => on_device,
    ]
    .boxed()
}

/// A device as positions in the lists above.
#[derive(Clone, Debug)]
struct Seed {
    number: u32,
    texts: (usize, usize, usize, usize),
    tags: Vec<usize>,
    addresses: Vec<usize>,
    members: (usize, usize, usize, usize, usize, usize),
    joined: bool,
    manager: usize,
    hours: Option<i64>,
    merged: Option<u32>,
}

fn seed() -> impl Strategy<Value = Seed> {
    let texts = (0..HOSTS.len(), 0..GROUPS.len(), 0..PLATFORMS.len(), 0..VERSIONS.len());
    let members = (0usize..6, 0usize..5, 0usize..4, 0usize..3, 0usize..4, 0usize..6);
    let rest = (any::<bool>(), 0usize..3, option::of(-3i64..150), option::weighted(0.1, 0u32..14));
    let lists = (vec(0..TAGS.len(), 0..4), vec(0..ADDRESSES.len(), 0..3));
    (0u32..12, texts, lists, members, rest).prop_map(
        |(number, texts, (tags, addresses), members, (joined, manager, hours, merged))| Seed {
            number,
            texts,
            tags,
            addresses,
            members,
            joined,
            manager,
            hours,
            merged,
        },
    )
}

fn add_device(builder: &mut Builder, seed: &Seed) {
    let (health, risk, exposure, value, onboarding, av) = seed.members;
    let ago = |hours: i64| at(NOW) - jiff::SignedDuration::from_hours(hours);
    builder.device(DeviceRow {
        merged_into: seed.merged.map(id),
        group: GROUPS[seed.texts.1],
        platform: PLATFORMS[seed.texts.2],
        version: VERSIONS[seed.texts.3],
        tags: seed.tags.iter().map(|tag| TAGS[*tag]).collect(),
        ips: seed.addresses.iter().map(|ip| ADDRESSES[*ip].parse().unwrap()).collect(),
        health: Health::ALL[health],
        risk: Risk::ALL[risk],
        exposure: Exposure::ALL[exposure],
        value: DeviceValue::ALL[value],
        onboarding: Onboarding::ALL[onboarding],
        av_status: AvStatus::ALL[av],
        joined: seed.joined,
        managed_by: ["", "Intune", "Unknown"][seed.manager],
        last_seen: seed.hours.map(ago),
        ..device(seed.number, HOSTS[seed.texts.0])
    });
}

type AlertSeed = (u32, usize, Vec<u32>, (usize, usize, usize, usize), (usize, usize, i64));

fn alert_seed() -> impl Strategy<Value = AlertSeed> {
    let members = (0usize..5, 0usize..4, 0usize..4, 0usize..3);
    (0u32..6, 0..TITLES.len(), vec(0u32..14, 0..3), members, (0usize..4, 0usize..4, -3i64..150))
}

fn add_alert(builder: &mut Builder, seed: &AlertSeed) {
    let (number, title, devices, (severity, status, verdict, category), (person, mitre, hours)) =
        seed;
    builder.alert(AlertRow {
        severity: Severity::ALL[*severity],
        status: AlertStatus::ALL[*status],
        classification: Classification::ALL[*verdict],
        category: Arc::from(["", "Execution", "malware"][*category]),
        detection_source: Arc::from(["EDR", "antivirus", ""][*category]),
        assigned_to: [None, Some("Ann"), Some("bob"), None][*person].map(Arc::from),
        mitre: words(&TECHNIQUES[..*mitre]),
        incident: [None, Some("7"), Some("42"), Some("A")][*mitre].map(IncidentId::from),
        created: at(NOW) - jiff::SignedDuration::from_hours(*hours),
        ..alert(*number, TITLES[*title], devices)
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]
    #[test]
    fn compiled_and_interpreted_select_the_same(
        devices in vec(seed(), 0..14),
        alerts in vec(alert_seed(), 0..6),
        exprs in vec(device_expr(3), 1..4),
        on_alerts in alert_expr(3),
    ) {
        let mut builder = builder();
        devices.iter().for_each(|seed| add_device(&mut builder, seed));
        alerts.iter().for_each(|seed| add_alert(&mut builder, seed));
        let inventory = builder.build();
        let now = at(NOW);
        let together = select_all(&inventory, &exprs.iter().collect::<Vec<_>>(), now);
        for (expr, compiled) in exprs.iter().zip(together) {
            let plain: RoaringBitmap = inventory
                .devices()
                .filter(|device| matches_device(&inventory, expr, *device, now))
                .map(|device| device.0)
                .collect();
            prop_assert_eq!(&compiled, &plain, "{:?}", expr);
            prop_assert_eq!(select(&inventory, expr, now), compiled);
            for device in inventory.devices() {
                let tree = explain_device(&inventory, expr, device, now);
                prop_assert_eq!(tree.matched, plain.contains(device.0));
                let terms = matched_terms(&inventory, expr, device, now);
                prop_assert!(terms.is_empty() || plain.contains(device.0), "{:?}", terms);
                let meaning = Meaning::of_devices(&inventory, expr, now);
                let triggers = trigger::triggers(&meaning, expr, device);
                prop_assert_eq!(triggers.is_some(), plain.contains(device.0), "{:?}", expr);
            }
            if is_void(expr) {
                prop_assert!(plain.is_empty(), "{:?}", expr);
            }
        }
        let plain: RoaringBitmap = inventory
            .alerts()
            .iter()
            .zip(0u32..)
            .filter(|(alert, _)| matches_alert(&inventory, &on_alerts, alert, now))
            .map(|(_, at)| at)
            .collect();
        prop_assert_eq!(alerts_matching(&inventory, &on_alerts, now), plain, "{:?}", on_alerts);
    }
}
