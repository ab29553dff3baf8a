//! A connection that can be made to break: reset on purpose, or a body that ends too early.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TCP stream that is reset instead of closed once its flag is set.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, reset: Arc<AtomicBool>) -> Self {
        Self { stream, reset }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // With nothing left to linger for, closing sends RST. If the option cannot be set the
            // peer sees a plain close, which breaks its exchange as well.
            drop(self.stream.set_zero_linger());
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The body of an answer: whole, or broken off after its first bytes.
#[derive(Debug)]
pub(super) struct Sent {
    bytes: Option<Bytes>,
    /// For a broken body: whether the bytes had their time to leave.
    broken: Option<bool>,
}

impl Sent {
    /// The whole body.
    pub(super) const fn whole(bytes: Bytes) -> Self {
        Self { bytes: Some(bytes), broken: None }
    }

    /// The first bytes of a longer body.
    pub(super) const fn broken(first: Bytes) -> Self {
        Self { bytes: Some(first), broken: Some(false) }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.bytes.take().filter(|bytes| !bytes.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match self.broken {
            None => Poll::Ready(None),
            Some(false) => {
                // One turn for the server to flush what it has.
                self.broken = Some(true);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(true) => Poll::Ready(Some(Err(io::Error::other("broken off as scripted")))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.broken.is_none() && self.bytes.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.bytes, self.broken) {
            (bytes, None) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            (_, Some(_)) => SizeHint::default(),
        }
    }
}
