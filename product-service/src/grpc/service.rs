//! Who may call which method, and the way into its file.

use std::time::Duration;

use product_api::{
    CheckStockRequest, CheckStockResponse, ConfirmStockRequest, Deal, DecreaseStockRequest,
    DecreaseStockResponse, GetDealRequest, GetProductRequest, HoldEnded, Product,
    RestoreStockRequest, WatchDealRequest,
    product_service_server::{ProductService, ProductServiceServer},
};
use service_kit::auth::{self, Access};
use tonic::{Request, Response, Status, metadata::MetadataMap};

use super::{
    deadline::within,
    deals::{self, DealStream},
    errors, products, stock,
};
use crate::{catalog::Catalog, deals::Deals, stock::Stock};

/// The longest request, in bytes: 100 lines take a tenth of it.
const REQUEST_LEN_MAX: usize = 256 * 1024;

/// The longest answer, in bytes.
const ANSWER_LEN_MAX: usize = 4 * 1024 * 1024;

/// The service behind the generated server.
#[derive(Debug, Clone)]
pub struct ProductGrpc {
    /// Names, prices and shown stock.
    pub catalog: Catalog,
    /// Holds.
    pub stock: Stock,
    /// Sums of deals, read and watched.
    pub deals: Deals,
    /// Who may call the methods that move stock.
    pub callers: Access,
    /// How long a call may take, whatever its caller allows.
    pub request_timeout: Duration,
}

/// The generated server with its limits; it can be mounted on a socket, or be a client's transport.
pub fn server(service: ProductGrpc) -> ProductServiceServer<ProductGrpc> {
    ProductServiceServer::new(service)
        .max_decoding_message_size(REQUEST_LEN_MAX)
        .max_encoding_message_size(ANSWER_LEN_MAX)
}

impl ProductGrpc {
    fn authorize(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let shown = metadata
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        if auth::check(&self.callers, shown) {
            return Ok(());
        }
        Err(errors::unauthorized())
    }
}

#[tonic::async_trait]
impl ProductService for ProductGrpc {
    async fn get_product(
        &self,
        request: Request<GetProductRequest>,
    ) -> Result<Response<Product>, Status> {
        let (metadata, _, request) = request.into_parts();
        within(&metadata, self.request_timeout, |_| {
            products::get(&self.catalog, request)
        })
        .await
    }

    async fn check_stock(
        &self,
        request: Request<CheckStockRequest>,
    ) -> Result<Response<CheckStockResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        within(&metadata, self.request_timeout, |_| {
            products::check(&self.catalog, request)
        })
        .await
    }

    async fn decrease_stock(
        &self,
        request: Request<DecreaseStockRequest>,
    ) -> Result<Response<DecreaseStockResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        self.authorize(&metadata)?;
        within(&metadata, self.request_timeout, |deadline| {
            stock::decrease(&self.stock, request, deadline)
        })
        .await
    }

    async fn confirm_stock(
        &self,
        request: Request<ConfirmStockRequest>,
    ) -> Result<Response<HoldEnded>, Status> {
        let (metadata, _, request) = request.into_parts();
        self.authorize(&metadata)?;
        within(&metadata, self.request_timeout, |deadline| {
            stock::confirm(&self.stock, request, deadline)
        })
        .await
    }

    async fn restore_stock(
        &self,
        request: Request<RestoreStockRequest>,
    ) -> Result<Response<HoldEnded>, Status> {
        let (metadata, _, request) = request.into_parts();
        self.authorize(&metadata)?;
        within(&metadata, self.request_timeout, |deadline| {
            stock::restore(&self.stock, request, deadline)
        })
        .await
    }

    async fn get_deal(&self, request: Request<GetDealRequest>) -> Result<Response<Deal>, Status> {
        let (metadata, _, request) = request.into_parts();
        within(&metadata, self.request_timeout, |_| {
            deals::get(&self.deals, request)
        })
        .await
    }

    type WatchDealStream = DealStream;

    async fn watch_deal(
        &self,
        request: Request<WatchDealRequest>,
    ) -> Result<Response<DealStream>, Status> {
        let (metadata, _, request) = request.into_parts();
        // The time limit is for the beginning of the answer.
        within(&metadata, self.request_timeout, |_| {
            deals::watch(&self.deals, request)
        })
        .await
    }
}
