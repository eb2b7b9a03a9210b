//! What the components use while load is on, and the load itself.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::sleep;

use local_shop::{
    Component,
    usage::{ComponentUsage, Sampler},
};

use crate::{load::Window, results::Sample};

/// How often the components are read: what they used in the window is exact to two such steps.
const PERIOD: Duration = Duration::from_millis(100);

/// What was used while a load was on.
pub(super) struct Used {
    /// By each component, during the measurement.
    pub(super) components: Vec<ComponentUsage>,
    /// CPU seconds of the load itself during the measurement.
    load_cpu_s: f64,
}

/// Runs `load`, which begins with the window, and answers with it what was used during the measurement.
pub(super) async fn during<T>(
    components: Vec<Component>,
    window: Window,
    load: impl Future<Output = T>,
) -> (T, Used) {
    let sampler = Sampler::start(components, PERIOD);
    let own = tokio::spawn(async move {
        sleep(window.warm_up).await;
        let before = own_cpu_s();
        sleep(window.measured).await;
        own_cpu_s() - before
    });
    let load = load.await;
    let usage = sampler.stop().await;
    let end = window.warm_up + window.measured;
    let used = Used {
        components: usage.between(window.warm_up, end).components,
        load_cpu_s: own.await.unwrap_or_default(),
    };
    (load, used)
}

/// CPU seconds of this process so far: of the load, which is all that it does meanwhile.
fn own_cpu_s() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since this process began"
    )]
    let seconds = used.tv_sec as f64 + used.tv_nsec as f64 / 1e9;
    seconds
}

/// The sample with the CPU seconds and the largest memory of each component.
pub(super) fn noted(sample: Sample, used: &Used) -> Sample {
    let sample = sample.with("load_cpu_s", used.load_cpu_s);
    used.components.iter().fold(sample, |sample, component| {
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
