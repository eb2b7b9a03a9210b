//! Placing orders: the answers, the keys, and what becomes of the hold when something breaks.

mod shop;

use std::time::Duration;

use futures::{StreamExt as _, future::join_all, stream};
use serde_json::{Value, json};
use shop::{
    BUYER, OTHER, Shop, one_line, product::Fault, product::Product, product::refusal, proxy::Proxy,
};
use test_kit::{Postgres, eventually};
use tokio::time::timeout;
use tonic::Code;

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn an_accepted_order_is_readable_at_once() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let body = json!({
        "items": [{"product_id": tea, "quantity": 1}, {"product_id": tea, "quantity": 2}],
        "shipping_address": {"recipient_name": "김하나", "phone": "010-0000-0000",
            "address": "서울특별시", "postal_code": "04524"},
    });
    let (status, order, headers) = shop.place(&body).await;
    assert_eq!(status, 202, "{order}");
    let id = order["id"].as_str().unwrap();
    assert_eq!(headers["location"], format!("/orders/{id}"));
    assert!(!headers.contains_key("idempotent-replayed"));
    assert_eq!(order["status"], "PENDING");
    assert_eq!(order["flow"], "hold");
    assert_eq!(order["user_id"], BUYER);
    assert_eq!(order["total_amount"], 15_000);
    assert_eq!(order["items"].as_array().unwrap().len(), 1);
    assert_eq!(order["items"][0]["quantity"], 3);
    assert_eq!(order["items"][0]["subtotal"], 15_000);
    assert_eq!(order["items"][0]["product_name"], "tea");
    assert_eq!(shop.order(id).await, order);
    assert_eq!(shop.product.left(tea), 7);
    assert!(shop.product.seen("decrease")[0].first_attempt);
}

#[tokio::test]
async fn a_sold_out_product_is_a_conflict_in_two_languages() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 1);
    let (status, problem, _) = shop.place(&one_line(tea, 2)).await;
    assert_eq!(status, 409);
    assert_eq!(problem["error"], "OUT_OF_STOCK");
    assert_eq!(
        problem["message"],
        "재고가 모두 소진되었습니다. / Sold out."
    );
    assert_eq!(shop.orders_len().await, 0);
    assert!(shop.product.seen("restore").is_empty());
}

#[tokio::test]
async fn one_key_sent_a_hundred_times_at_once_is_one_order() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let body = one_line(tea, 1);
    let sent = (0..100).map(|_| shop.place_keyed(BUYER, "one", &body));
    let answers = join_all(sent).await;
    let first = &answers[0].1["id"];
    for (status, order, _) in &answers {
        assert_eq!(*status, 202, "{order}");
        assert_eq!(&order["id"], first);
    }
    let fresh = answers
        .iter()
        .filter(|(_, _, headers)| !headers.contains_key("idempotent-replayed"));
    assert_eq!(fresh.count(), 1);
    assert_eq!(shop.product.left(tea), 9);
    assert_eq!(shop.orders_len().await, 1);
    assert!(
        shop.product
            .seen("decrease")
            .iter()
            .all(|call| !call.first_attempt)
    );
}

#[tokio::test]
async fn one_key_through_two_replicas_at_once_is_one_order() {
    let shop = Shop::open().await;
    let (url, product) = (&shop.database_url, shop.product.clone());
    let replica = Shop::open_on(url, url, product, &[]).await;
    let tea = shop.product.add("tea", 5_000, 10);
    let body = one_line(tea, 1);
    let sent = (0..40).map(|n| {
        let replica = if n % 2 == 0 { &shop } else { &replica };
        replica.place_keyed(BUYER, "one", &body)
    });
    for (status, order, _) in join_all(sent).await {
        assert_eq!(status, 202, "{order}");
    }
    assert_eq!((shop.product.left(tea), shop.orders_len().await), (9, 1));
}

