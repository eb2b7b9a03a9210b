//! P9: what a decrement costs in a shop with 10,000 running deals and a million open holds, against one in
//! a shop with a single deal and none.

use local_shop::Shop;
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::{Measured, orders::PLENTY, usage};
use crate::{
    committed,
    load::{
        Window, closed,
        grpc::{Decrease, Products},
    },
    results::{Aim, Ratio, Sample},
    rounds::{Contender, in_turn},
    setting::Setting,
};

const IN_FLIGHT: usize = 256;
const CHANNELS: usize = 4;
/// Filling takes longer than measuring.
const ROUNDS_MAX: usize = 3;
const HOLDS_OF_A_DEAL: i64 = 100;

/// CPU time of product-service, Redis and Postgres for one decrement.
pub(super) async fn figure(setting: &Setting) -> crate::Result<Measured> {
    let mut rounds = setting.rounds;
    rounds.count = rounds.count.min(ROUNDS_MAX);
    let deals = setting.scaled(10_000, 20);
    let full = Contender::new("10,000 deals, 1 M holds", "µs", move |window| {
        once(setting, deals, window)
    });
    let empty = Contender::new("one deal", "µs", |window| once(setting, 0, window));
    let sides = in_turn("P9", rounds, vec![full, empty]).await?;
    let ratio = Ratio::of(&sides[0], &sides[1], Some(Aim::lower(1.1, 1.25)))?;
    Ok(Measured {
        sides,
        ratios: vec![ratio],
    })
}

async fn once(setting: &Setting, deals: i64, window: Window) -> crate::Result<Sample> {
    let mut shop = Shop::start(setting.shop()).await;
    if deals > 0 {
        // It reads which deals there are when it begins.
        shop.product[0].process.kill9();
        fill(&shop.database.url, deals).await?;
        shop.product[0].restart().await;
    }
    let deal = shop.start_deal(PLENTY).await;
    let there = committed::rows(&shop.database.url, committed::HOLDS).await?;
    let products = Products::one(deal.product_id);
    let url = &shop.grpc_urls[0];
    let callers = Decrease::callers(url, CHANNELS, IN_FLIGHT, &products, &setting.ids).await?;
    let load = closed(callers, window);
    let (load, used) = usage::during(shop.components(), window, load).await;
    let rows = committed::rows(&shop.database.url, committed::HOLDS).await? - there;
    committed::check(&load, rows)?;
    let cpu_s: f64 = used
        .components
        .iter()
        .map(|component| component.cpu_seconds)
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "decrements of one run")]
    let value = cpu_s * 1e6 / load.measured.won as f64;
    let sample = usage::noted(Sample::of_load(&load, value), &used);
    Ok(Sample {
        committed: Some(rows),
        ..sample.with("won_per_s", load.won_per_s())
    })
}

/// Puts deals that run into the database, each with a hundred open holds of one unit.
async fn fill(url: &str, deals: i64) -> crate::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    connection.execute("SET search_path = product").await?;
    for statement in FILL {
        let rows = sqlx::query(statement).bind(deals).bind(HOLDS_OF_A_DEAL);
        rows.execute(&mut connection).await?;
    }
    // As a shop that has been open for long: nothing of the filling is left to be done.
    connection.execute("VACUUM (ANALYZE)").await?;
    connection.execute("CHECKPOINT").await?;
    Ok(())
}

/// $1: deals, $2: open holds of each. Ids tell the number; no id of the shop looks like that.
const FILL: [&str; 4] = [
    "INSERT INTO products (id, name, description, category, price_minor, created_at_us, updated_at_us)
     SELECT ('00000000-0000-4000-a000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Thing ' || n, '', '', 1000, 0, 0
     FROM generate_series(1, $1::bigint) n WHERE $2::bigint > 0",
    "INSERT INTO deals (id, product_id, number, status, unit_price_minor, starts_at_us, planned, initial, available, held)
     SELECT ('00000000-0000-4000-b000-' || lpad(to_hex(n), 12, '0'))::uuid,
            ('00000000-0000-4000-a000-' || lpad(to_hex(n), 12, '0'))::uuid,
            1, 'running', 900, 0, 1000, 1000, 1000 - $2::bigint, $2::bigint
     FROM generate_series(1, $1::bigint) n",
    "INSERT INTO shelves (product_id, deal_id, initial, available, returned)
     SELECT ('00000000-0000-4000-a000-' || lpad(to_hex(n), 12, '0'))::uuid,
            ('00000000-0000-4000-b000-' || lpad(to_hex(n), 12, '0'))::uuid, 1000, 0, 1000
     FROM generate_series(1, $1::bigint) n WHERE $2::bigint > 0",
    "INSERT INTO holds (order_id, user_id, state, lines, created_at_us, expires_at_us)
     SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
            ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'open',
            jsonb_build_array(jsonb_build_object(
                'product_id', '00000000-0000-4000-a000-' || lpad(to_hex(n % $1::bigint + 1), 12, '0'),
                'deal_id', '00000000-0000-4000-b000-' || lpad(to_hex(n % $1::bigint + 1), 12, '0'),
                'name', 'Thing', 'quantity', 1, 'unit_price', 900)),
            now_us(), now_us() + 3600000000
     FROM generate_series(1, $1::bigint * $2::bigint) n",
];
