//! A TCP proxy before Postgres that can lose the answers to chosen statements: the server executes and
//! commits it, the client sees its connection break. It can also fall silent on all that is connected.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Bytes in which the server says that it is idle outside of a transaction: all is committed.
const READY: &[u8] = b"Z\0\0\0\x05I";

#[derive(Clone, Default)]
pub(crate) struct Proxy {
    /// The statements whose answers are to be lost carry these bytes; how many are still to come.
    marker: Arc<Mutex<(Vec<u8>, usize)>>,
    lost: Arc<AtomicUsize>,
    silence: watch::Sender<()>,
}

impl Proxy {
    /// A proxy to the database at `url`, and the URL to reach it through the proxy.
    pub(crate) async fn before(url: &str) -> (Self, String) {
        let authority = url.split('@').nth(1).unwrap();
        let (target, database) = authority.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = Self::default();
        let (accepting, target) = (proxy.clone(), target.to_owned());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&target).await.unwrap();
                tokio::spawn(accepting.clone().forward(client, server));
            }
        });
        (proxy, format!("postgres://postgres@{address}/{database}"))
    }

    /// Loses the answers to the next `count` statements that carry `marker`.
    pub(crate) fn lose_answers_to(&self, marker: &str, count: usize) {
        *self.marker.lock().unwrap() = (marker.as_bytes().to_vec(), count);
    }

    /// How many answers were lost.
    pub(crate) fn lost(&self) -> usize {
        self.lost.load(Ordering::SeqCst)
    }

    /// From now on nothing passes on the connections that there are: no byte, no end.
    pub(crate) fn silence(&self) {
        self.silence.send_replace(());
    }

    async fn forward(self, mut client: TcpStream, mut server: TcpStream) {
        let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
        let mut losing = false;
        let mut silence = self.silence.subscribe();
        loop {
            tokio::select! {
                Ok(len) = client.read(&mut up) => {
                    if len == 0 || server.write_all(&up[..len]).await.is_err() {
                        return;
                    }
                    losing |= self.is_marked(&up[..len]);
                }
                Ok(len) = server.read(&mut down) => {
                    if len == 0 {
                        return;
                    }
                    if losing {
                        if contains(&down[..len], READY) {
                            self.lost.fetch_add(1, Ordering::SeqCst);
                            return;
                        }
                    } else if client.write_all(&down[..len]).await.is_err() {
                        return;
                    }
                }
                Ok(()) = silence.changed() => std::future::pending().await,
                else => return,
            }
        }
    }

    fn is_marked(&self, bytes: &[u8]) -> bool {
        let mut guard = self.marker.lock().unwrap();
        let (marker, count) = &mut *guard;
        let found = *count > 0 && contains(bytes, marker);
        *count -= usize::from(found);
        found
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
