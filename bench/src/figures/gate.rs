//! P2: the gate alone, in process, against Redis's own benchmark with the document's own script.

use std::process::Stdio;

use test_kit::{Program, Redis};
use tokio::process::Command;

use super::Measured;
use crate::{
    child::Target,
    load::Window,
    results::{Aim, Ratio, Sample},
    rounds::{Contender, in_turn},
    setting::Setting,
};

/// The script of the source document, word for word but for its comments.
const SCRIPT: &str = "\
local stock = redis.call('HGET', KEYS[1], 'quantity')
if stock and tonumber(stock) >= tonumber(ARGV[1]) then
    redis.call('HINCRBY', KEYS[1], 'quantity', -tonumber(ARGV[1]))
    return 1
else
    return 0
end
";
const KEY: &str = "hotdeal:stock:1";
const UNITS: i64 = 1_000_000_000_000;
/// Clients of redis-benchmark, each of which waits for its answer.
const CLIENTS: usize = 50;
/// Callers of our gate: as many as calls are in flight in P1a.
const CALLERS: usize = 256;
/// The batch that product-service makes by itself.
const BATCH_MAX: usize = 64;
/// Calls from which the benchmark's length is told.
const TRIAL_CALLS: u64 = 20_000;

/// Our gate, the same with as many callers as the benchmark has clients, and the benchmark.
pub(super) async fn figure(setting: &Setting) -> crate::Result<Measured> {
    let target = &Target::build("gate", setting).await?;
    let gate = |callers| move |window| gate_once(target, callers, window);
    let contenders = vec![
        Contender::new("gate, 256 callers", "1/s", gate(CALLERS)),
        Contender::new("gate, 50 callers", "1/s", gate(CLIENTS)),
        Contender::new("redis-benchmark -c 50", "1/s", benchmark_once),
    ];
    let sides = in_turn("P2", setting.rounds, contenders).await?;
    let ratio = Ratio::of(&sides[0], &sides[2], Some(Aim::higher(3.0, 2.0)))?;
    let as_many = Ratio::of(&sides[1], &sides[2], None)?;
    Ok(Measured {
        sides,
        ratios: vec![ratio, as_many],
    })
}

async fn gate_once(target: &Target, callers: usize, window: Window) -> crate::Result<Sample> {
    let redis = Redis::start().await;
    target
        .measure(&redis.url(), callers, BATCH_MAX, window)
        .await
}

async fn benchmark_once(window: Window) -> crate::Result<Sample> {
    let redis = Redis::start().await;
    let mut connection = redis.connection().await;
    let load = redis::cmd("SCRIPT").arg("LOAD").arg(SCRIPT).to_owned();
    let hash: String = load.query_async(&mut connection).await?;
    let mut fill = redis::cmd("HSET");
    fill.arg(KEY).arg("quantity").arg(UNITS);
    fill.exec_async(&mut connection).await?;
    let trial = benchmark(&redis, &hash, TRIAL_CALLS).await?;
    let warm_up = calls(trial, window.warm_up.as_secs_f64());
    let warm = benchmark(&redis, &hash, warm_up).await?;
    let measured = calls(warm, window.measured.as_secs_f64());
    let per_s = benchmark(&redis, &hash, measured).await?;
    let mut read = redis::cmd("HGET");
    read.arg(KEY).arg("quantity");
    let left: i64 = read.query_async(&mut connection).await?;
    let taken = u64::try_from(UNITS - left)?;
    if taken != TRIAL_CALLS + warm_up + measured {
        return Err(format!("{taken} units were taken, not one a call").into());
    }
    Ok(Sample {
        value: per_s,
        ..Sample::default()
    })
}

/// As many calls as take `seconds`, at least the trial's.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of calls"
)]
fn calls(per_s: f64, seconds: f64) -> u64 {
    ((per_s * seconds) as u64).max(TRIAL_CALLS)
}

/// Calls a second of `calls` calls, each for one unit.
async fn benchmark(redis: &Redis, hash: &str, calls: u64) -> crate::Result<f64> {
    let program = Program::installed("redis-benchmark");
    let output = Command::new(program.path())
        .args(["-p", &redis.port().to_string(), "--csv"])
        .args(["-c", &CLIENTS.to_string(), "-n", &calls.to_string()])
        .args(["EVALSHA", hash, "1", KEY, "1"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout);
    per_s(&text).ok_or_else(|| format!("redis-benchmark said: {text}").into())
}

/// The second column of the second line: `"test","rps",…`.
fn per_s(csv: &str) -> Option<f64> {
    let line = csv.lines().rfind(|line| line.starts_with('"'))?;
    // The name of the test is the call itself, and has no quotation mark.
    line.split("\",\"").nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_read_out_of_what_the_benchmark_writes() {
        let csv =
            "\"test\",\"rps\",\"avg_latency_ms\"\n\"EVALSHA abc 1 k 1\",\"41666.67\",\"0.6\"\n";
        assert_eq!(per_s(csv), Some(41_666.67));
        assert_eq!(per_s("Could not connect\n"), None);
    }
}
