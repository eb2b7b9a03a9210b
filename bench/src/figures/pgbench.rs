//! What Postgres does alone, on one connection, with the very statements by which the simplest shop (no
//! gate, one at a time) places an order.
//!
//! The statements are not written down here, where they would grow old: the server's log of orders that
//! such a shop has just taken is made into a script of pgbench (see [`script`]).

mod log;
mod script;

use std::{process::Stdio, rc::Rc, time::Duration};

use local_shop::Shop;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use test_kit::{Program, eventually, scratch_directory};
use tokio::process::Command;

use self::log::Logged;
use super::orders::PLENTY;
use crate::{
    committed,
    load::{
        Answer, Caller as _, Window,
        http::{Buyers, Connection},
    },
    results::Sample,
    setting::Setting,
};

/// Tables of both services; none has the other's name.
const SEARCH_PATH: &str = "product,order_service";
/// Orders whose statements are looked at. A keeper's may come between; the shortest two are taken.
const ORDERS: usize = 8;
const LOG_TIMEOUT: Duration = Duration::from_secs(10);

/// Orders a second, all of which are counted in the database afterwards.
pub(super) async fn orders(setting: &Setting, window: Window) -> crate::Result<Sample> {
    let mut options = setting.shop_before();
    // Costs nothing while nothing is logged.
    let to_a_file = ["logging_collector=on", "log_destination=jsonlog"];
    options
        .postgres_settings
        .extend(to_a_file.map(str::to_owned));
    let shop = Shop::start(options).await;
    let script = recorded(&shop).await?;
    let path = scratch_directory("pgbench").join("order.sql");
    std::fs::write(&path, &script)?;

    let file = path.display().to_string();
    let warm_up = pgbench(&shop, &file, window.warm_up, 1).await?;
    let before = committed::rows(&shop.database.url, committed::ORDERS).await?;
    let measured = pgbench(&shop, &file, window.measured, warm_up.orders + 1).await?;
    let rows = committed::rows(&shop.database.url, committed::ORDERS).await? - before;
    if rows != measured.orders {
        return Err(format!(
            "pgbench placed {} orders, but {rows} are there",
            measured.orders
        )
        .into());
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of statements")]
    let statements = script.matches(";\n").count() as f64;
    Ok(Sample {
        value: measured.per_s,
        committed: Some(rows),
        ..Sample::default()
    }
    .with("statements", statements))
}

/// Has a few orders placed, one after the other, while the server logs, and makes a script of them.
async fn recorded(shop: &Shop) -> crate::Result<String> {
    let deal = shop.start_deal(PLENTY).await;
    let buyers = Rc::new(Buyers::default());
    let address = shop.order[0].http_address;
    let mut connections = Connection::many(1, address, &deal.product_id, &buyers);
    let url = &shop.database.url;
    let mut admin = PgConnection::connect(url).await?;
    // Statements are prepared and plans are made before the log is looked at.
    for _ in 0..ORDERS {
        place(&mut connections[0]).await?;
    }
    log_statements(&mut admin, url, "all").await?;
    let mut orders = Vec::new();
    for number in 0..ORDERS {
        admin.execute(mark(number, "begins")).await?;
        place(&mut connections[0]).await?;
        admin.execute(mark(number, "ends")).await?;
    }
    let logged = until_logged(&mut admin, &format!("order {} ends", ORDERS - 1)).await?;
    log_statements(&mut admin, url, "none").await?;
    for number in 0..ORDERS {
        orders.push(log::between(
            &logged,
            &format!("order {number} begins"),
            &format!("order {number} ends"),
        ));
    }
    orders.sort_by_key(Vec::len);
    let set_path = AssertSqlSafe(format!("SET search_path = {SEARCH_PATH}"));
    admin.execute(set_path).await?;
    script::of(&orders[0], &orders[1], &mut admin).await
}

async fn place(connection: &mut Connection) -> crate::Result<()> {
    match connection.call().await {
        Answer::Won => Ok(()),
        other => Err(format!("an order was answered {other:?}").into()),
    }
}

/// A statement that only shows in the log.
fn mark(number: usize, what: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!("SELECT 'order {number} {what}'"))
}

/// Also for the connections that are there already.
async fn log_statements(
    admin: &mut PgConnection,
    url: &str,
    which: &'static str,
) -> crate::Result<()> {
    let set = AssertSqlSafe(format!("ALTER SYSTEM SET log_statement = '{which}'"));
    admin.execute(set).await?;
    admin.execute("SELECT pg_reload_conf()").await?;
    // The postmaster tells all its backends at once, new ones included.
    eventually(LOG_TIMEOUT, "the setting is read", || {
        let url = url.to_owned();
        async move {
            let mut fresh = PgConnection::connect(&url).await.ok()?;
            let shown = sqlx::query_scalar("SHOW log_statement");
            let shown: String = shown.fetch_one(&mut fresh).await.ok()?;
            (shown == which).then_some(())
        }
    })
    .await;
    Ok(())
}

/// The server's log, once it has the line that is waited for.
async fn until_logged(admin: &mut PgConnection, text: &str) -> crate::Result<Vec<Logged>> {
    let directory =
        "SELECT current_setting('data_directory') || '/' || pg_current_logfile('jsonlog')";
    let file: String = sqlx::query_scalar(directory).fetch_one(admin).await?;
    let found = eventually(LOG_TIMEOUT, "the log has all statements", async || {
        let lines = std::fs::read_to_string(&file).unwrap_or_default();
        lines.contains(text).then_some(lines)
    });
    Ok(log::read(&found.await))
}

/// What pgbench says of itself.
struct Ran {
    orders: u64,
    per_s: f64,
}

/// One connection for this long; orders are numbered from `first`.
async fn pgbench(shop: &Shop, file: &str, length: Duration, first: u64) -> crate::Result<Ran> {
    let program = Program::of_postgres("pgbench");
    let seconds = length.as_secs().max(1).to_string();
    let output = Command::new(program.path())
        .args(["-n", "-M", "prepared", "-c", "1", "-T", &seconds])
        .args(["-D", &format!("n={first}"), "-f", file])
        .arg(&shop.database.url)
        .env("PGOPTIONS", format!("-c search_path={SEARCH_PATH}"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    read(&text).ok_or_else(|| format!("pgbench said: {text}{errors}").into())
}

fn read(text: &str) -> Option<Ran> {
    let after = |name: &str| {
        let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
        rest.split([' ', '/']).next()
    };
    let failed = after("number of failed transactions: ").unwrap_or("0");
    if failed != "0" {
        return None;
    }
    Some(Ran {
        orders: after("number of transactions actually processed: ")?
            .parse()
            .ok()?,
        per_s: after("tps = ")?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pgbench_says_is_read_unless_a_transaction_failed() {
        let text = "number of transactions actually processed: 1234\n\
                    number of failed transactions: 0 (0.000%)\n\
                    latency average = 0.8 ms\n\
                    tps = 1201.500000 (without initial connection time)\n";
        let ran = read(text).unwrap();
        assert_eq!((ran.orders, ran.per_s), (1_234, 1_201.5));
        assert!(read(&text.replace("transactions: 0 ", "transactions: 3 ")).is_none());
    }
}
