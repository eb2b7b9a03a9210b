//! Batches that their process seems to have left between gate and ledger.

use std::time::Duration;

use domain::{BatchId, ProductId};
use redis::RedisResult;
use uuid::Uuid;

use super::{Gate, GateError, keys::Keys};

/// A batch that has been in flight for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StaleBatch {
    /// The batch.
    pub batch_id: BatchId,
    /// The units that the gate took for it.
    pub units: i64,
    /// The number of the deal whose gate it is in.
    pub deal_number: i64,
}

/// Seconds and microseconds of the server, the gate's deal number, and the entries in flight.
type Snapshot = ((i64, i64), Option<i64>, Vec<(Vec<u8>, Vec<u8>)>);

impl Gate {
    /// The product's batches in flight that are older than `older_than` by the server's clock, or
    /// ahead of it by as much. None when there is no gate. Entries that cannot be read are passed
    /// over; the next settlement drops them.
    ///
    /// # Errors
    /// As [`GateError`] says; nothing is changed.
    pub async fn stale_batches(
        &self,
        product: ProductId,
        older_than: Duration,
    ) -> Result<Vec<StaleBatch>, GateError> {
        let keys = Keys::of(product);
        let mut connection = self.pooled().await?;
        let snapshot: RedisResult<Snapshot> = redis::pipe()
            .atomic()
            .cmd("TIME")
            .cmd("HGET")
            .arg(&keys.stock)
            .arg("deal")
            .cmd("HGETALL")
            .arg(&keys.inflight)
            .query_async(&mut connection)
            .await;
        let ((seconds, micros), deal_number, entries) =
            self.noted(snapshot.map_err(GateError::from))?;
        let Some(deal_number) = deal_number else {
            return Ok(Vec::new());
        };
        let now_ms = seconds * 1_000 + micros / 1_000;
        let readable = entries
            .iter()
            .filter_map(|(batch, entry)| decode(batch, entry));
        let stale = readable.filter(|&(_, at_ms, _)| age(now_ms, at_ms) > older_than);
        Ok(stale
            .map(|(batch_id, _, units)| StaleBatch {
                batch_id,
                units,
                deal_number,
            })
            .collect())
    }
}

fn age(now_ms: i64, at_ms: i64) -> Duration {
    Duration::from_millis(now_ms.abs_diff(at_ms))
}

/// `<redis time in ms> <units> ` and the order ids, which do not matter here.
fn decode(batch: &[u8], entry: &[u8]) -> Option<(BatchId, i64, i64)> {
    let batch_id = BatchId(Uuid::from_slice(batch).ok()?);
    let mut words = entry.splitn(3, |&byte| byte == b' ');
    let mut number = || std::str::from_utf8(words.next()?).ok()?.parse().ok();
    let (at_ms, units) = (number()?, number()?);
    words.next()?;
    Some((batch_id, at_ms, units))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_up_to_its_order_ids() {
        let id = [7; 16];
        assert_eq!(
            decode(&id, b"1700000000000 12 \x20\xff\x00 rest"),
            Some((BatchId(Uuid::from_bytes(id)), 1_700_000_000_000, 12))
        );
        for entry in [&b""[..], b"17", b"17 12", b"x 12 ", b"17 1.5 ", b"\xff 1 "] {
            assert_eq!(decode(&id, entry), None, "{entry:?}");
        }
        assert_eq!(decode(&id[1..], b"17 12 "), None);
    }
}
