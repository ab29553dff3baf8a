//! What a plan rests on beside policies, workspace and observation: what people said about it, what
//! the last run saw, which machine this is.
//!
//! Gathered by `cli`, read by guardrails. Everything has an empty default: a plan without
//! circumstances is a plan that nobody has said anything about. Must never be gathered in here.

use std::collections::BTreeMap;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::cancel::Pending;
use crate::plan::freeze::Freeze;
use crate::plan::types::Baseline;
use crate::plan::undo::Past;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    /// Objections that somebody lifts.
    pub lifts: Vec<Lift>,
    /// What the last journalled runs saw.
    pub last: LastRun,
    /// The freeze file, when there is one.
    pub freeze: Option<Freeze>,
    /// What the plan is for.
    pub purpose: Purpose,
    /// The machine that runs us, when it is known.
    pub runner: Option<Runner>,
}

/// What a plan is for. Guardrails are the same for all.
#[derive(Clone, Debug, Default)]
pub enum Purpose {
    /// To bring the tenants to what the policies want.
    #[default]
    Policies,
    /// To undo a run.
    Undo(Past),
    /// To cancel actions of ours that are pending.
    Cancel(Pending),
}

/// The machine that runs us, by what a device can be recognised from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Runner {
    names: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl Runner {
    /// Keeps the host parts of names in lower case, and addresses that tell one machine from
    /// another: none that every machine has (loopback, link-local, unspecified, multicast) and none
    /// of the bridge that container engines set up alike everywhere (172.17.0.0/16).
    #[must_use]
    pub fn new(
        names: impl IntoIterator<Item = String>,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Self {
        let host = |name: String| {
            let host = name.trim().split('.').next().unwrap_or_default().to_ascii_lowercase();
            (!host.is_empty() && !EVERYBODY.contains(&host.as_str())).then_some(host)
        };
        let mut names: Vec<String> = names.into_iter().filter_map(host).collect();
        let own = addresses.into_iter().map(|address| address.to_canonical()).filter(tells);
        let mut addresses: Vec<IpAddr> = own.collect();
        names.sort();
        names.dedup();
        addresses.sort();
        addresses.dedup();
        Self { names, addresses }
    }

    /// Host parts of its names, in lower case.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Its addresses.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }
}

/// Names that any machine may have for itself.
const EVERYBODY: &[&str] = &["ip6-localhost", "ip6-loopback", "localhost"];

fn tells(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            !(v4.is_loopback()
                || v4.is_unspecified()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.octets().starts_with(&[172, 17]))
        }
        IpAddr::V6(v6) => {
            !(v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unicast_link_local()
                || v6.is_multicast())
        }
    }
}

impl Circumstances {
    /// Why the objections of this code are lifted, if somebody lifts them.
    #[must_use]
    pub fn lifted(&self, code: &str) -> Option<&str> {
        let lift = self.lifts.iter().find(|lift| lift.code == code)?;
        Some(&lift.because)
    }
}

/// What the last journalled runs saw: the newest that has each tenant and can be read.
#[derive(Clone, Debug, Default)]
pub struct LastRun {
    /// By Entra tenant id.
    pub tenants: BTreeMap<String, LastSeen>,
    /// Runs that are newer and could not be read, with why.
    pub unreadable: BTreeMap<String, String>,
}

/// What one run saw of one tenant.
#[derive(Clone, Debug)]
pub struct LastSeen {
    /// The run.
    pub run: String,
    /// What to compare with.
    pub counts: Baseline,
}

/// One guardrail's objections lifted for one plan: `--lift CODE --because TEXT`. There is none for
/// all of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lift {
    /// The objection's code.
    pub code: String,
    /// Why, in a person's words.
    pub because: String,
}
