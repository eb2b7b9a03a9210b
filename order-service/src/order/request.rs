//! What a buyer asks for.

use domain::{DealId, ProductId, Quantity};
use serde::{Deserialize, Serialize};

/// What the buyer asks for of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestedLine {
    /// Which product.
    pub product_id: ProductId,
    /// The deal the buyer insists on, if any: without it the price may be another.
    pub deal_id: Option<DealId>,
    /// How many units.
    pub quantity: Quantity,
}

/// Where to deliver. No field has control characters; lengths are in characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ShippingAddress {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub recipient_name: String,
    /// 1 to 32 characters.
    #[schema(min_length = 1, max_length = 32)]
    pub phone: String,
    /// 1 to 300 characters.
    #[schema(min_length = 1, max_length = 300)]
    pub address: String,
    /// At most 300 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 300)]
    pub address_detail: Option<String>,
    /// 1 to 16 characters.
    #[schema(min_length = 1, max_length = 16)]
    pub postal_code: String,
}
