//! A seeded tenant as the service would send it: pages of JSON in its property order.

use std::fmt::Write;

use crate::Sizes;

pub(crate) const NOW: &str = "2026-11-24T12:00:00Z";
pub(crate) const TENANT: &str = "contoso";
pub(crate) const TENANT_ID: &str = "11111111-2222-3333-4444-555555555555";
/// Rows of a full page.
pub(crate) const PAGE: u32 = 10_000;

/// Bodies of all pages.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    pub(crate) machines: Vec<Vec<u8>>,
    pub(crate) actions: Vec<Vec<u8>>,
    pub(crate) av: Vec<Vec<u8>>,
    pub(crate) alerts: Vec<Vec<u8>>,
}

/// Numbers from a seed and a position: the same whatever was drawn before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64, kind: u64, row: u32) -> Self {
        Self(seed ^ kind.rotate_left(32) ^ u64::from(row).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
    /// The next 64 bits (splitmix64).
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u32
    }
    pub(crate) fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(u32::try_from(words.len()).unwrap()) as usize]
    }
}

/// The id of a device.
pub(crate) fn device_id(seed: u64, row: u32) -> String {
    let mut dice = Dice::new(seed, 1, row);
    format!("{:016x}{:016x}{:08x}", dice.bits(), dice.bits(), dice.bits() as u32)
}

/// Groups of the fleet; a few are large, most are small.
pub(crate) fn group(number: u32) -> String {
    format!("{}-{number:03}", ["EMEA", "APAC", "NA", "LATAM"][number as usize % 4])
}

pub(crate) const GROUPS: u32 = 120;
pub(crate) const TAGS: u32 = 2_000;

