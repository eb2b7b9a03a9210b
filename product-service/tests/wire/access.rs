//! Who may call what.

use product_api::{ConfirmStockRequest, GetProductRequest, RestoreStockRequest};
use serde_json::json;
use sql::Engine;
use tonic::{Code, Request};

use crate::bed::{Bed, NOBODY, decrease, item, reason_of};

#[tokio::test]
async fn changes_and_the_operators_reads_need_the_token() {
    let bed = Bed::with(Engine::Postgres, &[("ADMIN_TOKEN", "s3cret")]).await;
    let new = json!({"name": "Lamp", "price": 1, "stock": 1});
    let right: &[(&str, &str)] = &[("authorization", "Bearer s3cret")];
    let wrong: &[(&str, &str)] = &[("authorization", "Bearer s3cre")];
    for headers in [&[], wrong] {
        let (status, problem, answered) = bed.http.post("/products", headers, &new).await;
        assert_eq!(
            (status.as_u16(), &problem["error"]),
            (401, &json!("UNAUTHORIZED"))
        );
        assert_eq!(answered["www-authenticate"], "Bearer");
    }
    assert_eq!(bed.get("/products").await["total"], 0);
    let (status, product, _) = bed.http.post("/products", right, &new).await;
    assert_eq!(status, 201);
    let path = format!("/products/{}", product["id"].as_str().unwrap());
    for (method, path) in [
        ("PATCH", path.clone()),
        ("PATCH", format!("{path}/stock")),
        ("POST", format!("{path}/hotdeal/start")),
        ("POST", format!("{path}/hotdeal/end")),
        ("POST", format!("{path}/hotdeal/pause")),
        ("POST", format!("{path}/hotdeal/resume")),
        ("POST", format!("{path}/hotdeal/restock")),
        ("GET", format!("{path}/hotdeal")),
        ("POST", "/products/deals".to_owned()),
        ("DELETE", format!("/products/deals/{NOBODY}")),
    ] {
        let answer = bed
            .http
            .send(method.parse().unwrap(), &path, &[], Some(&json!({})))
            .await;
        assert_eq!(answer.unwrap().0, 401, "{method} {path}");
    }
    for path in [
        "/products".to_owned(),
        path.clone(),
        format!("{path}/stock"),
        "/products/deals".to_owned(),
        "/".to_owned(),
    ] {
        bed.get(&path).await;
    }
    let (status, started, _) = bed
        .http
        .post_empty(&format!("{path}/hotdeal/start"), right)
        .await;
    assert_eq!(status, 200, "{started}");
    bed.get(&format!(
        "/products/deals/{}",
        started["deal_id"].as_str().unwrap()
    ))
    .await;
}

#[tokio::test]
async fn moving_stock_needs_the_services_token() {
    let bed = Bed::with(Engine::Postgres, &[("SERVICE_TOKEN", "s3cret")]).await;
    let id = bed.product(5, 500).await;
    let mut grpc = bed.grpc().await;
    let order_id = || NOBODY.to_owned();
    let taken = grpc.decrease_stock(decrease(1, vec![item(&id, 1)])).await;
    let sold = grpc
        .confirm_stock(ConfirmStockRequest {
            order_id: order_id(),
        })
        .await;
    let reason = "CANCELLED_BY_USER".to_owned();
    let released = grpc
        .restore_stock(RestoreStockRequest {
            order_id: order_id(),
            reason,
            return_sold: true,
        })
        .await;
    for status in [taken.unwrap_err(), sold.unwrap_err(), released.unwrap_err()] {
        assert_eq!(
            (status.code(), reason_of(&status)),
            (Code::Unauthenticated, "UNAUTHORIZED".into())
        );
    }
    assert_eq!(bed.get(&format!("/products/{id}/stock")).await["stock"], 5);

    let with = |token: &str| {
        let mut request = Request::new(decrease(1, vec![item(&id, 1)]));
        let shown = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", shown);
        request
    };
    assert_eq!(
        grpc.decrease_stock(with("other!"))
            .await
            .unwrap_err()
            .code(),
        Code::Unauthenticated
    );
    grpc.decrease_stock(with("s3cret")).await.unwrap();
    let request = GetProductRequest { product_id: id };
    assert_eq!(
        grpc.get_product(request).await.unwrap().into_inner().stock,
        4
    );
}
