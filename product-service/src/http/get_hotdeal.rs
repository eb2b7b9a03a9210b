//! `GET /products/{product_id}/hotdeal`: the live sum of the product's last deal, and its gate.

use axum::{Json as Body, extract::State};
use domain::{ErrorCode, ProductId};
use serde::Serialize;
use service_kit::{extract::Path, openapi::Refusals, problem::Problem, refusals};
use utoipa::ToSchema;

use super::{Shop, body::DealBody};
use crate::deals::{GateView, LiveDeal};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LiveDeal)]
pub(super) struct LiveDealBody {
    #[serde(flatten)]
    deal: DealBody,
    /// Units that the gate has been owed since the deal opened; it only grows.
    owed: i64,
    /// `null` when the service runs without gates, or the gate could not be asked.
    gate: Option<GateBody>,
    /// What the gate has too much (or, negative, too little); `null` when there is no figure to compare.
    drift: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Gate)]
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
            owed: live.deal.owed,
            deal: live.deal.into(),
            gate: live.gate.map(GateBody::from),
            drift: live.drift,
        }
    }
}

refusals!(
    Refused = Refusals::new()
        .parameters()
        .unauthorized()
        .also(ErrorCode::documented(&[ErrorCode::NotFound]))
);

/// The live sum of the product's last deal, its gate and the drift between them.
#[utoipa::path(
    get,
    path = "/products/{product_id}/hotdeal",
    operation_id = "getHotDeal",
    tag = "deals",
    params(("product_id" = ProductId, Path)),
    security(("bearer" = [])),
    responses((status = 200, description = "The deal as it stands.", body = LiveDealBody), Refused),
)]
pub(super) async fn get(
    State(shop): State<Shop>,
    Path(product_id): Path<ProductId>,
) -> Result<Body<LiveDealBody>, Problem> {
    Ok(Body(shop.deals.live(product_id).await?.into()))
}
