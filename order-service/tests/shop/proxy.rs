//! A TCP proxy before Postgres that can lose the answer to one statement: the server executes and
//! commits it, the client sees its connection break.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Bytes in which the server says that it is idle outside of a transaction: all is committed.
const READY: &[u8] = b"Z\0\0\0\x05I";

#[derive(Clone, Default)]
pub(crate) struct Proxy {
    /// The statement whose answer is to be lost carries these bytes.
    marker: Arc<Mutex<Option<Vec<u8>>>>,
    lost: Arc<AtomicUsize>,
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

    /// Loses the answer to the next statement that carries `marker`.
    pub(crate) fn lose_answer_to(&self, marker: &str) {
        *self.marker.lock().unwrap() = Some(marker.as_bytes().to_vec());
    }

    /// How many answers were lost.
    pub(crate) fn lost(&self) -> usize {
        self.lost.load(Ordering::SeqCst)
    }

    async fn forward(self, mut client: TcpStream, mut server: TcpStream) {
        let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
        let mut losing = false;
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
                else => return,
            }
        }
    }

    fn is_marked(&self, bytes: &[u8]) -> bool {
        let mut marker = self.marker.lock().unwrap();
        let found = marker
            .as_ref()
            .is_some_and(|marker| contains(bytes, marker));
        if found {
            *marker = None;
        }
        found
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
