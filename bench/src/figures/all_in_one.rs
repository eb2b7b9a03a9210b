//! P10: the one process on SQLite against the distributed pair.

use std::{rc::Rc, time::Duration};

use local_shop::AllInOne;
use sqlx::{Connection as _, SqliteConnection};

use super::{
    Measured,
    orders::{PLENTY, accepted, deal_at},
    usage,
};
use crate::{
    committed,
    load::{
        Window, closed,
        http::{Buyers, Connection},
    },
    results::{Aim, Ratio, Sample},
    rounds::{Contender, in_turn},
    setting::Setting,
};

const CONNECTIONS: usize = 100;
/// How long the process may take to end in order.
const END_TIMEOUT: Duration = Duration::from_secs(30);

/// Accepted orders a second of both.
pub(super) async fn figure(setting: &Setting) -> crate::Result<Measured> {
    let ours = Contender::new("all-in-one", "1/s", |window| once(setting, window));
    let pair = Contender::new("distributed pair", "1/s", |window| {
        accepted(setting.shop(), CONNECTIONS, window)
    });
    let sides = in_turn("P10", setting.rounds, vec![ours, pair]).await?;
    let ratio = Ratio::of(&sides[0], &sides[1], Some(Aim::higher(2.0, 1.2)))?;
    Ok(Measured {
        sides,
        ratios: vec![ratio],
    })
}

async fn once(setting: &Setting, window: Window) -> crate::Result<Sample> {
    let shop = AllInOne::start(setting.profile, &[]).await;
    let product_id = deal_at(&shop.replica.http, PLENTY).await?;
    let buyers = Rc::new(Buyers::default());
    let address = shop.replica.http_address;
    let connections = Connection::many(CONNECTIONS, address, &product_id, &buyers);
    let load = closed(connections, window);
    let (load, used) = usage::during(shop.components(), window, load).await;
    if load.in_all.lost > 0 {
        return Err(format!("{} orders were refused where all win", load.in_all.lost).into());
    }
    // It has its files for itself.
    shop.replica.process.terminate();
    shop.replica.process.wait(END_TIMEOUT).await;
    let product = rows(&shop, "product.db", "SELECT count(*) FROM holds").await?;
    committed::check(&load, product)?;
    let orders = rows(&shop, "order.db", "SELECT count(*) FROM orders").await?;
    committed::check(&load, orders)?;
    let sample = usage::noted(Sample::of_load(&load, load.won_per_s()), &used);
    Ok(Sample {
        committed: Some(orders),
        ..sample
    })
}

/// What `count` counts in one of the files of a process that has ended.
async fn rows(shop: &AllInOne, file: &str, count: &'static str) -> crate::Result<u64> {
    let url = format!("sqlite://{}", shop.data_dir.join(file).display());
    let mut connection = SqliteConnection::connect(&url).await?;
    let rows: i64 = sqlx::query_scalar(count).fetch_one(&mut connection).await?;
    Ok(rows.try_into()?)
}
