//! One step, measured once.

use std::{collections::BTreeMap, time::Duration};

use local_shop::{Component, Deal, Shop, machine, usage::Sampler};
use sqlx::{Connection as _, PgConnection};

use super::{Order, Step};
use crate::{
    LoadError,
    k6::{self, Summary},
    result::{Answers, Run, Units},
    store::Readings,
};

/// Units for all, however fast the shop is.
const STOCK: i64 = 50_000_000;
const SAMPLED_EVERY: Duration = Duration::from_millis(500);
/// k6 starts, the last answers come, units are counted.
const PATIENCE: Duration = Duration::from_secs(180);
/// Until k6 has read its script and the first virtual user is there.
const K6_STARTS_WITHIN: Duration = Duration::from_secs(1);

pub(super) async fn run(order: &Order, step: Step, round: usize) -> Result<Run, LoadError> {
    match step {
        Step::Given => of_a_given_shop(order, round).await,
        _ => of_a_shop_of_its_own(order, step, round).await,
    }
}

async fn of_a_given_shop(order: &Order, round: usize) -> Result<Run, LoadError> {
    let load_average_before = machine::load_average();
    let mut env = order.load.env();
    env.extend(order.target.env());
    let k6 = k6::start("order-overload", env).await;
    let summary = k6.end(patience(order)).await?;
    let (hold, whole) = answers(order, &summary)?;
    Ok(Run {
        round,
        step: Step::Given,
        variables: BTreeMap::new(),
        load_average_before,
        hold,
        whole,
        is_within_thresholds: summary.is_kept,
        components: Vec::new(),
        rss_at_rest_bytes: BTreeMap::new(),
        decrement: None,
        units: None,
    })
}

async fn of_a_shop_of_its_own(order: &Order, step: Step, round: usize) -> Result<Run, LoadError> {
    let shop = Shop::start(step.options(order.profile)).await;
    let deal = shop.start_deal(STOCK).await;
    let mut components = shop.components();
    let at_rest = components
        .iter()
        .map(|it| (it.name.clone(), it.read().rss_bytes));
    let rss_at_rest_bytes = at_rest.collect();
    let load_average_before = machine::load_average();
    let before = Readings::take(&shop).await;

    let mut env = order.load.env();
    env.push(("BASE_URL", shop.front().url("")));
    env.push(("PRODUCT_URL", shop.product[0].http.url("")));
    env.push(("PRODUCT_ID", deal.product_id.clone()));
    let k6 = k6::start("order-overload", env).await;
    components.push(Component::new("k6", [k6.process.pid()]));
    let sampler = Sampler::start(components, SAMPLED_EVERY);
    let summary = k6.end(patience(order)).await?;
    let usage = sampler.stop().await;

    let after = Readings::take(&shop).await;
    let held_from = order.load.ramp_duration + K6_STARTS_WITHIN;
    let held_to = order.load.ramp_duration + order.load.hold_duration;
    let usage = usage.between(held_from, held_to).without_points();
    let (hold, whole) = answers(order, &summary)?;
    let units = count(&shop, &deal, whole.accepted).await?;
    Ok(Run {
        round,
        step,
        variables: step.variables(),
        load_average_before,
        hold,
        whole,
        is_within_thresholds: summary.is_kept,
        components: usage.components,
        rss_at_rest_bytes,
        decrement: Some(after.since(&before)),
        units: Some(units),
    })
}

fn patience(order: &Order) -> Duration {
    let load = &order.load;
    load.ramp_duration + load.hold_duration + load.request_timeout + PATIENCE
}

/// During the hold phase, and in all.
fn answers(order: &Order, summary: &Summary) -> Result<(Answers, Answers), LoadError> {
    let load = &order.load;
    let hold = answers_of(summary, "{phase:hold}", load.hold_duration)?;
    let whole = answers_of(summary, "", load.ramp_duration + load.hold_duration)?;
    Ok((hold, whole))
}

#[expect(clippy::cast_precision_loss, reason = "orders of minutes fit")]
fn answers_of(summary: &Summary, part: &str, span: Duration) -> Result<Answers, LoadError> {
    let duration = format!("order_duration{part}");
    let took = |figure| summary.figure(&duration, figure);
    let accepted = summary.counted(&format!("orders_accepted{part}"));
    let seconds = span.as_secs_f64();
    Ok(Answers {
        seconds,
        accepted,
        accepted_per_second: accepted as f64 / seconds,
        error_rate: summary.figure(&format!("order_errors{part}"), "value")?,
        avg_ms: took("avg")?,
        p50_ms: took("med")?,
        p95_ms: took("p(95)")?,
        p99_ms: took("p(99)")?,
        max_ms: took("max")?,
    })
}

/// Every accepted order is a row and a unit that is held, and nothing else is.
async fn count(shop: &Shop, deal: &Deal, accepted: u64) -> Result<Units, LoadError> {
    let live = shop.at_rest(&deal.product_id).await;
    let mut database = PgConnection::connect(&shop.database.url).await?;
    let orders: i64 = sqlx::query_scalar("SELECT count(*) FROM order_service.orders")
        .fetch_one(&mut database)
        .await?;
    let units = Units {
        accepted,
        orders: orders.cast_unsigned(),
        held: live["held"].as_u64().unwrap_or(0),
    };
    if units.accepted == units.orders && units.orders == units.held {
        return Ok(units);
    }
    Err(LoadError::Untrue(format!(
        "orders, rows and units are not the same number: {units:?}"
    )))
}
