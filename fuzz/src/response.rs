//! Answers of the service: pages, single entities, errors, tokens. The first line says which; the
//! rest is the body.

use bytes::Bytes;
use http::Response;
use palisade::inventory::{Builder, Inventory, What};
use palisade::model::WorkspaceId;
use palisade::report::escape;
use palisade::wire::answer::{self, Context};
use palisade::wire::pages::{self, PageEnd};
use palisade::wire::{Api, Operation, token};

use super::made;

/// Reads the body as what the first line names; without a name as everything.
pub fn run(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (name, body) = data.split_at(at);
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    match name {
        b"machines" => machines(body),
        b"actions" => actions(body),
        b"alerts" => alerts(body),
        b"av" => av(body),
        b"entity" => entity(body),
        b"error" => error(body),
        b"token" => tokens(body),
        _ => [machines, actions, alerts, av, entity, error, tokens]
            .iter()
            .for_each(|read| read(data)),
    }
}

fn builder() -> Builder {
    Builder::new("contoso", "11111111-2222-3333-4444-555555555555", made::now())
}

/// Rows that could not be read are counted, and what lacks rows is never called complete.
fn built(builder: Builder, end: Option<&PageEnd>, what: What) -> Inventory {
    let inventory = builder.build();
    if let Some(end) = end {
        assert!(end.bad <= end.rows, "{end:?}");
        assert_eq!(end.missing(what).is_some(), end.bad > 0);
    }
    for device in inventory.devices() {
        let id = inventory.id(device);
        assert_eq!(inventory.find(&id), Some(device));
        let ours = WorkspaceId::from("contoso-soc");
        let _ = palisade::inventory::readings::isolation(&inventory, device, &ours);
        let _ = palisade::inventory::readings::restriction(&inventory, device, &ours);
        let name = escape::name(inventory.name(device), 48);
        assert!(!name.chars().any(escape::is_hidden), "{name:?}");
    }
    inventory
}

fn machines(body: &[u8]) {
    let mut builder = builder();
    let end = pages::machines(body, &mut builder).ok();
    let inventory = built(builder, end.as_ref(), What::Devices);
    if let Some(end) = end {
        assert!(inventory.len() <= end.rows);
        assert_eq!(inventory.is_partial(What::Devices), end.bad > 0);
    }
}

fn actions(body: &[u8]) {
    let mut rows = Vec::new();
    let end = pages::actions(body, &mut rows).ok();
    assert_eq!(rows.len(), end.as_ref().map_or(0, |end| end.rows - end.bad));
    let mut builder = builder();
    rows.into_iter().for_each(|row| builder.action(row));
    built(builder, end.as_ref(), What::Actions);
}

fn alerts(body: &[u8]) {
    let mut rows = Vec::new();
    let end = pages::alerts(body, &mut rows).ok();
    assert_eq!(rows.len(), end.as_ref().map_or(0, |end| end.rows - end.bad));
    let mut builder = builder();
    rows.into_iter().for_each(|row| builder.alert(row));
    built(builder, end.as_ref(), What::Alerts);
}

fn av(body: &[u8]) {
    let mut builder = builder();
    let end = pages::av(body, &mut builder).ok();
    built(builder, end.as_ref(), What::AvHealth);
}

fn entity(body: &[u8]) {
    let mut builder = builder();
    let read = pages::machine(body, &mut builder);
    let inventory = builder.build();
    assert!(inventory.len() <= 1);
    if let Ok(id) = read {
        assert!(inventory.find(&id).is_some() || inventory.is_empty());
    }
    let _ = pages::action(body);
    let _ = pages::alert(body);
    let _ = pages::alert_comments(body);
}

/// No text of the service reaches a terminal as it came, and none is without end.
fn error(body: &[u8]) {
    for status in [400_u16, 401, 403, 404, 409, 429, 500, 503] {
        let response = Response::builder().status(status).body(Bytes::copy_from_slice(body));
        let Ok(response) = response else { continue };
        let context = Context { operation: Operation::Isolate, roles: None, now: made::now() };
        match answer::classify(response, &context) {
            Ok(good) => panic!("{status} is good: {good:?}"),
            Err(error) => {
                let text = error.to_string();
                assert!(!text.chars().any(char::is_control), "{text:?}");
                assert!(text.chars().count() < 4_000, "{} characters", text.chars().count());
            }
        }
    }
}

/// A token is taken or refused; its claims are read whatever they hold.
fn tokens(body: &[u8]) {
    let body = Bytes::copy_from_slice(body);
    if let Ok(issued) = token::read(Api::Defender, &body, None) {
        assert!(!issued.lasts.is_negative());
        assert!(!format!("{issued:?}").contains(issued.token.as_str()) || issued.token.len() < 8);
        let _ = token::claims(&issued.token);
    }
    let refused = Response::builder().status(400).body(body.clone());
    let context =
        Context { operation: Operation::SignIn(Api::Defender), roles: None, now: made::now() };
    let refusal = refused.ok().and_then(|refused| answer::classify(refused, &context).err());
    if let Some(refusal) = refusal {
        let error = token::read(Api::Defender, &body, Some(refusal));
        let text = error.map_or_else(|error| error.to_string(), |_| String::new());
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
    if let Ok(text) = std::str::from_utf8(&body) {
        let _ = token::claims(text);
    }
}
