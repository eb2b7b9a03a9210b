//! Every command and flag.

use std::{path::PathBuf, time::Duration};

use clap::{Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use domain::{DealId, OrderId, ProductId, Timestamp, UserId};
use service_kit::config::{Secret, duration};

use super::failure::EXIT_CODES;
use crate::{
    client::{Base, USUAL_OPS_URL, USUAL_URL},
    demo, run,
};

/// A stock and order system for flash sales: the whole shop in one process, and its command line
#[derive(Debug, Parser)]
#[command(name = "hotdeal", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) target: Target,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Which shop, and how it is shown.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// Where the shop is
    #[arg(
        long,
        global = true,
        env = "HOTDEAL_URL",
        default_value = USUAL_URL
    )]
    pub(super) url: Base,
    /// Certificates of the authority that the shop's own must be of, in PEM; else whom this machine trusts
    #[arg(long, global = true, env = "HOTDEAL_CA_FILE")]
    pub(super) ca_file: Option<PathBuf>,
    /// Shown to the shop with the operator's calls
    #[arg(long, global = true, env = "ADMIN_TOKEN", hide_env_values = true)]
    pub(super) admin_token: Option<Secret>,
    /// Prints the shop's own JSON instead of tables
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the whole shop in one process
    Run,
    /// Run product-service alone
    ProductService,
    /// Run order-service alone
    OrderService,
    /// Let a crowd of buyers race for the running deal, and judge what came of it
    Demo(demo::Options),
    /// Start, end, follow and change hot deals
    #[command(subcommand)]
    Deal(Deal),
    /// Add and look at products
    #[command(subcommand)]
    Product(Product),
    /// Place, look at and end orders, as a buyer
    Order(Order),
    /// Ask a service's ops port whether it can do its work
    Health {
        /// Where its ops port is
        #[arg(default_value = USUAL_OPS_URL)]
        ops: Base,
    },
    /// Look at the configuration of `hotdeal run`
    Config {
        #[command(subcommand)]
        what: Config,
    },
    /// Print a completion script: source it, or put it where the shell looks for them
    Completions {
        /// For which shell
        shell: Shell,
    },
}

/// Ways to look at the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum Config {
    /// Print the effective configuration, secrets masked; exit with 2 when it is not valid
    Check,
}

/// Commands about deals.
#[derive(Debug, Subcommand)]
pub(super) enum Deal {
    /// Start a deal at once with units of the product's shelf; one that runs already is left as it is
    Start {
        product: ProductId,
        /// Units in the deal; all there are if not given
        #[arg(long)]
        units: Option<i64>,
        /// Price of a unit, in the currency's minor unit; the product's own if not given
        #[arg(long)]
        price: Option<i64>,
        /// Units one buyer may have
        #[arg(long)]
        per_buyer: Option<i64>,
        /// When it ends by itself, such as 2026-11-27T12:00:00Z
        #[arg(long, value_parser = Timestamp::parse)]
        ends_at: Option<Timestamp>,
    },
    /// Plan a deal that starts and ends by itself
    Create {
        product: ProductId,
        /// Units in the deal
        #[arg(long)]
        units: i64,
        /// Price of a unit, in the currency's minor unit
        #[arg(long)]
        price: i64,
        /// Units one buyer may have
        #[arg(long)]
        per_buyer: Option<i64>,
        /// When it starts, such as 2026-11-27T12:00:00Z
        #[arg(long, value_parser = Timestamp::parse)]
        starts_at: Timestamp,
        /// When it ends
        #[arg(long, value_parser = Timestamp::parse)]
        ends_at: Timestamp,
    },
    /// Cancel a planned deal
    Cancel { deal: DealId },
    /// End the product's deal; what is left goes back to the shelf
    End { product: ProductId },
    /// Let nobody buy for a while
    Pause { product: ProductId },
    /// Let people buy again
    Resume { product: ProductId },
    /// Add units to the running deal; a negative number writes units off
    Restock {
        product: ProductId,
        #[arg(allow_negative_numbers = true)]
        units: i64,
    },
    /// Show where every unit of the product's deal is
    Show { product: ProductId },
    /// List deals
    List {
        /// Only those in this state, such as running
        #[arg(long)]
        status: Option<String>,
        /// Only those of this product
        #[arg(long)]
        product: Option<ProductId>,
        #[command(flatten)]
        page: Page,
    },
    /// Print a line whenever the product's deal changes, until it has ended
    Watch {
        product: ProductId,
        /// How often to look
        #[arg(long, value_parser = duration, default_value = "500ms")]
        every: Duration,
    },
}

