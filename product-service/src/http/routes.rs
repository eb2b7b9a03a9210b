//! Every path, and who may call it. A handler says of itself what it answers, and that is the document.

use axum::Router;
use service_kit::{
    auth::{Access, bearer_layer},
    openapi::document,
};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Shop, adjust_stock, cancel_deal, create_product, end_hotdeal, get_deal, get_hotdeal,
    get_product, get_stock, list_deals, list_products, pause_hotdeal, restock_hotdeal,
    resume_hotdeal, schedule_deal, start_hotdeal, update_product,
};

/// The routes of product-service, without those of its document, so that they can be merged with another
/// service's. Calls that change something, and the operator's reads, need `admin`.
pub fn router(shop: Shop, admin: Access) -> Router {
    let (router, _) = documented(admin).split_for_parts();
    router.with_state(shop)
}

/// The document of [`router`].
pub fn openapi() -> OpenApi {
    documented(Access::Open).into_openapi()
}

fn documented(admin: Access) -> OpenApiRouter<Shop> {
    let empty = document(
        "product-service",
        "Products, deals and stock. Ids are UUIDs, money is in the currency's minor unit.",
    );
    OpenApiRouter::with_openapi(empty)
        .merge(open())
        .merge(guarded().route_layer(bearer_layer(admin)))
}

fn open() -> OpenApiRouter<Shop> {
    OpenApiRouter::new()
        .routes(routes!(list_products::list))
        .routes(routes!(get_product::get))
        .routes(routes!(get_stock::get))
        .routes(routes!(get_deal::get))
        .routes(routes!(list_deals::list))
}

fn guarded() -> OpenApiRouter<Shop> {
    OpenApiRouter::new()
        .routes(routes!(create_product::create))
        .routes(routes!(update_product::update))
        .routes(routes!(adjust_stock::adjust))
        .routes(routes!(get_hotdeal::get))
        .routes(routes!(start_hotdeal::start))
        .routes(routes!(pause_hotdeal::pause))
        .routes(routes!(resume_hotdeal::resume))
        .routes(routes!(restock_hotdeal::restock))
        .routes(routes!(end_hotdeal::end))
        .routes(routes!(schedule_deal::schedule))
        .routes(routes!(cancel_deal::cancel))
}
