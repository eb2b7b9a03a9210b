//! UUIDs with a meaning: a product's id cannot be taken for an order's.

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Clock;

/// Text that is not a UUID in its hyphenated form of 36 characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a UUID such as 0192f0c1-7b5e-7000-8000-000000000001")]
pub struct InvalidId;

/// Braced, URN and unhyphenated spellings are refused: one id has one spelling on every wire.
fn parse(text: &str) -> Result<Uuid, InvalidId> {
    const HYPHENATED_LEN: usize = 36;
    if text.len() != HYPHENATED_LEN {
        return Err(InvalidId);
    }
    Uuid::try_parse(text).map_err(|_| InvalidId)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = Uuid))]
        pub struct $name(pub Uuid);

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    };
}

id! {
    /// A product of the catalogue.
    ProductId
}
id! {
    /// A deal: one product for one period at one price.
    DealId
}
id! {
    /// An order, and the hold that keeps its stock.
    OrderId
}
id! {
    /// A buyer.
    UserId
}
id! {
    /// A group of requests that the gate admitted, or the ledger committed, together.
    BatchId
}

/// Where new ids come from: the clock's time and a seeded generator, so that a test repeats them.
///
/// Ids are UUIDv7 (RFC 9562, section 5.7): they sort by the millisecond in which they were minted.
#[derive(Clone)]
pub struct IdSource {
    clock: Arc<dyn Clock>,
    random: Arc<Mutex<StdRng>>,
}

impl fmt::Debug for IdSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdSource").finish_non_exhaustive()
    }
}

impl IdSource {
    /// Mints ids by `clock`; `seed` must be fresh entropy in production, or two replicas would mint
    /// the same ids.
    pub fn new(clock: Arc<dyn Clock>, seed: [u8; 32]) -> Self {
        Self {
            clock,
            random: Arc::new(Mutex::new(StdRng::from_seed(seed))),
        }
    }

    /// A fresh UUIDv7, to be wrapped: `OrderId(ids.next())`.
    pub fn next(&self) -> Uuid {
        let mut random_bytes = [0; 10];
        self.random
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill(&mut random_bytes);
        let unix_ms = u64::try_from(self.clock.now().as_micros() / 1_000).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(unix_ms, &random_bytes).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::ManualClock;

    const TEXT: &str = "0192f0c1-7b5e-7000-8000-000000000001";

    #[test]
    fn the_hyphenated_form_is_read_and_written_unchanged() {
        let id: ProductId = TEXT.parse().unwrap();
        assert_eq!(id.to_string(), TEXT);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{TEXT}\""));
    }

    #[test]
    fn other_spellings_are_refused() {
        let simple = TEXT.replace('-', "");
        for text in [
            format!("{{{TEXT}}}"),
            format!("urn:uuid:{TEXT}"),
            simple,
            format!("{}\0", &TEXT[..35]),
            String::new(),
        ] {
            assert_eq!(text.parse::<OrderId>(), Err(InvalidId), "{text:?}");
        }
    }

    #[test]
    fn minted_ids_are_version_7_distinct_and_sort_by_time() {
        let clock = Arc::new(ManualClock::at_micros(1_700_000_000_000_000));
        let ids = IdSource::new(clock.clone(), [7; 32]);
        let first = ids.next();
        clock.advance(std::time::Duration::from_millis(1));
        let second = ids.next();
        assert_eq!(first.get_version_num(), 7);
        assert!(first < second);
    }
}
