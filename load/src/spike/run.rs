//! One step, measured once.

use std::{collections::BTreeMap, time::Duration};

use local_shop::{
    Component, Shop, machine,
    usage::{ComponentUsage, Sampler},
};
use sqlx::{Connection as _, PgConnection};

use super::{Order, SpikeRun, Told, Used};
use crate::{
    LoadError,
    k6::{self, Summary},
    order_overload::Step,
};

const SAMPLED_EVERY: Duration = Duration::from_millis(200);
/// One request at a time, each with a commit on a slow disk, for every buyer.
const PATIENCE: Duration = Duration::from_secs(900);

pub(super) async fn run(order: &Order, step: Step, round: usize) -> Result<SpikeRun, LoadError> {
    let mut options = step.options(order.profile);
    options.product_env.extend(memory(step));
    let shop = Shop::start(options).await;
    let load_average_before = machine::load_average();
    let mut components = shop.components();
    let k6 = k6::start("spike", env(order, &shop)).await;
    components.push(Component::new("k6", [k6.process.pid()]));
    let sampler = Sampler::start(components, SAMPLED_EVERY);
    let summary = k6.end(PATIENCE).await?;
    let usage = sampler.stop().await;
    check(order, &shop, &summary).await?;
    let components = usage.components.into_iter().map(|one| {
        let used = Used {
            cpu_seconds: cpu_seconds(&one),
            rss_peak_bytes: one.rss_peak_bytes,
        };
        (one.name, used)
    });
    let seconds = summary.figure("answered_at", "max")? / 1e3;
    Ok(SpikeRun {
        round,
        step,
        variables: variables(step),
        load_average_before,
        seconds,
        answers_per_second: whole(order.crowd.num_users) / seconds,
        all: told(&summary, "order_duration")?,
        accepted: told(&summary, "accepted_duration")?,
        sold_out: told(&summary, "sold_out_duration")?,
        components: components.collect(),
    })
}

/// That nothing is left is remembered only in the last step: a no from memory would hide what one of the gate, or of
/// the database, costs.
fn memory(step: Step) -> Option<(&'static str, String)> {
    (step != Step::After).then(|| ("SOLD_OUT_MEMORY", "0ms".to_owned()))
}

fn variables(step: Step) -> BTreeMap<String, String> {
    let memory = memory(step).map(|(name, value)| (name.to_owned(), value));
    step.variables().into_iter().chain(memory).collect()
}

/// Up to the highest reading: k6 has ended before the last one, and took its time with it.
fn cpu_seconds(used: &ComponentUsage) -> f64 {
    let readings = used.points.iter().map(|point| point.cpu_seconds);
    let highest = readings.fold(0.0, f64::max);
    highest - used.points.first().map_or(0.0, |first| first.cpu_seconds)
}

fn env(order: &Order, shop: &Shop) -> Vec<(&'static str, String)> {
    let crowd = &order.crowd;
    vec![
        ("NUM_USERS", crowd.num_users.to_string()),
        ("STOCK", crowd.stock.to_string()),
        ("MAX_VUS", crowd.max_vus.to_string()),
        (
            "REQUEST_TIMEOUT",
            format!("{}ms", crowd.request_timeout.as_millis()),
        ),
        ("BASE_URL", shop.front().url("")),
        ("PRODUCT_URL", shop.product[0].http.url("")),
    ]
}

fn told(summary: &Summary, metric: &str) -> Result<Told, LoadError> {
    Ok(Told {
        avg_ms: summary.figure(metric, "avg")?,
        p50_ms: summary.figure(metric, "med")?,
        p95_ms: summary.figure(metric, "p(95)")?,
        max_ms: summary.figure(metric, "max")?,
    })
}

/// Every unit was sold once, to somebody whose order is a row, and everybody else was told so.
async fn check(order: &Order, shop: &Shop, summary: &Summary) -> Result<(), LoadError> {
    let mut database = PgConnection::connect(&shop.database.url).await?;
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM order_service.orders")
        .fetch_one(&mut database)
        .await?;
    let found = [
        summary.counted("orders_accepted"),
        rows.cast_unsigned(),
        summary.counted("orders_accepted") + summary.counted("orders_sold_out"),
    ];
    let (stock, buyers) = (order.crowd.stock as u64, order.crowd.num_users as u64);
    let is_true = summary.figure("truth", "value")? >= 1.0;
    match is_true && found == [stock, stock, buyers] {
        true => Ok(()),
        false => Err(LoadError::Untrue(format!(
            "of {buyers} buyers of {stock} units, [accepted, rows, answered] are {found:?}\n{}",
            summary.output
        ))),
    }
}

#[expect(clippy::cast_precision_loss, reason = "buyers of minutes fit")]
fn whole(count: usize) -> f64 {
    count as f64
}
