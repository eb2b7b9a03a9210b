//! The names of every Redis key: four of a product, in one cluster slot.

use domain::ProductId;

/// The keys of one product's gate, in the order in which every script takes them.
pub(super) struct Keys {
    pub(super) stock: String,
    pub(super) admitted: String,
    pub(super) buyers: String,
    pub(super) inflight: String,
}

impl Keys {
    pub(super) const LEN: usize = 4;

    pub(super) fn of(product: ProductId) -> Self {
        // The braces are Redis Cluster's hash tag: keys with the same tag share a slot.
        let name = |kind: &str| format!("hotdeal:{kind}:{{{product}}}");
        Self {
            stock: name("stock"),
            admitted: name("admitted"),
            buyers: name("buyers"),
            inflight: name("inflight"),
        }
    }

    pub(super) fn all(&self) -> [&str; Self::LEN] {
        [&self.stock, &self.admitted, &self.buyers, &self.inflight]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_braces_of_the_hash_tag_are_literal() {
        let product: ProductId = "0192f0c1-7b5e-7000-8000-000000000001".parse().unwrap();
        assert_eq!(
            Keys::of(product).stock,
            "hotdeal:stock:{0192f0c1-7b5e-7000-8000-000000000001}"
        );
    }
}
