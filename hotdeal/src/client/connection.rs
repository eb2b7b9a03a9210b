//! One kept-alive connection.

use std::{io, time::Duration};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

use super::Base;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than a shop works on a request by default.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Connects. Must be called inside a tokio runtime.
    pub(crate) async fn open(base: &Base) -> io::Result<Self> {
        let connecting = async {
            let stream = TcpStream::connect((base.host.as_str(), base.port)).await?;
            stream.set_nodelay(true)?;
            match &base.tls {
                None => Self::over(stream).await,
                Some(tls) => Self::over(tls.open(&base.host, stream).await?).await,
            }
        };
        let opened = timeout(CONNECT_TIMEOUT, connecting).await;
        opened.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    async fn over<S>(stream: S) -> io::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, driver) = handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        // It ends with the sender; what goes wrong meanwhile is the answer's error.
        tokio::spawn(driver);
        Ok(Self { sender })
    }

    /// Sends one request and reads its answer.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> io::Result<(StatusCode, Bytes)> {
        let answer = async {
            self.sender.ready().await?;
            let response = self.sender.send_request(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            Ok::<_, hyper::Error>((status, body))
        };
        timeout(ANSWER_TIMEOUT, answer)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
            .map_err(io::Error::other)
    }
}
