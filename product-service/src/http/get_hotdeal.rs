//! `GET /products/{product_id}/hotdeal`: the live sum of the product's last deal, and its gate.

use axum::{Json as Body, extract::State};
use domain::ProductId;
use serde::Serialize;
use service_kit::{extract::Path, problem::Problem};

use super::{Shop, body::DealBody};
use crate::deals::{GateView, LiveDeal};

#[derive(Debug, Serialize)]
pub(super) struct LiveDealBody {
    #[serde(flatten)]
    deal: DealBody,
    /// `null` when the service runs without gates, or the gate could not be asked.
    gate: Option<GateBody>,
    /// What the gate has too much (or, negative, too little); `null` when there is no figure to compare.
    drift: Option<i64>,
}

#[derive(Debug, Serialize)]
struct GateBody {
    present: bool,
    quantity: Option<i64>,
    in_flight: Option<i64>,
}

impl From<GateView> for GateBody {
    fn from(gate: GateView) -> Self {
        Self {
            present: gate.present,
            quantity: gate.quantity,
            in_flight: gate.in_flight,
        }
    }
}

impl From<LiveDeal> for LiveDealBody {
    fn from(live: LiveDeal) -> Self {
        Self {
            deal: live.deal.into(),
            gate: live.gate.map(GateBody::from),
            drift: live.drift,
        }
    }
}

pub(super) async fn get(
    State(shop): State<Shop>,
    Path(product_id): Path<ProductId>,
) -> Result<Body<LiveDealBody>, Problem> {
    Ok(Body(shop.deals.live(product_id).await?.into()))
}
