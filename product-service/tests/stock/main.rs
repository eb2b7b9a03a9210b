//! Ledger and stock on a real Postgres, on files of SQLite and on a real Redis, in one program so that
//! its tests share one cluster.
//!
//! - `bed`: a ledger on a database of its own. `shop`: replicas of stock
//!   over gate and ledger.
//! - `ledger_contract`, `ledger_crowd`, `constraints`: what the ledger's transaction promises. `sale`: the one that
//!   is a single statement; `lossy`: a connection that loses its answer.
//! - `sell_out`, `deal_life`, `gate_faults`, `overload`: what stock promises. `sold_out`: the memory of what
//!   is sold out.
//! - `schedule`, `selling`: deals that open and end by themselves, pause, and are restocked. `mixed`: orders
//!   of several products.
//! - `keeper`, `retain`: what happens by itself.
//! - `returned`: sales that are taken back.
//! - `ledger_histories`: random commands (`history`), decided purely and on the database, against
//!   `model`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bed;
mod constraints;
mod deal_life;
mod gate_faults;
mod history;
mod keeper;
mod ledger_contract;
mod ledger_crowd;
mod ledger_histories;
mod lossy;
mod mixed;
mod model;
mod overload;
mod retain;
mod returned;
mod sale;
mod schedule;
mod sell_out;
mod selling;
mod shop;
mod sold_out;
