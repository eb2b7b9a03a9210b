//! A statement that the engines do not share.

use crate::Engine;

/// What one question is on each engine; both take the same parameters in the same order.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    /// On PostgreSQL.
    pub postgres: &'static str,
    /// On SQLite.
    pub sqlite: &'static str,
}

impl Statement {
    /// As it is on `engine`.
    pub fn on(self, engine: Engine) -> &'static str {
        match engine {
            Engine::Postgres => self.postgres,
            Engine::Sqlite => self.sqlite,
        }
    }
}
