//! `docker-compose.yml`.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use super::{Env, read, root, said, strings, would_start, yaml};

/// `docker-compose config` of the repository's file with these variables, by the plugin if there is one.
fn config(env: &[(&str, &str)]) -> Output {
    let quiet = |command: &mut Command| {
        let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        done.is_ok_and(|status| status.success())
    };
    let mut command = match quiet(Command::new("docker").args(["compose", "version"])) {
        true => Command::new("docker"),
        false => Command::new("docker-compose"),
    };
    if command.get_program() == "docker" {
        command.arg("compose");
    }
    command
        .arg("config")
        .current_dir(root())
        .env_remove("ADMIN_TOKEN")
        .env_remove("SERVICE_TOKEN")
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("docker-compose is missing: run scripts/setup.sh")
}

fn services() -> Value {
    let output = config(&[("ADMIN_TOKEN", "a"), ("SERVICE_TOKEN", "s")]);
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).expect("YAML is text");
    let file = yaml(&text).remove(0);
    file["services"].clone()
}

fn env_of(service: &Value) -> Env {
    let env = service["environment"].as_object().into_iter().flatten();
    env.map(|(name, value)| {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        (name.clone(), value)
    })
    .collect()
}

#[test]
fn compose_takes_the_file_and_asks_for_the_tokens() {
    let without = config(&[("SERVICE_TOKEN", "s")]);
    assert!(!without.status.success() && said(&without).contains("set ADMIN_TOKEN"));
    assert!(read("docker-compose.yml").contains("\n    HOTDEAL_STOCK_REDIS: \"true\"\n"));
    let services = services();
    for name in ["gateway", "postgres", "redis", "prometheus"] {
        let image = services[name]["image"].as_str().unwrap_or_default();
        let (_, version) = image.split_once(':').unwrap_or_default();
        assert!(version.contains('.'), "{name}: {image} is not pinned");
    }
}

/// What Postgres is told wherever it is measured.
fn measured_settings() -> Vec<String> {
    let source = read("crates/local-shop/src/options.rs");
    let (_, rest) = source
        .split_once("POSTGRES_SETTINGS: &[&str] = &[")
        .expect("the settings are there");
    let (settings, _) = rest.split_once("];").expect("they end");
    let quoted = settings.split('"').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

#[test]
fn postgres_is_set_up_as_it_is_measured_and_keeps_what_it_commits() {
    let services = services();
    let command = strings(&services["postgres"]["command"]);
    let trial = read("deploy/kubernetes/trial/postgres.yaml");
    let mut settings = measured_settings();
    assert!(settings.len() > 2, "{settings:?}");
    settings.extend(["fsync=on", "synchronous_commit=on"].map(str::to_owned));
    for setting in settings {
        assert!(command.contains(&setting), "{setting}");
        assert!(trial.contains(&format!("- {setting}\n")), "{setting}");
    }
}

/// Where a mount comes from: `source:target:ro`, or an object that says so.
fn source(mount: &Value) -> Option<String> {
    let short = mount.as_str().and_then(|text| text.split(':').next());
    let source = short.or_else(|| mount["source"].as_str())?;
    // Others are volumes.
    source.starts_with('/').then(|| source.to_owned())
}

#[test]
fn what_containers_are_given_is_there() {
    let services = services();
    let services = services.as_object().expect("services have names");
    let mounts = services.values().filter_map(|it| it["volumes"].as_array());
    let sources: Vec<String> = mounts.flatten().filter_map(source).collect();
    assert!(sources.len() >= 5, "{sources:?}");
    for source in sources {
        assert!(Path::new(&source).exists(), "{source} is not there");
    }
}

#[tokio::test]
async fn both_replicas_of_both_services_would_start_in_their_containers() {
    let services = services();
    let mut count = 0;
    for (name, service) in services.as_object().expect("services have names") {
        if service["image"] != "hotdeal" {
            continue;
        }
        count += 1;
        would_start(name, &strings(&service["command"]), &env_of(service)).await;
    }
    assert_eq!(count, 4);
}

#[test]
fn every_replica_is_called_and_scraped() {
    let services = services();
    let names: Vec<&String> = services.as_object().expect("names").keys().collect();
    let replicas = |of: &str| {
        let names = names.iter().filter(|name| name.starts_with(of));
        names.map(|name| (*name).clone()).collect::<Vec<_>>()
    };
    let scraped = read("deploy/prometheus/prometheus.yml");
    let gateway = read("deploy/gateway/container/site.conf");
    let called = &services["order-service-1"]["environment"]["PRODUCT_GRPC_URL"];
    let called = called.as_str().expect("an address");
    for replica in replicas("product-service") {
        assert!(called.contains(&format!("http://{replica}:50051")));
    }
    for (alias, port) in [("order-service", 8080), ("product-service", 8081)] {
        assert!(gateway.contains(&format!("server {alias}:{port} ")));
        for replica in replicas(alias) {
            let aliases = &services[&replica]["networks"]["default"]["aliases"];
            assert_eq!(strings(aliases), [alias]);
            assert!(scraped.contains(&format!("\"{replica}:9100\"")));
        }
    }
}
