//! HTTP/1.1 over the socket: many connections, each with many requests, until the end.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::wire::{Sent, Wire};
use crate::emulator::{Cut, Emulator, Reply, control};
use crate::host::clock::Clock;

/// The longest request body that is read.
const BODY_LIMIT: usize = 8 * 1024 * 1024;
/// How long open connections may take to finish once the end has come.
const GRACE: Duration = Duration::from_secs(3);
/// Answers below this size are not worth compressing.
const WORTH_COMPRESSING: usize = 1_024;

/// What every connection shares.
struct Shared {
    emulator: Arc<Mutex<Emulator>>,
    clock: Arc<dyn Clock>,
    speed: u32,
    stop: watch::Sender<bool>,
}

pub(super) async fn serve(
    listener: TcpListener,
    emulator: Arc<Mutex<Emulator>>,
    clock: Arc<dyn Clock>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let speed = lock(&emulator).config().speed.max(1);
    let (stop, mut stopped) = watch::channel(false);
    let shared = Arc::new(Shared { emulator, clock, speed, stop });
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            () = raised(&mut stopped) => break,
            // Finished connections are taken out, so that the set does not grow for ever.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer, Arc::clone(&shared)));
                }
                // Out of file descriptors, or the peer is gone: others may have better luck.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
        }
    }
    drop(listener);
    shared.stop.send_replace(true);
    let all = async { while connections.join_next().await.is_some() {} };
    // Whoever is not done by then is cut off when the set is dropped.
    drop(tokio::time::timeout(GRACE, all).await);
}

/// Ready once the flag is up, or nobody is left to raise it. No lock outlives it, so that the server's
/// future may move between threads.
async fn raised(stopped: &mut watch::Receiver<bool>) {
    drop(stopped.wait_for(|stopped| *stopped).await);
}

async fn connection(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    drop(stream.set_nodelay(true));
    let reset = Arc::new(AtomicBool::new(false));
    let wire = TokioIo::new(Wire::new(stream, Arc::clone(&reset)));
    let mut stopped = shared.stop.subscribe();
    let service = service_fn(|request| answer(request, peer.ip(), &shared, &reset));
    // Names as the service spells them: scripts look for `Retry-After`.
    let mut builder = http1::Builder::new();
    builder.title_case_headers(true);
    let mut connection = pin!(builder.serve_connection(wire, service));
    // How a connection ends concerns nobody but its peer.
    tokio::select! {
        _ = &mut connection => return,
        () = raised(&mut stopped) => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}

/// The connection has to fail here.
#[derive(Debug, thiserror::Error)]
#[error("cut as scripted")]
struct CutOff;

async fn answer(
    request: Request<Incoming>,
    peer: IpAddr,
    shared: &Arc<Shared>,
    reset: &AtomicBool,
) -> Result<Response<Sent>, CutOff> {
    let packed = accepts_gzip(request.headers());
    let request = match read(request).await {
        Ok(request) => request,
        Err(status) => return Ok(plain(status)),
    };
    if control::is_control(request.uri().path()) && !is_trusted(peer, request.headers()) {
        return Ok(plain(StatusCode::FORBIDDEN));
    }
    let reply = ask(request, shared).await;
    if !reply.delay.is_zero() {
        let delay = Duration::try_from(reply.delay).unwrap_or_default();
        tokio::time::sleep(delay / shared.speed).await;
    }
    match reply.cut {
        Some(Cut::Dropped | Cut::Refused) => {
            reset.store(true, Ordering::Relaxed);
            Err(CutOff)
        }
        Some(Cut::Hung) => {
            // The peer hangs up some time, or the end comes.
            raised(&mut shared.stop.subscribe()).await;
            Err(CutOff)
        }
        Some(Cut::Truncated(sent)) => Ok(truncated(reply.response, sent)),
        None if packed && is_worth_packing(&reply.response) => Ok(pack(reply.response)),
        None => Ok(reply.response.map(Sent::whole)),
    }
}

/// Asks the emulator, away from the threads that move bytes: a page of ten thousand rows takes time.
async fn ask(request: Request<Bytes>, shared: &Arc<Shared>) -> Reply {
    let shared = Arc::clone(shared);
    let asked = tokio::task::spawn_blocking(move || {
        let mut emulator = lock(&shared.emulator);
        let reply = emulator.handle(&request, shared.clock.now());
        if emulator.is_stopping() {
            shared.stop.send_replace(true);
        }
        reply
    });
    asked.await.unwrap_or_else(|_| {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        Reply::from(response)
    })
}

/// Reads the whole request. Its target becomes absolute, so that links lead back here.
async fn read(request: Request<Incoming>) -> Result<Request<Bytes>, StatusCode> {
    let (mut parts, body) = request.into_parts();
    let body = Limited::new(body, BODY_LIMIT).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            StatusCode::PAYLOAD_TOO_LARGE
        } else {
            StatusCode::BAD_REQUEST
        }
    })?;
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let absolute = host.map(|host| format!("http://{host}{target}").parse::<Uri>());
    if let Some(Ok(uri)) = absolute {
        parts.uri = uri;
    }
    Ok(Request::from_parts(parts, body.to_bytes()))
}

/// Control requests come from this machine, and not from a page in somebody's browser.
fn is_trusted(peer: IpAddr, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let local = name.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
    peer.to_canonical().is_loopback() && local && !headers.contains_key(ORIGIN)
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|part| {
            let (name, quality) = part.split_once(';').unwrap_or((part, ""));
            let refused = matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
            name.trim().eq_ignore_ascii_case("gzip") && !refused
        })
    })
}

fn is_worth_packing(response: &Response<Bytes>) -> bool {
    response.body().len() >= WORTH_COMPRESSING && !response.headers().contains_key(CONTENT_ENCODING)
}

fn pack(response: Response<Bytes>) -> Response<Sent> {
    use std::io::Write as _;
    let (mut parts, body) = response.into_parts();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(&body).and_then(|()| encoder.finish());
    let Ok(packed) = packed else { return Response::from_parts(parts, Sent::whole(body)) };
    parts.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    parts.headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    Response::from_parts(parts, Sent::whole(Bytes::from(packed)))
}

/// The announced length is the whole one; the body ends before.
fn truncated(response: Response<Bytes>, sent: usize) -> Response<Sent> {
    let (mut parts, body) = response.into_parts();
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let first = body.slice(..sent.min(body.len()));
    Response::from_parts(parts, Sent::broken(first))
}

fn plain(status: StatusCode) -> Response<Sent> {
    let text = format!("{status}\n");
    let mut response = Response::new(Sent::whole(Bytes::from(text)));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn lock(emulator: &Mutex<Emulator>) -> std::sync::MutexGuard<'_, Emulator> {
    emulator.lock().unwrap_or_else(PoisonError::into_inner)
}
