//! Any script of `k6/`, once.

use std::{env, time::Duration};

use local_shop::{Profile, Shop, ShopOptions};
use service_kit::out;

use crate::{LoadError, k6, settings::Target};

/// The longest that a script may take: a soak of a day.
const PATIENCE: Duration = Duration::from_secs(25 * 3600);

/// What the scripts in `k6/` read, which is handed on when it is set.
const VARIABLES: [&str; 15] = [
    "CLICKS",
    "DEALS",
    "DURATION",
    "EXTRA",
    "HOLD_DURATION",
    "LIMIT",
    "MAX_VUS",
    "NUM_USERS",
    "ORDERS",
    "PRODUCTS",
    "PRODUCT_ID",
    "RAMP_DURATION",
    "RATE",
    "REQUEST_TIMEOUT",
    "STOCK",
];

/// Runs the script `name` on `target`, or on a shop started for it, and prints what k6 says.
///
/// # Errors
/// When there is no such script, k6 cannot run it, or a threshold is crossed.
pub(crate) async fn run(name: &str, target: &Target, profile: Profile) -> Result<(), LoadError> {
    let known = k6::scripts();
    if !known.iter().any(|script| script == name) {
        return Err(LoadError::NoScenario {
            name: name.to_owned(),
            known: known.join(", "),
        });
    }
    let mut env = handed_on();
    let shop = match &target.base_url {
        Some(_) => {
            env.extend(target.env());
            None
        }
        None => {
            let shop = Shop::start(ShopOptions {
                has_gateway: true,
                profile,
                ..ShopOptions::measured()
            })
            .await;
            env.push(("BASE_URL", shop.front().url("")));
            env.push(("PRODUCT_URL", shop.product[0].http.url("")));
            Some(shop)
        }
    };
    let summary = k6::start(name, env).await.end(PATIENCE).await?;
    drop(shop);
    out::line(&summary.output);
    match summary.is_kept {
        true => Ok(()),
        false => Err(LoadError::Threshold(name.to_owned())),
    }
}

fn handed_on() -> Vec<(&'static str, String)> {
    let set = VARIABLES.into_iter();
    set.filter_map(|name| Some((name, env::var(name).ok()?)))
        .collect()
}
