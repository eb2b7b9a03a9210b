//! The scripts of `lua/`, and how they are run: by their hash, and loaded when Redis does not know it.

use std::sync::LazyLock;

use deadpool_redis::{Manager, PoolError, Runtime, TimeoutType};
use domain::ProductId;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value,
    aio::MultiplexedConnection,
};
use tokio::time::Instant;

use super::{Gate, GateError, GateOptions, keys::Keys, metrics, reply::Reply};

pub(super) type Pool = deadpool_redis::Pool;

/// One file of `lua/`, with the shared piece in front of it.
pub(super) struct Script {
    name: &'static str,
    source: &'static str,
    hash: String,
}

macro_rules! script {
    ($name:literal) => {
        LazyLock::new(|| {
            let source = concat!(
                include_str!("../../../lua/include/gate.lua"),
                include_str!(concat!("../../../lua/", $name, ".lua"))
            );
            Script {
                name: $name,
                source,
                hash: redis::Script::new(source).get_hash().to_owned(),
            }
        })
    };
}

pub(super) static ADMIT: LazyLock<Script> = script!("admit");
pub(super) static LOAD: LazyLock<Script> = script!("load");
pub(super) static SETTLE: LazyLock<Script> = script!("settle");
pub(super) static VOID: LazyLock<Script> = script!("void");
pub(super) static DROP: LazyLock<Script> = script!("drop");
pub(super) static RAISE: LazyLock<Script> = script!("raise");

impl Script {
    /// A call of the script for `product`, to which the arguments have still to be added; there is
    /// room for `args` of them with together `bytes_len` bytes.
    pub(super) fn call(&self, product: ProductId, args: usize, bytes_len: usize) -> Cmd {
        const FIXED_ARGS: usize = 3 + Keys::LEN;
        const FIXED_BYTES_LEN: usize = 320;
        let mut call = Cmd::with_capacity(FIXED_ARGS + args, FIXED_BYTES_LEN + bytes_len);
        call.arg("EVALSHA")
            .arg(&self.hash)
            .arg(Keys::LEN)
            .arg(&Keys::of(product).all());
        call
    }

    pub(super) fn load(&self) -> Cmd {
        let mut load = redis::cmd("SCRIPT");
        load.arg("LOAD").arg(self.source);
        load
    }
}

/// The pool of connections for everything but admissions.
pub(super) fn pool(
    options: &GateOptions,
    client: &Client,
    config: AsyncConnectionConfig,
) -> Result<Pool, GateError> {
    let timeout = Some(options.response_timeout);
    let invalid = |what: String| GateError::Protocol(format!("pool of redis connections: {what}"));
    let manager = Manager::new_with_config(client.get_connection_info().clone(), config)
        .map_err(|_| invalid("the URL cannot be understood".into()))?;
    Pool::builder(manager)
        .max_size(options.pool_size.max(1))
        .wait_timeout(timeout)
        .create_timeout(timeout)
        .recycle_timeout(timeout)
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|error| invalid(error.to_string()))
}

impl Gate {
    /// Runs a call of `script` on the hot connection.
    pub(super) async fn run_hot(&self, script: &Script, call: &Cmd) -> Result<Reply, GateError> {
        let connection = self.0.hot.current().filter(|_| self.is_up());
        let mut connection = connection.ok_or_else(not_tried)?;
        self.noted(run(script, call, &mut connection).await)
    }

    /// Runs a call of `script` on a connection of the pool.
    pub(super) async fn run_pooled(&self, script: &Script, call: &Cmd) -> Result<Reply, GateError> {
        let mut connection = self.pooled().await?;
        self.noted(run(script, call, &mut connection).await)
    }

    /// A connection of the pool, unless Redis counts as down.
    pub(super) async fn pooled(&self) -> Result<deadpool_redis::Connection, GateError> {
        if !self.is_up() {
            return Err(not_tried());
        }
        match self.0.pool.get().await {
            Ok(connection) => Ok(connection),
            // All connections busy says nothing about Redis.
            Err(PoolError::Timeout(TimeoutType::Wait)) => Err(not_tried()),
            Err(_) => self.noted(Err(GateError::Down)),
        }
    }

    /// Counts a failure, and lets Redis count as down after one that is its own.
    pub(super) fn noted<T>(&self, outcome: Result<T, GateError>) -> Result<T, GateError> {
        if let Err(error) = &outcome {
            metrics::error(error);
            if matches!(error, GateError::Down | GateError::Unclear(_)) {
                self.lost();
            }
        }
        outcome
    }

    /// Redis counts as down, and the probe will take a new connection: the old one may lead to a
    /// server that is no master any more.
    pub(super) fn lost(&self) {
        self.0.hot.forget();
        self.0.breaker.set_down();
    }
}

/// Nothing was sent, and nothing new is known about Redis: a probe that has just succeeded must not be
/// undone by it.
fn not_tried() -> GateError {
    metrics::error(&GateError::Down);
    GateError::Down
}

async fn run(
    script: &Script,
    call: &Cmd,
    connection: &mut MultiplexedConnection,
) -> Result<Reply, GateError> {
    let begun = Instant::now();
    let mut answer = call.query_async(connection).await;
    // A script that Redis does not know has not run, so that repeating it is safe.
    if answer.as_ref().is_err_and(is_unknown_script) {
        script.load().exec_async(connection).await?;
        answer = call.query_async(connection).await;
    }
    metrics::script(script.name, begun.elapsed());
    read(answer)
}

/// A script's answer, or what its failure means.
pub(super) fn read(answer: RedisResult<Value>) -> Result<Reply, GateError> {
    Reply::read(answer?)
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
