//! The all-in-one process as its users meet it: started from its binary, spoken to over HTTP and by its
//! own command line.

use std::{ffi::OsStr, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_kit::{Http, Port, Process, Program};
use tokio::process::Command;

/// A machine under load may be slow; nobody is to give up because of it.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// A running shop on files of its own.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) process: Process,
    pub(crate) http: Http,
    pub(crate) ops: Http,
    pub(crate) grpc_url: String,
    pub(crate) directory: TempDir,
    program: Program,
    ready_url: String,
    _ports: [Port; 3],
}

impl Shop {
    /// Without any deal.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[], &[]).await
    }

    /// With more variables and flags.
    pub(crate) async fn start_with(env: &[(&str, &str)], flags: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let ports = [Port::free(), Port::free(), Port::free()];
        let [http, grpc, ops] = &ports;
        let mut program = Program::at(env!("CARGO_BIN_EXE_hotdeal"))
            .arg("run")
            .env("HOTDEAL_DATA_DIR", directory.path().join("data"))
            .env("HOTDEAL_HTTP_ADDR", http.address().to_string())
            .env("HOTDEAL_GRPC_ADDR", grpc.address().to_string())
            .env("HOTDEAL_OPS_ADDR", ops.address().to_string())
            .env("REQUEST_TIMEOUT", "60s");
        for (name, value) in env {
            program = program.env(*name, *value);
        }
        for flag in flags {
            program = program.arg(*flag);
        }
        let shop = Self {
            process: Process::start(&program).await,
            http: Http::new(http.http_url()),
            ops: Http::new(ops.http_url()),
            grpc_url: grpc.http_url(),
            directory,
            program,
            ready_url: format!("{}/health/ready", ops.http_url()),
            _ports: ports,
        };
        shop.process.wait_ready(&shop.ready_url).await;
        shop
    }

    /// Starts it again on the same files and ports, after it was killed or has ended.
    pub(crate) async fn restart(&mut self) {
        self.process = Process::start(&self.program).await;
        self.process.wait_ready(&self.ready_url).await;
    }

    pub(crate) fn data_dir(&self) -> std::path::PathBuf {
        self.directory.path().join("data")
    }

    pub(crate) async fn add_product(&self, stock: i64) -> String {
        let body = json!({"name": "한정판 운동화", "price": 10_000, "stock": stock});
        let (status, product, _) = self.http.post("/products", &[], &body).await;
        assert_eq!(status, 201, "{product}");
        text(&product, "id")
    }

    /// Adds a product with a running deal of all its units.
    pub(crate) async fn start_deal(&self, units: i64) -> String {
        let product = self.add_product(units).await;
        let path = format!("/products/{product}/hotdeal/start");
        let (status, started, _) = self.http.post_empty(&path, &[]).await;
        assert_eq!(status, 200, "{started}");
        product
    }

    /// The live sum of the product's deal, which must hold.
    pub(crate) async fn live(&self, product: &str) -> Value {
        let path = format!("/products/{product}/hotdeal");
        let (status, live, _) = self.http.get(&path, &[]).await;
        assert_eq!(status, 200, "{live}");
        let figure = |name: &str| {
            live[name]
                .as_i64()
                .unwrap_or_else(|| panic!("{name} in {live}"))
        };
        let places = ["available", "held", "sold", "written_off", "returned"].map(figure);
        assert!(places.iter().all(|units| *units >= 0), "{live}");
        let came = figure("initial") + figure("restocked");
        assert_eq!(came, places.iter().sum::<i64>(), "{live}");
        live
    }

    /// Runs the command line against this shop.
    pub(crate) async fn cli(&self, args: &[&str]) -> Ran {
        cli(&[("HOTDEAL_URL", &self.http.url(""))], args).await
    }

    /// The same with `--json`: what it printed, which must have succeeded.
    pub(crate) async fn json(&self, args: &[&str]) -> Value {
        let with_json: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let ran = self.cli(&with_json).await;
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{args:?}: {ran:?}"))
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the command line with these variables and no others.
pub(crate) async fn cli(env: &[(&str, &str)], args: &[impl AsRef<OsStr>]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_hotdeal"))
        .args(args)
        .env_clear()
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(SOON, output).await;
    let output = output.expect("it ends").expect("it can be started");
    Ran {
        code: output.status.code().expect("it ends by itself"),
        stdout: String::from_utf8(output.stdout).expect("its output is text"),
        stderr: String::from_utf8(output.stderr).expect("its errors are text"),
    }
}

pub(crate) fn text(value: &Value, name: &str) -> String {
    let text = value[name].as_str();
    text.unwrap_or_else(|| panic!("{name} in {value}"))
        .to_owned()
}
