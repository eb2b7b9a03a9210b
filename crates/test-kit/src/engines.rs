//! The same test on both engines.

/// Makes tests of functions that take an `sql::Engine`, each on Postgres and on SQLite; those of one
/// kind of test after its attribute. A function that is forgotten here is unused, which the compiler tells.
#[macro_export]
macro_rules! on_both_engines {
    ($($test:meta: $($name:ident),+;)+) => {
        mod on_postgres {
            $($(#[$test] async fn $name() { super::$name(sql::Engine::Postgres).await; })+)+
        }
        mod on_sqlite {
            $($(#[$test] async fn $name() { super::$name(sql::Engine::Sqlite).await; })+)+
        }
    };
}
