//! What the whole shop does not start with, each said in one line that names what to change.

use crate::shop::{Ran, Shop, cli};
use sqlx::Connection as _;
use tokio::net::TcpListener;

/// `hotdeal run` with these variables; ports that they do not name are free ones. It must refuse.
async fn run(env: &[(&str, &str)]) -> Ran {
    let ports = ["HOTDEAL_HTTP_ADDR", "HOTDEAL_GRPC_ADDR", "HOTDEAL_OPS_ADDR"].into_iter();
    let free = ports.filter(|port| env.iter().all(|(named, _)| named != port));
    let free = free.map(|port| (port, "127.0.0.1:0"));
    let ran = cli(
        &free.chain(env.iter().copied()).collect::<Vec<_>>(),
        &["run"],
    )
    .await;
    assert_ne!(ran.code, 0, "{ran:?}");
    ran
}

/// The one line that says it.
fn line<'a>(ran: &'a Ran, words: &str) -> &'a str {
    let mut said = ran.stderr.lines().filter(|line| line.contains(words));
    let first = said.next().unwrap_or_else(|| panic!("{words}: {ran:?}"));
    assert_eq!(said.next(), None, "{ran:?}");
    first
}

#[tokio::test]
async fn a_port_that_is_taken() {
    for variable in ["HOTDEAL_HTTP_ADDR", "HOTDEAL_GRPC_ADDR", "HOTDEAL_OPS_ADDR"] {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().to_str().unwrap();
        let ran = run(&[(variable, &address), ("HOTDEAL_DATA_DIR", data)]).await;
        let example = format!("{variable}=127.0.0.1:");
        assert!(line(&ran, "already").contains(&example), "{ran:?}");
    }
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_made_or_written() {
    let file = tempfile::NamedTempFile::new().unwrap();
    // A file in the way stops root too; the kernel's own directory takes no file of anybody.
    for data in [file.path().join("data"), "/proc/self".into()] {
        let ran = run(&[("HOTDEAL_DATA_DIR", data.to_str().unwrap())]).await;
        assert!(
            line(&ran, "cannot be written").contains("HOTDEAL_DATA_DIR"),
            "{ran:?}"
        );
    }
}

#[tokio::test]
async fn a_data_directory_that_another_process_has() {
    let mut shop = Shop::start().await;
    let data = shop.data_dir();
    let env = [("HOTDEAL_DATA_DIR", data.to_str().unwrap())];
    let ran = run(&env).await;
    let said = line(&ran, "HOTDEAL_DATA_DIR");
    assert!(said.contains(&shop.process.pid().to_string()), "{ran:?}");
    // Killed, it leaves nothing behind that would keep the next one out.
    shop.process.kill9();
    shop.restart().await;
}

#[tokio::test]
async fn data_of_a_newer_version() {
    for file in ["product.db", "order.db"] {
        let shop = Shop::start().await;
        shop.process.terminate();
        assert!(shop.process.wait(crate::shop::SOON).await.success());
        let url = format!("sqlite://{}", shop.data_dir().join(file).display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                     VALUES (9999, 'of a later version', TRUE, x'00', 0)";
        sqlx::query(newer).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let data = shop.data_dir();
        let ran = run(&[("HOTDEAL_DATA_DIR", data.to_str().unwrap())]).await;
        assert!(line(&ran, "newer").contains("HOTDEAL_DATA_DIR"), "{ran:?}");
    }
}

#[tokio::test]
async fn the_world_without_its_tokens() {
    for (variable, token) in [
        ("HOTDEAL_HTTP_ADDR", "ADMIN_TOKEN"),
        ("HOTDEAL_GRPC_ADDR", "SERVICE_TOKEN"),
    ] {
        let ran = run(&[(variable, "0.0.0.0:0")]).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(line(&ran, token).contains("0.0.0.0:0"), "{ran:?}");
    }
}
