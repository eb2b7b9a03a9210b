//! The catalogue over HTTP.

use serde_json::json;
use sql::Engine;

use crate::bed::{Bed, NOBODY, text};

async fn a_product_is_found_where_its_creation_says(engine: Engine) {
    let bed = Bed::on(engine).await;
    let new = json!({"name": "Lamp", "description": "Bright.\nVery.", "price": 12_000,
        "category": "home", "stock": 10, "colour": "ignored"});
    let (status, created, headers) = bed.http.post("/products", &[], &new).await;
    assert_eq!(status, 201, "{created}");
    let found = bed.get(headers["location"].to_str().unwrap()).await;
    assert_eq!(found, created);
    for (field, value) in [
        ("name", json!("Lamp")),
        ("description", json!("Bright.\nVery.")),
        ("category", json!("home")),
        ("price", json!(12_000)),
        ("stock", json!(10)),
    ] {
        assert_eq!(found[field], value, "{field}");
    }
    assert!(found.get("deal").is_none());
    assert_eq!(found["created_at"], found["updated_at"]);
}

async fn a_change_touches_only_what_is_given(engine: Engine) {
    let bed = Bed::on(engine).await;
    let id = bed.product(3, 500).await;
    let path = format!("/products/{id}");
    let (status, changed, _) = bed.http.patch(&path, &[], &json!({"price": 700})).await;
    assert_eq!(status, 200, "{changed}");
    assert_eq!(changed["price"], 700);
    assert_eq!(changed["name"], "Lamp");
    assert_eq!(changed["stock"], 3);
    let (status, same, _) = bed.http.patch(&path, &[], &json!({})).await;
    assert_eq!((status.as_u16(), same), (200, changed));
}

async fn lists_are_newest_first_in_pages_and_by_category(engine: Engine) {
    let bed = Bed::on(engine).await;
    for (name, category) in [("a", "x"), ("b", "y"), ("c", "x")] {
        let new = json!({"name": name, "category": category, "price": 1, "stock": 1});
        let (status, ..) = bed.http.post("/products", &[], &new).await;
        assert_eq!(status, 201);
    }
    let names = async |query: &str| {
        let page = bed.get(&format!("/products{query}")).await;
        let items = page["items"].as_array().unwrap().clone();
        let names: Vec<String> = items.iter().map(|item| text(&item["name"])).collect();
        (names.concat(), page["total"].as_i64().unwrap())
    };
    assert_eq!(names("").await, ("cba".to_owned(), 3));
    assert_eq!(names("?page=1&size=2").await, ("cb".to_owned(), 3));
    assert_eq!(names("?page=2&size=2").await, ("a".to_owned(), 3));
    assert_eq!(names("?page=9&size=100").await, (String::new(), 3));
    assert_eq!(names("?category=x").await, ("ca".to_owned(), 2));
    assert_eq!(
        names("?category=x&page=2&size=1").await,
        ("a".to_owned(), 2)
    );
    assert_eq!(names("?category=none").await, (String::new(), 0));
    let page = bed.get("/products?page=2&size=2").await;
    assert_eq!((&page["page"], &page["size"]), (&json!(2), &json!(2)));
}

async fn what_does_not_exist_is_not_found(engine: Engine) {
    let bed = Bed::on(engine).await;
    for path in [
        format!("/products/{NOBODY}"),
        format!("/products/{NOBODY}/stock"),
        format!("/products/{NOBODY}/hotdeal"),
        format!("/products/deals/{NOBODY}"),
        "/nothing".to_owned(),
    ] {
        let (status, problem, headers) = bed.http.get(&path, &[]).await;
        assert_eq!(status, 404, "{path}: {problem}");
        assert_eq!(problem["error"], "NOT_FOUND", "{path}");
        assert_eq!(
            headers["content-type"], "application/problem+json",
            "{path}"
        );
    }
    let (status, ..) = bed
        .http
        .patch(&format!("/products/{NOBODY}"), &[], &json!({"price": 1}))
        .await;
    assert_eq!(status, 404);
}

async fn the_root_lists_paths_that_answer(engine: Engine) {
    let bed = Bed::on(engine).await;
    let index = bed.get("/").await;
    for path in index["paths"].as_array().unwrap() {
        let route = text(&path["path"]).replace("{product_id}", NOBODY);
        let route = route.replace("{deal_id}", NOBODY);
        let method = text(&path["method"]).parse().unwrap();
        let (_, answer, _) = bed.http.send(method, &route, &[], None).await.unwrap();
        assert_ne!(
            answer["message"], "there is nothing under this path",
            "{route}"
        );
        assert_ne!(answer["status"], 405, "{route}");
    }
}

test_kit::on_both_engines! {
    tokio::test: a_product_is_found_where_its_creation_says,
        a_change_touches_only_what_is_given,
        lists_are_newest_first_in_pages_and_by_category,
        what_does_not_exist_is_not_found,
        the_root_lists_paths_that_answer;
}
