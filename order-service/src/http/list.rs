//! `GET /orders`.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;
use service_kit::{
    extract::Query,
    openapi::Refusals,
    page::{Page, PageQuery},
    problem::{FieldError, Problem},
    refusals,
};

use super::{Api, buyer::Buyer, problem, view::OrderView};
use crate::order::Status;

/// `?page&size&status`.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    #[serde(flatten)]
    page: PageQuery,
    status: Option<String>,
}

refusals!(Refused = Refusals::new().parameters().unauthorized());

/// The buyer's own orders, newest first.
#[utoipa::path(
    get,
    path = "/orders",
    operation_id = "listOrders",
    tag = "orders",
    params(PageQuery, ("status" = Option<Status>, Query)),
    security(("user" = [])),
    responses((status = 200, body = Page<OrderView>), Refused),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Buyer(buyer): Buyer,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<OrderView>>, Problem> {
    let status = query
        .status
        .as_deref()
        .map(str::parse::<Status>)
        .transpose();
    let status = status.map_err(|unknown| {
        problem::invalid(vec![FieldError::new("status", unknown.to_string())])
    })?;
    let (limit, offset) = (query.page.limit(), query.page.offset());
    let listed = api.orders.store.list(buyer, status, limit, offset).await;
    let (orders, total) = listed.map_err(|error| problem::store(&error))?;
    let items = orders.into_iter().map(OrderView::from).collect();
    Ok(Json(Page::new(items, total, query.page)))
}
