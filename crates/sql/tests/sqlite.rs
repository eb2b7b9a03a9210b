//! Files, migrations and outcomes of SQLite.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{borrow::Cow, fs, path::PathBuf, time::Duration};

use sql::{
    Database, Migrations, PoolOptions, SqlError, connect, is_retryable, is_unclear, migrate, open,
};
use sqlx::{
    SqlStr, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
};
use test_kit::{eventually, scratch_directory};

const LONG: Duration = Duration::from_secs(60);

fn migration(version: i64, statement: &'static str) -> Migration {
    let name = Cow::Borrowed("step");
    let statement = SqlStr::from_static(statement);
    Migration::new(version, name, MigrationType::Simple, statement, false)
}

fn first() -> Migration {
    migration(
        1,
        "CREATE TABLE counter (n INT NOT NULL CHECK (n < 9)) STRICT; INSERT INTO counter VALUES (0)",
    )
}

/// Not idempotent: run twice, it leaves 2.
fn second() -> Migration {
    migration(2, "UPDATE counter SET n = n + 1")
}

fn migrations(steps: Vec<Migration>) -> Migrations {
    Migrations {
        postgres: Migrator::DEFAULT,
        sqlite: Migrator::with_migrations(steps),
    }
}

struct Place {
    path: PathBuf,
    url: String,
}

/// A file of one's own, which is not there yet.
fn place() -> Place {
    at(scratch_directory("sqlite").join("shop.db"))
}

fn at(path: PathBuf) -> Place {
    let url = format!("sqlite://{}", path.display());
    Place { path, url }
}

impl Place {
    fn options(&self) -> PoolOptions {
        PoolOptions::new(&self.url, "product")
    }

    async fn open(&self) -> Result<Database, SqlError> {
        open(self.options(), &migrations(vec![first(), second()]), LONG).await
    }

    fn log_len(&self) -> u64 {
        let log = format!("{}-wal", self.path.display());
        fs::metadata(log).map_or(0, |log| log.len())
    }
}

fn writer(database: &Database) -> &SqlitePool {
    match database {
        Database::Sqlite(file) => file.writer(),
        Database::Postgres(_) => panic!("not a file"),
    }
}

async fn counted(database: &Database) -> i64 {
    sql::read!(database, |pool| {
        let counted = sqlx::query_scalar("SELECT n FROM counter").fetch_one(pool);
        counted.await.unwrap()
    })
}

