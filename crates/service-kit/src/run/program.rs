//! What every `main` does.

use std::{ffi::OsString, fmt::Display, process::ExitCode};

use tokio_util::sync::CancellationToken;

use crate::{
    config::{self, Common, Loaded, Settings},
    out, runtime, shutdown,
    telemetry::{self, Telemetry},
};

/// Reads the settings from `args`, the first of which is the program's name, and runs `serve` until it
/// ends, which a signal asks it to do by the token. While `serve` is still starting, a signal drops it
/// only if it looks at the token itself.
///
/// Answers 0, also for `--help` and `config check`; 2 for settings that are wrong; 1 with a line in the
/// log when `serve` fails.
pub fn program<S, E>(
    name: &'static str,
    about: &'static str,
    args: impl IntoIterator<Item = OsString>,
    serve: impl AsyncFnOnce(S, Telemetry, CancellationToken) -> Result<(), E>,
) -> ExitCode
where
    S: Settings + AsRef<Common>,
    E: Display,
{
    let settings: S = match config::try_load_from(name, about, args) {
        Ok(Loaded::Run(settings)) => settings,
        Ok(Loaded::Done) => return ExitCode::SUCCESS,
        Err(error) => error.exit(),
    };
    let common = settings.as_ref();
    let telemetry = telemetry::init(common, name).unwrap_or_else(|error| out::refuse(error));
    let runtime = runtime::build(common).unwrap_or_else(|error| out::refuse(error));
    let ended = runtime.block_on(async {
        let (stop, stop_upkeep) = (shutdown::signal(), CancellationToken::new());
        telemetry.spawn_upkeep(stop_upkeep.clone());
        let ended = serve(settings, telemetry, stop).await;
        stop_upkeep.cancel();
        ended
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
