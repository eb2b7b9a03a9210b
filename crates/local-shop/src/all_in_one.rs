//! The shop in one process, on SQLite.

use std::path::PathBuf;

use test_kit::{Port, Profile, Program, scratch_directory};

use crate::{Component, Replica};

/// A running `hotdeal run` on files of its own.
#[derive(Debug)]
pub struct AllInOne {
    /// The process, its HTTP endpoints (all of the shop's) and its ops port.
    pub replica: Replica,
    /// Where gRPC is answered: `http://127.0.0.1:20001`.
    pub grpc_url: String,
    /// Where its files are.
    pub data_dir: PathBuf,
}

impl AllInOne {
    /// Starts it with these variables, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(profile: Profile, env: &[(&'static str, String)]) -> Self {
        let data_dir = scratch_directory("hotdeal").join("data");
        let [http, grpc, ops] = std::array::from_fn(|_| Port::free());
        let grpc_url = grpc.http_url();
        let program = Program::compiled("hotdeal", profile)
            .await
            .arg("run")
            .env("HOTDEAL_DATA_DIR", &data_dir)
            .env("HOTDEAL_HTTP_ADDR", http.address().to_string())
            .env("HOTDEAL_GRPC_ADDR", grpc.address().to_string())
            .env("HOTDEAL_OPS_ADDR", ops.address().to_string())
            .envs(env.iter().cloned());
        let replica = Replica::start(program, http, ops, Some(grpc)).await;
        replica.ready().await;
        Self {
            replica,
            grpc_url,
            data_dir,
        }
    }

    /// What its processes are called, for [`usage`](crate::usage).
    pub fn components(&self) -> Vec<Component> {
        vec![Component::new("hotdeal", [self.replica.process.pid()])]
    }
}
