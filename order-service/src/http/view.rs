//! An order as buyers see it.

use domain::{DealId, Money, OrderId, ProductId, Quantity, Timestamp, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::order::{Line, Order, ShippingAddress, State, Status};

/// One order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(super) struct OrderView {
    id: OrderId,
    user_id: UserId,
    #[schema(value_type = Status)]
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    flow: &'static str,
    items: Vec<LineView>,
    total_amount: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_address: Option<ShippingAddress>,
    expires_at: Timestamp,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<Timestamp>,
    /// Its sale is being cancelled: it counts as confirmed until its units are back.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_requested_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_reason: Option<String>,
}

/// One product of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderLine)]
struct LineView {
    id: Uuid,
    product_id: ProductId,
    product_name: String,
    quantity: Quantity,
    unit_price: Money,
    subtotal: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    deal_id: Option<DealId>,
}

/// What a state says about how the order ended.
#[derive(Default)]
struct Ends {
    confirmed_at: Option<Timestamp>,
    cancel_requested_at: Option<Timestamp>,
    cancelled_at: Option<Timestamp>,
    cancel_reason: Option<String>,
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        let status = order.state.status().as_str();
        let reason = order.state.reason().map(ToString::to_string);
        let mut ends = Ends::default();
        match order.state {
            State::Pending => {}
            State::Confirmed { at } => ends.confirmed_at = Some(at),
            State::Cancelling {
                confirmed_at,
                at,
                note,
                ..
            } => {
                (ends.confirmed_at, ends.cancel_requested_at) = (Some(confirmed_at), Some(at));
                ends.cancel_reason = note;
            }
            State::Cancelled {
                at,
                note,
                confirmed_at,
                ..
            } => {
                (ends.confirmed_at, ends.cancelled_at) = (confirmed_at, Some(at));
                ends.cancel_reason = note;
            }
            State::Failed { at, .. } => ends.cancelled_at = Some(at),
        }
        Self {
            id: order.id,
            user_id: order.user_id,
            status,
            reason,
            flow: order.flow.as_str(),
            items: order.lines.into_iter().map(LineView::from).collect(),
            total_amount: order.total,
            shipping_address: order.shipping_address,
            expires_at: order.expires_at,
            created_at: order.created_at,
            updated_at: order.updated_at,
            confirmed_at: ends.confirmed_at,
            cancel_requested_at: ends.cancel_requested_at,
            cancelled_at: ends.cancelled_at,
            cancel_reason: ends.cancel_reason,
        }
    }
}

impl From<Line> for LineView {
    fn from(line: Line) -> Self {
        Self {
            id: line.id,
            product_id: line.product_id,
            product_name: line.product_name,
            quantity: line.quantity,
            unit_price: line.unit_price,
            subtotal: line.subtotal,
            deal_id: line.deal_id,
        }
    }
}
