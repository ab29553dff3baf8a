//! One request on its way: budget, token, address, transport, classification.
//!
//! The only place that puts a bearer token into a request, and it does so after the address was
//! found to be the configured origin of the API the token is for.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::SemaphorePermit;

use super::Client;
use super::tokens::Held;
use crate::drive::progress::Event;
use crate::host::http::USER_AGENT;
use crate::host::transport::TransportError;
use crate::wire::answer::{self, Context, Good};
use crate::wire::error::Loss;
use crate::wire::{Api, ApiError, ErrorKind, Operation, Outbound, RateClass, token};

/// How long a class stays closed after a 429 that does not say.
pub(super) const UNSAID: SignedDuration = SignedDuration::from_secs(10);

/// Asked right before a request leaves whether it still may.
pub type Gate<'g> = dyn Fn() -> bool + Send + Sync + 'g;

/// Nothing is in the way of a read.
pub(super) fn open() -> bool {
    true
}

/// A place in the rate windows. Dropped, it counts from then on, since the call has been answered
/// or given up by then; or it is given back when nothing was sent.
struct Place<'a> {
    client: &'a Client,
    class: RateClass,
    sent: bool,
    _permit: Option<SemaphorePermit<'a>>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let now = self.client.now();
        self.client.with_budget(self.class, |budget| {
            if self.sent { budget.finish(now) } else { budget.cancel() }
        });
    }
}

impl Client {
    /// Sends a request once; after a 401 once more with a new token. A 401 says that the request was
    /// not accepted, so that this is safe for every call. The gate is asked each time.
    pub(super) async fn exchange(&self, out: &Outbound, gate: &Gate<'_>) -> Result<Good, ApiError> {
        let (generation, result) = self.attempt(out, gate).await?;
        match result {
            Err(error) if error.kind == ErrorKind::Unauthorized => {
                self.forget(out.operation.api(), generation).await;
                self.attempt(out, gate).await?.1
            }
            result => result,
        }
    }

    /// The outer error: nothing was sent. The inner one: what came back.
    async fn attempt(
        &self,
        out: &Outbound,
        gate: &Gate<'_>,
    ) -> Result<(u64, Result<Good, ApiError>), ApiError> {
        // Before a place is taken: signing in may take its time, and fails without one.
        self.token(out.operation.api()).await?;
        let mut place = self.place(out.operation.class()).await;
        let held = self.token(out.operation.api()).await?;
        let id = self.shared.options.random.guid();
        let request = self.request(out, &held, &id)?;
        // Signing in and the rate windows may have taken minutes.
        if !gate() {
            return Err(ApiError::new(out.operation, ErrorKind::HeldBack));
        }
        place.sent = true;
        let result = self.transmit(out.operation, request).await;
        if matches!(&result, Err(error) if error.kind == ErrorKind::Network(Loss::Unconnected)) {
            place.sent = false;
        }
        drop(place);
        if let Ok(response) = &result
            && out.operation.api() == Api::Defender
            && response.status().is_success()
        {
            self.shared.service_clock.hear(response.headers(), self.now());
        }
        let result = result.and_then(|response| self.classify(out.operation, response, &held));
        let result = result.map_err(|mut error| {
            error.details_mut().request_id = Some(id);
            self.close_windows(out.operation.class(), &error);
            error
        });
        Ok((held.generation, result))
    }

    /// Waits until the rate windows have a place.
    async fn place(&self, class: RateClass) -> Place<'_> {
        let mut told = None;
        loop {
            // Never closed, so there is always a permit to come.
            let permit = self.shared.permits.acquire().await.ok();
            let now = self.now();
            match self.with_budget(class, |budget| budget.start(now)) {
                None | Some(Ok(())) => {
                    return Place { client: self, class, sent: false, _permit: permit };
                }
                Some(Err(until)) => {
                    drop(permit);
                    if told != Some(until) {
                        told = Some(until);
                        tracing::debug!(class = class.phrase(), %until, "rate windows are full");
                        self.tell(&Event::Waiting { class, until });
                    }
                    self.shared.clock.sleep_until(until).await;
                }
            }
        }
    }

    /// The request with its address and its token. The token is added here and nowhere else.
    fn request(&self, out: &Outbound, held: &Held, id: &str) -> Result<Request<Bytes>, ApiError> {
        let address = self.shared.origins.address(out).ok_or_else(|| {
            let link = out.link.as_deref().unwrap_or(&out.path);
            ApiError::new(out.operation, ErrorKind::ForeignOrigin).with_message(link)
        })?;
        let unsound = |_| {
            ApiError::new(out.operation, ErrorKind::Unreadable)
                .with_message("the token cannot be sent as a header")
        };
        let bearer = zeroize::Zeroizing::new(format!("Bearer {}", held.secret.expose()));
        let mut bearer = HeaderValue::from_str(&bearer).map_err(unsound)?;
        bearer.set_sensitive(true);
        let mut request = Request::builder()
            .method(out.method.clone())
            .uri(address.as_str())
            .header(header::AUTHORIZATION, bearer)
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, USER_AGENT)
            .header("client-request-id", id);
        if !out.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request.body(out.body.clone()).map_err(|error| {
            ApiError::new(out.operation, ErrorKind::ForeignOrigin).with_message(&error.to_string())
        })
    }

    /// Hands a request to the transport and says what a failure means.
    pub(super) async fn transmit(
        &self,
        operation: Operation,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, ApiError> {
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let result = self.shared.transport.send(request).await;
        match &result {
            Ok(response) => {
                let status = response.status().as_u16();
                tracing::debug!(%method, path, status, bytes = response.body().len(), "answered");
            }
            Err(error) => tracing::debug!(%method, path, %error, "no answer"),
        }
        result.map_err(|error| {
            let (loss, text) = match error {
                TransportError::Connect(text) => (Loss::Unconnected, text),
                TransportError::Timeout => (Loss::Late, String::new()),
                TransportError::Broken(text) => (Loss::Broken, text),
            };
            ApiError::new(operation, ErrorKind::Network(loss)).with_message(&text)
        })
    }

    fn classify(
        &self,
        operation: Operation,
        response: Response<Bytes>,
        held: &Held,
    ) -> Result<Good, ApiError> {
        let claims = held.claims.as_deref();
        let roles = claims.map(|claims| claims.roles.as_slice());
        let context = Context { operation, roles, now: self.now() };
        answer::classify(response, &context).map_err(|mut error| {
            let scope = self.scope(operation.api());
            if matches!(error.kind, ErrorKind::Forbidden | ErrorKind::RoleMissing(_)) {
                error.details_mut().help = Some(match claims {
                    Some(claims) if !token::audience_fits(&claims.aud, scope) => format!(
                        "the token is for `{}`, but this API wants one for `{scope}`",
                        crate::wire::error::clean(&claims.aud)
                    ),
                    _ => "grant the role to the application, consent again as an administrator, \
                          and sign in anew: a token keeps the roles it was issued with"
                        .to_owned(),
                });
            }
            error
        })
    }

    /// After a 429 nobody sends in that class before the service said so.
    fn close_windows(&self, class: RateClass, error: &ApiError) {
        if error.kind != ErrorKind::Throttled {
            return;
        }
        let wait = error.retry_after.unwrap_or(UNSAID).min(self.shared.options.retry.longest_wait);
        let until = self.now().checked_add(wait).unwrap_or(Timestamp::MAX);
        self.with_budget(class, |budget| budget.block(until));
    }
}
