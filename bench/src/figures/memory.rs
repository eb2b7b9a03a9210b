//! P8: memory of each service: idle, when as much comes as it can do, and when three times as much comes.

use std::{cell::RefCell, rc::Rc, time::Duration};

use local_shop::{Component, Shop, usage::Sampler};
use tokio::time::sleep;

use super::{Measured, orders::PLENTY, usage::megabytes};
use crate::{
    committed,
    load::{
        Load, Window, closed,
        http::{Buyers, Connection},
        open,
    },
    results::{Aim, Ratio, Sample, Side},
    rounds::{Contender, in_turn},
    setting::Setting,
};

const SERVICES: [&str; 2] = ["product-service", "order-service"];
const IDLE: Duration = Duration::from_secs(30);
const CAPACITY: Duration = Duration::from_secs(20);
const OVERLOAD: Duration = Duration::from_secs(60);
const TIMES_CAPACITY: f64 = 3.0;
/// So many that more would not make it accept more: what it can do.
const CONNECTIONS: usize = 500;
const FOUND_IN: Duration = Duration::from_secs(10);
/// More than the service works on at once, so that it has to refuse.
const CONNECTIONS_OF_A_CROWD: usize = 2_000;
const SAMPLED_EVERY: Duration = Duration::from_millis(250);
/// A round takes two minutes, and memory scatters little.
const ROUNDS_MAX: usize = 2;

/// Idle, then an open loop of what a closed one has found to be its capacity, then of three times that, on one shop.
/// The same crowd comes both times, each of it on a connection of his own, so that what differs is the overload alone.
pub(super) async fn figure(setting: &Setting) -> crate::Result<Measured> {
    let mut rounds = setting.rounds;
    rounds.count = rounds.count.min(ROUNDS_MAX);
    // Everything is measured in one go, and told apart afterwards.
    let seen = Rc::new(RefCell::new(Vec::new()));
    let shop = Contender::new("both services", "MB", |_| {
        let seen = Rc::clone(&seen);
        async move {
            let phases = once(setting).await?;
            let sample = phases.overload.clone();
            seen.borrow_mut().push(phases);
            Ok(sample)
        }
    });
    let whole = in_turn("P8", rounds, vec![shop]).await?;
    let seen = seen.take();
    let (mut sides, mut ratios) = (whole, Vec::new());
    for name in SERVICES {
        let of = |phase: &str, sample: fn(&Phases) -> &Sample| {
            let value = |phases: &Phases| {
                let sample = sample(phases);
                let value = sample.details.get(&detail(name)).copied();
                Sample {
                    value: value.unwrap_or(f64::NAN),
                    ..Sample::default()
                }
            };
            Side::new(
                &format!("{name} {phase}"),
                "MB",
                seen.iter().map(value).collect(),
            )
        };
        let idle = of("idle", |phases| &phases.idle);
        let capacity = of("at capacity", |phases| &phases.capacity);
        let overload = of("at 3 × that", |phases| &phases.overload);
        ratios.push(Ratio::of(&overload, &capacity, Some(Aim::lower(1.1, 1.4)))?);
        let idle = idle.aiming(Aim::lower(25.0, 35.0));
        sides.extend([idle, capacity, overload]);
    }
    Ok(Measured { sides, ratios })
}

/// Peak memory of each service in each phase, as details of a sample.
struct Phases {
    idle: Sample,
    capacity: Sample,
    overload: Sample,
}

async fn once(setting: &Setting) -> crate::Result<Phases> {
    let shop = Shop::start(setting.shop()).await;
    let deal = shop.start_deal(PLENTY).await;
    let short = Duration::from_millis(500);
    sleep(setting.scaled(IDLE, short)).await;
    let at_rest = Load::nothing(Duration::ZERO);
    let idle = watched(&shop, async { at_rest }).await;

    let address = shop.order[0].http_address;
    let buyers = Rc::new(Buyers::default());
    let connections = |count| Connection::many(count, address, &deal.product_id, &buyers);
    let window = |measured| Window {
        warm_up: setting.rounds.window.warm_up,
        measured,
    };
    let found = closed(
        connections(CONNECTIONS),
        window(setting.scaled(FOUND_IN, short)),
    )
    .await;
    committed::nothing_failed(&found.in_all)?;
    let come = async |times: f64, measured: Duration| -> crate::Result<(Load, Sample)> {
        let rate = found.won_per_s() * times;
        let crowd = connections(CONNECTIONS_OF_A_CROWD);
        let load = open(crowd, rate, window(setting.scaled(measured, short)));
        let (load, sample) = watched(&shop, load).await;
        refused_only_as_overloaded(&load)?;
        Ok((load, sample.with("due_per_s", rate)))
    };
    let capacity = come(1.0, CAPACITY).await?;
    let overload = come(TIMES_CAPACITY, OVERLOAD).await?;

    let rows = committed::rows(&shop.database.url, committed::ORDERS).await?;
    let won = found.in_all.won + capacity.0.in_all.won + overload.0.in_all.won;
    if rows < won {
        return Err(format!("{won} were answered as accepted, but {rows} are there").into());
    }
    Ok(Phases {
        idle: idle.1,
        capacity: capacity.1,
        overload: overload.1,
    })
}

/// Who comes in vain is told so, and when to come again.
fn refused_only_as_overloaded(load: &Load) -> crate::Result<()> {
    let mut other = load.in_all.clone();
    other
        .failed
        .retain(|kind, _| kind != "503" && kind != "429");
    committed::nothing_failed(&other)
}

/// The load, and a sample with the largest memory of each service meanwhile.
async fn watched(shop: &Shop, load: impl Future<Output = Load>) -> (Load, Sample) {
    let is_service = |component: &Component| SERVICES.contains(&component.name.as_str());
    let components = shop.components().into_iter().filter(is_service);
    let sampler = Sampler::start(components.collect(), SAMPLED_EVERY);
    let load = load.await;
    let usage = sampler.stop().await;
    let mut sample = Sample::of_load(&load, 0.0);
    for component in &usage.components {
        let peak = megabytes(component.rss_peak_bytes);
        sample.value += peak;
        sample = sample.with(&detail(&component.name), peak);
    }
    let sample = sample
        .with("won_per_s", load.won_per_s())
        .with("answered_per_s", load.answered_per_s())
        .with("busy_at_once", busy(&load));
    (load, sample)
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn busy(load: &Load) -> f64 {
    load.callers_busy as f64
}

fn detail(service: &str) -> String {
    format!("{}_rss_mb", service.replace('-', "_"))
}
