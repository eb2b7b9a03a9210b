//! `DecreaseStock` that answers a constant, through the server and the layers of product-service.

use std::{ffi::OsString, io, process::ExitCode};

use futures::stream::Empty;
use product_api::{
    CheckStockRequest, CheckStockResponse, ConfirmStockRequest, Deal, DecreaseStockRequest,
    DecreaseStockResponse, GetDealRequest, GetProductRequest, HeldItem, HoldEnded, Product,
    RestoreStockRequest, WatchDealRequest,
    product_service_server::{ProductService, ProductServiceServer},
};
use service_kit::{
    health::Health,
    ops,
    run::{program, together},
    server::{GrpcLimits, HttpLimits, bind, builder, serve_grpc, serve_http},
    telemetry::Telemetry,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::Config;

/// The program, with its arguments; the first is its name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let about = "A gRPC server that answers DecreaseStock with a constant";
    program("noop-grpc", about, args, serve)
}

async fn serve(config: Config, telemetry: Telemetry, stop: CancellationToken) -> io::Result<()> {
    let grpc = bind(config.noop_addr, "NOOP_ADDR").await;
    let ops_port = bind(config.noop_ops_addr, "NOOP_OPS_ADDR").await;
    let (grpc, ops_port) = (
        grpc.map_err(io::Error::other)?,
        ops_port.map_err(io::Error::other)?,
    );
    let limits = GrpcLimits::from(&config.common);
    let router = builder(&limits).add_service(ProductServiceServer::new(Constant));
    let ops = ops::router(Health::new(), &telemetry);
    together(
        serve_grpc(grpc, router, limits, stop.clone()),
        serve_http(
            ops_port,
            ops,
            HttpLimits::from(&config.common),
            stop.clone(),
        ),
        &stop,
    )
    .await
}

/// Answers what product-service would answer, touching nothing.
#[derive(Debug, Clone, Copy)]
struct Constant;

/// A stream that no call of the measurement asks for.
type NoDeals = Empty<Result<Deal, Status>>;

#[tonic::async_trait]
impl ProductService for Constant {
    type WatchDealStream = NoDeals;

    async fn decrease_stock(
        &self,
        request: Request<DecreaseStockRequest>,
    ) -> Result<Response<DecreaseStockResponse>, Status> {
        let items = request.into_inner().items.into_iter();
        let held = items.map(|item| HeldItem {
            product_id: item.product_id,
            product_name: "한정판 운동화".to_owned(),
            quantity: item.quantity,
            unit_price: 10_000,
            deal_id: Some("0192f0c1-7b5e-7000-8000-000000000001".to_owned()),
            remaining: Some(123_456_789),
        });
        Ok(Response::new(DecreaseStockResponse {
            items: held.collect(),
            expires_at: Some(prost_types::Timestamp {
                seconds: 1_795_000_000,
                nanos: 123_456_000,
            }),
            replayed: false,
        }))
    }

    async fn get_product(
        &self,
        _: Request<GetProductRequest>,
    ) -> Result<Response<Product>, Status> {
        Err(nothing())
    }

    async fn check_stock(
        &self,
        _: Request<CheckStockRequest>,
    ) -> Result<Response<CheckStockResponse>, Status> {
        Err(nothing())
    }

    async fn confirm_stock(
        &self,
        _: Request<ConfirmStockRequest>,
    ) -> Result<Response<HoldEnded>, Status> {
        Err(nothing())
    }

    async fn restore_stock(
        &self,
        _: Request<RestoreStockRequest>,
    ) -> Result<Response<HoldEnded>, Status> {
        Err(nothing())
    }

    async fn get_deal(&self, _: Request<GetDealRequest>) -> Result<Response<Deal>, Status> {
        Err(nothing())
    }

    async fn watch_deal(&self, _: Request<WatchDealRequest>) -> Result<Response<NoDeals>, Status> {
        Err(nothing())
    }
}

fn nothing() -> Status {
    Status::unimplemented("this server only answers DecreaseStock")
}