#[tokio::test]
async fn a_buyer_who_hangs_up_leaves_no_stock_without_an_order() {
    let shop = Shop::open_with(&["--request-timeout=3s"]).await;
    let tea = shop.product.add("tea", 5_000, 10);
    shop.product.fail("decrease", Fault::Hang);
    let body = one_line(tea, 1);
    let hung_up = async || !shop.product.seen("decrease").is_empty();
    tokio::select! {
        (status, ..) = shop.place(&body) => panic!("answered {status}"),
        () = eventually(SOON, "the call is under way", hung_up) => {}
    }
    eventually(SOON, "the order is stored", async || {
        shop.orders_len().await == 1
    })
    .await;
    assert_eq!(shop.product.left(tea), 9);
}

#[tokio::test]
async fn a_key_sent_again_answers_the_order_as_it_now_stands() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let body = one_line(tea, 1);
    let (_, order, _) = shop.place_keyed(BUYER, "one", &body).await;
    let id = order["id"].as_str().unwrap();
    shop.post(&format!("/orders/{id}/confirm")).await;
    let (status, again, headers) = shop.place_keyed(BUYER, "one", &body).await;
    assert_eq!(status, 202);
    assert_eq!(again["status"], "CONFIRMED");
    assert_eq!(headers["idempotent-replayed"], "true");
    assert_eq!(shop.product.seen("decrease").len(), 1);
}

#[tokio::test]
async fn a_key_with_another_body_is_refused() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    shop.place_keyed(BUYER, "one", &one_line(tea, 1)).await;
    let (status, problem, _) = shop.place_keyed(BUYER, "one", &one_line(tea, 2)).await;
    assert_eq!(status, 422);
    assert_eq!(problem["error"], "KEY_REUSED");
    assert_eq!(shop.product.left(tea), 9);
}

#[tokio::test]
async fn one_key_with_two_bodies_at_once_is_one_order_and_one_refusal() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    // The lines are the same, so that product-service sees no difference.
    let to = |name: &str| {
        let mut body = one_line(tea, 1);
        body["shipping_address"] =
            json!({"recipient_name": name, "phone": "1", "address": "a", "postal_code": "1"});
        body
    };
    let bodies: Vec<Value> = (0..10).map(|n| to(&n.to_string())).collect();
    let sent = bodies
        .iter()
        .map(|body| shop.place_keyed(BUYER, "one", body));
    let answers = join_all(sent).await;
    let accepted = answers.iter().filter(|(status, ..)| *status == 202).count();
    let refused = answers
        .iter()
        .filter(|(_, body, _)| body["error"] == "KEY_REUSED")
        .count();
    assert_eq!((accepted, refused), (1, 9));
    assert_eq!((shop.product.left(tea), shop.orders_len().await), (9, 1));
}

#[tokio::test]
async fn another_buyers_same_key_is_another_order() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let (_, one, _) = shop.place_keyed(BUYER, "one", &one_line(tea, 1)).await;
    let (status, other, _) = shop.place_keyed(OTHER, "one", &one_line(tea, 1)).await;
    assert_eq!(status, 202);
    assert_ne!(one["id"], other["id"]);
    assert_eq!(shop.product.left(tea), 8);
}

#[tokio::test]
async fn a_refusal_does_not_bind_the_key() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 0);
    let milk = shop.product.add("milk", 1_000, 1);
    let (status, ..) = shop.place_keyed(BUYER, "one", &one_line(tea, 1)).await;
    assert_eq!(status, 409);
    let (status, ..) = shop.place_keyed(BUYER, "one", &one_line(milk, 1)).await;
    assert_eq!(status, 202);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_under_the_same_id() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    shop.product.fail("decrease", Fault::LoseAnswer);
    let id = shop.placed(&one_line(tea, 1)).await;
    let calls = shop.product.seen("decrease");
    let flags: Vec<bool> = calls.iter().map(|call| call.first_attempt).collect();
    assert_eq!(flags, [true, false]);
    assert!(calls.iter().all(|call| call.order_id == id));
    assert_eq!(shop.product.left(tea), 9);
}