/// Which page of a list.
#[derive(Debug, Args)]
pub(super) struct Page {
    /// From 1
    #[arg(long)]
    pub(super) page: Option<u32>,
    /// Lines a page, 1 to 100
    #[arg(long)]
    pub(super) size: Option<u32>,
}

/// Commands about products.
#[derive(Debug, Subcommand)]
pub(super) enum Product {
    /// Add a product
    Add {
        /// What it is called
        name: String,
        /// In the currency's minor unit
        #[arg(long)]
        price: i64,
        /// Units on its shelf
        #[arg(long)]
        stock: i64,
        /// For lists
        #[arg(long)]
        category: Option<String>,
        /// For its page
        #[arg(long)]
        description: Option<String>,
    },
    /// List products, the newest first
    List {
        /// Only those of this category
        #[arg(long)]
        category: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// Show a product
    Show { product: ProductId },
    /// Show a product's stock, or change its shelf first
    Stock {
        product: ProductId,
        /// Units to add to the shelf; a negative number writes units off
        #[arg(long, allow_negative_numbers = true, value_name = "UNITS")]
        add: Option<i64>,
    },
}

/// Commands about orders, and whose they are.
#[derive(Debug, Args)]
pub(super) struct Order {
    /// The buyer, a UUID
    #[arg(long, global = true, env = "HOTDEAL_USER")]
    pub(super) user: Option<UserId>,
    #[command(subcommand)]
    pub(super) what: OrderCommand,
}

/// What a buyer does.
#[derive(Debug, Subcommand)]
pub(super) enum OrderCommand {
    /// Order products; all or nothing
    Place {
        /// PRODUCT, or PRODUCT=UNITS
        #[arg(required = true, value_parser = item)]
        items: Vec<Item>,
        /// The same key again is the same order
        #[arg(long)]
        key: Option<String>,
    },
    /// Show an order
    Show { order: OrderId },
    /// List the buyer's orders, the newest first
    List {
        /// Only those in this state, such as PENDING
        #[arg(long)]
        status: Option<String>,
        #[command(flatten)]
        page: Page,
    },
    /// Make an order final
    Confirm { order: OrderId },
    /// Cancel an order; its units go back
    Cancel {
        order: OrderId,
        /// Why
        #[arg(long)]
        reason: Option<String>,
    },
}

/// One product of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) product: ProductId,
    pub(super) units: u32,
}

fn item(text: &str) -> Result<Item, String> {
    let (product, units) = text.split_once('=').unwrap_or((text, "1"));
    let product = product
        .parse()
        .map_err(|invalid: domain::ids::InvalidId| invalid.to_string())?;
    match units.parse() {
        Ok(units) => Ok(Item { product, units }),
        Err(_) => Err("UNITS must be a whole number".to_owned()),
    }
}

/// Everything above, with the flags of the servers, which take them past this parser.
pub(super) fn command() -> clap::Command {
    Cli::command()
        .mut_subcommand("run", with_flags::<run::Config>)
        .mut_subcommand(
            "product-service",
            with_flags::<product_service::config::Config>,
        )
        .mut_subcommand("order-service", with_flags::<order_service::config::Config>)
}

/// What a command is about stays: the settings' own words would replace it.
fn with_flags<S: Args>(command: clap::Command) -> clap::Command {
    let about = command.get_about().cloned().unwrap_or_default();
    S::augment_args(command).about(about).long_about(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_contradict_each_other_nowhere() {
        command().debug_assert();
    }

    #[test]
    fn an_item_is_one_unit_unless_it_says_more() {
        let id = "0192f0c1-7b5e-7000-8000-000000000001";
        assert_eq!(item(id).unwrap().units, 1);
        assert_eq!(item(&format!("{id}=3")).unwrap().units, 3);
        assert!(item("3").is_err() && item(&format!("{id}=x")).is_err());
    }
}
