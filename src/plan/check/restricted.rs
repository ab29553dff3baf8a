//! Devices that nothing may restrict without having been named: asked device by device, by the
//! plainest means, of each restrictive change.

use std::net::IpAddr;

use crate::inventory::{Dev, Inventory};
use crate::model::OsFamily;
use crate::plan::circumstances::Runner;

/// So many devices may carry one name or address of the runner before it says nothing.
const FEW: usize = 3;

/// Words that stand alone between hyphens in the name of a domain controller, a number after them.
const WORDS: [&str; 6] = ["dc", "adc", "addc", "bdc", "pdc", "rodc"];

/// Whether tag, group or name show a domain controller.
pub(super) fn domain_controller(inventory: &Inventory, device: Dev) -> bool {
    let letters = |text: &str| -> String {
        text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let tagged = inventory.tags(device).map(letters).any(|tag| {
        matches!(tag.as_str(), "domaincontroller" | "domaincontrollers" | "adc" | "addc" | "rodc")
    });
    let server = inventory.os(device) == OsFamily::WindowsServer;
    tagged
        || letters(inventory.group(device)).contains("domaincontroller")
        || (server && speaks(inventory.name(device)))
}

fn speaks(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let host = lower.split('.').next().unwrap_or_default();
    // With its numbers taken off, a host `lon-dc-01` reads `-lon-dc--`.
    let framed = format!("-{}-", host.replace('_', "-"));
    let alone = |word: &str| {
        framed.match_indices(&format!("-{word}")).any(|(at, found)| {
            let rest = framed.get(at + found.len()..).unwrap_or_default();
            rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('-')
        })
    };
    let bare = host.trim_end_matches(|c: char| c.is_ascii_digit());
    WORDS.into_iter().any(alone) || (bare != host && bare.ends_with("dc"))
}

/// Whether a device is the machine that runs us, by a name or an address that few carry.
pub(super) fn runner(runner: &Runner, inventory: &Inventory, device: Dev) -> bool {
    let host = |device: Dev| {
        let name = inventory.name(device).to_ascii_lowercase();
        name.split('.').next().unwrap_or_default().to_owned()
    };
    let few =
        |same: &dyn Fn(Dev) -> bool| inventory.devices().filter(|it| same(*it)).count() <= FEW;
    let own = host(device);
    let by_name = runner.names().contains(&own) && few(&|other| host(other) == own);
    let by_address = |address: IpAddr| {
        runner.addresses().contains(&address)
            && few(&|other| inventory.ips(other).any(|ip| ip == address))
    };
    by_name || inventory.ips(device).any(by_address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_name_means_the_same_here_and_to_the_guardrail(name in "([a-d]{0,2}(dc|rodc|adc)?[0-9]{0,2}[-_.]?){1,3}") {
            prop_assert_eq!(speaks(&name), crate::plan::guards::names_domain_controller(&name));
        }
    }
}
