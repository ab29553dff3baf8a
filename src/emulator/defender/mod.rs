//! The Defender API under `/api` and `/api/v1.0`: routes, checks in the service's order, handlers.
//!
//! Order of checks: path, token, method, rate windows, roles; then each handler: body, entity,
//! platform and plan, conflict. Paths match without regard to case. Called by `Emulator::handle`
//! for everything that sign-in, control and Graph did not take.

pub mod actions;
pub mod alert_edit;
pub mod alert_evidence;
pub mod alert_words;
pub mod alerts;
pub mod av;
pub mod body;
pub mod edit;
pub mod endpoint;
pub mod find;
pub mod list;
pub mod machines;
pub mod metadata;
pub mod order;
pub mod platform;
pub mod roles;
pub mod scores;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::header::ALLOW;
use http::{HeaderValue, Method, Response, StatusCode};
use jiff::Timestamp;

use crate::emulator::Emulator;
use crate::emulator::call::Call;
use crate::emulator::error::ApiError;
use crate::emulator::signin::{self, Audience, Caller};
use crate::emulator::tenant::Tenant;

use endpoint::Endpoint;

/// One call that passed the checks every call has to pass.
#[derive(Debug)]
pub struct Context<'a> {
    /// The request.
    pub call: &'a Call<'a>,
    /// Who calls.
    pub caller: &'a Caller,
    /// When.
    pub now: Timestamp,
}

impl Context<'_> {
    /// `@odata.context` for an entity set or type, with the host that was called.
    #[must_use]
    pub fn metadata(&self, fragment: &str) -> String {
        format!("{}/api/$metadata#{fragment}", self.call.origin)
    }
}

/// What a handler answers.
pub type Answer = Result<Response<Bytes>, ApiError>;

/// Answers everything that no other router took.
pub fn route(emulator: &mut Emulator, call: &Call<'_>, now: Timestamp) -> Response<Bytes> {
    let Some(endpoint) = Endpoint::of(&call.path) else {
        let message =
            format!("No resource was found that matches the request URI '{}'", call.raw_path);
        let error = ApiError::new(StatusCode::NOT_FOUND, "NotFound", message);
        return error.into_response(emulator.tenant.guid());
    };
    let caller = match signin::authorize(emulator, call.headers, Audience::Defender, now) {
        Ok(caller) => caller,
        Err(response) => return response,
    };
    if let Err(response) = check_method(&endpoint, call) {
        return response;
    }
    if let Err(response) = emulator.limits.admit(&caller, call, now) {
        return response;
    }
    let tenant = &mut emulator.tenant;
    let checked = roles::check(&endpoint, call.method, &caller, &tenant.behaviour);
    let context = Context { call, caller: &caller, now };
    let answer = checked.and_then(|()| handle(tenant, &endpoint, &context));
    answer.unwrap_or_else(|error| error.into_response(tenant.guid()))
}

#[expect(clippy::result_large_err, reason = "the error is the response itself")]
fn check_method(endpoint: &Endpoint, call: &Call<'_>) -> Result<(), Response<Bytes>> {
    let allowed = endpoint.methods();
    if allowed.contains(&call.method.as_str()) {
        return Ok(());
    }
    let message = format!("The requested resource does not support http method '{}'.", call.method);
    let error = ApiError { status: StatusCode::METHOD_NOT_ALLOWED, code: "", message };
    let mut response = error.into_response(crate::emulator::random::Guid([0; 16]));
    if let Ok(value) = HeaderValue::from_str(&allowed.join(", ")) {
        response.headers_mut().insert(ALLOW, value);
    }
    Err(response)
}

fn handle(tenant: &mut Tenant, endpoint: &Endpoint, context: &Context<'_>) -> Answer {
    let writes = context.call.method != Method::GET;
    match endpoint {
        Endpoint::Machines => machines::list(tenant, context),
        Endpoint::Machine(id) if writes => edit::patch(tenant, context, id),
        Endpoint::Machine(id) => machines::get(tenant, context, id),
        Endpoint::Order(id, what) => order::submit(tenant, context, id, *what),
        Endpoint::FindByIp(arguments) => find::by_ip(tenant, context, arguments),
        Endpoint::FindByKey(arguments) => find::by_key(tenant, context, arguments),
        Endpoint::FindByTag => find::by_tag(tenant, context),
        Endpoint::Tags(id) => edit::tag(tenant, context, id),
        Endpoint::TagsOfMany => edit::tag_many(tenant, context),
        Endpoint::Value(id) => edit::set_value(tenant, context, id),
        Endpoint::MachineAlerts(id, count) => alerts::of_machine(tenant, context, id, *count),
        Endpoint::Alerts => alerts::list(tenant, context),
        Endpoint::Alert(id) if writes => alert_edit::patch(tenant, context, id),
        Endpoint::Alert(id) => alerts::get(tenant, context, id),
        Endpoint::AlertMachine(id) => alerts::machine(tenant, context, id),
        Endpoint::AlertBatch => alert_edit::batch(tenant, context),
        Endpoint::AvHealth => av::list(tenant, context),
        Endpoint::Exposure => scores::exposure(tenant, context),
        Endpoint::ExposureByGroup => scores::by_group(tenant, context),
        Endpoint::Configuration => scores::configuration(tenant, context),
        Endpoint::Metadata => Ok(metadata::get()),
        Endpoint::Actions => actions::list(tenant, context),
        Endpoint::Action(id) => actions::get(tenant, context, id),
        Endpoint::Cancel(id) => actions::cancel(tenant, context, id),
        Endpoint::PackageUri(id) => actions::package_uri(tenant, context, id),
    }
}
