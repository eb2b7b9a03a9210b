//! P5: the ledger alone, in process, one row: group commit against one at a time.

use local_shop::POSTGRES_SETTINGS;
use test_kit::Postgres;

use super::Measured;
use crate::{
    child::Target,
    committed,
    load::Window,
    results::{Aim, Ratio, Sample},
    rounds::{Contender, in_turn},
    setting::Setting,
};

const CALLERS: usize = 64;

/// 64 callers that all want units of one deal.
pub(super) async fn figure(setting: &Setting) -> crate::Result<Measured> {
    let target = &Target::build("ledger", setting).await?;
    let ledger = |batch_max| move |window| once(target, batch_max, window);
    let contenders = vec![
        Contender::new("group commit", "1/s", ledger(CALLERS)),
        Contender::new("one at a time", "1/s", ledger(1)),
    ];
    let sides = in_turn("P5", setting.rounds, contenders).await?;
    let ratio = Ratio::of(&sides[0], &sides[1], Some(Aim::higher(15.0, 8.0)))?;
    Ok(Measured {
        sides,
        ratios: vec![ratio],
    })
}

async fn once(target: &Target, batch_max: usize, window: Window) -> crate::Result<Sample> {
    let postgres = Postgres::start_durable_with(POSTGRES_SETTINGS).await;
    let database = postgres.database().await;
    let mut sample = target
        .measure(&database.url, CALLERS, batch_max, window)
        .await?;
    let rows = committed::rows(&database.url, committed::HOLDS).await?;
    let won = sample.answers.get("won").copied().unwrap_or_default();
    if rows != won {
        return Err(format!("{won} were answered as held, but {rows} are in the database").into());
    }
    sample.committed = Some(rows);
    Ok(sample)
}