#[tokio::test]
async fn a_call_that_hangs_is_tried_elsewhere_before_the_buyer_gives_up() {
    let shop = Shop::open_with(&["--request-timeout=3s"]).await;
    let tea = shop.product.add("tea", 5_000, 10);
    shop.product.fail("decrease", Fault::Hang);
    shop.placed(&one_line(tea, 1)).await;
    assert_eq!(shop.product.left(tea), 9);
}

#[tokio::test]
async fn an_id_whose_hold_stays_unclear_is_buried_when_nobody_can_retry_it() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    for _ in 0..3 {
        shop.product.fail("decrease", Fault::LoseAnswer);
    }
    let (status, problem, headers) = shop.place(&one_line(tea, 1)).await;
    assert_eq!(status, 503, "{problem}");
    assert_eq!(problem["error"], "UNAVAILABLE");
    assert!(headers.contains_key("retry-after"));
    let id = shop.product.seen("decrease")[0].order_id.clone();
    eventually(SOON, "the hold is released", async || {
        shop.product.hold(&id) == "NOT_PLACED"
    })
    .await;
    assert_eq!(shop.product.left(tea), 10);
    assert_eq!(shop.orders_len().await, 0);
}

#[tokio::test]
async fn a_refusal_after_an_unclear_try_buries_the_id_too() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 0);
    shop.product.fail("decrease", Fault::LoseRequest);
    let (status, ..) = shop.place(&one_line(tea, 1)).await;
    assert_eq!(status, 409);
    let id = shop.product.seen("decrease")[0].order_id.clone();
    // The lost request may still arrive: it must not take stock for nobody.
    eventually(SOON, "the id is buried", async || {
        shop.product.hold(&id) == "NOT_PLACED"
    })
    .await;
}

#[tokio::test]
async fn a_key_whose_hold_stays_unclear_keeps_it_for_the_next_try() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    for _ in 0..3 {
        shop.product.fail("decrease", Fault::LoseAnswer);
    }
    let (status, ..) = shop.place_keyed(BUYER, "one", &one_line(tea, 1)).await;
    assert_eq!(status, 503);
    let (status, ..) = shop.place_keyed(BUYER, "one", &one_line(tea, 1)).await;
    assert_eq!(status, 202);
    assert_eq!(shop.product.left(tea), 9);
    assert!(shop.product.seen("restore").is_empty());
}

#[tokio::test]
async fn an_order_that_comes_after_its_holds_deadline_is_not_stored() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    shop.product.set_ttl(-1);
    let (status, ..) = shop.place(&one_line(tea, 1)).await;
    assert_eq!(status, 503);
    assert_eq!(shop.orders_len().await, 0);
    eventually(SOON, "the hold is released", async || {
        shop.product.left(tea) == 10
    })
    .await;
}

#[tokio::test]
async fn a_key_whose_hold_has_ended_answers_so() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    shop.product.set_ttl(-1);
    let (status, ..) = shop.place_keyed(BUYER, "one", &one_line(tea, 1)).await;
    assert_eq!(status, 503);
    let id = shop.product.seen("decrease")[0].order_id.clone();
    assert_eq!(shop.product.hold(&id), "open");
    shop.product.end(&id, Some("EXPIRED"));
    let (status, problem, _) = shop.place_keyed(BUYER, "one", &one_line(tea, 1)).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (409, &json!("HOLD_ENDED"))
    );
}

#[tokio::test]
async fn a_full_product_service_is_passed_on_with_its_hint() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    shop.product.fail(
        "decrease",
        Fault::Refuse(refusal(Code::Unavailable, "OVERLOADED")),
    );
    let (status, problem, headers) = shop.place(&one_line(tea, 1)).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (503, &json!("OVERLOADED"))
    );
    assert_eq!(headers["retry-after"], "1");
    // Asking again at once would only add to it.
    assert_eq!(shop.product.seen("decrease").len(), 1);
}

