//! HTTP requests that are not understood: the right code, the field named, nothing changed.

use reqwest::{Client, Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use crate::bed::{Bed, NOBODY, fields_of};

/// A request as bytes, which need not be JSON.
async fn raw(bed: &Bed, path: &str, content_type: Option<&str>, body: Vec<u8>) -> (u16, Value) {
    let client = Client::builder().no_proxy().build().unwrap();
    let mut request = client.request(Method::POST, bed.http.url(path)).body(body);
    if let Some(content_type) = content_type {
        request = request.header(CONTENT_TYPE, content_type);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

#[tokio::test]
async fn wrong_fields_of_a_new_product_are_named_and_nothing_is_added() {
    let bed = Bed::start().await;
    let long = "x".repeat(201);
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("a\0b")),
        ("name", json!(long)),
        ("name", json!(7)),
        ("name", Value::Null),
        ("description", json!("a\0b")),
        ("description", json!("x".repeat(10_001))),
        ("category", json!("x".repeat(101))),
        ("category", json!("a\nb")),
        ("price", json!(-1)),
        ("price", json!(1_i64 << 53)),
        ("price", json!(1_u64 << 63)),
        ("price", json!(1.5)),
        ("price", json!("1")),
        ("price", Value::Null),
        ("stock", json!(-1)),
        ("stock", json!(1_u64 << 63)),
        ("stock", json!(1_000_000_001)),
        ("stock", json!(1.5)),
        ("stock", json!("1")),
        ("id", json!(NOBODY)),
        ("deal_id", json!(NOBODY)),
        ("deal", json!({})),
        ("created_at", json!("2026-01-01T00:00:00Z")),
        ("updated_at", Value::Null),
    ] {
        let mut body = json!({"name": "Lamp", "price": 1, "stock": 1});
        body[field] = value.clone();
        let (status, problem, _) = bed.http.post("/products", &[], &body).await;
        assert_eq!(status, 422, "{field} {value}: {problem}");
        assert_eq!(problem["error"], "INVALID", "{field} {value}");
        assert_eq!(fields_of(&problem), [field], "{field} {value}: {problem}");
    }
    for field in ["name", "price", "stock"] {
        let mut body = json!({"name": "Lamp", "price": 1, "stock": 1});
        body.as_object_mut().unwrap().remove(field);
        let (status, problem, _) = bed.http.post("/products", &[], &body).await;
        assert_eq!(
            (status.as_u16(), fields_of(&problem)),
            (422, vec![field.to_owned()])
        );
    }
    assert_eq!(bed.get("/products").await["total"], 0);
}

#[tokio::test]
async fn all_wrong_fields_are_named_at_once() {
    let bed = Bed::start().await;
    let body = json!({"name": " ", "price": -1, "stock": -1});
    let (status, problem, _) = bed.http.post("/products", &[], &body).await;
    assert_eq!(status, 422);
    assert_eq!(fields_of(&problem), ["name", "price", "stock"]);
}

#[tokio::test]
async fn bodies_that_are_no_json_are_refused_by_kind() {
    let bed = Bed::start().await;
    let json_type = Some("application/json");
    let good = br#"{"name":"Lamp","price":1,"stock":1}"#.to_vec();
    let huge = format!(
        r#"{{"name":"{}","price":1,"stock":1}}"#,
        "x".repeat(1 << 20)
    );
    for (content_type, body, expected) in [
        (None, good.clone(), 415),
        (Some("text/plain"), good, 415),
        (
            json_type,
            b"{\"name\":\"\xff\",\"price\":1,\"stock\":1}".to_vec(),
            400,
        ),
        (json_type, b"{".to_vec(), 400),
        (json_type, Vec::new(), 400),
        (json_type, huge.into_bytes(), 413),
        (json_type, b"[]".to_vec(), 422),
        (json_type, b"null".to_vec(), 422),
    ] {
        let (status, problem) = raw(&bed, "/products", content_type, body).await;
        assert_eq!(
            (status, &problem["error"]),
            (expected, &json!("INVALID")),
            "{problem}"
        );
    }
    assert_eq!(bed.get("/products").await["total"], 0);
}

#[tokio::test]
async fn wrong_terms_of_a_deal_are_named_and_nothing_starts() {
    let bed = Bed::start().await;
    let id = bed.product(10, 500).await;
    let path = format!("/products/{id}/hotdeal/start");
    for (field, value) in [
        ("quantity", json!(0)),
        ("quantity", json!(-1)),
        ("quantity", json!(1_i64 << 31)),
        ("quantity", json!(1_u64 << 63)),
        ("quantity", json!("1")),
        ("quantity", json!(1.5)),
        ("per_user_limit", json!(0)),
        ("per_user_limit", json!(1_u64 << 63)),
        ("deal_price", json!(-1)),
        ("deal_price", json!(1_i64 << 53)),
        ("ends_at", json!("tomorrow")),
        ("ends_at", json!(7)),
        ("deal_id", json!(NOBODY)),
        ("product_id", json!(NOBODY)),
        ("stock", json!(1)),
        ("status", json!("running")),
        ("unit_price", json!(1)),
    ] {
        let body = json!({ field: value });
        let (status, problem, _) = bed.http.post(&path, &[], &body).await;
        assert_eq!(status, 422, "{body}: {problem}");
        assert_eq!(fields_of(&problem), [field], "{body}: {problem}");
    }
    let stock = bed.get(&format!("/products/{id}/stock")).await;
    assert_eq!((&stock["stock"], stock.get("deal_id")), (&json!(10), None));
}

#[tokio::test]
async fn wrong_changes_and_corrections_are_named_and_change_nothing() {
    let bed = Bed::start().await;
    let id = bed.product(10, 500).await;
    let product = format!("/products/{id}");
    let before = bed.get(&product).await;
    for (field, value) in [
        ("name", Value::Null),
        ("name", json!("")),
        ("price", json!(-1)),
        ("price", json!(1.5)),
        ("stock", json!(1)),
        ("id", json!(NOBODY)),
        ("deal", Value::Null),
        ("created_at", json!(1)),
        ("updated_at", json!(1)),
    ] {
        let body = json!({ field: value });
        let (status, problem, _) = bed.http.patch(&product, &[], &body).await;
        assert_eq!(
            (status.as_u16(), fields_of(&problem)),
            (422, vec![field.to_owned()]),
            "{body}"
        );
    }
    for delta in [
        json!(0),
        json!(1_000_000_001),
        json!(-1_000_000_001),
        json!(1_u64 << 63),
        json!(i64::MIN),
        json!("1"),
        json!(1.5),
        Value::Null,
    ] {
        let body = json!({ "delta": delta });
        let (status, problem, _) = bed
            .http
            .patch(&format!("{product}/stock"), &[], &body)
            .await;
        assert_eq!(
            (status.as_u16(), fields_of(&problem)),
            (422, vec!["delta".to_owned()]),
            "{body}"
        );
    }
    for field in ["stock", "product_id", "shelf"] {
        let body = json!({ "delta": 1, field: 5 });
        let path = format!("{product}/stock");
        let (status, problem, _) = bed.http.patch(&path, &[], &body).await;
        assert_eq!(
            (status.as_u16(), fields_of(&problem)),
            (422, vec![field.to_owned()]),
            "{body}"
        );
    }
    assert_eq!(bed.get(&product).await, before);
}

#[tokio::test]
async fn ids_and_queries_that_cannot_be_are_named() {
    let bed = Bed::start().await;
    for id in [
        "x",
        "%7B0192f0c1-7b5e-7000-8000-000000000001%7D",
        "a%00b",
        "0192f0c17b5e70008000000000000001",
    ] {
        for path in [format!("/products/{id}"), format!("/products/{id}/hotdeal")] {
            let (status, problem, _) = bed.http.get(&path, &[]).await;
            assert_eq!(
                (status.as_u16(), fields_of(&problem)),
                (422, vec!["product_id".to_owned()]),
                "{path}"
            );
        }
    }
    let (status, problem, _) = bed.http.get("/products/deals/x", &[]).await;
    assert_eq!(
        (status.as_u16(), fields_of(&problem)),
        (422, vec!["deal_id".to_owned()])
    );
    for (query, field) in [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=99999999999", "page"),
        ("size=0", "size"),
        ("size=101", "size"),
        ("size=x", "size"),
        ("category=a%00b", "category"),
    ] {
        let (status, problem, _) = bed.http.get(&format!("/products?{query}"), &[]).await;
        assert_eq!(
            (status.as_u16(), fields_of(&problem)),
            (422, vec![field.to_owned()]),
            "{query}: {problem}"
        );
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_answer_is_refused() {
    let bed = Bed::start().await;
    let answer = bed.http.send(Method::DELETE, "/products", &[], None).await;
    let (status, problem, headers) = answer.unwrap();
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (405, &json!("INVALID"))
    );
    let allowed = headers["allow"].to_str().unwrap();
    assert!(
        allowed.contains("GET") && allowed.contains("POST"),
        "{allowed}"
    );
}
