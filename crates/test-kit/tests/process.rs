//! Processes: ready, asked to end, killed, stopped, shown when a test fails; and nothing outlives its test process.
//!
//! The processes are this very test executable, told to run one of the ignored tests below.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use test_kit::{Http, Port, Postgres, Process, Program, Redis, eventually};

const SOON: Duration = Duration::from_secs(20);

fn child(test: &str) -> Program {
    Program::at(std::env::current_exe().expect("a test knows its own path"))
        .arg("--exact")
        .arg(test)
        .arg("--ignored")
        .arg("--nocapture")
}

#[test]
#[ignore = "run as a process by the tests of this file"]
fn child_that_serves() {
    let listener = TcpListener::bind(std::env::var("ADDRESS").unwrap()).unwrap();
    writeln!(std::io::stdout(), "serving").unwrap();
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let body = r#"{"status":"ok"}"#;
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
    }
}

async fn serving(port: &Port) -> Process {
    let process =
        Process::start(&child("child_that_serves").env("ADDRESS", port.address().to_string()))
            .await;
    process.wait_ready(&port.http_url()).await;
    process
}

#[tokio::test]
async fn a_ready_process_answers_until_it_is_killed() {
    let port = Port::free();
    let process = serving(&port).await;
    let http = Http::new(port.http_url());
    let (status, body, _) = http.get("/", &[("x-user-id", "1")]).await;
    assert_eq!(status, 200);
    assert_eq!(body["status"], "ok");
    assert!(process.output().contains("serving"));

    process.kill9();
    assert_eq!(process.exited().unwrap().signal(), Some(9));
    assert!(
        http.send(reqwest::Method::GET, "/", &[], None)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_process_that_is_asked_to_end_is_waited_for() {
    let port = Port::free();
    let process = serving(&port).await;
    process.terminate();
    assert_eq!(process.wait(SOON).await.signal(), Some(15));
}

#[tokio::test]
async fn a_paused_process_answers_after_it_is_resumed() {
    let port = Port::free();
    let process = serving(&port).await;
    process.pause();
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    assert!(
        client
            .get(port.http_url())
            .send()
            .await
            .unwrap_err()
            .is_timeout()
    );
    process.resume();
    process.wait_ready(&port.http_url()).await;
}

#[tokio::test]
#[should_panic(expected = "ended with exit status: 1 before it was ready")]
async fn a_process_that_ends_is_not_waited_for() {
    let process = Process::start(&Program::at("/bin/false")).await;
    process.wait_ready("http://127.0.0.1:9/").await;
}

#[tokio::test]
async fn our_environment_does_not_reach_a_process() {
    let process = Process::start(&Program::at("/usr/bin/env").env("HOTDEAL_OWN", "yes")).await;
    assert!(process.wait(SOON).await.success());
    assert!(process.output().contains("HOTDEAL_OWN=yes"));
    assert!(std::env::var("CARGO_MANIFEST_DIR").is_ok());
    assert!(!process.output().contains("CARGO_MANIFEST_DIR"));
}

#[tokio::test]
async fn a_binary_of_the_workspace_is_found_or_built() {
    let process =
        Process::start(&Program::of_workspace("product-service").await.arg("--help")).await;
    assert!(process.wait(SOON).await.success(), "{}", process.output());
}

#[tokio::test]
#[ignore = "run as a process by the tests of this file"]
async fn child_that_starts_servers() {
    let (database, redis) = (Postgres::shared().database().await, Redis::start().await);
    let own = Process::start(&Program::at("/bin/sleep").arg("600")).await;
    let state = std::env::var("STATE").unwrap();
    std::fs::write(
        format!("{state}.new"),
        format!("{} {} {}", database.url, redis.url(), own.pid()),
    )
    .unwrap();
    std::fs::rename(format!("{state}.new"), state).unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn servers_and_processes_die_with_a_killed_test_process() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let tests = Process::start(&child("child_that_starts_servers").env("STATE", &state)).await;
    let text = eventually(
        Duration::from_secs(60),
        "the child has its servers",
        async || std::fs::read_to_string(&state).ok(),
    )
    .await;
    let [database, redis, pid] = text.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let redis = redis::Client::open(redis).unwrap();
    assert!(PgConnection::connect(database).await.is_ok());
    assert!(redis.get_multiplexed_async_connection().await.is_ok());

    tests.kill9();
    eventually(SOON, "Postgres is gone", async || {
        PgConnection::connect(database).await.is_err()
    })
    .await;
    eventually(SOON, "Redis is gone", async || {
        redis.get_multiplexed_async_connection().await.is_err()
    })
    .await;
    eventually(SOON, "the process is gone", async || is_gone(pid)).await;
}

/// Nobody may have buried it yet: a zombie is gone too.
fn is_gone(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    stat.map_or(true, |text| text.contains(") Z "))
}
