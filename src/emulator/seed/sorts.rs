//! Kinds of alerts with their share: titles, categories, techniques, what was run.

use crate::model::Severity;

/// A kind of alert.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sort {
    pub(super) title: &'static str,
    pub(super) category: &'static str,
    pub(super) severity: Severity,
    pub(super) source: &'static str,
    pub(super) mitre: &'static [&'static str],
    pub(super) file: &'static str,
    pub(super) command: &'static str,
    pub(super) threat: Option<&'static str>,
}

const fn sort(
    title: &'static str,
    category: &'static str,
    severity: Severity,
    file: &'static str,
    command: &'static str,
    mitre: &'static [&'static str],
) -> Sort {
    Sort {
        title,
        category,
        severity,
        source: "WindowsDefenderAtp",
        mitre,
        file,
        command,
        threat: None,
    }
}

pub(super) const MIMIKATZ: Sort = Sort {
    source: "WindowsDefenderAv",
    threat: Some("Mimikatz"),
    ..sort(
        "Mimikatz credential theft tool",
        "CredentialAccess",
        Severity::Medium,
        "mimikatz.exe",
        "mimikatz.exe sekurlsa::logonpasswords exit",
        &["T1003", "T1003.001"],
    )
};
pub(super) const RANSOMWARE: Sort = Sort {
    threat: Some("LockFile"),
    ..sort(
        "Ransomware behavior detected in the file system",
        "Ransomware",
        Severity::High,
        "svch0st.exe",
        "svch0st.exe -enc C:\\",
        &["T1486"],
    )
};
pub(super) const SORTS: &[(u64, Sort)] = &[
    (3, MIMIKATZ),
    (2, RANSOMWARE),
    (
        8,
        sort(
            "Suspicious remote administration tool",
            "CommandAndControl",
            Severity::Low,
            "anyhelp.exe",
            "anyhelp.exe --service",
            &["T1219"],
        ),
    ),
    (
        18,
        sort(
            "Suspicious PowerShell command line",
            "Execution",
            Severity::Medium,
            "powershell.exe",
            "powershell.exe -nop -w hidden -enc SQBFAFgA",
            &["T1059.001"],
        ),
    ),
    (
        14,
        sort(
            "Anomalous scheduled task creation",
            "Persistence",
            Severity::Medium,
            "schtasks.exe",
            "schtasks.exe /create /tn upd /sc minute",
            &["T1053.005"],
        ),
    ),
    (
        20,
        Sort {
            source: "WindowsDefenderAv",
            threat: Some("Wacatac"),
            ..sort(
                "'Wacatac' malware was prevented",
                "Malware",
                Severity::Informational,
                "invoice.exe",
                "invoice.exe",
                &[],
            )
        },
    ),
    (
        12,
        sort(
            "Connection to a custom network indicator",
            "SuspiciousActivity",
            Severity::Low,
            "chrome.exe",
            "chrome.exe",
            &["T1071"],
        ),
    ),
    (
        6,
        sort(
            "Possible lateral movement with remote services",
            "LateralMovement",
            Severity::High,
            "psexesvc.exe",
            "psexesvc.exe",
            &["T1021.002", "T1570"],
        ),
    ),
];
