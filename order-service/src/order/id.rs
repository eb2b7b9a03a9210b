//! Where an order's id comes from. Without a key it is a fresh UUIDv7. With an `Idempotency-Key` it is
//! a UUIDv8 (RFC 9562, section 5.8) hashed from buyer and key, so that every replica, at any time,
//! comes to the same id without asking anybody.

use std::str::FromStr;

use domain::{OrderId, ProductId, UserId};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The value of an `Idempotency-Key` header: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// Text that is no [`IdempotencyKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 255 visible ASCII characters")]
pub struct InvalidKey;

impl FromStr for IdempotencyKey {
    type Err = InvalidKey;
    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        if (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidKey)
        }
    }
}

/// The id of the order that `user_id` places under `key`.
pub fn keyed(user_id: UserId, key: &IdempotencyKey) -> OrderId {
    let key = key.0.as_bytes();
    OrderId(hashed(&[b"hotdeal/order", user_id.0.as_bytes(), key]))
}

/// The id of an order's line of a product.
pub fn line(order_id: OrderId, product_id: ProductId) -> Uuid {
    let order = order_id.0;
    hashed(&[b"hotdeal/line", order.as_bytes(), product_id.0.as_bytes()])
}

/// Every part is prefixed with its length, so that no two lists of parts hash the same bytes.
fn hashed(parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> IdempotencyKey {
        text.parse().unwrap()
    }

    fn user(number: u128) -> UserId {
        UserId(Uuid::from_u128(number))
    }

    #[test]
    fn the_same_buyer_and_key_give_the_same_id_for_ever() {
        let id = keyed(user(1), &key("first"));
        assert_eq!(id, keyed(user(1), &key("first")));
        assert_eq!(id.0.get_version_num(), 8);
        // Fixed for all versions of the program: another hash would take stock twice for a key that
        // is retried across an upgrade.
        assert_eq!(id.to_string(), "21b94f54-53bf-8a89-b00d-84750b07ddbf");
    }

    #[test]
    fn another_buyer_or_another_key_gives_another_id() {
        let id = keyed(user(1), &key("first"));
        assert_ne!(id, keyed(user(2), &key("first")));
        assert_ne!(id, keyed(user(1), &key("second")));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(hashed(&[b"ab", b"c"]), hashed(&[b"a", b"bc"]));
    }

    #[test]
    fn only_visible_ascii_is_a_key() {
        for text in ["", " ", "a b", "a\n", "é", "키", &"k".repeat(256)] {
            assert_eq!(text.parse::<IdempotencyKey>(), Err(InvalidKey), "{text:?}");
        }
        assert!("k".repeat(255).parse::<IdempotencyKey>().is_ok());
        assert!("!~".parse::<IdempotencyKey>().is_ok());
    }
}
