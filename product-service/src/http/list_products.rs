//! `GET /products`: the newest first, in pages, of one category if asked for.

use axum::{Json as Body, extract::State};
use serde::Deserialize;
use service_kit::{
    extract::Query,
    page::{Page, PageQuery},
    problem::Problem,
};

use super::{Shop, body::ProductBody};

#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    #[serde(flatten)]
    page: PageQuery,
    category: Option<String>,
}

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
