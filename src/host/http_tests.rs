//! The real client against sockets on loopback that behave as badly as networks do.

use std::io::Write as _;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

fn http() -> Http {
    let short = Duration::from_millis(300);
    let options = HttpOptions { silence: short, proxy: false, ..HttpOptions::default() };
    Http::new(&options).unwrap()
}

/// Serves one connection: reads the head of the request, writes `answer`, then holds the
/// connection open or drops it. Returns what was sent to it.
async fn serve(answer: &'static [u8], hold: bool) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let head = head(&mut socket).await;
        socket.write_all(answer).await.unwrap();
        if hold {
            let mut rest = [0; 64];
            while socket.read(&mut rest).await.unwrap_or(0) > 0 {}
        }
        head
    });
    (port, task)
}

async fn head(socket: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    let mut buffer = [0; 1_024];
    while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
        let count = socket.read(&mut buffer).await.unwrap();
        assert!(count > 0, "the request ended early");
        seen.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8(seen).unwrap()
}

async fn get(port: u16) -> Result<Response<Bytes>, TransportError> {
    let uri = format!("http://127.0.0.1:{port}/x");
    http().send(Request::get(uri).body(Bytes::new()).unwrap()).await
}

#[tokio::test]
async fn an_answer_is_read_whole_and_the_program_says_its_name() {
    let (port, task) =
        serve(b"HTTP/1.1 201 Created\r\nretry-after: 3\r\ncontent-length: 2\r\n\r\nok", true).await;
    let answer = get(port).await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["retry-after"], "3");
    assert_eq!(answer.body().as_ref(), b"ok");
    let head = task.await.unwrap();
    assert!(head.contains(&format!("user-agent: {USER_AGENT}\r\n")), "{head}");
    assert!(head.contains("accept-encoding: gzip\r\n"), "{head}");
}

#[tokio::test]
async fn gzip_is_undone() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"{\"value\":[]}").unwrap();
    let body = encoder.finish().unwrap();
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend_from_slice(&body);
    let (port, _task) = serve(Box::leak(answer.into_boxed_slice()), true).await;
    assert_eq!(get(port).await.unwrap().body().as_ref(), b"{\"value\":[]}");
}

#[tokio::test]
async fn redirects_are_answers_like_others() {
    let (port, _task) = serve(
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        true,
    )
    .await;
    assert_eq!(get(port).await.unwrap().status(), 302);
}

#[tokio::test]
async fn a_closed_port_is_told_from_a_broken_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = get(port).await.unwrap_err();
    assert!(matches!(&error, TransportError::Connect(_)), "{error:?}");
    assert!(!error.is_ambiguous());
}

#[tokio::test]
async fn broken_and_late_answers_are_ambiguous() {
    for (answer, hold, late) in [
        (&b""[..], false, false),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", false, false),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", true, true),
        (b"", true, true),
        (b"garbage\r\n\r\n", true, false),
    ] {
        let (port, _task) = serve(answer, hold).await;
        let error = get(port).await.unwrap_err();
        assert!(error.is_ambiguous(), "{error:?}");
        assert_eq!(error == TransportError::Timeout, late, "{error:?}");
    }
}

#[test]
fn a_certificate_file_without_certificates_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    for text in [None, Some(""), Some("not a certificate")] {
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let options = HttpOptions { ca_file: Some(&path), ..HttpOptions::default() };
        assert!(matches!(Http::new(&options), Err(HttpError::CaFile { .. })), "{text:?}");
    }
}
