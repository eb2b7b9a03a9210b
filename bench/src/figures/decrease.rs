//! P1a and P1b: `DecreaseStock` against a server that answers a constant.

use std::rc::Rc;

use local_shop::{Component, Shop};

use super::{Measured, usage};
use crate::{
    committed,
    load::{
        Load, Window, closed,
        grpc::{Decrease, Products},
    },
    noop::Noop,
    results::{Aim, Ratio, Sample},
    rounds::{Contender, in_turn},
    setting::Setting,
};

/// Calls at once.
const IN_FLIGHT: usize = 256;
/// Connections that they share.
const CHANNELS: usize = 4;
/// More than can be sold in any window.
const PLENTY: i64 = 1_000_000_000;
/// Units of each deal of P1b.
const FEW: i64 = 100;
/// Calls for each deal of P1b: one in a hundred wins.
const CALLS_EACH: u64 = 10_000;
/// Calls a second that no system answers: there are deals enough for as many.
const CALLS_PER_S_MAX: f64 = 200_000.0;

/// Every call wins: gate, ledger, and answered after the commit.
pub(super) async fn all_win(setting: &Setting) -> crate::Result<Measured> {
    let ours = Contender::new("DecreaseStock, all win", "1/s", |window| {
        all_win_once(setting, window)
    });
    let theirs = Contender::new("no-op", "1/s", |window| noop_once(setting, window));
    let sides = in_turn("P1a", setting.rounds, vec![ours, theirs]).await?;
    let ratio = Ratio::of(&sides[0], &sides[1], Some(Aim::higher(0.5, 0.3)))?;
    Ok(Measured {
        sides,
        ratios: vec![ratio],
    })
}

/// Deals of a hundred units with ten thousand calls for each, one deal after the other, as a flash sale
/// has it: the first hundred win, the others are told by the gate, or from memory, that nothing is left.
/// Beside it the same without that memory, so that every loser goes through the gate.
pub(super) async fn one_in_a_hundred_wins(setting: &Setting) -> crate::Result<Measured> {
    let ours = Contender::new("DecreaseStock, 1 % win", "1/s", |window| {
        few_win_once(setting, window, "50ms")
    });
    let by_gate = Contender::new("the same, no memory", "1/s", |window| {
        few_win_once(setting, window, "0ms")
    });
    let theirs = Contender::new("no-op", "1/s", |window| noop_once(setting, window));
    let sides = in_turn("P1b", setting.rounds, vec![ours, by_gate, theirs]).await?;
    let ratio = Ratio::of(&sides[0], &sides[2], Some(Aim::higher(0.85, 0.7)))?;
    let without_memory = Ratio::of(&sides[1], &sides[2], None)?;
    Ok(Measured {
        sides,
        ratios: vec![ratio, without_memory],
    })
}

async fn all_win_once(setting: &Setting, window: Window) -> crate::Result<Sample> {
    let shop = Shop::start(setting.shop()).await;
    let deal = shop.start_deal(PLENTY).await;
    let products = Products::one(deal.product_id);
    let url = &shop.grpc_urls[0];
    let (load, sample) = load(setting, url, &products, shop.components(), window).await?;
    if load.in_all.lost > 0 {
        return Err(format!("{} calls lost where all win", load.in_all.lost).into());
    }
    accounted_for(&shop, &load, sample).await
}

async fn few_win_once(
    setting: &Setting,
    window: Window,
    memory: &'static str,
) -> crate::Result<Sample> {
    let mut options = setting.shop();
    options
        .product_env
        .push(("SOLD_OUT_MEMORY", memory.to_owned()));
    let shop = Shop::start(options).await;
    let mut ids = Vec::new();
    for _ in 0..deals(window) {
        ids.push(shop.start_deal(FEW).await.product_id);
    }
    let products = Products::in_turn(ids, CALLS_EACH);
    let url = &shop.grpc_urls[0];
    let (load, sample) = load(setting, url, &products, shop.components(), window).await?;
    if products.ran_out() {
        return Err("more calls than deals were made for".into());
    }
    accounted_for(&shop, &load, sample).await
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of deals"
)]
fn deals(window: Window) -> usize {
    let seconds = (window.warm_up + window.measured).as_secs_f64();
    (seconds * CALLS_PER_S_MAX / CALLS_EACH as f64).ceil() as usize + 1
}

async fn noop_once(setting: &Setting, window: Window) -> crate::Result<Sample> {
    let noop = Noop::grpc(setting).await;
    let products = Products::one(setting.ids.next().to_string());
    let (load, sample) = load(setting, &noop.url(), &products, noop.components(), window).await?;
    committed::nothing_failed(&load.in_all)?;
    Ok(sample)
}

async fn load(
    setting: &Setting,
    url: &str,
    products: &Rc<Products>,
    components: Vec<Component>,
    window: Window,
) -> crate::Result<(Load, Sample)> {
    let callers = Decrease::callers(url, CHANNELS, IN_FLIGHT, products, &setting.ids).await?;
    let (load, used) = usage::during(components, window, closed(callers, window)).await;
    let sample = Sample::of_load(&load, load.answered_per_s());
    Ok((load, usage::noted(sample, &used)))
}

/// The sample, once the database has as many holds as calls have won.
async fn accounted_for(shop: &Shop, load: &Load, mut sample: Sample) -> crate::Result<Sample> {
    let rows = committed::rows(&shop.database.url, committed::HOLDS).await?;
    committed::check(load, rows)?;
    sample.committed = Some(rows);
    Ok(sample.with("won_per_s", load.won_per_s()))
}
