//! Antivirus health of one device: versions, and when which scan ended how.
//!
//! Scans count whoever started them, the device's own schedule included. Read by `deviceavinfo`;
//! changed by scan actions that end.

use jiff::Timestamp;

use crate::model::{OsFamily, ScanType};

/// How the last scan of one type ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanRecord {
    /// `Completed`, `Canceled` (one L here), `Failed`; empty when there was none.
    pub result: &'static str,
    /// HRESULT text; empty when fine.
    pub error: &'static str,
    /// When; null if never.
    pub at: Option<Timestamp>,
}

/// One row of antivirus health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvHealth {
    /// `avMode`: a digit as text, or empty.
    pub mode: &'static str,
    /// The last quick scan.
    pub quick: ScanRecord,
    /// The last full scan.
    pub full: ScanRecord,
    /// How many days the signatures are behind.
    pub signatures_behind: u32,
    /// When the row was refreshed.
    pub refreshed: Timestamp,
}

impl AvHealth {
    /// A fresh row for platforms that have the antivirus; none for the others.
    #[must_use]
    pub fn where_supported(platform: &str, at: Timestamp) -> Option<Box<Self>> {
        kind(OsFamily::of_platform(platform))?;
        Some(Box::new(Self {
            mode: "0",
            quick: ScanRecord::default(),
            full: ScanRecord::default(),
            signatures_behind: 0,
            refreshed: at,
        }))
    }

    /// Notes how a scan ended.
    pub fn note(
        &mut self,
        scan: ScanType,
        result: &'static str,
        error: &'static str,
        at: Timestamp,
    ) {
        let record = ScanRecord { result, error, at: Some(at) };
        match scan {
            ScanType::Quick => self.quick = record,
            ScanType::Full => self.full = record,
        }
        self.refreshed = at;
    }
}

/// `osKind`, for platforms that have the antivirus.
#[must_use]
pub const fn kind(family: OsFamily) -> Option<&'static str> {
    match family {
        OsFamily::Windows | OsFamily::WindowsServer => Some("windows"),
        OsFamily::Macos => Some("mac"),
        OsFamily::Linux => Some("linux"),
        OsFamily::Android | OsFamily::Ios | OsFamily::Other => None,
    }
}
