//! A client's bytes: bare, or inside TLS.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{Accept, TlsAcceptor, server::TlsStream};

use crate::metrics as names;

/// A connection. A handshake takes place in its first reads and writes, and so on the connection's own
/// task and within the time that its protocol gives a client to begin: one that stalls holds up nobody.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Opening(Handshake),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    pub(super) fn new(stream: TcpStream, tls: Option<&TlsAcceptor>) -> Self {
        match tls {
            None => Self::Plain(stream),
            Some(acceptor) => Self::Opening(Handshake {
                accept: Box::pin(acceptor.accept(stream)),
                has_ended: false,
            }),
        }
    }

    /// The stream itself, once the handshake is done.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pin<&mut dyn Bytes>>> {
        if let Self::Opening(handshake) = self {
            *self = Self::Tls(Box::new(ready!(handshake.poll(cx))?));
        }
        Poll::Ready(match self {
            Self::Plain(stream) => Ok(Pin::new(stream)),
            Self::Tls(stream) => Ok(Pin::new(stream.as_mut())),
            Self::Opening(_) => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

/// What a stream can do either way.
trait Bytes: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Bytes for S {}

/// A handshake, counted unless it succeeds.
pub(super) struct Handshake {
    accept: Pin<Box<Accept<TcpStream>>>,
    has_ended: bool,
}

impl Handshake {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<TlsStream<TcpStream>>> {
        if self.has_ended {
            // It failed, and whoever was told so asks again.
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        }
        let opened = ready!(self.accept.as_mut().poll(cx));
        self.has_ended = true;
        if let Err(error) = &opened {
            tracing::debug!(%error, "a TLS handshake failed");
            count("failed");
        }
        Poll::Ready(opened)
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        if !self.has_ended {
            count("unfinished");
        }
    }
}

impl std::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handshake").finish_non_exhaustive()
    }
}

fn count(outcome: &'static str) {
    metrics::counter!(names::TLS_HANDSHAKES_FAILED_TOTAL, "outcome" => outcome).increment(1);
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.get_mut().poll_open(cx))?.poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.get_mut().poll_open(cx))?.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.get_mut().poll_open(cx))?.poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        // Both kinds can.
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.get_mut().poll_open(cx))?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            // Nothing was said that would have to be ended in order.
            Self::Opening(_) => Poll::Ready(Ok(())),
            open => ready!(open.poll_open(cx))?.poll_shutdown(cx),
        }
    }
}
