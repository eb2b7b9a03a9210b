//! SQLite: one file, one process.
//!
//! - `file`: which file a URL names, and that it can be written.
//! - `lock`: that nobody else has it open.
//! - `open`: connections, one that writes and some that read.
//! - `owner`: whose tables the file holds.
//! - `wal`: keeps the write-ahead log short.

mod file;
mod lock;
mod open;
mod owner;
mod wal;

pub use self::open::SqliteDatabase;
pub(crate) use self::open::open;
