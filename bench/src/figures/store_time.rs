//! P3: how long the store is at one decrement: a transaction of SQL each, against the script in Redis.
//!
//! The transaction's time is product-service's own metric, from its first statement to the answer of its
//! commit: four round trips, locks, and the wait for the disk. The script's is Redis's own account of the
//! microseconds that its calls ran, divided by the decrements that they made.

use local_shop::Shop;

use super::{Measured, usage};
use crate::{
    committed,
    load::{
        Load, Window, closed,
        grpc::{Decrease, Products},
    },
    results::{Aim, Ratio, Sample},
    rounds::{Contender, in_turn},
    setting::Setting,
};

const IN_FLIGHT: usize = 256;
const CHANNELS: usize = 4;
const PLENTY: i64 = 1_000_000_000;
const COMMIT_SUM: &str = "ledger_commit_duration_seconds_sum";
const COMMIT_COUNT: &str = "ledger_commit_duration_seconds_count";

/// Both under the same load.
pub(super) async fn figure(setting: &Setting) -> crate::Result<Measured> {
    let before = Contender::new("SQL, one at a time", "µs", |window| {
        before(setting, window)
    });
    let after = Contender::new("script", "µs", |window| after(setting, window));
    let sides = in_turn("P3", setting.rounds, vec![before, after]).await?;
    let ratio = Ratio::of(&sides[0], &sides[1], Some(Aim::higher(100.0, 50.0)))?;
    Ok(Measured {
        sides,
        ratios: vec![ratio],
    })
}

async fn before(setting: &Setting, window: Window) -> crate::Result<Sample> {
    let shop = Shop::start(setting.shop_before()).await;
    let deal = shop.start_deal(PLENTY).await;
    let seconds_before = metric(&shop, COMMIT_SUM).await?;
    let commits_before = metric(&shop, COMMIT_COUNT).await?;
    let (load, sample) = load(setting, &shop, deal.product_id, window).await?;
    let commits = metric(&shop, COMMIT_COUNT).await? - commits_before;
    let seconds = metric(&shop, COMMIT_SUM).await? - seconds_before;
    let value = seconds / commits * 1e6;
    Ok(Sample { value, ..sample }
        .with("transactions", commits)
        .with("won_per_s", load.won_per_s()))
}

async fn after(setting: &Setting, window: Window) -> crate::Result<Sample> {
    let shop = Shop::start(setting.shop()).await;
    let deal = shop.start_deal(PLENTY).await;
    let before = script_us(&shop).await?;
    let (load, sample) = load(setting, &shop, deal.product_id, window).await?;
    let script_us = script_us(&shop).await? - before;
    #[expect(clippy::cast_precision_loss, reason = "decrements of one run")]
    let value = script_us / load.in_all.won as f64;
    Ok(Sample { value, ..sample }
        .with("script_us", script_us)
        .with("won_per_s", load.won_per_s()))
}

async fn load(
    setting: &Setting,
    shop: &Shop,
    product_id: String,
    window: Window,
) -> crate::Result<(Load, Sample)> {
    let products = Products::one(product_id);
    let url = &shop.grpc_urls[0];
    let callers = Decrease::callers(url, CHANNELS, IN_FLIGHT, &products, &setting.ids).await?;
    let (load, used) = usage::during(shop.components(), window, closed(callers, window)).await;
    let rows = committed::rows(&shop.database.url, committed::HOLDS).await?;
    committed::check(&load, rows)?;
    let mut sample = usage::noted(Sample::of_load(&load, load.won_per_s()), &used);
    sample.committed = Some(rows);
    Ok((load, sample))
}

/// A metric of product-service without labels.
async fn metric(shop: &Shop, name: &str) -> crate::Result<f64> {
    let (_, text, _) = shop.product[0].ops.get("/metrics", &[]).await;
    let text = text.as_str().unwrap_or_default();
    let value = text
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .ok_or_else(|| format!("there is no metric {name}"))?;
    Ok(value.trim().parse()?)
}

/// Microseconds that scripts have run, by Redis's own account.
async fn script_us(shop: &Shop) -> crate::Result<f64> {
    let redis = shop.redis.as_ref().ok_or("this shop has no gate")?;
    let mut connection = redis.connection().await;
    let mut info = redis::cmd("INFO");
    let stats: String = info
        .arg("commandstats")
        .query_async(&mut connection)
        .await?;
    Ok(["evalsha", "fcall"]
        .map(|command| usec(&stats, command))
        .iter()
        .sum())
}

/// Reads `cmdstat_evalsha:calls=12,usec=345,…`; a command that never ran has taken no time.
fn usec(stats: &str, command: &str) -> f64 {
    let prefix = format!("cmdstat_{command}:");
    let line = stats.lines().find_map(|line| line.strip_prefix(&prefix));
    let fields = line.unwrap_or_default().split(',');
    let usec = fields
        .filter_map(|field| field.strip_prefix("usec="))
        .next();
    usec.and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_command_is_read_out_of_commandstats() {
        let stats = "# Commandstats\r\ncmdstat_evalsha:calls=12,usec=345,usec_per_call=28.7\r\n";
        assert_eq!(usec(stats, "evalsha"), 345.0);
        assert_eq!(usec(stats, "fcall"), 0.0);
    }
}
