//! The values of the shop, without any I/O.
//!
//! - [`ids`]: the UUIDs that name products, deals, orders and buyers, and where new ones come from.
//! - [`quantity`], [`money`]: counts that cannot be zero by accident and amounts that cannot overflow.
//! - [`time`]: instants in microseconds and the clocks that tell them.
//! - [`error_code`]: the shop's fixed error codes, as they stand in HTTP and gRPC answers.

pub mod error_code;
pub mod ids;
pub mod money;
pub mod quantity;
pub mod time;

pub use error_code::ErrorCode;
pub use ids::{BatchId, DealId, IdSource, OrderId, ProductId, UserId};
pub use money::Money;
pub use quantity::Quantity;
pub use time::{Clock, ManualClock, SystemClock, Timestamp};
