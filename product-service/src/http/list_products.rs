//! `GET /products`: the newest first, in pages, of one category if asked for.

use axum::{Json as Body, extract::State};
use serde::Deserialize;
use service_kit::{
    extract::Query,
    openapi::Refusals,
    page::{Page, PageQuery},
    problem::Problem,
    refusals,
};

use super::{Shop, body::ProductBody};

#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    #[serde(flatten)]
    page: PageQuery,
    category: Option<String>,
}

refusals!(Refused = Refusals::new().parameters());

/// The newest first, in pages, of one category if asked for.
#[utoipa::path(
    get,
    path = "/products",
    operation_id = "listProducts",
    tag = "products",
    params(PageQuery, ("category" = Option<String>, Query, max_length = 100)),
    responses((status = 200, description = "The products.", body = Page<ProductBody>), Refused),
)]
pub(super) async fn list(
    State(shop): State<Shop>,
    Query(filter): Query<Filter>,
) -> Result<Body<Page<ProductBody>>, Problem> {
    let found = shop
        .catalog
        .list(filter.page, filter.category.as_deref())
        .await?;
    let items = found.items.into_iter().map(ProductBody::from).collect();
    Ok(Body(Page::new(items, found.total, filter.page)))
}
