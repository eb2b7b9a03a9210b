//! The crowd: as many orders in flight as there are connections, until every buyer has ordered.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Uri, header};
use http_body_util::Full;
use serde_json::json;
use tokio::{task::JoinSet, time::Instant};
use uuid::Uuid;

use super::{progress, tally::Tally};
use crate::{
    cli::Failure,
    client::{Base, CallError, Connection},
};

/// Who comes, and for what.
#[derive(Debug)]
pub(super) struct Crowd {
    pub(super) buyers: u32,
    pub(super) connections: u16,
    pub(super) product_id: String,
    /// Whether a bar is drawn.
    pub(super) is_shown: bool,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Burst {
    pub(super) tally: Tally,
    pub(super) elapsed: Duration,
}

/// What all buyers share.
struct Shared {
    base: Base,
    target: Uri,
    body: Bytes,
    /// Makes the buyers of this burst others than those of the one before.
    salt: u64,
    buyers: u32,
    next: AtomicU32,
    done: AtomicU32,
}

/// Opens the connections first: the race is for the units, not for the sockets.
pub(super) async fn run(crowd: &Crowd, base: &Base) -> Result<Burst, Failure> {
    let unreachable = |source| CallError::Unreachable {
        base: base.clone(),
        source,
    };
    let shared = Arc::new(prepare(crowd, base).map_err(unreachable)?);
    let mut connections = Vec::new();
    for _ in 0..crowd.buyers.min(crowd.connections.into()) {
        connections.push(Connection::open(base).await.map_err(unreachable)?);
    }
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for connection in connections {
        tasks.spawn(Arc::clone(&shared).buy(connection));
    }
    let tally = match crowd.is_shown {
        true => tokio::select! {
            tally = all(tasks) => tally,
            () = progress::draw(&shared.done, crowd.buyers) => Tally::default(),
        },
        false => all(tasks).await,
    };
    Ok(Burst {
        elapsed: started.elapsed(),
        tally,
    })
}

fn prepare(crowd: &Crowd, base: &Base) -> io::Result<Shared> {
    let items = json!({"items": [{"product_id": crowd.product_id, "quantity": 1}]});
    Ok(Shared {
        base: base.clone(),
        target: base.target("/orders").map_err(io::Error::other)?,
        body: Bytes::from(items.to_string()),
        salt: getrandom::u64().map_err(io::Error::other)?,
        buyers: crowd.buyers,
        next: AtomicU32::new(0),
        done: AtomicU32::new(0),
    })
}

async fn all(mut tasks: JoinSet<Tally>) -> Tally {
    let mut tally = Tally::default();
    while let Some(part) = tasks.join_next().await {
        if let Ok(part) = part {
            tally.add(part);
        }
    }
    tally
}

impl Shared {
    /// One connection's share: buyer after buyer, until none is left. After a request that was not
    /// answered the next buyer comes over a new connection.
    async fn buy(self: Arc<Self>, connection: Connection) -> Tally {
        let mut tally = Tally::default();
        let mut connection = Some(connection);
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.buyers {
                return tally;
            }
            let started = Instant::now();
            match self.order(connection.take(), number).await {
                Ok((kept, status, body)) => {
                    tally.answered(status, &body, started.elapsed());
                    connection = Some(kept);
                }
                Err(error) => {
                    tracing::debug!(%error, "an order was not answered");
                    tally.unanswered += 1;
                }
            }
            self.done.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn order(
        &self,
        connection: Option<Connection>,
        number: u32,
    ) -> io::Result<(Connection, http::StatusCode, Bytes)> {
        let mut connection = match connection {
            Some(connection) => connection,
            None => Connection::open(&self.base).await?,
        };
        let request = self.request(number).map_err(io::Error::other)?;
        let (status, body) = connection.send(request).await?;
        Ok((connection, status, body))
    }

    fn request(&self, number: u32) -> Result<Request<Full<Bytes>>, http::Error> {
        let bytes = (u128::from(self.salt) << 64) | u128::from(number);
        let user_id = uuid::Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid();
        Request::builder()
            .method(Method::POST)
            .uri(self.target.clone())
            .header(header::HOST, self.base.authority())
            .header(header::CONTENT_TYPE, "application/json")
            .header(
                "x-user-id",
                &*user_id
                    .hyphenated()
                    .encode_lower(&mut Uuid::encode_buffer()),
            )
            .body(Full::new(self.body.clone()))
    }
}
