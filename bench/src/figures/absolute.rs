//! A1: durable orders a second as such, and how long they take.

use super::{Measured, orders::accepted};
use crate::{
    results::Aim,
    rounds::{Contender, in_turn},
    setting::Setting,
};

/// At 100 and at 256 connections; the aim is for the first.
pub(super) async fn figure(setting: &Setting) -> crate::Result<Measured> {
    let orders = |connections| move |window| accepted(setting.shop(), connections, window);
    let contenders = vec![
        Contender::new("100 connections", "1/s", orders(100)),
        Contender::new("256 connections", "1/s", orders(256)),
    ];
    let mut sides = in_turn("A1", setting.rounds, contenders).await?;
    let p95 = sides[0].derived("p95 at 100 connections", "ms", |sample| {
        sample.latency.map_or(f64::NAN, |latency| latency.p95_ms)
    });
    // The least that must be reached names no latency.
    sides.push(p95.aiming(Aim::lower(10.0, f64::MAX)));
    let first = sides.remove(0).aiming(Aim::higher(20_000.0, 12_000.0));
    sides.insert(0, first);
    Ok(Measured {
        sides,
        ratios: Vec::new(),
    })
}
