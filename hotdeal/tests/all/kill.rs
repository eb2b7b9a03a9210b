//! `kill -9` at random moments under load: nothing that was answered is lost, and no unit is sold twice.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::shop::{SOON, Shop, text};
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use test_kit::{Http, eventually};

const UNITS: i64 = 5_000;
const KILLS: usize = 5;
const BUYERS_AT_ONCE: usize = 24;
/// A round is killed after so many answers, at most.
const ANSWERS_MAX: u64 = 250;

/// What buyers were told, which must stay true.
#[derive(Default)]
struct Told {
    /// Orders accepted, each with its buyer.
    accepted: Vec<(String, String)>,
    /// Those of them that were confirmed.
    confirmed: Vec<(String, String)>,
    /// Requests that were not answered: they may have taken or sold a unit.
    unanswered: i64,
}

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().expect("no buyer panicked")
}

fn random(max: u64) -> u64 {
    getrandom::u64().expect("randomness") % max
}

async fn buy(http: &Http, product: &str, told: &Mutex<Told>) -> Result<(), reqwest::Error> {
    let user = uuid::Builder::from_random_bytes((u128::from(random(u64::MAX)) << 40).to_be_bytes());
    let user = user.into_uuid().to_string();
    let headers = [("x-user-id", user.as_str())];
    let body = json!({"items": [{"product_id": product, "quantity": 1}]});
    let (status, order, _) = http
        .send(Method::POST, "/orders", &headers, Some(&body))
        .await?;
    assert!(status == 202 || status == 503, "{order}");
    if status != 202 {
        return Ok(());
    }
    let order = (text(&order, "id"), user.clone());
    lock(told).accepted.push(order.clone());
    if random(3) == 0 {
        let path = format!("/orders/{}/confirm", order.0);
        let (status, _, _) = http.send(Method::POST, &path, &headers, None).await?;
        if status == 200 {
            lock(told).confirmed.push(order);
        }
    }
    Ok(())
}

/// Buyers who go on until the shop is killed under them.
async fn crowd(shop: &Shop, product: &str, told: &Arc<Mutex<Told>>) {
    let http = Http::new(shop.http.url(""));
    let buyers = (0..BUYERS_AT_ONCE).map(|_| {
        let (http, product, told) = (http.clone(), product.to_owned(), Arc::clone(told));
        tokio::spawn(async move {
            while buy(&http, &product, &told).await.is_ok() {}
            lock(&told).unanswered += 1;
        })
    });
    let buyers: Vec<_> = buyers.collect();
    let goal = lock(told).accepted.len() as u64 + 1 + random(ANSWERS_MAX);
    eventually(SOON, "the crowd is answered", async || {
        lock(told).accepted.len() as u64 >= goal
    })
    .await;
    shop.process.kill9();
    for buyer in join_all(buyers).await {
        buyer.expect("no buyer was told nonsense");
    }
}

async fn read(shop: &Shop, (id, user): &(String, String)) -> Value {
    let (status, order, _) = shop
        .http
        .get(&format!("/orders/{id}"), &[("x-user-id", user)])
        .await;
    assert_eq!(status, 200, "{id}: {order}");
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_loses_nothing_and_sells_nothing_twice() {
    let mut shop = Shop::start().await;
    let product = shop.start_deal(UNITS).await;
    let told = Arc::new(Mutex::new(Told::default()));
    for _ in 0..KILLS {
        crowd(&shop, &product, &told).await;
        shop.restart().await;
        shop.live(&product).await;
    }
    let told = Arc::into_inner(told).expect("all buyers have ended");
    let told = told.into_inner().expect("no buyer panicked");
    for order in &told.accepted {
        let status = read(&shop, order).await["status"].clone();
        assert!(
            status == "PENDING" || status == "CONFIRMED",
            "{order:?}: {status}"
        );
    }
    for order in &told.confirmed {
        assert_eq!(read(&shop, order).await["status"], "CONFIRMED", "{order:?}");
    }
    let live = shop.live(&product).await;
    let figure = |name: &str| live[name].as_i64().unwrap();
    let taken = figure("held") + figure("sold");
    let accepted = i64::try_from(told.accepted.len()).unwrap();
    let confirmed = i64::try_from(told.confirmed.len()).unwrap();
    assert!(
        taken >= accepted,
        "{accepted} were accepted, {taken} are taken: {live}"
    );
    assert!(
        taken <= accepted + told.unanswered,
        "{accepted} + {}: {live}",
        told.unanswered
    );
    assert!(
        figure("sold") >= confirmed,
        "{confirmed} were confirmed: {live}"
    );
    assert!(
        figure("sold") <= confirmed + told.unanswered,
        "{confirmed}: {live}"
    );
}
