//! The steps from the shop as it was to the shop as it is.

use std::{collections::BTreeMap, fmt};

use local_shop::{POSTGRES_SETTINGS, Profile, ShopOptions};
use serde::{Deserialize, Serialize};

/// Which shop is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Stock in the database alone, one request a transaction.
    Before,
    /// Redis in front of it, still one request a transaction.
    Gate,
    /// Requests that come together share script calls and commits: the defaults.
    After,
    /// A shop that was already up, whatever it is.
    Given,
}

/// As the services read them.
type Variables = Vec<(&'static str, String)>;

impl Step {
    /// The steps that can be compared.
    pub const OF_A_SHOP_OF_ITS_OWN: [Self; 3] = [Self::Before, Self::Gate, Self::After];

    fn has_gate(self) -> bool {
        self != Self::Before
    }

    fn batch_max(self) -> Option<&'static str> {
        (self != Self::After).then_some("1")
    }

    /// The shop of this step.
    pub(crate) fn options(self, profile: Profile) -> ShopOptions {
        let variable = |name| self.batch_max().map(|max| (name, max.to_owned()));
        ShopOptions {
            has_gate: self.has_gate(),
            has_gateway: true,
            is_durable: true,
            postgres_settings: POSTGRES_SETTINGS.iter().map(ToString::to_string).collect(),
            profile,
            // Holds of the load must all be there at the end to be counted.
            env: vec![("HOLD_TTL", "24h".to_owned())],
            product_env: variable("STOCK_BATCH_MAX").into_iter().collect(),
            order_env: variable("ORDER_BATCH_MAX").into_iter().collect(),
            ..ShopOptions::default()
        }
    }

    /// What makes it this step, for the record.
    pub(crate) fn variables(self) -> BTreeMap<String, String> {
        if self == Self::Given {
            return BTreeMap::new();
        }
        let options = self.options(Profile::Own);
        let all: [Variables; 3] = [options.env, options.product_env, options.order_env];
        let mut named: BTreeMap<String, String> = all
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        named.insert(
            "HOTDEAL_STOCK_REDIS".to_owned(),
            self.has_gate().to_string(),
        );
        named
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::Gate => "gate",
            Self::After => "after",
            Self::Given => "given",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_has_no_gate_and_no_batches_and_after_has_the_defaults() {
        let before = Step::Before.variables();
        assert_eq!(before["HOTDEAL_STOCK_REDIS"], "false");
        assert_eq!(
            (&*before["STOCK_BATCH_MAX"], &*before["ORDER_BATCH_MAX"]),
            ("1", "1")
        );
        let gate = Step::Gate.variables();
        assert_eq!(
            (&*gate["HOTDEAL_STOCK_REDIS"], &*gate["STOCK_BATCH_MAX"]),
            ("true", "1")
        );
        let after = Step::After.variables();
        assert_eq!(after["HOTDEAL_STOCK_REDIS"], "true");
        assert!(!after.contains_key("STOCK_BATCH_MAX") && !after.contains_key("ORDER_BATCH_MAX"));
    }
}
