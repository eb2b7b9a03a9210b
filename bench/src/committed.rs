//! Throughput counts only what is committed: after each load its rows are counted.

use sqlx::{Connection as _, PgConnection};

use crate::load::{Load, tally::Counts};

/// Rows of a table of product-service, one for each order that holds stock.
pub const HOLDS: &str = "SELECT count(*) FROM product.holds";
/// Rows of order-service, one for each order accepted.
pub const ORDERS: &str = "SELECT count(*) FROM order_service.orders";

/// Rows that `count` counts in the database at `url`.
///
/// # Errors
/// When the database does not answer.
pub async fn rows(url: &str, count: &'static str) -> crate::Result<u64> {
    let mut connection = PgConnection::connect(url).await?;
    let rows: i64 = sqlx::query_scalar(count).fetch_one(&mut connection).await?;
    Ok(rows.try_into()?)
}

/// Checks that there are as many rows as requests were answered as accepted, and that no request failed:
/// one that was not answered may have its row too.
///
/// # Errors
/// In words that say what differs.
pub fn check(load: &Load, rows: u64) -> crate::Result<()> {
    nothing_failed(&load.in_all)?;
    let won = load.in_all.won;
    if rows == won {
        return Ok(());
    }
    Err(format!("{won} were answered as accepted, but {rows} are in the database").into())
}

/// Checks that every request was answered as accepted or refused.
///
/// # Errors
/// With the failures by kind.
pub fn nothing_failed(counts: &Counts) -> crate::Result<()> {
    match counts.failures() {
        0 => Ok(()),
        _ => Err(format!("requests failed: {:?}", counts.failed).into()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::load::{Answer, Answering, Window, closed};

    async fn load_of(answer: Answer) -> Load {
        let mut answers = vec![answer];
        let caller = Answering(async move || {
            tokio::time::sleep(Duration::from_millis(1)).await;
            answers.pop().unwrap_or(Answer::Won)
        });
        let window = Window {
            warm_up: Duration::ZERO,
            measured: Duration::from_millis(10),
        };
        closed(vec![caller], window).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_row_too_few_or_too_many_is_an_error() {
        let load = load_of(Answer::Won).await;
        assert_eq!(load.in_all.won, 10);
        assert!(check(&load, 10).is_ok());
        for rows in [9, 11] {
            let error = check(&load, rows).unwrap_err().to_string();
            assert!(error.contains("10 were answered"), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_an_error_whatever_the_rows() {
        let load = load_of(Answer::Failed("503".to_owned())).await;
        let error = check(&load, 9).unwrap_err().to_string();
        assert!(error.contains("503"), "{error}");
    }
}
