-- The clock for statements that SQLite understands too: `(SELECT now_us FROM clock)`.

CREATE VIEW clock AS SELECT now_us() AS now_us;
