//! What a newcomer sees: where the shop listens, a deal to buy from, and what to try.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
};

use axum::Router;
use serde_json::Value;
use service_kit::out;

use super::Config;
use crate::{
    cli::{Failure, grouped},
    client::{Shop, USUAL_URL, Way},
    demo::deal,
};

/// Where the shop listens; useful where a port was 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addresses {
    pub(super) http: SocketAddr,
    pub(super) grpc: SocketAddr,
    pub(super) ops: SocketAddr,
}

/// Prints where it listens; for a demo also makes sure that a deal runs, and says what to try. `shop` is
/// this very process's router, which asks for no token.
pub(super) async fn say(config: &Config, at: Addresses, is_tls: bool, shop: Router) {
    let scheme = if is_tls { "https" } else { "http" };
    let url = format!("{scheme}://{}", reachable(at.http));
    out::line(places(config, &url, at));
    if !config.own.demo {
        return;
    }
    match demo_deal(&url, shop).await {
        Ok((deal, is_new)) => out::line(to_try(config, &url, &deal, is_new)),
        // Whoever wanted a demo still has a shop.
        Err(error) => tracing::error!("there is no demo deal: {error}"),
    }
}

/// The deal that runs, or a new one: a second start adds none.
async fn demo_deal(url: &str, shop: Router) -> Result<(Value, bool), Failure> {
    let shop = Shop {
        base: url.parse().map_err(Failure::Bad)?,
        way: Way::Memory(shop),
        admin_token: None,
        user_id: None,
    };
    match deal::running(&shop).await? {
        Some(deal) => Ok((deal, false)),
        None => Ok((deal::start(&shop, deal::UNITS).await?, true)),
    }
}

/// An address that listens everywhere is reached on loopback from here.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

fn places(config: &Config, url: &str, at: Addresses) -> String {
    let data = match config.is_on_files() {
        true => format!(
            "in {}; to start afresh, stop it and delete that directory",
            config.own.hotdeal_data_dir.display()
        ),
        false => "in PostgreSQL".to_owned(),
    };
    format!(
        "hotdeal runs; Ctrl-C ends it.\n  \
         HTTP  {url}  ({url}/docs shows and tries every path)\n  \
         gRPC  {}\n  \
         ops   http://{}  (/health/ready, /metrics)\n  \
         data  {data}",
        reachable(at.grpc),
        reachable(at.ops),
    )
}

fn to_try(config: &Config, url: &str, deal: &Value, is_new: bool) -> String {
    let figure = |name: &str| grouped(deal[name].as_u64().unwrap_or(0));
    let product_id = deal["product_id"].as_str().unwrap_or_default();
    let state = match (is_new, deal["available"] == 0) {
        (true, _) => "A demo deal has started",
        (false, true) => {
            "The deal of before still runs, sold out until holds end or you restock it"
        }
        (false, false) => "The deal of before still runs",
    };
    let program = program(url);
    let fresh = if deal["available"] == 0 {
        " --fresh-deal"
    } else {
        ""
    };
    let token = match config.product.admin_token {
        Some(_) => " -H \"Authorization: Bearer $ADMIN_TOKEN\"",
        None => "",
    };
    format!(
        "\n{state}: {} of {} units left at {}.\n\
         Try, in another terminal:\n\n  \
         # 10,000 buyers race for it\n  \
         {program} demo{fresh}\n\n  \
         # order one, and see where every unit is\n  \
         curl -s -X POST {url}/orders -H 'X-User-ID: 0198c0de-0000-7000-8000-000000000001' \
         -H 'content-type: application/json' -d '{{\"items\":[{{\"product_id\":\"{product_id}\",\"quantity\":1}}]}}'\n  \
         curl -s{token} {url}/products/{product_id}/hotdeal\n\n  \
         # more units, and everything else the command line can do\n  \
         {program} deal restock {product_id} 500\n  \
         {program} --help\n",
        figure("available"),
        grouped(deal["initial"].as_u64().unwrap_or(0) + deal["restocked"].as_u64().unwrap_or(0)),
        figure("unit_price"),
    )
}

/// The command line as it can be typed here: by the path this process was started with, which a build
/// leaves outside of `PATH`, and with the shop's URL where it is not the usual one.
fn program(url: &str) -> String {
    let name = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&name).display();
    match url == USUAL_URL {
        true => name.to_string(),
        false => format!("HOTDEAL_URL={url} {name}"),
    }
}
