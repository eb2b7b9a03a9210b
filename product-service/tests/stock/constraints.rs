//! The constraints that stand behind the code: whatever it does, the database refuses.

use crate::bed::{Bed, buy, deal_line, shelf_line};
use sql::Engine;

/// A deal of 10 units, 2 of them held by a buyer whose limit is 3, and a shelf of 10, 2 held.
async fn stocked(engine: Engine) -> Bed {
    let bed = Bed::new(engine).await;
    let hot = bed.hot_product(1, 10, Some(3)).await;
    let normal = bed.product(2, 10).await;
    let both = vec![deal_line(hot, 2), shelf_line(normal, 2)];
    crate::bed::taken(&bed.ask(buy(1, both)).await);
    bed
}

async fn refused_by(engine: Engine, constraint: &str, statement: &str) {
    let bed = stocked(engine).await;
    let statement = match engine {
        Engine::Postgres => statement.replace("{random id}", "gen_random_uuid()"),
        Engine::Sqlite => statement.replace("{random id}", "randomblob(16)"),
    };
    let error = bed.by_hand(&statement).await.unwrap_err();
    let error = error.into_database_error().unwrap();
    let is_it = match engine {
        Engine::Postgres => error.constraint() == Some(constraint),
        Engine::Sqlite => error
            .message()
            .ends_with(&format!(": {}", on_sqlite(constraint))),
    };
    assert!(is_it, "{error}");
}

/// What SQLite calls a constraint: one that is not a check it tells by its columns.
fn on_sqlite(constraint: &str) -> &str {
    match constraint {
        "holds_pkey" => "holds.order_id",
        "one_open_deal_per_product" => "deals.product_id",
        "deals_product_id_number_key" => "deals.product_id, deals.number",
        check => check,
    }
}

async fn promise_1_no_deal_is_oversold(engine: Engine) {
    let sell_too_many = "UPDATE deals SET available = available - 9, held = held + 9";
    refused_by(engine, "deals_available_check", sell_too_many).await;
}

async fn promise_1_no_shelf_is_oversold(engine: Engine) {
    let sell_too_many = "UPDATE shelves SET available = available - 99, held = held + 99";
    refused_by(engine, "shelves_available_check", sell_too_many).await;
}

async fn promise_1_no_unit_of_a_deal_appears_or_vanishes(engine: Engine) {
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
        refused_by(engine, "deal_sum", &statement).await;
    }
}

async fn promise_1_no_unit_of_a_shelf_appears_or_vanishes(engine: Engine) {
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
        refused_by(engine, "shelf_sum", &statement).await;
    }
}

async fn no_figure_is_negative(engine: Engine) {
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
        refused_by(engine, &format!("{table}_{figure}_check"), &statement).await;
    }
    refused_by(engine, "deals_owed_check", "UPDATE deals SET owed = -1").await;
}

async fn no_buyer_exceeds_the_limit(engine: Engine) {
    refused_by(engine, "buyer_limit", "UPDATE deal_buyers SET units = 4").await;
    refused_by(engine, "buyer_limit", "UPDATE deal_buyers SET units = -1").await;
}

async fn an_ended_deal_keeps_no_unit_for_sale(engine: Engine) {
    let end = "UPDATE deals SET status = 'ended', ended_at_us = 1";
    refused_by(engine, "ended_deal_is_empty", end).await;
}

async fn an_ended_deal_has_its_time(engine: Engine) {
    let end = "UPDATE deals SET status = 'ended', available = 0, returned = available";
    refused_by(engine, "ended_deal_has_its_time", end).await;
}

async fn a_product_has_one_open_deal(engine: Engine) {
    let second = "INSERT INTO deals (id, product_id, number, status, unit_price_minor, starts_at_us, \
         planned, initial, available) SELECT {random id}, product_id, 2, 'paused', 0, 0, 0, 0, 0 FROM deals";
    refused_by(engine, "one_open_deal_per_product", second).await;
}

async fn deals_of_a_product_have_different_numbers(engine: Engine) {
    let second = "INSERT INTO deals (id, product_id, number, status, unit_price_minor, starts_at_us, \
         planned, initial, available, ended_at_us) \
         SELECT {random id}, product_id, 1, 'ended', 0, 0, 0, 0, 0, 1 FROM deals";
    refused_by(engine, "deals_product_id_number_key", second).await;
}

async fn promise_4_a_hold_is_open_or_has_ended_at_a_time_for_a_reason(engine: Engine) {
    let end = "UPDATE holds SET state = 'sold'";
    refused_by(engine, "ended_hold_has_its_time", end).await;
    let release = "UPDATE holds SET state = 'released', ended_at_us = 1";
    refused_by(engine, "released_hold_has_its_reason", release).await;
}

async fn an_order_id_has_one_hold(engine: Engine) {
    let again = "INSERT INTO holds SELECT * FROM holds";
    refused_by(engine, "holds_pkey", again).await;
}

async fn a_tombstone_holds_nothing(engine: Engine) {
    let falsify = "UPDATE holds SET user_id = NULL";
    refused_by(engine, "tombstone_holds_nothing", falsify).await;
}

async fn a_deal_has_a_number_from_its_opening_on(engine: Engine) {
    for falsify in [
        "UPDATE deals SET number = NULL",
        "UPDATE deals SET number = NULL, status = 'ended', ended_at_us = 1, available = 0, \
         returned = available",
        "UPDATE deals SET status = 'scheduled'",
    ] {
        refused_by(engine, "numbered_once_it_opens", falsify).await;
    }
}

async fn promise_1_a_deal_that_has_not_opened_has_no_units(engine: Engine) {
    let falsify = "UPDATE deals SET status = 'scheduled', number = NULL";
    refused_by(engine, "scheduled_deal_is_empty", falsify).await;
    let falsify = "UPDATE deals SET planned = 9";
    refused_by(engine, "opened_with_at_most_what_was_planned", falsify).await;
}

test_kit::on_both_engines! {
    tokio::test: promise_1_no_deal_is_oversold,
        promise_1_no_shelf_is_oversold,
        promise_1_no_unit_of_a_deal_appears_or_vanishes,
        promise_1_no_unit_of_a_shelf_appears_or_vanishes,
        no_figure_is_negative,
        no_buyer_exceeds_the_limit,
        an_ended_deal_keeps_no_unit_for_sale,
        an_ended_deal_has_its_time,
        a_product_has_one_open_deal,
        deals_of_a_product_have_different_numbers,
        promise_4_a_hold_is_open_or_has_ended_at_a_time_for_a_reason,
        an_order_id_has_one_hold,
        a_tombstone_holds_nothing,
        a_deal_has_a_number_from_its_opening_on,
        promise_1_a_deal_that_has_not_opened_has_no_units;
}
