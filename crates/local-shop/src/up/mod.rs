//! The program `local-shop`: a shop for people, from `make up-local` and `make run-distributed`.
//!
//! - `config`: its flags and variables. `keep`: the directory that keeps data and logs.
//! - `welcome`: the deal to buy from, and what to try.

mod config;
mod keep;
mod welcome;

use std::{ffi::OsString, process::ExitCode, time::Duration};

use clap::Parser as _;
use service_kit::{out, shutdown};
use tokio_util::sync::CancellationToken;

use self::config::Config;
use crate::Shop;

/// How often the processes are looked at.
const WATCHED_EVERY: Duration = Duration::from_millis(500);

/// The program, with its arguments; the first is its name. It ends with the first signal, or when one of its
/// processes does.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let config = Config::parse_from(args);
    // What cannot be started panics with words for people; where in the code that was does not help them.
    std::panic::set_hook(Box::new(|panic| {
        let words = panic.payload_as_str().unwrap_or("something has gone wrong");
        out::line(format!("local-shop: {words}"));
    }));
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => out::refuse(error),
    };
    match runtime.block_on(run(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::line(format!("local-shop: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> Result<(), String> {
    let kept = keep::open(&config.data_dir)?;
    config.require_free()?;
    out::line("starting; the first time it also compiles");
    let stop = shutdown::signal();
    let options = config.options(&kept);
    let starting = Box::pin(Shop::start(options));
    let Some(shop) = stop.run_until_cancelled(starting).await else {
        return Ok(());
    };
    welcome::say(&shop, &config).await;
    let ended = watch(&shop, &stop).await;
    out::line("ending everything");
    shop.stop().await;
    match ended {
        None => Ok(()),
        Some(name) => Err(format!(
            "{name} has ended by itself: its log is in {}",
            config.data_dir.display()
        )),
    }
}

/// Until a signal comes, or a process ends by itself: the name of its component.
async fn watch(shop: &Shop, stop: &CancellationToken) -> Option<String> {
    let components = shop.components();
    let mut ticks = tokio::time::interval(WATCHED_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return None,
            _ = ticks.tick() => {
                if let Some(ended) = components.iter().find(|it| it.has_ended()) {
                    return Some(ended.name.clone());
                }
            }
        }
    }
}
