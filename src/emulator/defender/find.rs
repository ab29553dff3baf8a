//! Finding machines by internal address and by tag.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::emulator::dates;
use crate::emulator::defender::body;
use crate::emulator::defender::list::{self, Query};
use crate::emulator::defender::machines::{Row, SCHEMA, SET, Wire};
use crate::emulator::defender::{Answer, Context};
use crate::emulator::error::ApiError;
use crate::emulator::tenant::{Machine, Tenant};

/// How far back an address can be looked up.
const REACH: SignedDuration = SignedDuration::from_hours(30 * 24);

/// GET `/api/machines/findbyip(ip='…',timestamp=…)`: devices with that internal address within 15
/// minutes either side of an instant of the past 30 days.
///
/// # Errors
/// 400 for a bad address or an instant outside.
pub fn by_ip(tenant: &Tenant, context: &Context<'_>, arguments: &str) -> Answer {
    found(tenant, context, arguments, "ip", SignedDuration::from_mins(15), false)
}

/// GET `/api/machines/find(timestamp=…,key=…)`: the older sibling, 16 minutes, 404 for none.
///
/// # Errors
/// 400 for a bad address or an instant outside; 404.
pub fn by_key(tenant: &Tenant, context: &Context<'_>, arguments: &str) -> Answer {
    found(tenant, context, arguments, "key", SignedDuration::from_mins(16), true)
}

fn found(
    tenant: &Tenant,
    context: &Context<'_>,
    arguments: &str,
    key: &str,
    window: SignedDuration,
    none_is_404: bool,
) -> Answer {
    let address = argument(arguments, key).ok_or_else(|| body::missing(key))?;
    let instant = argument(arguments, "timestamp").ok_or_else(|| body::missing("timestamp"))?;
    let ip: IpAddr = address.parse().map_err(|_| {
        ApiError::bad("InvalidIpAddress", format!("'{address}' is not a valid IP address"))
    })?;
    let at = dates::read(&instant).ok_or_else(|| {
        ApiError::bad("InvalidInput", format!("'{instant}' is not a valid timestamp"))
    })?;
    let now = context.now;
    if at > now || now.duration_since(at) > REACH {
        return Err(ApiError::bad("InvalidInput", "The timestamp must be in the past 30 days"));
    }
    let near = |machine: &&Machine| {
        let seen_until = if machine.online { now } else { machine.last_seen(now) };
        let (from, to) = (minus(at, window), plus(at, window));
        machine.first_seen <= to && seen_until >= from && has(machine, ip)
    };
    let value: Vec<Wire<'_>> = tenant
        .machines()
        .iter()
        .filter(near)
        .map(|machine| Wire::of(tenant, machine, now))
        .collect();
    if value.is_empty() && none_is_404 {
        return Err(ApiError::not_found(format!("No machine with IP {address} was found")));
    }
    Ok(list::collection(context, SET, &value, None, None))
}

fn has(machine: &Machine, ip: IpAddr) -> bool {
    let mut interfaces = machine.interfaces.iter();
    !ip.is_loopback()
        && (machine.last_ip == Some(ip) || interfaces.any(|interface| interface.address == ip))
}

fn plus(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

fn minus(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_sub(span).unwrap_or(Timestamp::MIN)
}

/// One argument of `name(a='x',b=y)`, without its quotes.
fn argument(arguments: &str, name: &str) -> Option<String> {
    let inside = arguments.split_once('(')?.1.strip_suffix(')')?;
    let value = inside.split(',').find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })?;
    let bare = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    Some(bare.unwrap_or(value).to_owned())
}

/// GET `/api/machines/findbytag?tag=…&useStartsWithFilter=…`.
///
/// # Errors
/// 400 without a tag.
pub fn by_tag(tenant: &Tenant, context: &Context<'_>) -> Answer {
    let query = Query::read(context, &SCHEMA, None)?;
    let tag = context.call.option("tag").filter(|tag| !tag.is_empty());
    let tag = tag.ok_or_else(|| body::missing("tag"))?;
    let prefix = match context.call.option("useStartsWithFilter") {
        None => false,
        Some(text) if text.eq_ignore_ascii_case("false") => false,
        Some(text) if text.eq_ignore_ascii_case("true") => true,
        Some(text) => {
            let message = format!("'{text}' is not a valid value for 'useStartsWithFilter'");
            return Err(ApiError::bad("InvalidInput", message));
        }
    };
    let wears = |machine: &&Machine| {
        let mut tags = machine.tags.iter();
        tags.any(|held| if prefix { held.starts_with(tag) } else { &**held == tag })
    };
    let now = context.now;
    let rows = tenant.machines().iter().filter(wears).map(|machine| Row { machine, now });
    let behaviour = &tenant.behaviour;
    let page = query.page(behaviour.page_size, behaviour.most_rows, rows);
    let value: Vec<Wire<'_>> =
        page.rows.iter().map(|row| Wire::of(tenant, row.machine, now)).collect();
    let next =
        page.more.then(|| query.next_link(context, behaviour.page_size, behaviour.next_links));
    Ok(list::collection(context, SET, &value, page.total, next.flatten()))
}
