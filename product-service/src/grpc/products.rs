//! `GetProduct`, `CheckStock`.

use std::collections::HashMap;

use domain::ProductId;
use product_api::{
    CheckStockRequest, CheckStockResponse, GetProductRequest, ItemStock, Product as ProductMessage,
};
use tonic::Status;

use super::{convert, errors};
use crate::{
    catalog::{Catalog, Product},
    stock::WantedLine,
};

pub(super) async fn get(
    catalog: &Catalog,
    request: GetProductRequest,
) -> Result<ProductMessage, Status> {
    let product_id = convert::id("product_id", &request.product_id)?;
    match catalog.get(product_id).await {
        Ok(product) => Ok(message(product)),
        Err(error) => Err(errors::of_catalog(error, "product")),
    }
}

pub(super) async fn check(
    catalog: &Catalog,
    request: CheckStockRequest,
) -> Result<CheckStockResponse, Status> {
    let lines = convert::lines(&request.items)?;
    let ids: Vec<ProductId> = lines.iter().map(|line| line.product_id).collect();
    let found = catalog.find(&ids).await;
    let found = found.map_err(|error| errors::of_catalog(error, "product"))?;
    let products: HashMap<ProductId, Product> = found
        .into_iter()
        .map(|product| (product.id, product))
        .collect();
    // An order takes the lines of one product together.
    let mut wanted: HashMap<ProductId, i64> = HashMap::new();
    for line in &lines {
        *wanted.entry(line.product_id).or_default() += line.quantity.units();
    }
    let items: Vec<ItemStock> = lines
        .iter()
        .map(|line| match products.get(&line.product_id) {
            Some(product) => Ok(item_stock(product, line, &wanted)),
            None => Err(errors::unknown_product(line.product_id, &lines)),
        })
        .collect::<Result<_, _>>()?;
    Ok(CheckStockResponse {
        available: items.iter().all(|item| item.available),
        items,
    })
}

fn item_stock(product: &Product, line: &WantedLine, wanted: &HashMap<ProductId, i64>) -> ItemStock {
    let stock = product.takeable();
    let is_its_deal = line
        .deal_id
        .is_none_or(|id| product.open_deal().is_some_and(|deal| deal.id == id));
    let units = wanted.get(&product.id).copied().unwrap_or(0);
    ItemStock {
        product_id: product.id.to_string(),
        available: is_its_deal && units <= stock,
        stock,
    }
}

fn message(product: Product) -> ProductMessage {
    ProductMessage {
        product_id: product.id.to_string(),
        unit_price: product.unit_price().minor(),
        deal_id: product.open_deal().map(|deal| deal.id.to_string()),
        stock: product.takeable(),
        name: product.name,
        description: product.description,
        category: product.category,
    }
}
