//! `GET /orders`.

use std::sync::Arc;

use axum::{Json, extract::State};
use domain::Timestamp;
use serde::Deserialize;
use service_kit::{
    extract::Query,
    openapi::Refusals,
    page::{Page, PageQuery},
    problem::{FieldError, Problem},
    refusals,
};

use super::{Api, buyer::Buyer, problem, view::OrderView};
use crate::{order::Status, store::list::Filter};

/// `?page&size&status&created_from&created_to`.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    #[serde(flatten)]
    page: PageQuery,
    /// Statuses, separated by commas.
    status: Option<String>,
    /// RFC 3339, included.
    created_from: Option<String>,
    /// RFC 3339, excluded.
    created_to: Option<String>,
}

refusals!(Refused = Refusals::new().parameters().unauthorized());

/// The buyer's own orders, newest first.
#[utoipa::path(
    get,
    path = "/orders",
    operation_id = "listOrders",
    tag = "orders",
    params(
        PageQuery,
        ("status" = Option<Vec<Status>>, Query, style = Form, explode = false),
        ("created_from" = Option<Timestamp>, Query, description = "Included."),
        ("created_to" = Option<Timestamp>, Query, description = "Excluded."),
    ),
    security(("user" = [])),
    responses((status = 200, description = "The orders.", body = Page<OrderView>), Refused),
)]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Buyer(buyer): Buyer,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<OrderView>>, Problem> {
    let filter = filter(&query).map_err(problem::invalid)?;
    let (limit, offset) = (query.page.limit(), query.page.offset());
    let listed = api.orders.store.list(buyer, &filter, limit, offset).await;
    let (orders, total) = listed.map_err(|error| problem::store(&error))?;
    let items = orders.into_iter().map(OrderView::from).collect();
    Ok(Json(Page::new(items, total, query.page)))
}

/// What the query asks for, or everything that is wrong with it.
fn filter(query: &ListQuery) -> Result<Filter, Vec<FieldError>> {
    let mut wrong = Vec::new();
    let mut time = |name: &str, text: &Option<String>| {
        let parsed = text.as_deref().map(Timestamp::parse).transpose();
        parsed.unwrap_or_else(|invalid| {
            wrong.push(FieldError::new(name, invalid.to_string()));
            None
        })
    };
    let created_from = time("created_from", &query.created_from);
    let created_to = time("created_to", &query.created_to);
    if let (Some(from), Some(to)) = (created_from, created_to)
        && to <= from
    {
        wrong.push(FieldError::new("created_to", "must be after created_from"));
    }
    let statuses = query.status.iter().flat_map(|text| text.split(','));
    let statuses: Result<Vec<Status>, _> = statuses.map(|name| name.trim().parse()).collect();
    match statuses {
        Ok(statuses) if wrong.is_empty() => Ok(Filter {
            statuses,
            created_from,
            created_to,
        }),
        Ok(_) => Err(wrong),
        Err(unknown) => {
            let message = format!("each {unknown}, separated by commas");
            wrong.push(FieldError::new("status", message));
            Err(wrong)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(status: &str, from: &str, to: &str) -> ListQuery {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        ListQuery {
            page: PageQuery::default(),
            status: given(status),
            created_from: given(from),
            created_to: given(to),
        }
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let wrong = filter(&query("PENDING,LOST", "yesterday", "2026-13-01")).unwrap_err();
        let fields: Vec<_> = wrong.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["created_from", "created_to", "status"]);
        let backwards = query("", "2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z");
        assert_eq!(filter(&backwards).unwrap_err()[0].field, "created_to");
    }

    #[test]
    fn what_is_not_asked_for_does_not_filter() {
        assert_eq!(filter(&query("", "", "")).unwrap(), Filter::default());
        let some = filter(&query("PENDING, FAILED", "2026-11-21T21:00:00+09:00", "")).unwrap();
        assert_eq!(some.statuses, [Status::Pending, Status::Failed]);
        let noon = Timestamp::parse("2026-11-21T12:00:00Z").unwrap();
        assert_eq!(some.created_from, Some(noon));
    }
}
