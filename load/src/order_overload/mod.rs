//! The load target: the same load on the same shop, as it was before, on the way, and now.
//!
//! - [`step`](Step): which variables make which step.
//! - `run`: one step measured once. `summary`: medians over the rounds, and the steps against each other.

mod run;
mod step;
mod summary;

use std::path::PathBuf;

use domain::Timestamp;
use local_shop::{POSTGRES_SETTINGS, Profile, machine::Machine};

pub use self::step::Step;
use crate::{
    LoadError, k6, plot, record,
    result::{FORM, OrderOverload},
    settings::{Load, Target},
    table,
};

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Order {
    /// How heavy.
    pub load: Load,
    /// Against what.
    pub target: Target,
    /// How often each step.
    pub rounds: usize,
    /// How the services are compiled.
    pub profile: Profile,
    /// Where the result goes.
    pub results_dir: PathBuf,
}

/// Measures every step in every round, says what it finds as it comes, and leaves JSON and pictures behind.
///
/// Each round begins with another step: whatever the machine does by the hour meets all of them.
///
/// # Errors
/// When k6 cannot run, a picture or file cannot be written, or the answers and the database disagree: then nothing
/// is left behind, since it would not be true.
pub async fn measure(order: &Order, taken_at: Timestamp) -> Result<Written, LoadError> {
    let steps: &[Step] = match order.target.base_url {
        None => &Step::OF_A_SHOP_OF_ITS_OWN,
        Some(_) => &[Step::Given],
    };
    let machine = Machine::look().await;
    table::machine(&machine);
    let mut runs = Vec::new();
    for round in 1..=order.rounds {
        for turn in 0..steps.len() {
            let step = steps[(turn + round - 1) % steps.len()];
            let run = run::run(order, step, round).await?;
            table::run(&run);
            runs.push(run);
        }
    }
    let result = OrderOverload {
        form: FORM,
        command: command(order),
        taken_at,
        machine,
        k6_version: k6::version().await,
        profile: record::profile_name(order.profile),
        load: order.load.clone(),
        postgres_settings: POSTGRES_SETTINGS.iter().map(ToString::to_string).collect(),
        rounds: order.rounds,
        steps: summary::steps(&runs, steps),
        ratios: summary::ratios(&runs, order.rounds),
        runs,
    };
    write(result, &order.results_dir)
}

/// A result and where it is.
#[derive(Debug)]
pub struct Written {
    /// What was measured.
    pub result: OrderOverload,
    /// The JSON file.
    pub json: PathBuf,
    /// The pictures.
    pub pictures: Vec<PathBuf>,
}

fn write(result: OrderOverload, directory: &std::path::Path) -> Result<Written, LoadError> {
    std::fs::create_dir_all(directory).map_err(LoadError::file(directory))?;
    // What was measured on a shop that is given has no before: it is for its reader, not for the reports.
    let name = match result.step(Step::Given) {
        None => "order-overload",
        Some(_) => "given-overload",
    };
    let stem = record::stem(name, result.taken_at, &result.machine);
    let json = directory.join(format!("{stem}.json"));
    result.write(&json)?;
    let pictures = plot::draw(&result, directory, &stem)?;
    Ok(Written {
        result,
        json,
        pictures,
    })
}

fn command(order: &Order) -> String {
    let variables = order.load.env().into_iter();
    let given = variables.map(|(name, value)| format!("{name}={value}"));
    let given: Vec<String> = given
        .chain([format!("ROUNDS={}", order.rounds)])
        .chain(
            order
                .target
                .base_url
                .iter()
                .map(|url| format!("BASE_URL={url}")),
        )
        .collect();
    format!("make load-order-overload {}", given.join(" "))
}
