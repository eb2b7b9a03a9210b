//! Flags over environment over file over defaults, and secrets that do not show.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{collections::HashMap, ffi::OsString, io::Write as _, time::Duration};

use clap::Args;
use service_kit::config::{self, Common, Loaded, Secret, SecretUrl, Settings};
use tempfile::NamedTempFile;

#[derive(Args, Debug)]
struct Shop {
    #[command(flatten)]
    common: Common,
    /// Where the rows are
    #[arg(long, env = "KIT_TEST_DATABASE_URL", hide_env_values = true)]
    database_url: SecretUrl,
    /// Who may change things
    #[arg(long, env = "KIT_TEST_TOKEN", hide_env_values = true)]
    token: Option<Secret>,
    /// Whom to ask
    #[arg(
        long,
        env = "KIT_TEST_PEERS",
        value_delimiter = ',',
        default_value = "a"
    )]
    peers: Vec<String>,
    /// How long to hold
    #[arg(long, env = "KIT_TEST_TTL", value_parser = config::duration, default_value = "5m")]
    ttl: Duration,
    /// Whether to use the gate
    #[arg(long, env = "KIT_TEST_GATE", default_value_t = true, action = clap::ArgAction::Set)]
    gate: bool,
}

impl Settings for Shop {
    fn validate(&self) -> Result<(), String> {
        match self.peers.as_slice() {
            [] => Err("KIT_TEST_PEERS names nobody".to_owned()),
            [one] if one == "invalid" => Err("KIT_TEST_PEERS: invalid is nobody".to_owned()),
            _ => Ok(()),
        }
    }
}

type Env<'a> = &'a [(&'a str, &'a str)];

fn load(args: &[&str], env: Env<'_>) -> Result<Loaded<Shop>, clap::Error> {
    let env: HashMap<_, _> = env.iter().copied().collect();
    let args = std::iter::once("shop").chain(args.iter().copied());
    config::load_with("shop", "Sells", args.map(OsString::from), |name| {
        env.get(name).map(OsString::from)
    })
}

fn run(args: &[&str], env: Env<'_>) -> Shop {
    match load(args, env).unwrap() {
        Loaded::Run(shop) => shop,
        Loaded::Done => panic!("nobody asked for a check"),
    }
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

const URL: (&str, &str) = ("KIT_TEST_DATABASE_URL", "postgres://u:s3cret@h/db");

#[test]
fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default() {
    let file = file("KIT_TEST_TTL=1m\nKIT_TEST_PEERS=f,g\nKIT_TEST_GATE=false\nLOG=debug\n");
    let path = file.path().to_str().unwrap();
    let env = [URL, ("KIT_TEST_TTL", "2m"), ("KIT_TEST_PEERS", "e")];
    let shop = run(&["--config", path, "--ttl", "3m"], &env);
    assert_eq!(shop.ttl, Duration::from_secs(180));
    assert_eq!(shop.peers, ["e"]);
    assert!(!shop.gate);
    assert_eq!(shop.common.log, "debug");
    assert_eq!(shop.common.http_body_len_max, 262_144);
    assert_eq!(shop.database_url.expose(), URL.1);
    let shop = run(&[&format!("--config={path}")], &[URL]);
    assert_eq!(shop.peers, ["f", "g"]);
    let shop = run(&[], &[URL, ("HOTDEAL_CONFIG", path)]);
    assert_eq!(shop.ttl, Duration::from_secs(60));
}

#[test]
fn a_file_may_give_what_is_required() {
    let file = file("KIT_TEST_DATABASE_URL = postgres://h/db\n");
    let shop = run(&["--config", file.path().to_str().unwrap()], &[]);
    assert_eq!(shop.database_url.expose(), "postgres://h/db");
    let error = load(&[], &[]).unwrap_err();
    assert!(error.to_string().contains("--database-url"), "{error}");
}

#[test]
fn an_empty_variable_is_an_unset_one() {
    let shop = run(&[], &[URL, ("KIT_TEST_TOKEN", ""), ("KIT_TEST_TTL", "")]);
    assert!(shop.token.is_none());
    assert_eq!(shop.ttl, Duration::from_secs(300));
}

#[test]
fn a_name_in_the_file_that_nobody_knows_is_an_error_with_its_place() {
    let file = file("# hello\nKIT_TEST_TLL=1m\n");
    let error = load(&["--config", file.path().to_str().unwrap()], &[URL]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(":2: KIT_TEST_TLL is not a variable"),
        "{error}"
    );
    assert_eq!(error.exit_code(), 2);
    let error = load(&["--config", "/no/such/file"], &[URL]).unwrap_err();
    assert!(error.to_string().contains("/no/such/file"), "{error}");
}

#[test]
fn config_check_ends_well_or_with_two() {
    for args in [
        &["config", "check"][..],
        &["--ttl", "1s", "config", "check"],
        &["config", "check", "--ttl", "1s"],
    ] {
        assert!(
            matches!(load(args, &[URL]).unwrap(), Loaded::Done),
            "{args:?}"
        );
    }
    let error = load(&["config", "check"], &[URL, ("KIT_TEST_PEERS", "invalid")]).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(
        error
            .to_string()
            .contains("KIT_TEST_PEERS: invalid is nobody"),
        "{error}"
    );
}

#[test]
fn the_table_says_where_a_value_comes_from_and_masks_secrets() {
    let file = file("KIT_TEST_PEERS=f\n");
    let path = file.path().to_str().unwrap();
    let env: HashMap<_, _> = [URL, ("KIT_TEST_TOKEN", "t0ken")].into();
    let args = ["shop", "--config", path, "--ttl", "3m"].map(OsString::from);
    let table = config::describe::<Shop>("shop", "Sells", args, |name| {
        env.get(name).map(OsString::from)
    })
    .unwrap();
    let line = |name: &str| {
        let line = table
            .lines()
            .find(|line| line.split_whitespace().next() == Some(name));
        line.unwrap_or_else(|| panic!("{name} is missing in\n{table}"))
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        line("KIT_TEST_DATABASE_URL"),
        "KIT_TEST_DATABASE_URL = postgres://u:***@h/db (environment)"
    );
    assert_eq!(line("KIT_TEST_TOKEN"), "KIT_TEST_TOKEN = *** (environment)");
    assert_eq!(line("KIT_TEST_PEERS"), "KIT_TEST_PEERS = f (file)");
    assert_eq!(line("KIT_TEST_TTL"), "KIT_TEST_TTL = 3m (flag)");
    assert_eq!(line("KIT_TEST_GATE"), "KIT_TEST_GATE = true (default)");
    assert!(
        !table.contains("s3cret") && !table.contains("t0ken"),
        "{table}"
    );
}

#[test]
fn no_secret_shows_in_help_or_in_an_error() {
    let help = load(&["--help"], &[URL]).unwrap_err().to_string();
    for name in [
        "KIT_TEST_DATABASE_URL",
        "KIT_TEST_TTL",
        "LOG_FORMAT",
        "DRAIN_TIMEOUT",
        "HOTDEAL_CONFIG",
    ] {
        assert!(help.contains(name), "{name} is missing in\n{help}");
    }
    assert!(help.contains("[default: 5m]"), "{help}");
    assert!(help.starts_with("Sells\n"), "{help}");
    assert!(!help.contains("s3cret"), "{help}");
    let error = load(&["--database-url", "s3cret"], &[])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("must be a URL") && !error.contains("s3cret"),
        "{error}"
    );
}