#[tokio::test]
async fn an_amount_that_overflows_is_refused_and_gives_the_stock_back() {
    let shop = Shop::open().await;
    let gold = shop.product.add("gold", (1 << 53) - 1, 10);
    let dear = shop.product.add("platinum", (1 << 53) - 1, 10);
    let two_lines = json!({"items": [
        {"product_id": gold, "quantity": 1}, {"product_id": dear, "quantity": 1}]});
    for body in [one_line(gold, 2), two_lines] {
        // With a key too: no order could ever be made of that hold.
        let (status, problem, _) = shop.place_keyed(BUYER, &body.to_string(), &body).await;
        assert_eq!(status, 422, "{problem}");
        assert_eq!(problem["errors"][0]["field"], "items");
        let (status, ..) = shop.place(&body).await;
        assert_eq!(status, 422);
    }
    let back = async || shop.product.left(gold) == 10 && shop.product.left(dear) == 10;
    eventually(SOON, "the holds are released", back).await;
}

#[tokio::test]
async fn a_buyer_who_hangs_up_does_not_make_room_for_more_work() {
    let shop = Shop::open_with(&["--http-in-flight-max=1", "--request-timeout=3s"]).await;
    let tea = shop.product.add("tea", 5_000, 10);
    shop.product.fail("decrease", Fault::Hang);
    let body = one_line(tea, 1);
    let under_way = async || !shop.product.seen("decrease").is_empty();
    tokio::select! {
        (status, ..) = shop.place(&body) => panic!("answered {status}"),
        () = eventually(SOON, "the call is under way", under_way) => {}
    }
    // The server's limit forgets the buyer once it notices; the work's own limit does not.
    eventually(SOON, "the server has noticed", async || {
        shop.get("/orders").await.0 == 200
    })
    .await;
    let (status, problem, headers) = shop.place(&body).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (503, &json!("OVERLOADED"))
    );
    assert!(headers.contains_key("retry-after"));
    let done = async || shop.place(&body).await.0 == 202;
    eventually(SOON, "there is room again", done).await;
    assert_eq!(shop.orders_len().await, 2);
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_found_out() {
    let url = Postgres::shared().database().await.url;
    let (proxy, through) = Proxy::before(&url).await;
    let shop = Shop::open_on(&url, &through, Product::default(), &[]).await;
    let lost = shop.product.add("lost-answer", 5_000, 10);
    // The first loses a commit, the second what was read back.
    proxy.lose_answers_to("lost-answer", 2);
    let (status, order, headers) = shop.place(&one_line(lost, 1)).await;
    assert_eq!(proxy.lost(), 2);
    assert_eq!(status, 202, "{order}");
    assert!(!headers.contains_key("idempotent-replayed"));
    assert_eq!((shop.orders_len().await, shop.product.left(lost)), (1, 9));
    assert!(shop.product.seen("restore").is_empty());
}

#[tokio::test]
async fn an_insert_that_dies_with_its_connection_is_begun_again() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    // The first insert kills its own backend before it commits.
    let statements = [
        "CREATE TABLE deaths (at bigint)",
        "CREATE SEQUENCE tries",
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF nextval('tries') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
           RETURN NEW; END $$",
        "CREATE TRIGGER die BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION die()",
    ];
    for statement in statements {
        sqlx::query(statement).execute(&shop.pool).await.unwrap();
    }
    let id = shop.placed(&one_line(tea, 1)).await;
    assert_eq!(shop.order(&id).await["status"], "PENDING");
    assert_eq!((shop.orders_len().await, shop.product.left(tea)), (1, 9));
}

#[tokio::test]
async fn a_row_that_the_database_refuses_does_not_fail_its_neighbours() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 1_000);
    // jsonb cannot hold this name, which only a broken product-service would send.
    let bad = shop.product.add("nul\0", 5_000, 1_000);
    let (good_body, bad_body) = (one_line(tea, 1), one_line(bad, 1));
    let sent = (0..40).map(|n| shop.place(if n % 10 == 0 { &bad_body } else { &good_body }));
    let answers = join_all(sent).await;
    for (n, (status, body, _)) in answers.iter().enumerate() {
        let expected = if n % 10 == 0 { 500 } else { 202 };
        assert_eq!(*status, expected, "{n}: {body}");
    }
    assert_eq!(shop.orders_len().await, 36);
    eventually(SOON, "what was not stored is released", async || {
        shop.product.left(bad) == 1_000
    })
    .await;
}

