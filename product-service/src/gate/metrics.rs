//! What the gate measures.

use std::time::Duration;

use super::GateError;

/// Seconds from sending a script to its answer, by `script`.
const SCRIPT_SECONDS: &str = "gate_script_seconds";
/// Calls without an answer, by `kind`: `down`, `unclear`, `protocol`.
const ERRORS_TOTAL: &str = "gate_errors_total";
/// 1 while Redis counts as up, else 0.
const UP: &str = "gate_up";

pub(super) fn script(name: &'static str, elapsed: Duration) {
    metrics::histogram!(SCRIPT_SECONDS, "script" => name).record(elapsed.as_secs_f64());
}

pub(super) fn error(error: &GateError) {
    metrics::counter!(ERRORS_TOTAL, "kind" => error.kind()).increment(1);
}

pub(super) fn up(up: bool) {
    metrics::gauge!(UP).set(if up { 1.0 } else { 0.0 });
}
