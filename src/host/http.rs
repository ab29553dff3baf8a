//! HTTP over the network: one request out, one whole response in.
//!
//! Implements `Transport` with reqwest, rustls and ring. No redirects are followed, since a token
//! must not travel where nobody configured it; nothing is retried here. Proxies come from the
//! system; certificates from the system and, if given, one more file.

use std::error::Error as _;
use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};

use crate::host::clock::Pending;
use crate::host::files;
use crate::host::transport::{Transport, TransportError};

/// The largest body that is read: a full page of machines has about eleven megabytes.
const BODY_MAX: usize = 256 * 1024 * 1024;
/// A file of certificates is some kilobytes.
const CA_FILE_MAX: u64 = 4 * 1024 * 1024;

/// `palisade/VERSION`, sent with each request.
pub const USER_AGENT: &str = concat!("palisade/", env!("CARGO_PKG_VERSION"));

/// How the network is used.
#[derive(Clone, Debug)]
pub struct HttpOptions<'a> {
    /// How long a connection may take.
    pub connect: Duration,
    /// How long nothing may arrive.
    pub silence: Duration,
    /// How long a whole exchange may take.
    pub total: Duration,
    /// Certificates to trust besides the system's, PEM.
    pub ca_file: Option<&'a Path>,
    /// Whether the system's proxy is used.
    pub proxy: bool,
}

impl Default for HttpOptions<'_> {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(60),
            total: Duration::from_secs(300),
            ca_file: None,
            proxy: true,
        }
    }
}

/// Why there is no HTTP client.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The certificate file.
    #[error("cannot use the certificates in `{path}`")]
    CaFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The client itself.
    #[error("cannot set up HTTPS")]
    Setup(#[source] reqwest::Error),
}

/// The HTTP client. Connections are kept and shared by its clones.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
}

impl Http {
    /// A client.
    ///
    /// # Errors
    /// When the certificate file cannot be used or TLS cannot be set up.
    pub fn new(options: &HttpOptions<'_>) -> Result<Self, HttpError> {
        // Fails when one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(options.connect)
            .read_timeout(options.silence)
            .timeout(options.total)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .user_agent(USER_AGENT)
            .gzip(true);
        if !options.proxy {
            builder = builder.no_proxy();
        }
        if let Some(path) = options.ca_file {
            builder = builder.tls_certs_merge(certificates(path)?);
        }
        builder.build().map(|client| Self { client }).map_err(HttpError::Setup)
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let request = reqwest::Request::try_from(request)
            .map_err(|error| TransportError::Connect(chain(error)))?;
        let mut response = self.client.execute(request).await.map_err(explain)?;
        let mut whole = Response::new(Bytes::new());
        *whole.status_mut() = response.status();
        *whole.headers_mut() = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(explain)? {
            if body.len().saturating_add(chunk.len()) > BODY_MAX {
                return Err(TransportError::Broken("the answer is too large".to_owned()));
            }
            body.extend_from_slice(&chunk);
        }
        *whole.body_mut() = body.freeze();
        Ok(whole)
    }
}

impl Transport for Http {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pending<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(request))
    }
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, HttpError> {
    let bad = |source: Box<dyn std::error::Error + Send + Sync>| HttpError::CaFile {
        path: path.display().to_string(),
        source,
    };
    let pem = files::read(path, CA_FILE_MAX).map_err(|error| bad(Box::new(error)))?;
    let all = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| bad(Box::new(error)))?;
    if all.is_empty() {
        return Err(bad("it holds no certificate".into()));
    }
    Ok(all)
}

/// Connecting is told apart from everything later: only there is it certain that nothing was sent.
fn explain(error: reqwest::Error) -> TransportError {
    if error.is_connect() || error.is_builder() {
        TransportError::Connect(chain(error))
    } else if error.is_timeout() {
        TransportError::Timeout
    } else {
        TransportError::Broken(chain(error))
    }
}

/// The causes of an error, without the address: the caller knows it.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