#[tokio::test]
async fn token_and_trace_travel_with_the_call() {
    let shop = Shop::open_with(&["--service-token=hush"]).await;
    let tea = shop.product.add("tea", 5_000, 10);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [("x-user-id", BUYER), ("traceparent", trace)];
    shop.http.post("/orders", &headers, &one_line(tea, 1)).await;
    let call = &shop.product.seen("decrease")[0];
    assert_eq!(call.authorization.as_deref(), Some("Bearer hush"));
    assert!(
        call.traceparent
            .as_ref()
            .unwrap()
            .contains("4bf92f3577b34da6a3ce929d0e0e4736")
    );
}

#[tokio::test]
async fn a_database_that_is_killed_under_load_loses_no_accepted_order() {
    let server = Postgres::start_durable().await;
    let url = server.database().await.url;
    let shop = Shop::open_on(&url, &url, Product::default(), &[]).await;
    let tea = shop.product.add("tea", 5_000, 1_000);
    let body = one_line(tea, 1);
    let accepted = std::sync::Mutex::new(Vec::new());
    let buying = stream::iter(0..300).for_each_concurrent(16, async |_| {
        let (status, order, _) = shop.place(&body).await;
        match status.as_u16() {
            202 => accepted.lock().unwrap().push(order),
            503 => {}
            other => panic!("{other}: {order}"),
        }
    });
    let killing = async {
        eventually(SOON, "orders come in", async || {
            shop.product.left(tea) < 950
        })
        .await;
        server.restart().await;
    };
    tokio::join!(buying, killing);
    let accepted = accepted.into_inner().unwrap();
    assert!(accepted.len() > 50, "{} accepted", accepted.len());
    for order in &accepted {
        assert_eq!(&shop.order(order["id"].as_str().unwrap()).await, order);
    }
    // Each unit is back on the shelf or has its order.
    let exact = async || shop.product.left(tea) + shop.orders_len().await == 1_000;
    eventually(SOON, "no unit is missing", exact).await;
}

#[tokio::test]
async fn connections_that_fall_silent_cost_a_moment_and_no_permit() {
    let url = Postgres::shared().database().await.url;
    let (proxy, through) = Proxy::before(&url).await;
    let flags = ["--http-in-flight-max=4", "--database-connections-max=4"];
    let shop = Shop::open_on(&url, &through, Product::default(), &flags).await;
    let tea = shop.product.add("tea", 5_000, 1_000);
    let body = one_line(tea, 1);
    let keyed: Vec<String> = (0..4).map(|n| n.to_string()).collect();
    let place_all = || join_all(keyed.iter().map(|key| shop.place_keyed(BUYER, key, &body)));
    place_all().await;
    proxy.silence();
    place_all().await;
    let path = "/orders?size=1";
    let patience = Duration::from_secs(20);
    eventually(patience, "orders are placed and read again", async || {
        let placed = place_all().await;
        let (read, ..) = shop.get(path).await;
        read == 200 && placed.iter().all(|(status, ..)| *status == 202)
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_breaks_off_ends_the_service() {
    let mut shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    for _ in 0..3 {
        shop.product.fail("decrease", Fault::LoseAnswer);
    }
    shop.product.fail("restore", Fault::Panic);
    let (status, ..) = shop.place(&one_line(tea, 1)).await;
    assert_eq!(status, 503);
    let ended = timeout(SOON, &mut shop.ended).await.unwrap().unwrap();
    let error = ended.unwrap_err().to_string();
    assert!(error.contains("releases"), "{error}");
}
