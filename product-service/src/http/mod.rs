//! HTTP, for administration and for readers of the catalogue.
//!
//! - `routes`: every path, and who may call it. One endpoint a file below it:
//! - products: `create_product`, `list_products`, `get_product`, `update_product`;
//! - stock: `get_stock`, `adjust_stock`;
//! - a product's deal: `start_hotdeal`, `pause_hotdeal`, `resume_hotdeal`, `restock_hotdeal`,
//!   `end_hotdeal`, `get_hotdeal`;
//! - all deals: `schedule_deal`, `cancel_deal`, `list_deals`, `get_deal`;
//! - `body`: pieces of JSON that several endpoints share. `refuse`: errors as problems.

mod adjust_stock;
mod body;
mod cancel_deal;
mod create_product;
mod end_hotdeal;
mod get_deal;
mod get_hotdeal;
mod get_product;
mod get_stock;
mod list_deals;
mod list_products;
mod pause_hotdeal;
mod refuse;
mod restock_hotdeal;
mod resume_hotdeal;
mod routes;
mod schedule_deal;
mod start_hotdeal;
mod update_product;

pub use self::routes::{openapi, router};
use crate::{catalog::Catalog, deals::Deals, stock::Stock};

/// What the handlers call.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Names, prices and shown stock.
    pub catalog: Catalog,
    /// Corrections of a shelf.
    pub stock: Stock,
    /// The life of deals, and their sums.
    pub deals: Deals,
}
