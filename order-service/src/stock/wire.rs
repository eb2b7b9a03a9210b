//! The methods of the wire as plain functions. Their futures are boxed: the compiler need not see
//! through the generated client wherever a use case awaits it.

use futures::{FutureExt as _, future::BoxFuture};
use product_api::{
    CheckStockRequest, CheckStockResponse, ConfirmStockRequest, DecreaseStockRequest,
    DecreaseStockResponse, HoldEnded, RestoreStockRequest,
    product_service_client::ProductServiceClient,
};
use tonic::{Request, Response, Status};

use super::channels::Transport;

/// A client over one transport.
pub(super) type Client = ProductServiceClient<Transport>;

/// What a method answers.
pub(super) type Answer<R> = BoxFuture<'static, Result<Response<R>, Status>>;

/// One method.
pub(super) type Call<M, R> = fn(Client, Request<M>) -> Answer<R>;

pub(super) fn decrease(
    mut client: Client,
    request: Request<DecreaseStockRequest>,
) -> Answer<DecreaseStockResponse> {
    async move { client.decrease_stock(request).await }.boxed()
}

pub(super) fn confirm(
    mut client: Client,
    request: Request<ConfirmStockRequest>,
) -> Answer<HoldEnded> {
    async move { client.confirm_stock(request).await }.boxed()
}

pub(super) fn restore(
    mut client: Client,
    request: Request<RestoreStockRequest>,
) -> Answer<HoldEnded> {
    async move { client.restore_stock(request).await }.boxed()
}

pub(super) fn check(
    mut client: Client,
    request: Request<CheckStockRequest>,
) -> Answer<CheckStockResponse> {
    async move { client.check_stock(request).await }.boxed()
}
