//! The connections of a gRPC server: no more than allowed, and none that does not speak.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::{Stream as Incoming, stream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep},
};
use tonic::transport::server::Connected;

use super::{Port, stream::Stream};

/// Length of the bytes that open an HTTP/2 connection.
const PREFACE_LEN: usize = 24;

/// Connections as they come. Without a free slot none is accepted: whoever comes waits in the kernel's
/// queue. It never ends.
pub(super) fn connections(
    port: Port,
    connections_max: usize,
    timeout: Duration,
) -> impl Incoming<Item = io::Result<Connection>> {
    let slots = Arc::new(Semaphore::new(connections_max));
    stream::unfold((port, slots), move |(port, slots)| async move {
        let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
        let stream = port.accept().await;
        let connection = Connection::new(stream, slot, timeout);
        Some((Ok(connection), (port, slots)))
    })
}

/// A connection with its slot, which is free again when it is dropped. Until the client has sent the
/// preface, through TLS if there is any, a clock runs: the protocol's own questions whether a client lives
/// begin only after it.
#[derive(Debug)]
pub(super) struct Connection {
    stream: Stream,
    preface: Option<Preface>,
    _slot: OwnedSemaphorePermit,
}

/// What is still to come of the preface, and until when.
#[derive(Debug)]
struct Preface {
    missing_len: usize,
    too_late: Pin<Box<Sleep>>,
}

impl Connection {
    fn new(stream: Stream, slot: OwnedSemaphorePermit, timeout: Duration) -> Self {
        Self {
            stream,
            preface: Some(Preface {
                missing_len: PREFACE_LEN,
                too_late: Box::pin(sleep(timeout)),
            }),
            _slot: slot,
        }
    }
}

impl Connection {
    /// Ends what has to wait when the client has taken too long to begin.
    fn in_time<T>(
        preface: &mut Option<Preface>,
        cx: &mut Context<'_>,
        done: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match preface {
            Some(preface) if done.is_pending() => {
                ready!(preface.too_late.as_mut().poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            _ => done,
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let filled_before = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        if let Some(preface) = &mut this.preface {
            let read_len = buf.filled().len() - filled_before;
            preface.missing_len = preface.missing_len.saturating_sub(read_len);
            if preface.missing_len == 0 {
                this.preface = None;
            }
        }
        Self::in_time(&mut this.preface, cx, read)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, buf);
        Self::in_time(&mut this.preface, cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        Self::in_time(&mut this.preface, cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        Self::in_time(&mut this.preface, cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl Connected for Connection {
    // Nobody asks who is at the other end.
    type ConnectInfo = ();

    fn connect_info(&self) {}
}
