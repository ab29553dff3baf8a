//! Tokens in memory: one per API, refreshed early, fetched once however many calls wait for it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Client;
use crate::host::credential::{Proof, Secret};
use crate::wire::answer::{self, Context};
use crate::wire::token::{self, Claims};
use crate::wire::{Api, ApiError, ErrorKind, Operation};

/// A token with less than this left is replaced.
const EARLY: SignedDuration = SignedDuration::from_mins(5);
/// A token with less than this left is not sent any more.
const LAST: SignedDuration = SignedDuration::from_secs(10);

/// The place of one API's token.
#[derive(Debug, Default)]
pub(super) struct Slot {
    held: Option<Held>,
    generation: u64,
}

/// A token in use.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) secret: Secret,
    pub(super) claims: Option<Arc<Claims>>,
    pub(super) generation: u64,
    refresh_at: Timestamp,
    useless_at: Timestamp,
}

impl Client {
    /// A token that still lasts a while. Whoever comes while another fetches one waits for it.
    pub(super) async fn token(&self, api: Api) -> Result<Held, ApiError> {
        let mut slot = self.slot(api).lock().await;
        if let Some(held) = slot.held.as_ref().filter(|held| held.refresh_at > self.now()) {
            return Ok(held.clone());
        }
        match self.signed_in(api).await {
            Ok((secret, lasts, began)) => {
                slot.generation += 1;
                let held = hold(secret, lasts, began, slot.generation);
                slot.held = Some(held.clone());
                Ok(held)
            }
            // The old one still serves while the authority is not well.
            Err(error) => match &slot.held {
                Some(held) if error.is_transient() && held.useless_at > self.now() => {
                    Ok(held.clone())
                }
                _ => Err(error),
            },
        }
    }

    /// Forgets a token that the service refused, unless another has replaced it already.
    pub(super) async fn forget(&self, api: Api, generation: u64) {
        let mut slot = self.slot(api).lock().await;
        if slot.held.as_ref().is_some_and(|held| held.generation == generation) {
            slot.held = None;
        }
    }

    fn slot(&self, api: Api) -> &tokio::sync::Mutex<Slot> {
        let [defender, graph] = &self.shared.tokens;
        match api {
            Api::Defender => defender,
            Api::Graph => graph,
        }
    }

    /// The scope of an API's tokens.
    pub(super) fn scope(&self, api: Api) -> &str {
        let [defender, graph] = &self.shared.scopes;
        match api {
            Api::Defender => defender,
            Api::Graph => graph,
        }
    }

    async fn signed_in(&self, api: Api) -> Result<(Secret, SignedDuration, Timestamp), ApiError> {
        let mut tries = self.tries(Operation::SignIn(api));
        loop {
            match self.sign_in(api).await {
                Ok(issued) => return Ok(issued),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// One exchange with the authority. The secret goes there and nowhere else.
    async fn sign_in(&self, api: Api) -> Result<(Secret, SignedDuration, Timestamp), ApiError> {
        let operation = Operation::SignIn(api);
        let shared = &self.shared;
        let proof = shared.credential.proof().map_err(|error| {
            let mut refused = ApiError::new(operation, ErrorKind::Credential);
            refused = refused.with_message(&error.to_string());
            refused.details_mut().help = Some(error.help());
            refused
        })?;
        let proof = match &proof {
            Proof::Secret(secret) => token::Proof::Secret(secret.expose()),
            Proof::Assertion(token) => token::Proof::Assertion(token.expose()),
        };
        let client_id = shared.credential.client_id();
        let request =
            token::request(&shared.authority, &shared.tenant_id, client_id, self.scope(api), proof)
                .ok_or_else(|| ApiError::new(operation, ErrorKind::ForeignOrigin))?;
        let began = self.now();
        let response = self.transmit(operation, request).await?;
        let body = response.body().clone();
        let context = Context { operation, roles: None, now: self.now() };
        let failure = answer::classify(response, &context).err();
        let issued = token::read(api, &body, failure)?;
        // Counted from before the request: neither a slow answer nor a wrong clock makes it longer.
        Ok((Secret::new(issued.token.as_str()), issued.lasts, began))
    }
}

fn hold(secret: Secret, lasts: SignedDuration, began: Timestamp, generation: u64) -> Held {
    let after = |span: SignedDuration| began.checked_add(span).unwrap_or(Timestamp::MAX);
    // A token that never lasted longer is used for most of its life.
    let early = EARLY.min(lasts / 5);
    let claims = token::claims(secret.expose()).map(Arc::new);
    Held {
        secret,
        claims,
        generation,
        refresh_at: after(lasts.saturating_sub(early)),
        useless_at: after(lasts.saturating_sub(LAST)),
    }
}
