//! product-service behind TLS.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod shop;

use order_service::stock::connect;
use product_api::product_service_server::ProductServiceServer;
use service_kit::{
    config::Common,
    server::{Front, GrpcLimits, builder, serve_grpc},
};
use shop::{Shop, one_line, product::Product};
use test_kit::{Authority, Certificate, Postgres};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The double behind TLS: its address, and what keeps it running.
async fn listen(product: Product, certificate: &Certificate) -> (String, DropGuard) {
    let common = Common {
        tls_cert_file: Some(certificate.cert_file.clone()),
        tls_key_file: Some(certificate.key_file.clone()),
        ..Common::default()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (limits, stop) = (GrpcLimits::from(&common), CancellationToken::new());
    let router = builder(&limits).add_service(ProductServiceServer::new(product));
    let port = Front::new(&common).unwrap().grpc(listener);
    tokio::spawn(serve_grpc(port, router, limits, stop.clone()));
    (address, stop.drop_guard())
}

/// What a buyer hears from a replica that reaches product-service at `url` and trusts `authority`.
async fn order(product: &Product, url: String, authority: &Authority) -> u16 {
    let lamp = product.add("Lamp", 500, 5);
    let database_url = Postgres::shared().database().await.url;
    let transports = connect(&[url], 1, Some(&authority.ca_pem())).unwrap();
    let shop = Shop::open_over(
        &database_url,
        &database_url,
        product.clone(),
        transports,
        &[],
    )
    .await;
    shop.place(&one_line(lamp, 1)).await.0.as_u16()
}

#[tokio::test]
async fn orders_are_placed_over_tls_with_whom_is_trusted() {
    let (authority, product) = (Authority::new(), Product::default());
    let (address, _running) = listen(product.clone(), &authority.issue()).await;
    assert_eq!(
        order(&product, format!("https://{address}"), &authority).await,
        202
    );
}

#[tokio::test]
async fn nothing_is_asked_of_whom_is_not_trusted() {
    let (authority, other, product) = (Authority::new(), Authority::new(), Product::default());
    let (address, _running) = listen(product.clone(), &authority.issue()).await;
    assert_eq!(
        order(&product, format!("https://{address}"), &other).await,
        503
    );
    assert_eq!(
        order(&product, format!("http://{address}"), &authority).await,
        503
    );
    let (address, _running) = listen(product.clone(), &authority.issue_expired()).await;
    assert_eq!(
        order(&product, format!("https://{address}"), &authority).await,
        503
    );
    assert!(product.seen("decrease").is_empty());
}
