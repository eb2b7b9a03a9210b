//! Every path, and who may call it.

use axum::{
    Router,
    routing::{delete, get, patch, post},
};
use service_kit::auth::{Access, bearer_layer};

use super::{
    Shop, adjust_stock, cancel_deal, create_product, end_hotdeal, get_deal, get_hotdeal,
    get_product, get_stock, list_deals, list_products, pause_hotdeal, restock_hotdeal,
    resume_hotdeal, schedule_deal, start_hotdeal, update_product,
};

/// The routes of product-service, without [`super::index`], so that they can be merged with another
/// service's. Calls that change something, and the operator's reads, need `admin`.
pub fn router(shop: Shop, admin: Access) -> Router {
    open()
        .merge(guarded().route_layer(bearer_layer(admin)))
        .with_state(shop)
}

fn open() -> Router<Shop> {
    Router::new()
        .route("/products", get(list_products::list))
        .route("/products/{product_id}", get(get_product::get))
        .route("/products/{product_id}/stock", get(get_stock::get))
        .route("/products/deals/{deal_id}", get(get_deal::get))
        .route("/products/deals", get(list_deals::list))
}

fn guarded() -> Router<Shop> {
    Router::new()
        .route("/products", post(create_product::create))
        .route("/products/{product_id}", patch(update_product::update))
        .route("/products/{product_id}/stock", patch(adjust_stock::adjust))
        .route("/products/{product_id}/hotdeal", get(get_hotdeal::get))
        .route(
            "/products/{product_id}/hotdeal/start",
            post(start_hotdeal::start),
        )
        .route(
            "/products/{product_id}/hotdeal/pause",
            post(pause_hotdeal::pause),
        )
        .route(
            "/products/{product_id}/hotdeal/resume",
            post(resume_hotdeal::resume),
        )
        .route(
            "/products/{product_id}/hotdeal/restock",
            post(restock_hotdeal::restock),
        )
        .route("/products/{product_id}/hotdeal/end", post(end_hotdeal::end))
        .route("/products/deals", post(schedule_deal::schedule))
        .route("/products/deals/{deal_id}", delete(cancel_deal::cancel))
}