async fn said(opened: impl Future<Output = Result<Database, SqlError>>) -> String {
    opened.await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_file_is_created_migrated_once_and_found_again() {
    let place = place();
    for _ in 0..3 {
        let database = place.open().await.unwrap();
        assert_eq!(counted(&database).await, 1);
        database.close().await;
    }
    assert!(place.path.exists());
    assert_eq!(place.log_len(), 0, "a clean end leaves no log");
}

#[tokio::test]
async fn every_connection_commits_to_disk_and_keeps_references() {
    let database = place().open().await.unwrap();
    for pool in [writer(&database)] {
        for (pragma, expected) in [
            ("PRAGMA synchronous", 2_i64),
            ("PRAGMA foreign_keys", 1),
            ("PRAGMA busy_timeout", 1_000),
        ] {
            let value: i64 = sqlx::query_scalar(pragma).fetch_one(pool).await.unwrap();
            assert_eq!(value, expected, "{pragma}");
        }
        let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(pool)
            .await
            .unwrap();
        assert_eq!(mode, "wal");
    }
}

#[tokio::test]
async fn whoever_reads_cannot_write() {
    let database = place().open().await.unwrap();
    let written = sql::read!(&database, |pool| {
        let update = sqlx::query("UPDATE counter SET n = 7");
        update.execute(pool).await.map(drop)
    });
    assert!(written.is_err());
    assert_eq!(counted(&database).await, 1);
}

#[tokio::test]
async fn a_file_in_use_is_refused_with_whose_it_is() {
    let place = place();
    let database = place.open().await.unwrap();
    let error = place.open().await.unwrap_err();
    assert!(matches!(error, SqlError::InUse { .. }), "{error}");
    let words = error.to_string();
    assert!(words.contains("in use by this very program"), "{words}");
    drop(database);
    place.open().await.unwrap();
}

#[tokio::test]
async fn one_file_has_one_name_however_it_is_written() {
    let place = place();
    let _database = place.open().await.unwrap();
    let folder = place.path.parent().unwrap();
    let link = folder.join("link.db");
    std::os::unix::fs::symlink(&place.path, &link).unwrap();
    for other in [folder.join("../").join(folder).join("./shop.db"), link] {
        let error = at(other).open().await.unwrap_err();
        assert!(matches!(error, SqlError::InUse { .. }), "{error}");
    }
}

#[tokio::test]
async fn another_services_file_is_refused_and_left_alone() {
    let place = place();
    place.open().await.unwrap().close().await;
    let options = PoolOptions::new(&place.url, "order_service");
    let words = said(open(options, &migrations(vec![first()]), LONG)).await;
    assert!(
        words.contains("holds the tables of product, not the tables of order_service"),
        "{words}"
    );
    assert_eq!(counted(&place.open().await.unwrap()).await, 1);
}

#[tokio::test]
async fn another_programs_file_is_refused_and_left_alone() {
    let place = place();
    let options = sqlx::sqlite::SqliteConnectOptions::new();
    let options = options.filename(&place.path).create_if_missing(true);
    let theirs = SqlitePool::connect_with(options).await.unwrap();
    let create = "CREATE TABLE bookmarks (url TEXT)";
    sqlx::query(create).execute(&theirs).await.unwrap();
    theirs.close().await;
    let words = said(place.open()).await;
    assert!(words.contains("tables of another program"), "{words}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let place = place();
    let text = "This is a letter to a friend. ".repeat(40);
    fs::write(&place.path, &text).unwrap();
    let words = said(place.open()).await;
    assert!(words.contains("is no SQLite database"), "{words}");
    assert_eq!(fs::read_to_string(&place.path).unwrap(), text);
}

#[tokio::test]
async fn a_missing_folder_is_named_and_not_created() {
    let folder = scratch_directory("sqlite").join("mistyped");
    let words = said(at(folder.join("shop.db")).open()).await;
    assert!(
        words.contains(&format!("there is no folder {}", folder.display())),
        "{words}"
    );
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    // Nobody creates files there, not even root.
    let words = said(at(PathBuf::from("/proc/shop.db")).open()).await;
    assert!(words.contains("/proc/shop.db cannot be written"), "{words}");
    let words = said(at(scratch_directory("sqlite")).open()).await;
    assert!(words.contains("cannot be written"), "{words}");
}

#[tokio::test]
async fn a_url_that_names_no_file_is_refused() {
    for url in ["sqlite://", "sqlite://:memory:", "sqlite://shop.db?mode=ro"] {
        let error = connect(PoolOptions::new(url, "product")).await.unwrap_err();
        assert!(matches!(error, SqlError::Url), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_by_the_earlier_one() {
    let place = place();
    place.open().await.unwrap().close().await;
    let old = migrations(vec![first()]);
    let error = migrate(&place.url, "product", &old).await.unwrap_err();
    assert!(
        matches!(error, SqlError::Newer { version: 2, .. }),
        "{error}"
    );
    let words = error.to_string();
    assert!(
        words.contains("shop.db is at migration 2") && words.contains("newer version"),
        "{words}"
    );
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    let place = place();
    let broken = "CREATE TABLE half (n INT); INSERT INTO counter VALUES (99)";
    let broken = migrations(vec![first(), migration(2, broken)]);
    migrate(&place.url, "product", &broken).await.unwrap_err();
    let database = place.open().await.unwrap();
    let half = sqlx::query("SELECT * FROM half").execute(writer(&database));
    assert!(half.await.is_err());
    assert_eq!(counted(&database).await, 1);
}

#[tokio::test]
async fn a_lock_of_another_program_is_a_clear_no_that_may_pass() {
    let place = place();
    let options = PoolOptions {
        lock_timeout: Duration::from_millis(20),
        ..place.options()
    };
    let database = open(options, &migrations(vec![first()]), LONG)
        .await
        .unwrap();
    let shell = sqlx::sqlite::SqliteConnectOptions::new().filename(&place.path);
    let shell = SqlitePool::connect_with(shell).await.unwrap();
    let held = shell.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let update = "UPDATE counter SET n = 7";
    let error = sqlx::query(update).execute(writer(&database)).await;
    let error = error.unwrap_err();
    assert!(is_retryable(&error) && !is_unclear(&error), "{error}");
    held.rollback().await.unwrap();
    sqlx::query(update)
        .execute(writer(&database))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_full_database_is_told_and_the_writer_recovers() {
    let database = place().open().await.unwrap();
    let writer = writer(&database);
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
        .fetch_one(writer)
        .await
        .unwrap();
    let bound = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {}", pages + 2));
    sqlx::query(bound).execute(writer).await.unwrap();
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let much = "CREATE TABLE much AS SELECT randomblob(100000) AS bytes";
    let error = sqlx::query(much).execute(&mut *tx).await.unwrap_err();
    assert!(is_retryable(&error) && is_unclear(&error), "{error}");
    drop(tx);
    for _ in 0..2 {
        let tx = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(counted(&database).await, 1);
}

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_the_writer_free() {
    let database = place().open().await.unwrap();
    let writer = writer(&database);
    for _ in 0..5 {
        let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let update = sqlx::query("UPDATE counter SET n = 7");
        update.execute(&mut *tx).await.unwrap();
    }
    assert_eq!(counted(&database).await, 1);
    let tx = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
    tx.commit().await.unwrap();
}

/// As it does when the disk fails under it.
#[tokio::test]
async fn a_transaction_that_sqlite_ended_by_itself_leaves_the_writer_free() {
    let database = place().open().await.unwrap();
    let writer = writer(&database);
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let update = "UPDATE counter SET n = 7";
    sqlx::query(update).execute(&mut *tx).await.unwrap();
    let ends = "INSERT OR ROLLBACK INTO _sqlx_migrations SELECT * FROM _sqlx_migrations";
    sqlx::query(ends).execute(&mut *tx).await.unwrap_err();
    drop(tx);
    assert_eq!(counted(&database).await, 1);
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.unwrap();
    sqlx::query(update).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(counted(&database).await, 7);
}

#[tokio::test]
async fn a_transaction_is_the_only_one_that_may_write_before_it_does() {
    let place = place();
    let database = place.open().await.unwrap();
    let tx = database.begin().await.unwrap();
    let shell = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&place.path)
        .busy_timeout(Duration::ZERO);
    let shell = SqlitePool::connect_with(shell).await.unwrap();
    let error = shell.begin_with("BEGIN IMMEDIATE").await.unwrap_err();
    assert!(is_retryable(&error), "{error}");
    tx.commit().await.unwrap();
    shell.begin_with("BEGIN IMMEDIATE").await.unwrap();
}

/// Without the watch the log would stay as long as it was once the reader is gone.
#[tokio::test]
async fn a_log_that_a_reader_made_long_is_cut_once_he_is_gone() {
    let place = place();
    let database = place.open().await.unwrap();
    let Database::Sqlite(file) = &database else {
        panic!("not a file")
    };
    let mut reader = file.reader().begin().await.unwrap();
    let read = sqlx::query("SELECT n FROM counter");
    read.execute(&mut *reader).await.unwrap();
    let create = "CREATE TABLE much (bytes BLOB)";
    sqlx::query(create).execute(file.writer()).await.unwrap();
    while place.log_len() <= 70 << 20 {
        let insert = sqlx::query("INSERT INTO much VALUES (randomblob(4000000))");
        insert.execute(file.writer()).await.unwrap();
    }
    drop(reader);
    eventually(LONG, "the log is cut", async || place.log_len() < 1 << 20).await;
}
