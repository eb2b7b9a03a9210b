//! A database that falls silent without an end.

use crate::bed::{Bed, decrease, item};
use sql::Engine;

/// Connections that go silent without an end (the host is gone, a NAT forgot them) while new ones work:
/// the one worker of the ledger waits for an answer for as long as the kernel retransmits.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_connection_that_goes_silent_does_not_stop_the_ledger() {
    let database = test_kit::Postgres::shared().database().await;
    let url = reqwest::Url::parse(&database.url).unwrap();
    let upstream = (
        url.host_str().unwrap().to_owned(),
        url.port().unwrap_or(5432),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (silence, silent) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (upstream, mut silent) = (upstream.clone(), silent.clone());
            silent.mark_unchanged();
            tokio::spawn(async move {
                let mut server = tokio::net::TcpStream::connect(upstream).await.unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                    _ = silent.changed() => {
                        drop(server);
                        let _client = client;
                        std::future::pending::<()>().await;
                    }
                }
            });
        }
    });
    let mut through = url.clone();
    through.set_host(Some("127.0.0.1")).unwrap();
    through.set_port(Some(port)).unwrap();
    let bed = Bed::with(
        Engine::Postgres,
        &[
            ("HOTDEAL_STOCK_REDIS", "false"),
            ("DATABASE_URL", through.as_str()),
            ("DATABASE_CONNECTIONS_MAX", "4"),
        ],
    )
    .await;
    let id = bed.product(100, 500).await;
    let mut grpc = bed.grpc().await;
    grpc.decrease_stock(decrease(1, vec![item(&id, 1)]))
        .await
        .unwrap();
    silence.send(true).unwrap();
    let mut last = None;
    for order in 2..=5 {
        let held = grpc
            .decrease_stock(decrease(order, vec![item(&id, 1)]))
            .await;
        if held.is_ok() {
            return;
        }
        last = Some(held);
    }
    panic!("no answer for 40 s, though new connections work: {last:?}");
}
