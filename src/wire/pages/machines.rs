//! Rows of `/api/machines`.

use std::borrow::Cow;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::de::{IgnoredAny, MapAccess};

use crate::inventory::{Builder, DeviceRow, is_unset};
use crate::model::{AvStatus, DeviceId, DeviceValue, Exposure, Health, Onboarding, Risk};
use crate::wire::pages::lenient::{Field, List, Objects, Row};

/// One machine as it is read.
#[derive(Debug, Default)]
pub(super) struct Machine<'de> {
    wrong: bool,
    id: Option<DeviceId>,
    name: Option<Cow<'de, str>>,
    merged_into: Option<DeviceId>,
    potential_duplicate: bool,
    platform: Option<Cow<'de, str>>,
    version: Option<Cow<'de, str>>,
    os_build: Option<i64>,
    agent_version: Option<Cow<'de, str>>,
    group_id: Option<i64>,
    group: Option<Cow<'de, str>>,
    tags: Vec<Cow<'de, str>>,
    health: Option<Health>,
    risk: Option<Risk>,
    exposure: Option<Exposure>,
    value: Option<DeviceValue>,
    onboarding: Option<Onboarding>,
    av_status: Option<AvStatus>,
    joined: bool,
    managed_by: Option<Cow<'de, str>>,
    first_seen: Option<Timestamp>,
    last_seen: Option<Timestamp>,
    last_address: Option<IpAddr>,
    interfaces: Vec<IpAddr>,
    addresses: Vec<IpAddr>,
}

impl<'de> Row<'de> for Machine<'de> {
    fn reset(&mut self) {
        let Self { mut tags, mut interfaces, mut addresses, .. } = std::mem::take(self);
        tags.clear();
        interfaces.clear();
        addresses.clear();
        *self = Self { tags, interfaces, addresses, ..Self::default() };
    }

    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let wrong = &mut self.wrong;
        /// Reads the value of the key, whatever type is asked for.
        macro_rules! value {
            () => {
                map.next_value::<Field<_>>()?.note(wrong)
            };
        }
        match key {
            "id" => self.id = value!(),
            "mergedIntoMachineId" => self.merged_into = value!(),
            "isPotentialDuplication" => self.potential_duplicate = value!().unwrap_or(false),
            "computerDnsName" => self.name = value!(),
            "firstSeen" => self.first_seen = value!(),
            "lastSeen" => self.last_seen = value!(),
            "osPlatform" => self.platform = value!(),
            "version" => self.version = value!(),
            "lastIpAddress" => {
                let text: Option<Cow<'_, str>> = value!();
                self.last_address = text.and_then(|text| parse_address(&text));
            }
            "agentVersion" => self.agent_version = value!(),
            "osBuild" => self.os_build = value!(),
            "healthStatus" => self.health = value!(),
            "deviceValue" => self.value = value!(),
            "rbacGroupId" => self.group_id = value!(),
            "rbacGroupName" => self.group = value!(),
            "riskScore" => self.risk = value!(),
            "exposureLevel" => self.exposure = value!(),
            "isAadJoined" => self.joined = value!().unwrap_or(false),
            "machineTags" => {
                map.next_value_seed(List(&mut self.tags))?.note(wrong);
            }
            "defenderAvStatus" => self.av_status = value!(),
            "onboardingStatus" => self.onboarding = value!(),
            "managedBy" => self.managed_by = value!(),
            "ipAddresses" => {
                let interfaces = &mut self.interfaces;
                let mut malformed = false;
                let list = map.next_value_seed(Objects {
                    row: &mut Interface::default(),
                    take: |row: Option<&mut Interface>| match row {
                        Some(interface) => interfaces.extend(interface.address.take()),
                        None => malformed = true,
                    },
                })?;
                list.note(wrong);
                self.wrong |= malformed;
            }
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl Machine<'_> {
    /// Hands the row to the builder; none when it is not readable. An unreadable row whose id is
    /// known is noted, so that the device counts as unknown rather than gone.
    pub(super) fn deliver(&mut self, builder: &mut Builder) -> Option<DeviceId> {
        let id = self.id.take().filter(|id| !id.as_bytes().is_empty())?;
        if self.wrong {
            builder.note_named_device(&id);
            return None;
        }
        self.addresses.extend(self.last_address);
        self.addresses.append(&mut self.interfaces);
        let row = DeviceRow {
            id: id.clone(),
            name: self.name.as_deref().unwrap_or_default(),
            merged_into: self.merged_into.take().filter(|id| !id.as_bytes().is_empty()),
            potential_duplicate: self.potential_duplicate,
            platform: self.platform.as_deref().unwrap_or_default(),
            version: self.version.as_deref().unwrap_or_default(),
            os_build: self.os_build,
            agent_version: self.agent_version.as_deref().unwrap_or_default(),
            group_id: self.group_id.unwrap_or_default(),
            group: self.group.as_deref().unwrap_or_default(),
            tags: Vec::new(),
            health: self.health.unwrap_or(Health::Unknown),
            risk: self.risk.unwrap_or(Risk::None),
            exposure: self.exposure.unwrap_or(Exposure::None),
            value: self.value.unwrap_or(DeviceValue::Normal),
            onboarding: self.onboarding.unwrap_or(Onboarding::InsufficientInfo),
            av_status: self.av_status.unwrap_or(AvStatus::Unknown),
            joined: self.joined,
            managed_by: self.managed_by.as_deref().unwrap_or_default(),
            first_seen: self.first_seen.filter(|at| !is_unset(*at)),
            last_seen: self.last_seen.filter(|at| !is_unset(*at)),
            ips: Vec::new(),
        };
        builder.record(&row, self.tags.iter().map(|tag| &**tag), &self.addresses);
        Some(id)
    }
}

/// One entry of `ipAddresses`.
#[derive(Debug, Default)]
struct Interface {
    address: Option<IpAddr>,
}

impl<'de> Row<'de> for Interface {
    fn reset(&mut self) {
        self.address = None;
    }
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if key == "ipAddress" {
            let text: Field<Cow<'de, str>> = map.next_value()?;
            self.address = text.get().and_then(|text| parse_address(&text));
        } else {
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// An address, a zone (`fe80::1%eth0`) left off. What is no address lies in no network.
fn parse_address(text: &str) -> Option<IpAddr> {
    text.split_once('%').map_or(text, |(address, _)| address).parse().ok()
}
