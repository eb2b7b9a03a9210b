//! The private Redis: there, empty, killed, back, stopped, counted.

use std::time::Duration;

use redis::{AsyncCommands, RedisResult, Script};
use test_kit::{Redis, eventually};

#[tokio::test]
async fn a_started_server_keeps_what_it_is_given() {
    let redis = Redis::start().await;
    let mut connection = redis.connection().await;
    let () = connection.set("unit", 7).await.unwrap();
    let unit: u32 = connection.get("unit").await.unwrap();
    assert_eq!(unit, 7);
}

#[tokio::test]
async fn two_servers_do_not_see_each_other() {
    let (one, other) = tokio::join!(Redis::start(), Redis::start());
    assert_ne!(one.port(), other.port());
    let () = one.connection().await.set("unit", 7).await.unwrap();
    let exists: bool = other.connection().await.exists("unit").await.unwrap();
    assert!(!exists);
}

#[tokio::test]
async fn a_killed_server_is_gone_and_comes_back_empty_at_its_url() {
    let redis = Redis::start().await;
    let url = redis.url();
    let () = redis.connection().await.set("unit", 7).await.unwrap();

    redis.kill9();
    assert!(
        redis
            .client()
            .get_multiplexed_async_connection()
            .await
            .is_err()
    );

    redis.restart_empty().await;
    assert_eq!(redis.url(), url);
    let exists: bool = redis.connection().await.exists("unit").await.unwrap();
    assert!(!exists);
}

#[tokio::test]
async fn an_append_only_file_survives_a_restart_and_not_an_empty_one() {
    let redis = Redis::with_args(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    let () = redis.connection().await.set("unit", 7).await.unwrap();

    redis.restart().await;
    let unit: Option<u32> = redis.connection().await.get("unit").await.unwrap();
    assert_eq!(unit, Some(7));

    redis.restart_empty().await;
    let unit: Option<u32> = redis.connection().await.get("unit").await.unwrap();
    assert_eq!(unit, None);
}

#[tokio::test]
async fn a_paused_server_does_not_answer_until_it_is_resumed() {
    let redis = Redis::start().await;
    let mut connection = redis.connection().await;
    connection.set_response_timeout(Duration::from_millis(100));

    redis.pause();
    let answer: RedisResult<()> = connection.set("unit", 7).await;
    assert!(answer.unwrap_err().is_timeout());

    redis.resume();
    eventually(
        Duration::from_secs(5),
        "the server answers again",
        async || connection.clone().get::<_, Option<u32>>("unit").await == Ok(Some(7)),
    )
    .await;
}

#[tokio::test]
async fn calls_of_a_command_are_counted_since_the_start() {
    let redis = Redis::start().await;
    assert_eq!(redis.command_calls("evalsha").await, 0);
    let script = Script::new("return redis.call('SET', KEYS[1], 1)");
    let mut connection = redis.connection().await;
    let () = script
        .prepare_invoke()
        .key("unit")
        .load_async(&mut connection)
        .await
        .map(|_| ())
        .unwrap();
    for _ in 0..3 {
        let () = script
            .key("unit")
            .invoke_async(&mut connection)
            .await
            .unwrap();
    }
    assert_eq!(redis.command_calls("evalsha").await, 3);
    assert_eq!(redis.command_calls("set").await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_server_starts_while_the_tests_time_stands_still() {
    let redis = Redis::start().await;
    redis.restart_empty().await;
}
