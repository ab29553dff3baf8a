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
    use crate::plan::tests::fleet::{Fleet, Machine};
    use proptest::prelude::*;

    #[test]
    fn tag_group_and_the_name_of_a_server_show_a_domain_controller() {
        let server = |name: &str| Machine::new(name).platform("WindowsServer2022");
        for (machine, expected) in [
            (Machine::new("pc-1"), false),
            (Machine::new("pc-1").tag("x").tag("Domain Controller"), true),
            (Machine::new("pc-1").tag("datacenter"), false),
            (Machine::new("pc-1").group("EMEA Domain-Controllers"), true),
            (Machine::new("dc01"), false),
            (server("web01"), false),
            (server("dc01"), true),
        ] {
            let inventory = Fleet::of([machine.clone()]).build();
            let device = inventory.find(&machine.id()).unwrap();
            assert_eq!(domain_controller(&inventory, device), expected, "{machine:?}");
        }
    }

    #[test]
    fn a_name_or_an_address_of_few_is_the_runners() {
        let site = |own: usize, others: usize| {
            let with = |(number, address): (usize, &str)| {
                let mut machine = Machine::new(&format!("pc-{number}"));
                machine.ips = vec![address.parse().unwrap()];
                machine
            };
            let own = std::iter::repeat_n("10.0.0.1", own);
            let all = own.chain(std::iter::repeat_n("10.0.0.2", others)).enumerate();
            let machines: Vec<Machine> = all.map(with).collect();
            let first = machines[0].id();
            let inventory = Fleet::of(machines).build();
            let device = inventory.find(&first).unwrap();
            let by = |names: &[&str], addresses: &[&str]| {
                let names = names.iter().map(|name| (*name).to_owned());
                let addresses = addresses.iter().map(|text| text.parse().unwrap());
                runner(&Runner::new(names, addresses), &inventory, device)
            };
            (by(&[], &["10.0.0.1"]), by(&["pc-0"], &[]), by(&["pc-1"], &["10.0.0.9"]))
        };
        assert_eq!(site(3, 5), (true, true, false));
        assert_eq!(site(4, 1), (false, true, false));
    }

    proptest! {
        #[test]
        fn a_name_means_the_same_here_and_to_the_guardrail(name in "([a-d]{0,2}(dc|rodc|adc)?[0-9]{0,2}[-_.]?){1,3}") {
            prop_assert_eq!(speaks(&name), crate::plan::guards::names_domain_controller(&name));
        }
    }
}
