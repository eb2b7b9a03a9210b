//! A way to Postgres on which a sale's answer can be lost: the server has committed, and nobody is told.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

pub(crate) struct Lossy {
    url: String,
    plan: Arc<Plan>,
}

#[derive(Default)]
struct Plan {
    is_armed: AtomicBool,
    lost: AtomicUsize,
}

impl Lossy {
    pub(crate) async fn before(url: &str) -> Self {
        let mut url = reqwest::Url::parse(url).unwrap();
        let upstream = (
            url.host_str().unwrap().to_owned(),
            url.port().unwrap_or(5432),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        let port = listener.local_addr().unwrap().port();
        url.set_port(Some(port)).unwrap();
        let plan = Arc::new(Plan::default());
        let plan_of_all = Arc::clone(&plan);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(upstream.clone()).await.unwrap();
                let plan = Arc::clone(&plan_of_all);
                tokio::spawn(carry(client, server, plan));
            }
        });
        let url = url.to_string();
        Self { url, plan }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) fn lose_the_next_sale(&self) {
        self.plan.is_armed.store(true, Ordering::SeqCst);
    }

    /// How many answers were lost so far.
    pub(crate) fn lost(&self) -> usize {
        self.plan.lost.load(Ordering::SeqCst)
    }
}

/// Carries bytes both ways until either side is gone, or an answer is to be lost.
async fn carry(mut client: TcpStream, mut server: TcpStream, plan: Arc<Plan>) -> Option<()> {
    let (mut asked, mut told) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut sale = None;
    let mut is_losing = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let asked = &asked[..read.ok().filter(|len| *len > 0)?];
                sale = prepared(asked).or(sale);
                let is_sale = sale.as_ref().is_some_and(|name| executes(asked, name));
                is_losing |= is_sale && plan.is_armed.swap(false, Ordering::SeqCst);
                server.write_all(asked).await.ok()?;
            }
            read = server.read(&mut told) => {
                let told = &told[..read.ok().filter(|len| *len > 0)?];
                if !is_losing {
                    client.write_all(told).await.ok()?;
                } else if told.ends_with(b"Z\0\0\0\x05I") {
                    // Ready for the next: what the statement did is committed.
                    plan.lost.fetch_add(1, Ordering::SeqCst);
                    return None;
                }
            }
        }
    }
}

/// The name under which a message prepares the statement of a sale: `P`, a length, the name.
fn prepared(message: &[u8]) -> Option<Vec<u8>> {
    let is_sale = message.windows(9).any(|text| text == b"take_sale");
    if message.first() != Some(&b'P') || !is_sale {
        return None;
    }
    message[5..]
        .split_inclusive(|byte| *byte == 0)
        .next()
        .map(<[u8]>::to_vec)
}

/// Whether a message executes it: `B`, a length, no portal's name, the statement's name.
fn executes(message: &[u8], name: &[u8]) -> bool {
    let is_bound = |bound: &[u8]| bound.starts_with(name);
    message.first() == Some(&b'B') && message.get(6..).is_some_and(is_bound)
}