impl Bodies {
    pub(crate) fn generate(sizes: Sizes) -> Self {
        let seed = sizes.seed;
        Self {
            machines: pages(sizes.devices, |row, out| machine(seed, row, out)),
            actions: pages(sizes.actions, |row, out| action(sizes, row, out)),
            av: pages(sizes.devices, |row, out| av(seed, row, out)),
            alerts: pages(sizes.alerts, |row, out| alert(sizes, row, out)),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let all = [&self.machines, &self.actions, &self.av, &self.alerts];
        all.into_iter().flatten().map(Vec::len).sum()
    }
}

fn pages(rows: u32, write: impl Fn(u32, &mut String)) -> Vec<Vec<u8>> {
    let page = |start: u32| {
        let mut out = String::from(
            r#"{"@odata.context":"https://api.security.microsoft.com/api/$metadata#Rows","value":["#,
        );
        for row in start..rows.min(start + PAGE) {
            if row > start {
                out.push(',');
            }
            write(row, &mut out);
        }
        out.push_str("]}");
        out.into_bytes()
    };
    (0..rows).step_by(PAGE as usize).map(page).collect()
}

/// A date so many minutes before `NOW`, with a fraction of the length that trimming leaves.
fn date(dice: &mut Dice, minutes: u32) -> String {
    let now: jiff::Timestamp = NOW.parse().unwrap();
    let at = now - jiff::SignedDuration::from_secs(i64::from(minutes) * 60);
    let text = at.strftime("%Y-%m-%dT%H:%M:%S");
    format!("{text}.{:07}Z", dice.below(10_000_000))
}

fn machine(seed: u64, row: u32, out: &mut String) {
    let mut dice = Dice::new(seed, 2, row);
    let dice = &mut dice;
    let platform = dice.of(&[
        "Windows11",
        "Windows11",
        "Windows11",
        "Windows10",
        "WindowsServer2022",
        "WindowsServer2019",
        "macOS",
        "Linux",
        "Ubuntu",
        "iOS",
    ]);
    let (version, build) = [("24H2", 26_100), ("23H2", 22_631), ("22H2", 19_045), ("21H2", 20_348)]
        [dice.below(4) as usize];
    let skewed = dice.below(GROUPS) * dice.below(GROUPS) / GROUPS;
    let group = match dice.below(20) {
        0 => "null".to_owned(),
        _ => format!("\"{}\"", group(skewed)),
    };
    let mut tags = String::new();
    for at in 0..dice.below(4) {
        let comma = if at == 0 { "" } else { "," };
        write!(tags, "{comma}\"tag-{:04}\"", dice.below(TAGS)).unwrap();
    }
    let minutes = match dice.below(20) {
        0 => 10_080 + dice.below(60 * 24 * 60),
        _ => dice.below(2_880),
    };
    let health = if minutes > 10_080 {
        "Inactive"
    } else {
        dice.of(&["Active", "Active", "ImpairedCommunication"])
    };
    let (b, c, d) = (dice.below(64), dice.below(256), dice.below(256));
    let mac = dice.bits() & 0xffff_ffff_ffff;
    let merged = match row.checked_sub(1).filter(|_| dice.below(200) == 0) {
        Some(before) => format!("\"{}\"", device_id(seed, before)),
        None => "null".to_owned(),
    };
    write!(
        out,
        r#"{{"id":"{id}","mergedIntoMachineId":{merged},"isPotentialDuplication":false,"isExcluded":false,"exclusionReason":null,"computerDnsName":"ws-{row:07}.{site}.contoso.example","firstSeen":"{first}","lastSeen":"{last}","osPlatform":"{platform}","osVersion":null,"osProcessor":"x64","version":"{version}","lastIpAddress":"10.{b}.{c}.{d}","lastExternalIpAddress":"203.0.113.{d}","agentVersion":"10.88{agent:02}.{build}.1","osBuild":{build},"healthStatus":"{health}","deviceValue":"{value}","rbacGroupId":{skewed},"rbacGroupName":{group},"riskScore":"{risk}","exposureLevel":"{exposure}","isAadJoined":{joined},"aadDeviceId":null,"machineTags":[{tags}],"defenderAvStatus":"{av}","onboardingStatus":"{onboarding}","osArchitecture":"64-bit","managedBy":"{manager}","managedByStatus":"Unknown","ipAddresses":[{{"ipAddress":"10.{b}.{c}.{d}","macAddress":"{mac:012X}","type":"Ethernet","operationalStatus":"Up"}},{{"ipAddress":"127.0.0.1","macAddress":null,"type":"SoftwareLoopback","operationalStatus":"Up"}}],"vmMetadata":null}}"#,
        id = device_id(seed, row),
        site = dice.of(&["emea", "apac", "na"]),
        first = date(dice, 300_000 + row % 50_000),
        last = date(dice, minutes),
        agent = dice.below(12),
        value = dice.of(&["Normal", "Normal", "Normal", "Normal", "Low", "High"]),
        risk = dice.of(&["None", "None", "Informational", "Low", "Medium", "High"]),
        exposure = dice.of(&["Low", "Low", "Medium", "High"]),
        joined = dice.below(3) > 0,
        av = dice.of(&["Updated", "Updated", "NotUpdated", "Unknown"]),
        onboarding = dice.of(&["Onboarded", "Onboarded", "Onboarded", "Onboarded", "CanBeOnboarded"]),
        manager = dice.of(&["Intune", "Intune", "MicrosoftDefenderForEndpoint", "Unknown"]),
    )
    .unwrap();
}

fn action(sizes: Sizes, row: u32, out: &mut String) {
    let mut dice = Dice::new(sizes.seed, 3, row);
    let dice = &mut dice;
    // Scans are common, containment is rare: about one device in a hundred is in some such state.
    let kind = match dice.below(100) {
        0..=2 => dice.of(&["Isolate", "Unisolate"]),
        3..=4 => dice.of(&["RestrictCodeExecution", "UnrestrictCodeExecution"]),
        5..=14 => dice.of(&["CollectInvestigationPackage", "LiveResponse"]),
        _ => "RunAntiVirusScan",
    };
    let scope = match kind {
        "RunAntiVirusScan" => dice.of(&["\"Quick\"", "\"Full\""]),
        "Isolate" => dice.of(&["\"Full\"", "\"Selective\"", "null"]),
        _ => "null",
    };
    let comment = match dice.below(3) {
        0 => format!(
            "[palisade contoso-soc/isolate-{:03} {:012x}]",
            dice.below(40),
            dice.bits() >> 16
        ),
        _ => format!("case {}", dice.below(9_000)),
    };
    let minutes = dice.below(60 * 24 * 150);
    write!(
        out,
        r#"{{"id":"{:08x}-0000-4000-8000-{:012x}","type":"{kind}","title":null,"requestor":"{requestor}","requestorComment":"{comment}","status":"{status}","machineId":"{device}","computerDnsName":"ws-{of:07}.emea.contoso.example","creationDateTimeUtc":"{created}","lastUpdateDateTimeUtc":"{updated}","cancellationRequestor":null,"cancellationComment":null,"cancellationDateTimeUtc":null,"errorHResult":0,"scope":{scope},"externalId":null,"requestSource":"PublicApi","relatedFileInfo":null,"commands":[],"troubleshootInfo":null}}"#,
        dice.bits() as u32,
        row,
        requestor = dice.of(&["palisade", "soar-bot", "ann@contoso.example", "bob@contoso.example"]),
        status = dice.of(&["Succeeded", "Succeeded", "Succeeded", "Succeeded", "Failed", "TimeOut", "Cancelled"]),
        of = row % sizes.devices.max(1),
        device = device_id(sizes.seed, dice.below(sizes.devices.max(1))),
        created = date(dice, minutes + 2),
        updated = date(dice, minutes),
    )
    .unwrap();
}

fn av(seed: u64, row: u32, out: &mut String) {
    let mut dice = Dice::new(seed, 4, row);
    let dice = &mut dice;
    let quick = dice.below(60 * 24 * 20);
    let full = match dice.below(3) {
        0 => (r#""Completed""#, format!("\"{}\"", date(dice, quick + 5_000))),
        _ => (r#""""#, "null".to_owned()),
    };
    write!(
        out,
        r#"{{"id":"{id}","machineId":"{id}","computerDnsName":"ws-{row:07}.emea.contoso.example","osKind":"windows","osPlatform":"Windows11","osVersion":"10.0.26100.1","avMode":"0","avSignatureVersion":"1.419.{sig}.0","avEngineVersion":"1.1.24090.11","avPlatformVersion":"4.18.24090.11","lastSeenTime":"{seen}","quickScanResult":"Completed","quickScanError":"","quickScanTime":"{quick}","fullScanResult":{result},"fullScanError":"","fullScanTime":{time},"dataRefreshTimestamp":"{seen}","avIsSignatureUpToDate":"True","avIsEngineUpToDate":"True","avIsPlatformUpToDate":"Unknown","rbacGroupName":null,"rbacGroupId":0}}"#,
        id = device_id(seed, row),
        sig = dice.below(400),
        seen = date(dice, 30),
        quick = date(dice, quick),
        result = full.0,
        time = full.1,
    )
    .unwrap();
}

fn alert(sizes: Sizes, row: u32, out: &mut String) {
    let mut dice = Dice::new(sizes.seed, 5, row);
    let dice = &mut dice;
    let (first, second) = (dice.below(sizes.devices.max(1)), dice.below(sizes.devices.max(1)));
    let minutes = dice.below(60 * 24 * 30);
    let title = dice.of(&[
        "Suspicious use of Mimikatz",
        "Ransomware activity",
        "Remote administration tool",
        "Event log was cleared",
        "Anomalous token lookup",
        "Suspicious PowerShell command line",
    ]);
    let evidence = |device: u32| {
        format!(
            r##"{{"@odata.type":"#microsoft.graph.security.deviceEvidence","createdDateTime":"2026-11-20T00:00:00Z","verdict":"suspicious","remediationStatus":"none","roles":["compromised"],"tags":[],"mdeDeviceId":"{}","azureAdDeviceId":null,"deviceDnsName":"ws-{device:07}.emea.contoso.example","osPlatform":"Windows11","osBuild":26100,"healthStatus":"active","riskScore":"high","loggedOnUsers":[{{"accountName":"u","domainName":"d"}}]}}"##,
            device_id(sizes.seed, device)
        )
    };
    write!(
        out,
        r##"{{"id":"da{:018}_{row}","providerAlertId":"da{row}","incidentId":"{incident}","status":"{status}","severity":"{severity}","classification":"{verdict}","determination":"unknown","serviceSource":"microsoftDefenderForEndpoint","detectionSource":"{source}","assignedTo":{who},"title":"{title}","description":"Something was seen on a device that should be looked at.","recommendedActions":"Look at it.","category":"{category}","mitreTechniques":["T1059","T1059.001"],"createdDateTime":"{created}","lastUpdateDateTime":"{created}","comments":[],"evidence":[{one},{{"@odata.type":"#microsoft.graph.security.fileEvidence","createdDateTime":"2026-11-20T00:00:00Z","verdict":"suspicious","detectionStatus":"detected","mdeDeviceId":"{device}","fileDetails":{{"sha1":"{device}","fileName":"x.exe","filePath":"C:\\Temp","fileSize":4711}}}},{two}]}}"##,
        dice.bits() >> 8,
        incident = dice.below(900),
        status = dice.of(&["new", "new", "inProgress", "resolved"]),
        severity = dice.of(&["informational", "low", "medium", "high"]),
        verdict = dice.of(&["unknown", "unknown", "truePositive", "falsePositive"]),
        source = dice.of(&["antivirus", "microsoftDefenderForEndpoint", "customDetection"]),
        who = dice.of(&["null", "\"ann@contoso.example\""]),
        category = dice.of(&["Execution", "CredentialAccess", "Ransomware"]),
        created = date(dice, minutes),
        one = evidence(first),
        two = evidence(second),
        device = device_id(sizes.seed, first),
    )
    .unwrap();
}
