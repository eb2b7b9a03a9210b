//! The digest of what was asked for. Two bodies that ask for the same have the same one, however they
//! are spelled: lines are summed and sorted as product-service does, unknown fields do not count.

use std::collections::BTreeMap;

use domain::{DealId, ProductId};
use sha2::{Digest, Sha256};

use super::request::{RequestedLine, ShippingAddress};

/// SHA-256 of a request in its canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// The fingerprint of a request for `lines` to be sent to `address`.
pub fn fingerprint(lines: &[RequestedLine], address: Option<&ShippingAddress>) -> Fingerprint {
    let mut summed: BTreeMap<(ProductId, Option<DealId>), i64> = BTreeMap::new();
    for line in lines {
        *summed.entry((line.product_id, line.deal_id)).or_default() += line.quantity.units();
    }
    let mut canonical = Canonical(Sha256::new());
    canonical.count(summed.len());
    for ((product_id, deal_id), units) in summed {
        canonical.bytes(product_id.0.as_bytes());
        canonical.optional(deal_id.as_ref().map(|deal| &deal.0.as_bytes()[..]));
        canonical.bytes(&units.to_be_bytes());
    }
    canonical.count(usize::from(address.is_some()));
    if let Some(address) = address {
        canonical.bytes(address.recipient_name.as_bytes());
        canonical.bytes(address.phone.as_bytes());
        canonical.bytes(address.address.as_bytes());
        canonical.optional(address.address_detail.as_deref().map(str::as_bytes));
        canonical.bytes(address.postal_code.as_bytes());
    }
    Fingerprint(canonical.0.finalize().into())
}

/// Hashes values with their lengths, so that no two requests give the same bytes.
struct Canonical(Sha256);

impl Canonical {
    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.update(bytes);
    }

    fn optional(&mut self, bytes: Option<&[u8]>) {
        self.count(usize::from(bytes.is_some()));
        if let Some(bytes) = bytes {
            self.bytes(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Quantity;
    use uuid::Uuid;

    use super::*;

    fn line(product: u128, units: i64) -> RequestedLine {
        RequestedLine {
            product_id: ProductId(Uuid::from_u128(product)),
            deal_id: None,
            quantity: Quantity::try_from(units).unwrap(),
        }
    }

    fn address() -> ShippingAddress {
        ShippingAddress {
            recipient_name: "김하나".into(),
            phone: "010-0000-0000".into(),
            address: "서울".into(),
            address_detail: None,
            postal_code: "04524".into(),
        }
    }

    #[test]
    fn the_same_lines_in_another_order_or_split_are_the_same_request() {
        let one = fingerprint(&[line(1, 3), line(2, 1)], None);
        let other = fingerprint(&[line(2, 1), line(1, 1), line(1, 2)], None);
        assert_eq!(one, other);
    }

    #[test]
    fn every_field_counts() {
        let base = fingerprint(&[line(1, 1)], Some(&address()));
        let deal_id = Some(DealId(Uuid::from_u128(9)));
        let in_deal = RequestedLine {
            deal_id,
            ..line(1, 1)
        };
        let mut all = vec![
            base,
            fingerprint(&[line(1, 1)], None),
            fingerprint(&[line(1, 2)], Some(&address())),
            fingerprint(&[line(2, 1)], Some(&address())),
            fingerprint(&[in_deal], Some(&address())),
        ];
        let change: [fn(&mut ShippingAddress); 5] = [
            |address| address.recipient_name.push('x'),
            |address| address.phone.push('x'),
            |address| address.address.push('x'),
            |address| address.address_detail = Some(String::new()),
            |address| address.postal_code.push('x'),
        ];
        for change in change {
            let mut address = address();
            change(&mut address);
            all.push(fingerprint(&[line(1, 1)], Some(&address)));
        }
        for (index, one) in all.iter().enumerate() {
            assert!(!all[index + 1..].contains(one), "{index}");
        }
    }
}
