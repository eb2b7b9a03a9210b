//! From a command to its exit code.

use std::{
    ffi::OsString,
    io::{self, Write as _},
    process::ExitCode,
};

use clap::FromArgMatches as _;
use serde_json::Value;
use service_kit::out;
use tokio::runtime;

use super::{
    args::{Cli, Command, command},
    deal,
    failure::Failure,
    health, order, product,
};
use crate::{
    client::{CallError, Shop, Way},
    demo,
};

/// Reads the command line and does what it says.
pub(crate) fn main(args: Vec<OsString>) -> ExitCode {
    let cli = command()
        .try_get_matches_from(args)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let Cli { target, command } = match cli {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let is_json = target.json;
    let base = match &target.ca_file {
        Some(file) => target.url.trusting(file),
        None => Ok(target.url),
    };
    let shop = Shop {
        base: base.unwrap_or_else(|error| out::refuse(error)),
        way: Way::Network,
        admin_token: target.admin_token,
        user_id: None,
    };
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap_or_else(|error| out::refuse(error));
    let done = runtime.block_on(perform(command, shop, is_json));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&failure, is_json);
            failure.exit_code()
        }
    }
}

async fn perform(command: Command, shop: Shop, is_json: bool) -> Result<(), Failure> {
    match command {
        Command::Deal(what) => deal::perform(what, &shop, is_json).await,
        Command::Product(what) => product::perform(what, &shop, is_json).await,
        Command::Order(order) => order::perform(order, shop, is_json).await,
        Command::Health { ops } => health::perform(&ops).await,
        Command::Demo(options) => demo::run(options, &shop, is_json).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut super::args::command(), "hotdeal", &mut io::stdout());
            Ok(())
        }
        Command::Run | Command::ProductService | Command::OrderService | Command::Config { .. } => {
            Err(Failure::Usage(
                "run, product-service, order-service and config stand right behind hotdeal; their flags \
                 follow them"
                    .to_owned(),
            ))
        }
    }
}

/// For people a sentence on stderr; for programs also the shop's own problem on stdout.
fn tell(failure: &Failure, is_json: bool) {
    if let (true, Failure::Call(CallError::Answered { problem, .. })) = (is_json, failure) {
        out::line(problem);
    }
    // Nobody reads it: there is no way left to say so.
    let _ = writeln!(io::stderr(), "error: {failure}");
}

/// What a command shows: the shop's JSON to programs, and what `people` prints to people.
pub(super) fn answer(value: &Value, is_json: bool, people: impl FnOnce(&Value)) {
    match is_json {
        true => out::line(value),
        false => people(value),
    }
}
