//! Flags and variables.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::{ArgAction, Parser};
use service_kit::config::count;
use test_kit::{Port, Profile};

use crate::{Addresses, POSTGRES_SETTINGS, ShopOptions};

/// Runs the whole shop on this machine, on servers of its own; Ctrl-C ends it
#[derive(Debug, Parser)]
#[command(name = "local-shop", version)]
pub(super) struct Config {
    /// Processes of each service
    #[arg(long, env = "REPLICAS", value_parser = count, default_value_t = 2)]
    pub(super) replicas: usize,

    /// Whether nginx and, if there is one, Prometheus stand beside them. Without, the first replica of each service
    /// listens where its own variables say
    #[arg(long, action = ArgAction::Set, default_value_t = true)]
    pub(super) gateway: bool,

    /// Where buyers and operators reach the gateway
    #[arg(long, env = "GATEWAY_ADDR", default_value = "127.0.0.1:8080")]
    gateway_addr: SocketAddr,

    /// Where Prometheus listens
    #[arg(long, env = "PROMETHEUS_ADDR", default_value = "127.0.0.1:9090")]
    prometheus_addr: SocketAddr,

    /// Directory that keeps data and logs; remove it to begin anew
    #[arg(long, env = "LOCAL_SHOP_DIR", default_value = ".run")]
    pub(super) data_dir: PathBuf,

    #[arg(
        long,
        env = "ORDER_HTTP_ADDR",
        default_value = "127.0.0.1:8080",
        hide = true
    )]
    order_http_addr: SocketAddr,
    #[arg(
        long,
        env = "ORDER_OPS_ADDR",
        default_value = "127.0.0.1:9102",
        hide = true
    )]
    order_ops_addr: SocketAddr,
    #[arg(
        long,
        env = "PRODUCT_HTTP_ADDR",
        default_value = "127.0.0.1:8081",
        hide = true
    )]
    product_http_addr: SocketAddr,
    #[arg(
        long,
        env = "PRODUCT_GRPC_ADDR",
        default_value = "127.0.0.1:50051",
        hide = true
    )]
    product_grpc_addr: SocketAddr,
    #[arg(
        long,
        env = "PRODUCT_OPS_ADDR",
        default_value = "127.0.0.1:9101",
        hide = true
    )]
    product_ops_addr: SocketAddr,
}

impl Config {
    /// The addresses that people know, each with the variable that changes it.
    fn chosen(&self) -> Vec<(&'static str, SocketAddr)> {
        match self.gateway {
            true => vec![
                ("GATEWAY_ADDR", self.gateway_addr),
                ("PROMETHEUS_ADDR", self.prometheus_addr),
            ],
            false => vec![
                ("ORDER_HTTP_ADDR", self.order_http_addr),
                ("ORDER_OPS_ADDR", self.order_ops_addr),
                ("PRODUCT_HTTP_ADDR", self.product_http_addr),
                ("PRODUCT_GRPC_ADDR", self.product_grpc_addr),
                ("PRODUCT_OPS_ADDR", self.product_ops_addr),
            ],
        }
    }

    /// Whether nothing listens where something is to be started.
    ///
    /// # Errors
    /// In words that name the variable to change.
    pub(super) fn require_free(&self) -> Result<(), String> {
        for (name, address) in self.chosen() {
            if let Err(error) = Port::at(address) {
                return Err(format!(
                    "{address} cannot be listened on ({error}): end the program that does, or choose another \
                     address: {name}=127.0.0.1:PORT"
                ));
            }
        }
        Ok(())
    }

    /// The shop; its data and logs are in `kept`.
    pub(super) fn options(&self, kept: &Path) -> ShopOptions {
        let addresses = match self.gateway {
            true => Addresses {
                gateway: Some(self.gateway_addr),
                prometheus: Some(self.prometheus_addr),
                ..Addresses::default()
            },
            false => Addresses {
                order_http: Some(self.order_http_addr),
                order_ops: Some(self.order_ops_addr),
                product_http: Some(self.product_http_addr),
                product_grpc: Some(self.product_grpc_addr),
                product_ops: Some(self.product_ops_addr),
                ..Addresses::default()
            },
        };
        let gate = std::env::var("HOTDEAL_STOCK_REDIS").ok();
        ShopOptions {
            replicas: self.replicas,
            has_gateway: self.gateway,
            has_prometheus: self.gateway,
            postgres_settings: POSTGRES_SETTINGS.iter().map(ToString::to_string).collect(),
            profile: Profile::Own,
            kept_in: Some(kept.to_owned()),
            addresses,
            is_environment_handed_on: true,
            // There is a Redis; whether it is used is for whoever looks around to say.
            product_env: gate
                .into_iter()
                .map(|is_used| ("HOTDEAL_STOCK_REDIS", is_used))
                .collect(),
            ..ShopOptions::default()
        }
    }
}
