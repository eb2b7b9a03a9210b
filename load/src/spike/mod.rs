//! Sold out at once, on the shop as it was, on the way, and as it is: what the many who get nothing cost.
//!
//! - `result`: what is left behind, as JSON. `run`: one step measured once.

mod result;
mod run;

use std::{fs, path::PathBuf, time::Duration};

use clap::Args;
use domain::Timestamp;
use local_shop::{POSTGRES_SETTINGS, Profile, machine::Machine};
use service_kit::{
    config::{count, duration},
    out,
};

pub use self::result::{FORM, Spike, SpikeRun, Told, Used};
use crate::{LoadError, k6, order_overload::Step, record, table};

/// How many want how few.
#[derive(Args, Clone, Debug)]
pub struct Crowd {
    /// Buyers, each with one order
    #[arg(long, env = "NUM_USERS", value_parser = count, default_value_t = 20_000)]
    pub num_users: usize,

    /// Units they race for
    #[arg(long, env = "STOCK", value_parser = count, default_value_t = 200)]
    pub stock: usize,

    /// Virtual users at once
    #[arg(long, env = "MAX_VUS", value_parser = count, default_value_t = 100)]
    pub max_vus: usize,

    /// How long a buyer waits for an answer
    #[arg(long, env = "REQUEST_TIMEOUT", value_parser = duration, default_value = "10s")]
    pub request_timeout: Duration,
}

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Order {
    /// Who comes.
    pub crowd: Crowd,
    /// How often each step.
    pub rounds: usize,
    /// How the services are compiled.
    pub profile: Profile,
    /// Where the result goes.
    pub results_dir: PathBuf,
}

/// Measures every step in every round, says what it finds as it comes, and answers the file it leaves behind.
///
/// # Errors
/// When k6 cannot run, the file cannot be written, or not exactly the units there are were sold: then nothing is
/// left behind.
pub async fn measure(order: &Order, taken_at: Timestamp) -> Result<PathBuf, LoadError> {
    let machine = Machine::look().await;
    table::machine(&machine);
    let steps = Step::OF_A_SHOP_OF_ITS_OWN;
    let mut runs = Vec::new();
    for round in 1..=order.rounds {
        // Each round begins with another step: whatever the machine does by the hour meets all of them.
        for turn in 0..steps.len() {
            let run = run::run(order, steps[(turn + round - 1) % steps.len()], round).await?;
            say(&run);
            runs.push(run);
        }
    }
    let crowd = &order.crowd;
    let spike = Spike {
        form: FORM,
        command: format!(
            "make load-spike NUM_USERS={} STOCK={} MAX_VUS={} ROUNDS={}",
            crowd.num_users, crowd.stock, crowd.max_vus, order.rounds
        ),
        taken_at,
        machine,
        k6_version: k6::version().await,
        profile: record::profile_name(order.profile),
        num_users: crowd.num_users,
        stock: crowd.stock,
        max_vus: crowd.max_vus,
        postgres_settings: POSTGRES_SETTINGS.iter().map(ToString::to_string).collect(),
        rounds: order.rounds,
        runs,
    };
    fs::create_dir_all(&order.results_dir).map_err(LoadError::file(&order.results_dir))?;
    let path = order
        .results_dir
        .join(record::stem("spike", taken_at, &spike.machine) + ".json");
    spike.write(&path)?;
    out::line(format!("written: {}", path.display()));
    Ok(path)
}

fn say(run: &SpikeRun) {
    out::line(format!(
        "round {} {:7} p95 {:8.2} ms  won {:8.2} ms  sold out {:8.2} ms  {:8.0} answers/s",
        run.round,
        run.step.to_string(),
        run.all.p95_ms,
        run.accepted.p95_ms,
        run.sold_out.p95_ms,
        run.answers_per_second
    ));
}
