//! What an order is and how it may change, without any I/O.
//!
//! - [`order`]: the order with its lines. [`request`]: what a buyer asks for.
//! - [`state`]: the states, each with its own data, and the reasons an order ends for.
//! - [`decide`](mod@decide): the one function that moves an order from state to state.
//! - [`id`]: where an order's id comes from: minted, or hashed from buyer and key.
//! - [`fingerprint`](mod@fingerprint): the digest by which a repeated body is recognised.

pub mod decide;
pub mod fingerprint;
pub mod id;
#[expect(clippy::module_inception, reason = "the order is the module's subject")]
pub mod order;
pub mod request;
pub mod state;

pub use decide::{Command, Decision, Effect, Illegal, decide};
pub use fingerprint::Fingerprint;
pub use id::IdempotencyKey;
pub use order::{Line, Order};
pub use request::{RequestedLine, ShippingAddress};
pub use state::{Flow, Reason, State, Status};
