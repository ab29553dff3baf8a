//! A fake Defender tenant: request in, response out, the clock by argument.
//!
//! Third-party clients of the real API must work against it unmodified, so it is written from the
//! documented facts of the service and never from what our own client sends. One function,
//! [`Emulator::handle`], takes a request to its reply; `transport` calls it in process under a clock
//! moved by hand, `serve` behind a loopback socket. It must never import `policy`, `plan`, `apply`
//! or `wire`: a wrong idea there must not be mirrored here.

pub mod call;
pub mod config;
pub mod control;
pub mod dates;
pub mod defender;
pub mod error;
pub mod faults;
pub mod glob;
pub mod graph;
pub mod limits;
pub mod log;
pub mod odata;
pub mod random;
pub mod scenario;
pub mod seed;
pub mod serve;
pub mod signin;
pub mod tenant;
pub mod transport;

use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};

pub use config::{App, Behaviour, Config};
pub use log::Logged;
pub use tenant::Tenant;

use call::Call;

/// One tenant and everything that answers for it.
#[derive(Debug)]
pub struct Emulator {
    pub(crate) config: Config,
    /// The configuration of the start, for a reset.
    pub(crate) initial: Config,
    pub(crate) tenant: Tenant,
    pub(crate) faults: faults::Faults,
    pub(crate) limits: limits::Limits,
    pub(crate) log: log::Log,
    /// Ids of sign-ins and of Graph's answers, apart from the tenant's own.
    pub(crate) ids: random::Random,
    pub(crate) timeline: scenario::Timeline,
    pub(crate) control: control::Control,
}

/// What goes back to the caller, and how it travels.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The response.
    pub response: Response<Bytes>,
    /// How long the answer is held back.
    pub delay: SignedDuration,
    /// How the connection fails, when it does.
    pub cut: Option<Cut>,
}

/// A connection that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Never made: refused before anything was read. Behind a socket it is like `Dropped`.
    Refused,
    /// Closed before a byte of the response was sent.
    Dropped,
    /// Left open without an answer, until the caller loses patience.
    Hung,
    /// The response's body ends after that many bytes, before its announced length.
    Truncated(usize),
}

impl From<Response<Bytes>> for Reply {
    fn from(response: Response<Bytes>) -> Self {
        Self { response, delay: SignedDuration::ZERO, cut: None }
    }
}

impl Emulator {
    /// A tenant seeded from the configuration, as it is at `now`.
    #[must_use]
    pub fn new(config: Config, now: Timestamp) -> Self {
        let tenant = seed::fleet(&config, now);
        Self::with_tenant(config, tenant)
    }

    /// An emulator around a tenant built by hand.
    #[must_use]
    pub fn with_tenant(config: Config, tenant: Tenant) -> Self {
        let limits = limits::Limits::new(&config);
        let ids = random::Random::new(config.seed, 0x0069_6473);
        Self {
            initial: config.clone(),
            config,
            tenant,
            faults: faults::Faults::default(),
            limits,
            log: log::Log::default(),
            ids,
            timeline: scenario::Timeline::default(),
            control: control::Control::default(),
        }
    }

    /// Answers one request when the clock shows `now`. Time never goes back: an earlier `now` leaves
    /// the tenant as it is. What control requests have advanced comes on top.
    pub fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Reply {
        let now = self.time(now);
        self.live_until(now);
        let call = Call::read(request);
        let script = self.faults.meet(request);
        let response = if script.hides() { None } else { Some(self.answer(&call, now)) };
        let reply = self.faults.finish(&script, &call, response, now);
        if !control::is_control(call.raw_path) {
            self.log.push(request, &reply, now);
        }
        reply
    }

    /// The answer of a service without faults.
    fn answer(&mut self, call: &Call<'_>, now: Timestamp) -> Response<Bytes> {
        self.limits.follow(&self.tenant.behaviour);
        if let Some(response) = signin::route(self, call, now) {
            return response;
        }
        if let Some(response) = control::route(self, call, now) {
            return response;
        }
        if let Some(response) = graph::route(self, call, now) {
            return response;
        }
        defender::route(self, call, now)
    }

    /// The tenant as it truly is.
    #[must_use]
    pub const fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// The tenant, to be changed behind the service's back.
    pub const fn tenant_mut(&mut self) -> &mut Tenant {
        &mut self.tenant
    }

    /// The configuration of the start.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The switches, to be changed while the emulator runs.
    pub const fn behaviour_mut(&mut self) -> &mut Behaviour {
        &mut self.tenant.behaviour
    }

    /// The requests received so far, oldest first.
    #[must_use]
    pub fn log(&self) -> &[Logged] {
        self.log.entries()
    }

    /// When something will happen by itself next, if nobody calls.
    #[must_use]
    pub fn next_event(&self) -> Option<Timestamp> {
        let events = [self.tenant.next_event(), self.timeline.next()];
        events.into_iter().flatten().min()
    }
}
