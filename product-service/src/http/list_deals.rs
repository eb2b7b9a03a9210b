//! `GET /products/deals`: the newest first, in pages, of one status or one product if asked for.

use axum::{Json as Body, extract::State};
use domain::ProductId;
use serde::{Deserialize, Deserializer, de::Error as _};
use service_kit::{
    extract::Query,
    openapi::Refusals,
    page::{Page, PageQuery},
    problem::Problem,
    refusals,
};

use super::{Shop, body::DealBody};
use crate::ledger::deal::DealStatus;

#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    #[serde(flatten)]
    page: PageQuery,
    #[serde(default, deserialize_with = "status")]
    status: Option<DealStatus>,
    #[serde(default, deserialize_with = "product_id")]
    product_id: Option<ProductId>,
}

refusals!(Refused = Refusals::new().parameters());

/// The newest first, in pages, of one status or one product if asked for.
#[utoipa::path(
    get,
    path = "/products/deals",
    operation_id = "listDeals",
    tag = "deals",
    params(PageQuery, ("status" = Option<DealStatus>, Query), ("product_id" = Option<ProductId>, Query)),
    responses((status = 200, description = "The deals.", body = Page<DealBody>), Refused),
)]
pub(super) async fn list(
    State(shop): State<Shop>,
    Query(filter): Query<Filter>,
) -> Result<Body<Page<DealBody>>, Problem> {
    let found = shop
        .deals
        .list(filter.page, filter.status, filter.product_id)
        .await?;
    let items = found.items.into_iter().map(DealBody::from).collect();
    Ok(Body(Page::new(items, found.total, filter.page)))
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DealStatus>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let status = DealStatus::parse(&text);
    let wrong = || D::Error::custom("`status` must be scheduled, running, paused or ended");
    status.ok_or_else(wrong).map(Some)
}

/// A message that names its field: a flattened query does not.
fn product_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ProductId>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let id = text.parse();
    let wrong = |invalid| D::Error::custom(format!("`product_id` {invalid}"));
    id.map_err(wrong).map(Some)
}
