//! The constraints that stand behind the code: whatever it does, the database refuses.

use crate::bed::{Bed, buy, deal_line, shelf_line};

/// A deal of 10 units, 2 of them held by a buyer whose limit is 3, and a shelf of 10, 2 held.
async fn stocked() -> Bed {
    let bed = Bed::new().await;
    let hot = bed.hot_product(1, 10, Some(3)).await;
    let normal = bed.product(2, 10).await;
    let both = vec![deal_line(hot, 2), shelf_line(normal, 2)];
    crate::bed::taken(&bed.ask(buy(1, both)).await);
    bed
}

async fn refused_by(constraint: &str, statement: &str) {
    let error = stocked().await.by_hand(statement).await.unwrap_err();
    let error = error.into_database_error().unwrap();
    assert_eq!(error.constraint(), Some(constraint), "{error}");
}

#[tokio::test]
async fn promise_1_no_deal_is_oversold() {
    let sell_too_many = "UPDATE deals SET available = available - 9, held = held + 9";
    refused_by("deals_available_check", sell_too_many).await;
}

#[tokio::test]
async fn promise_1_no_shelf_is_oversold() {
    let sell_too_many = "UPDATE shelves SET available = available - 99, held = held + 99";
    refused_by("shelves_available_check", sell_too_many).await;
}

#[tokio::test]
async fn promise_1_no_unit_of_a_deal_appears_or_vanishes() {
    for figure in [
        "initial",
        "restocked",
        "available",
        "held",
        "sold",
        "written_off",
        "returned",
    ] {
        let statement = format!("UPDATE deals SET {figure} = {figure} + 1");
        refused_by("deal_sum", &statement).await;
    }
}

#[tokio::test]
async fn promise_1_no_unit_of_a_shelf_appears_or_vanishes() {
    for figure in [
        "initial",
        "restocked",
        "available",
        "held",
        "sold",
        "written_off",
        "returned",
    ] {
        let statement = format!("UPDATE shelves SET {figure} = {figure} + 1");
        refused_by("shelf_sum", &statement).await;
    }
}

#[tokio::test]
async fn no_figure_is_negative() {
    for (table, figure) in [
        ("deals", "held"),
        ("deals", "sold"),
        ("deals", "written_off"),
        ("deals", "returned"),
        ("shelves", "held"),
        ("shelves", "sold"),
        ("shelves", "written_off"),
    ] {
        let statement =
            format!("UPDATE {table} SET available = available + {figure} + 1, {figure} = -1");
        refused_by(&format!("{table}_{figure}_check"), &statement).await;
    }
    refused_by("deals_owed_check", "UPDATE deals SET owed = -1").await;
}

#[tokio::test]
async fn no_buyer_exceeds_the_limit() {
    refused_by("buyer_limit", "UPDATE deal_buyers SET units = 4").await;
    refused_by("buyer_limit", "UPDATE deal_buyers SET units = -1").await;
}

#[tokio::test]
async fn an_ended_deal_keeps_no_unit_for_sale() {
    let end = "UPDATE deals SET status = 'ended', ended_at_us = 1";
    refused_by("ended_deal_is_empty", end).await;
}

#[tokio::test]
async fn an_ended_deal_has_its_time() {
    let end = "UPDATE deals SET status = 'ended', available = 0, returned = available";
    refused_by("ended_deal_has_its_time", end).await;
}

#[tokio::test]
async fn a_product_has_one_open_deal() {
    let second = "INSERT INTO deals (id, product_id, number, status, unit_price_minor, starts_at_us, \
         planned, initial, available) SELECT gen_random_uuid(), product_id, 2, 'paused', 0, 0, 0, 0, 0 FROM deals";
    refused_by("one_open_deal_per_product", second).await;
}

#[tokio::test]
async fn deals_of_a_product_have_different_numbers() {
    let second = "INSERT INTO deals (id, product_id, number, status, unit_price_minor, starts_at_us, \
         planned, initial, available, ended_at_us) \
         SELECT gen_random_uuid(), product_id, 1, 'ended', 0, 0, 0, 0, 0, 1 FROM deals";
    refused_by("deals_product_id_number_key", second).await;
}

#[tokio::test]
async fn promise_4_a_hold_is_open_or_has_ended_at_a_time_for_a_reason() {
    let end = "UPDATE holds SET state = 'sold'";
    refused_by("ended_hold_has_its_time", end).await;
    let release = "UPDATE holds SET state = 'released', ended_at_us = 1";
    refused_by("released_hold_has_its_reason", release).await;
}

#[tokio::test]
async fn an_order_id_has_one_hold() {
    let again = "INSERT INTO holds SELECT * FROM holds";
    refused_by("holds_pkey", again).await;
}

#[tokio::test]
async fn a_tombstone_holds_nothing() {
    let falsify = "UPDATE holds SET user_id = NULL";
    refused_by("tombstone_holds_nothing", falsify).await;
}

#[tokio::test]
async fn a_deal_has_a_number_from_its_opening_on() {
    for falsify in [
        "UPDATE deals SET number = NULL",
        "UPDATE deals SET number = NULL, status = 'ended', ended_at_us = 1, available = 0, \
         returned = available",
        "UPDATE deals SET status = 'scheduled'",
    ] {
        refused_by("numbered_once_it_opens", falsify).await;
    }
}

#[tokio::test]
async fn promise_1_a_deal_that_has_not_opened_has_no_units() {
    let falsify = "UPDATE deals SET status = 'scheduled', number = NULL";
    refused_by("scheduled_deal_is_empty", falsify).await;
    let falsify = "UPDATE deals SET planned = 9";
    refused_by("opened_with_at_most_what_was_planned", falsify).await;
}
