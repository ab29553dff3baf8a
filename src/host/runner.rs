//! Which machine this is: its host names, and the addresses it sends from.
//!
//! Guardrails keep that machine from being isolated. Names come from the operating system and the
//! environment; addresses from asking the routing table, through sockets that send nothing, from
//! where a packet to each kind of network would leave. So bridges and loopback do not show up, and
//! neither does an address that a router puts in place of ours. Must never send anything.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use crate::host::env::Env;

/// Further names and addresses of this machine, between commas: those of a container's host.
const FURTHER: &str = "PALISADE_RUNNER";

/// An address of each kind of network; the documentation's own ones stand for the internet.
const TOWARDS: &[&str] = &[
    "192.0.2.1:9",
    "10.255.255.254:9",
    "172.31.255.254:9",
    "192.168.255.254:9",
    "100.127.255.254:9",
    "[2001:db8::1]:9",
    "[fd00::1]:9",
];

/// Host names and addresses of this machine, as far as it knows them.
#[must_use]
pub fn identity(env: &Env) -> (Vec<String>, Vec<IpAddr>) {
    let mut names: Vec<String> = operating_system().into_iter().collect();
    names.extend(env.get("COMPUTERNAME").map(str::to_owned));
    let mut addresses: Vec<IpAddr> = TOWARDS.iter().filter_map(|to| towards(to)).collect();
    let further = env.get(FURTHER).unwrap_or_default().split(',').map(str::trim);
    for word in further.filter(|word| !word.is_empty()) {
        match word.parse() {
            Ok(address) => addresses.push(address),
            Err(_) => names.push(word.to_owned()),
        }
    }
    (names, addresses)
}

#[cfg(unix)]
fn operating_system() -> Option<String> {
    rustix::system::uname().nodename().to_str().ok().map(str::to_owned)
}

#[cfg(not(unix))]
fn operating_system() -> Option<String> {
    None
}

/// The address from which a packet to `to` would leave. Connecting a datagram socket sends nothing.
fn towards(to: &str) -> Option<IpAddr> {
    let to: SocketAddr = to.parse().ok()?;
    let any: SocketAddr = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }.parse().ok()?;
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(to).ok()?;
    socket.local_addr().ok().map(|own| own.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_knows_its_name_and_what_the_environment_adds() {
        let env = Env::of([
            ("COMPUTERNAME", "BUILD-7"),
            (FURTHER, " node-3.corp.example ,10.1.2.3, , fd00::7"),
        ]);
        let (names, addresses) = identity(&env);
        for name in ["BUILD-7", "node-3.corp.example"] {
            assert!(names.iter().any(|found| found == name), "{names:?}");
        }
        assert!(!names.iter().any(String::is_empty), "{names:?}");
        for address in ["10.1.2.3", "fd00::7"] {
            assert!(addresses.contains(&address.parse().unwrap()), "{addresses:?}");
        }
        #[cfg(unix)]
        assert!(names.len() > 2, "the operating system says a name: {names:?}");
        let loopback = |address: &&IpAddr| address.is_loopback();
        assert_eq!(addresses.iter().find(loopback), None);
    }
}
