//! CPU seconds of the components while load is on.

use std::time::Duration;

use local_shop::{
    Component,
    usage::{Sampler, Usage},
};

use crate::{load::Window, results::Sample};

/// How often the components are read: what they used in the window is exact to two such steps.
const PERIOD: Duration = Duration::from_millis(100);

/// Runs `load`, which begins with the window, and answers with it what the components used during the
/// measurement.
pub(super) async fn during<T>(
    components: Vec<Component>,
    window: Window,
    load: impl Future<Output = T>,
) -> (T, Usage) {
    let sampler = Sampler::start(components, PERIOD);
    let load = load.await;
    let usage = sampler.stop().await;
    let end = window.warm_up + window.measured;
    (load, usage.between(window.warm_up, end))
}

/// The sample with the CPU seconds and the largest memory of each component.
pub(super) fn noted(sample: Sample, usage: &Usage) -> Sample {
    usage.components.iter().fold(sample, |sample, component| {
        let name = component.name.replace('-', "_");
        sample
            .with(&format!("{name}_cpu_s"), component.cpu_seconds)
            .with(
                &format!("{name}_rss_mb"),
                megabytes(component.rss_peak_bytes),
            )
    })
}

/// Millions of bytes.
#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^53 bytes")]
pub(super) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
