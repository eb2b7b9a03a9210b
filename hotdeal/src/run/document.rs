//! What the interface of the whole shop is: both services' documents in one.

use service_kit::openapi::utoipa::openapi::OpenApi;

/// Every operation of both.
pub(super) fn openapi() -> OpenApi {
    let mut document = order_service::http::openapi();
    document.merge(product_service::http::openapi());
    document.info.title = super::NAME.to_owned();
    document.info.description = Some(
        "The whole shop: products, deals, stock and orders. Ids are UUIDs, money is in the currency's \
         minor unit."
            .to_owned(),
    );
    document
}
