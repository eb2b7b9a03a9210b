//! `GET /orders/{id}/events`.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::{ErrorCode, OrderId};
use futures::{Stream, stream::unfold};
use service_kit::{extract::Path, openapi::Refusals, problem::Problem, refusals, server::Draining};
use tokio::time::{Instant, sleep_until};
use utoipa::ToSchema;

use super::{Api, buyer::Buyer, problem, view::OrderView};
use crate::{
    order::{self, Order},
    watch::{NotWatched, Watch},
};

/// A comment goes out this often, so that a client that is gone is found out and nobody between takes
/// the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How soon a client comes back when its stream has ended.
const RETRY: Duration = Duration::from_secs(1);
const LAST_EVENT_ID: &str = "last-event-id";

/// One event of the stream.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its shape counts")]
struct OrderEvent {
    /// `order`.
    event: String,
    /// To be sent as `Last-Event-ID` by whoever comes back.
    id: String,
    /// The order, as JSON.
    #[schema(content_media_type = "application/json")]
    data: String,
}

refusals!(
    Refused = Refusals::new()
        .parameters()
        .unauthorized()
        .also(ErrorCode::documented(&[
            ErrorCode::NotFound,
            ErrorCode::RateLimited
        ]))
);

/// The order as it stands, then each change, as server-sent events.
///
/// Until it is confirmed or has ended, the stream is too old, or the server stops. Whoever comes back with
/// `Last-Event-ID` is not told again what he has seen; if nothing more will come, the answer is `204`,
/// which tells a browser to stay away.
#[utoipa::path(
    get,
    path = "/orders/{id}/events",
    operation_id = "watchOrder",
    tag = "orders",
    params(("id" = OrderId, Path), ("Last-Event-ID" = Option<String>, Header, description = "The last event that was seen.")),
    security(("user" = [])),
    responses((status = 200, description = "Events whose data is the order.", body = OrderEvent, content_type = "text/event-stream"), (status = 204, description = "Nothing more will come."), Refused),
)]
pub(super) async fn events(
    State(api): State<Arc<Api>>,
    Buyer(buyer): Buyer,
    Path(id): Path<OrderId>,
    headers: HeaderMap,
    draining: Draining,
) -> Result<Response, Problem> {
    let read = api.orders.read(id, |order| order.user_id == buyer).await;
    let (order, _) = read.map_err(|error| problem::not_ended(&error))?;
    let seen = seen(&headers);
    if is_told_to_the_end(&order) && seen == Some(order.version) {
        return Ok(unbuffered(StatusCode::NO_CONTENT.into_response()));
    }
    let watch = api
        .orders
        .watchers
        .watch(order)
        .map_err(|full| match full {
            NotWatched::BuyerFull => problem::of(ErrorCode::RateLimited),
            NotWatched::Full => problem::of(ErrorCode::Overloaded),
        })?;
    let stream = OrderStream {
        watch,
        told: seen,
        has_ended: false,
        has_begun: false,
        ends_at: Instant::now() + api.stream_age_max,
        draining,
    };
    let sse = Sse::new(stream.events()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(unbuffered(sse.into_response()))
}

/// The version that the client has seen, if it says so in our words.
fn seen(headers: &HeaderMap) -> Option<i64> {
    let value = headers.get(LAST_EVENT_ID)?;
    value.to_str().ok()?.parse().ok()
}

/// Whether a buyer who waits has seen all there is to wait for. A confirmed order may be cancelled yet,
/// but only by himself.
fn is_told_to_the_end(order: &Order) -> bool {
    !matches!(
        order.state,
        order::State::Pending | order::State::Cancelling { .. }
    )
}

fn unbuffered(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A proxy of the widespread kind must not collect events before it hands them on.
    let buffering = HeaderName::from_static("x-accel-buffering");
    headers.insert(buffering, HeaderValue::from_static("no"));
    response
}

/// One stream, and how far it has come.
struct OrderStream {
    watch: Watch,
    /// The version that was told last.
    told: Option<i64>,
    has_begun: bool,
    has_ended: bool,
    ends_at: Instant,
    draining: Draining,
}

impl OrderStream {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        unfold(self, async |mut stream| {
            let event = stream.next().await?;
            Some((Ok(event), stream))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        if !self.has_begun {
            self.has_begun = true;
            // Even who is told nothing yet sees that the stream stands.
            return Some(Event::default().retry(RETRY));
        }
        while !self.has_ended {
            let order = self.watch.latest();
            self.has_ended = is_told_to_the_end(&order);
            if self.told != Some(order.version) {
                self.told = Some(order.version);
                return event(&order);
            }
            tokio::select! {
                biased;
                () = self.draining.begun() => self.has_ended = true,
                () = sleep_until(self.ends_at) => self.has_ended = true,
                () = self.watch.changed() => {}
            }
        }
        None
    }
}

fn event(order: &Order) -> Option<Event> {
    let event = Event::default()
        .event("order")
        .id(order.version.to_string());
    let event = event.json_data(OrderView::from(order.clone()));
    event
        .inspect_err(|error| tracing::error!(%error, "an order cannot be written as JSON"))
        .ok()
}
