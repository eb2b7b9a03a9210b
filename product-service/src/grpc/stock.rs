//! `DecreaseStock`, `ConfirmStock`, `RestoreStock`.

use domain::OrderId;
use product_api::{
    ConfirmStockRequest, DecreaseStockRequest, DecreaseStockResponse, HeldItem, HoldEnded,
    RestoreStockRequest, hold_ended::Outcome,
};
use tokio::time::Instant;
use tonic::Status;

use super::{convert, errors};
use crate::{
    ledger::{
        command::{Refusal, Taken, TakenLine},
        hold::HoldEnd,
    },
    stock::{Stock, StockError},
};

pub(super) async fn decrease(
    stock: &Stock,
    request: DecreaseStockRequest,
    deadline: Option<Instant>,
) -> Result<DecreaseStockResponse, Status> {
    let request = convert::decrease(request)?;
    let lines = request.lines.clone();
    match stock.decrease(request, deadline).await {
        Ok(taken) => Ok(held(taken)),
        Err(StockError::Refused(Refusal::OutOfStock(id))) => {
            Err(errors::out_of_stock(id, stock.sold_out_for(id)))
        }
        Err(error) => Err(errors::of_stock(error, "hold", &lines)),
    }
}

pub(super) async fn confirm(
    stock: &Stock,
    request: ConfirmStockRequest,
    deadline: Option<Instant>,
) -> Result<HoldEnded, Status> {
    let order_id: OrderId = convert::id("order_id", &request.order_id)?;
    match stock.confirm(order_id, deadline).await {
        Ok(end) => Ok(ended(end)),
        Err(error) => Err(errors::of_stock(error, "hold", &[])),
    }
}

pub(super) async fn restore(
    stock: &Stock,
    request: RestoreStockRequest,
    deadline: Option<Instant>,
) -> Result<HoldEnded, Status> {
    let order_id = convert::restore(&request.order_id, &request.reason)?;
    let ending = if request.return_sold {
        stock.take_back(order_id, request.reason, deadline).await
    } else {
        stock.restore(order_id, request.reason, deadline).await
    };
    match ending {
        Ok(end) => Ok(ended(end)),
        Err(error) => Err(errors::of_stock(error, "hold", &[])),
    }
}

fn held(taken: Taken) -> DecreaseStockResponse {
    DecreaseStockResponse {
        items: taken.lines.into_iter().map(held_item).collect(),
        expires_at: Some(convert::timestamp(taken.expires_at)),
        replayed: taken.is_replay,
    }
}

fn held_item(line: TakenLine) -> HeldItem {
    HeldItem {
        product_id: line.held.product_id.to_string(),
        product_name: line.held.name,
        quantity: line.held.quantity.units(),
        unit_price: line.held.unit_price.minor(),
        deal_id: line.held.deal_id.map(|id| id.to_string()),
        remaining: line.remaining,
    }
}

fn ended(end: HoldEnd) -> HoldEnded {
    let (outcome, reason, at) = match end {
        HoldEnd::Sold { at } => (Outcome::Sold, String::new(), at),
        HoldEnd::Released { at, reason } => (Outcome::Released, reason, at),
        HoldEnd::Returned { at, reason } => (Outcome::Returned, reason, at),
    };
    HoldEnded {
        outcome: outcome.into(),
        reason,
        ended_at: Some(convert::timestamp(at)),
    }
}
