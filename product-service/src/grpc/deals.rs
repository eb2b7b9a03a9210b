//! `GetDeal`, `WatchDeal`.

use futures::{StreamExt as _, stream::BoxStream};
use product_api::{Deal as DealMessage, GetDealRequest, WatchDealRequest};
use tonic::Status;

use super::{convert, errors};
use crate::{deals::Deals, ledger::deal::DealRow};

pub(super) async fn get(deals: &Deals, request: GetDealRequest) -> Result<DealMessage, Status> {
    let deal_id = convert::id("deal_id", &request.deal_id)?;
    match deals.deal(deal_id).await {
        Ok(deal) => Ok(message(&deal)),
        Err(error) => Err(errors::of_stock(error, "deal", &[])),
    }
}

pub(super) type DealStream = BoxStream<'static, Result<DealMessage, Status>>;

pub(super) async fn watch(deals: &Deals, request: WatchDealRequest) -> Result<DealStream, Status> {
    let deal_id = convert::id("deal_id", &request.deal_id)?;
    match deals.watches().watch(deal_id).await {
        Ok(states) => Ok(states.map(|deal| Ok(message(&deal))).boxed()),
        Err(error) => Err(errors::of_stock(error, "deal", &[])),
    }
}

fn message(deal: &DealRow) -> DealMessage {
    DealMessage {
        deal_id: deal.id.to_string(),
        product_id: deal.product_id.to_string(),
        status: deal.status.as_str().to_owned(),
        unit_price: deal.unit_price.minor(),
        initial: deal.sums.initial,
        restocked: deal.sums.restocked,
        available: deal.sums.available,
        held: deal.sums.held,
        sold: deal.sums.sold,
        written_off: deal.sums.written_off,
        returned: deal.sums.returned,
        per_user_limit: deal.per_user_limit,
        starts_at: Some(convert::timestamp(deal.starts_at)),
        ends_at: deal.ends_at.map(convert::timestamp),
        planned: deal.planned,
        ended_at: deal.ended_at.map(convert::timestamp),
    }
}
