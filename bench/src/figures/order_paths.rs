//! P4: `POST /orders` as a table of two by two, path by batching; and what the database alone does with the
//! statements of the simplest of the four.

use local_shop::ShopOptions;

use super::{Measured, orders::accepted, pgbench};
use crate::{
    results::{Aim, Ratio, Side},
    rounds::{Contender, in_turn},
    setting::Setting,
};

const CONNECTIONS: usize = 100;
/// Of the four, the one that all are held against.
const BEFORE: usize = 3;

/// The four, and pgbench beside them.
pub(super) async fn figure(setting: &Setting) -> crate::Result<Measured> {
    let shop = |options: ShopOptions| move |window| accepted(options.clone(), CONNECTIONS, window);
    let contenders = vec![
        Contender::new("gate, batches", "1/s", shop(setting.shop())),
        Contender::new(
            "gate, one at a time",
            "1/s",
            shop(one_at_a_time(setting.shop())),
        ),
        Contender::new("SQL, batches", "1/s", shop(without_gate(setting.shop()))),
        Contender::new("SQL, one at a time", "1/s", shop(setting.shop_before())),
        Contender::new("pgbench -c1", "1/s", |window| {
            pgbench::orders(setting, window)
        }),
    ];
    let sides = in_turn("P4", setting.rounds, contenders).await?;
    let before = &sides[BEFORE];
    let best = Ratio::of(
        best(&sides[..BEFORE])?,
        before,
        Some(Aim::higher(10.0, 6.0)),
    )?;
    let pgbench = Ratio::of(before, &sides[BEFORE + 1], Some(Aim::higher(0.7, 0.7)))?;
    let others = [
        Ratio::of(&sides[1], before, None)?,
        Ratio::of(&sides[2], before, None)?,
    ];
    let mut ratios = vec![best, pgbench];
    let is_new = |ratio: &Ratio| ratio.over != ratios[0].over;
    let others: Vec<Ratio> = others.into_iter().filter(is_new).collect();
    ratios.extend(others);
    Ok(Measured { sides, ratios })
}

fn one_at_a_time(shop: ShopOptions) -> ShopOptions {
    ShopOptions {
        env: vec![
            ("STOCK_BATCH_MAX", "1".to_owned()),
            ("ORDER_BATCH_MAX", "1".to_owned()),
        ],
        ..shop
    }
}

fn without_gate(shop: ShopOptions) -> ShopOptions {
    ShopOptions {
        has_gate: false,
        ..shop
    }
}

fn best(sides: &[Side]) -> crate::Result<&Side> {
    let median = |side: &Side| side.spread.map_or(0.0, |spread| spread.median);
    let best = sides.iter().max_by(|a, b| median(a).total_cmp(&median(b)));
    best.ok_or_else(|| "there are no sides".into())
}
