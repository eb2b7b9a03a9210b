//! What is written for containers, Kubernetes and Prometheus fits the program: every container would start, every
//! manifest is one that Kubernetes takes, every alert asks for a metric that there is.
//!
//! - `compose`, `kubernetes`, `prometheus`: one each. This file: the image, YAML, and the program's own check.

mod compose;
mod kubernetes;
mod prometheus;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::{shop, tools};

/// Names and values of variables.
type Env = BTreeMap<String, String>;

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().expect("the workspace is there")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{out}{err}")
}

/// The documents of a YAML text.
fn yaml(text: &str) -> Vec<Value> {
    const TO_JSON: &str = "import json, sys, yaml; json.dump(list(yaml.safe_load_all(open(sys.argv[1]))), sys.stdout)";
    let file = NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), text).expect("it can be written");
    let output = Command::new(tools::cached("manifests/bin/python"))
        .args(["-c", TO_JSON])
        .arg(file.path())
        .stdin(Stdio::null())
        .output()
        .expect("python runs");
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).expect("python writes JSON")
}

/// The variables that the image itself sets.
fn image_env() -> Env {
    let dockerfile = read("Dockerfile").replace("\\\n", " ");
    let lines = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("ENV "));
    let pairs = lines.flat_map(str::split_whitespace);
    pairs
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// A container of our image with these arguments and variables would start: the program takes its settings, and
/// there is none among them that it does not know.
async fn would_start(what: &str, args: &[String], own: &Env) {
    let mut env = image_env();
    env.extend(own.clone());
    let pairs: Vec<(&str, &str)> = env.iter().map(|(a, b)| (&**a, &**b)).collect();
    let mut args = args.to_vec();
    args.extend(["config", "check"].map(str::to_owned));
    let ran = shop::cli(&pairs, &args).await;
    assert_eq!(ran.code, 0, "{what}: {ran:?}");
    for name in own.keys() {
        assert!(
            ran.stdout.contains(name.as_str()),
            "{what}: {name} is no setting"
        );
    }
}

/// The strings of a list.
fn strings(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items
        .map(|item| item.as_str().expect("a list of strings").to_owned())
        .collect()
}

#[tokio::test]
async fn the_image_alone_asks_for_the_tokens_it_needs() {
    let env = image_env();
    assert!(env.len() > 5, "{env:?}");
    let pairs: Vec<(&str, &str)> = env.iter().map(|(a, b)| (&**a, &**b)).collect();
    let ran = shop::cli(&pairs, &["run", "config", "check"]).await;
    assert!(ran.code == 2 && ran.stderr.contains("_TOKEN"), "{ran:?}");
    let tokens = ["ADMIN_TOKEN", "SERVICE_TOKEN"].map(|name| (name.to_owned(), "t".to_owned()));
    would_start("the image", &["run".to_owned()], &Env::from(tokens)).await;
}

#[test]
fn the_image_is_built_of_pinned_versions_and_runs_as_nobody() {
    let dockerfile = read("Dockerfile");
    let toolchain = read("rust-toolchain.toml");
    let channel = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = "));
    let version = channel
        .expect("the toolchain has a channel")
        .trim_matches('"');
    let from = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("FROM "));
    for image in from.filter(|image| *image != "scratch") {
        let pinned = format!("rust:{version}-slim-bookworm ");
        assert!(image.starts_with(&pinned), "{image} is not {pinned}");
    }
    let user = dockerfile
        .lines()
        .find_map(|line| line.strip_prefix("USER "));
    assert!(user.is_some_and(|user| !user.starts_with('0') && !user.starts_with("root")));
}
