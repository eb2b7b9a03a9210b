//! Every path, and who may call it.

use axum::{
    Router,
    routing::{get, patch, post},
};
use domain::ErrorCode;
use service_kit::{
    auth::{Access, bearer_layer},
    problem::Problem,
};

use super::{
    Shop, adjust_stock, create_product, end_hotdeal, get_deal, get_hotdeal, get_product, get_stock,
    list_products, refuse, start_hotdeal, update_product,
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
        // Without it `deals` would be taken for a product's id.
        .route("/products/deals", get(no_list))
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
        .route("/products/{product_id}/hotdeal/end", post(end_hotdeal::end))
}

async fn no_list() -> Problem {
    refuse::problem(ErrorCode::NotFound, "there is no list of deals")
}
