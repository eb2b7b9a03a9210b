//! Pieces of JSON that several endpoints share.

use domain::{DealId, ProductId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use utoipa::ToSchema;

use crate::{
    catalog::{Product, ProductDeal},
    ledger::{
        deal::{DealRow, DealStatus},
        sums::Sums,
    },
};

/// The body of a request that needs none: an object, if there is one.
pub(super) type Nothing = serde_json::Map<String, serde_json::Value>;

/// A field that only the server sets: whatever a caller writes there is refused.
#[derive(Debug, Default)]
pub(super) struct ServerSet;

impl<'de> Deserialize<'de> for ServerSet {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("is set by the server"))
    }
}

/// A field that may be left out but not be `null`, which could be meant to clear it.
pub(super) fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// A product of the catalogue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
pub(super) struct ProductBody {
    id: ProductId,
    name: String,
    description: String,
    category: String,
    price: i64,
    stock: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    deal: Option<ProductDealBody>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// The deal that sells in the shelf's place.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProductDeal)]
struct ProductDealBody {
    deal_id: DealId,
    #[schema(value_type = DealStatus)]
    status: &'static str,
    price: i64,
    stock: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
}

impl From<Product> for ProductBody {
    fn from(product: Product) -> Self {
        Self {
            id: product.id,
            stock: product.stock(),
            name: product.name,
            description: product.description,
            category: product.category,
            price: product.price.minor(),
            deal: product.deal.map(ProductDealBody::from),
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

impl From<ProductDeal> for ProductDealBody {
    fn from(deal: ProductDeal) -> Self {
        Self {
            deal_id: deal.id,
            status: deal.status.as_str(),
            price: deal.unit_price.minor(),
            stock: deal.available,
            ends_at: deal.ends_at,
        }
    }
}

/// Where units are: `initial + restocked = available + held + sold + written_off + returned`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sums)]
pub(super) struct SumsBody {
    initial: i64,
    restocked: i64,
    available: i64,
    held: i64,
    sold: i64,
    written_off: i64,
    returned: i64,
}

impl From<Sums> for SumsBody {
    fn from(sums: Sums) -> Self {
        Self {
            initial: sums.initial,
            restocked: sums.restocked,
            available: sums.available,
            held: sums.held,
            sold: sums.sold,
            written_off: sums.written_off,
            returned: sums.returned,
        }
    }
}

/// A deal with its sum.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deal)]
pub(super) struct DealBody {
    deal_id: DealId,
    product_id: ProductId,
    #[schema(value_type = DealStatus)]
    status: &'static str,
    unit_price: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_user_limit: Option<i64>,
    starts_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    /// Units it was to open with; `initial` says how many there were.
    planned: i64,
    #[serde(flatten)]
    sums: SumsBody,
}

impl From<DealRow> for DealBody {
    fn from(deal: DealRow) -> Self {
        Self {
            deal_id: deal.id,
            product_id: deal.product_id,
            status: deal.status.as_str(),
            unit_price: deal.unit_price.minor(),
            per_user_limit: deal.per_user_limit,
            starts_at: deal.starts_at,
            ends_at: deal.ends_at,
            ended_at: deal.ended_at,
            planned: deal.planned,
            sums: deal.sums.into(),
        }
    }
}

/// A deal after it was told something.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChangedDeal)]
pub(super) struct ChangedDealBody {
    product_id: ProductId,
    deal_id: DealId,
    #[schema(value_type = DealStatus)]
    status: &'static str,
    /// Units that can be taken while it runs.
    stock: i64,
    message: &'static str,
}

impl ChangedDealBody {
    pub(super) fn new(deal: &DealRow, message: &'static str) -> Self {
        Self {
            product_id: deal.product_id,
            deal_id: deal.id,
            status: deal.status.as_str(),
            stock: deal.sums.available,
            message,
        }
    }
}
