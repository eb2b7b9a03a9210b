//! P6: orders for what is sold out, against a handler that only decodes, validates and knows the buyer.

use std::{net::SocketAddr, rc::Rc};

use local_shop::{Component, Shop};

use super::{Measured, usage};
use crate::{
    committed,
    load::{
        Load, Window, closed,
        http::{Buyers, Connection},
    },
    noop::Noop,
    results::{Aim, Ratio, Sample},
    rounds::{Contender, in_turn},
    setting::Setting,
};

const CONNECTIONS: usize = 100;

/// One unit, and everybody wants it.
pub(super) async fn figure(setting: &Setting) -> crate::Result<Measured> {
    let ours = Contender::new("sold out", "1/s", |window| ours_once(setting, window));
    let theirs = Contender::new("constant handler", "1/s", |window| {
        theirs_once(setting, window)
    });
    let sides = in_turn("P6", setting.rounds, vec![ours, theirs]).await?;
    let ratio = Ratio::of(&sides[0], &sides[1], Some(Aim::higher(0.9, 0.75)))?;
    Ok(Measured {
        sides,
        ratios: vec![ratio],
    })
}

async fn ours_once(setting: &Setting, window: Window) -> crate::Result<Sample> {
    let shop = Shop::start(setting.shop()).await;
    let deal = shop.start_deal(1).await;
    let address = shop.order[0].http_address;
    let (load, sample) = load(address, &deal.product_id, shop.components(), window).await;
    let rows = committed::rows(&shop.database.url, committed::ORDERS).await?;
    committed::check(&load, rows)?;
    match load.in_all.won {
        1 => Ok(Sample {
            committed: Some(rows),
            ..sample
        }),
        won => Err(format!("{won} orders were accepted for one unit").into()),
    }
}

async fn theirs_once(setting: &Setting, window: Window) -> crate::Result<Sample> {
    let noop = Noop::http(setting).await;
    let product_id = setting.ids.next().to_string();
    let (load, sample) = load(noop.address(), &product_id, noop.components(), window).await;
    committed::nothing_failed(&load.in_all)?;
    match load.in_all.won {
        0 => Ok(sample),
        _ => Err("the constant handler has accepted an order".into()),
    }
}

async fn load(
    address: SocketAddr,
    product_id: &str,
    components: Vec<Component>,
    window: Window,
) -> (Load, Sample) {
    let buyers = Rc::new(Buyers::default());
    let connections = Connection::many(CONNECTIONS, address, product_id, &buyers);
    let (load, used) = usage::during(components, window, closed(connections, window)).await;
    let sample = Sample::of_load(&load, load.answered_per_s());
    (load, usage::noted(sample, &used))
}
