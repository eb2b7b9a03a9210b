//! Programs that use CPU time.

use std::{collections::BTreeMap, fs, time::Duration};

use serde::{Deserialize, Serialize};

use crate::usage::cpu_time_of_process;

/// Less than this, in per cent of a core, is no disturbance.
const CPU_PERCENT_MIN: f64 = 5.0;

/// A program that used CPU time while nothing was measured yet.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct BusyProcess {
    /// Its name, as the kernel has it: 15 bytes at most.
    pub name: String,
    /// 100 is one core.
    pub cpu_percent: f64,
}

/// Watches all processes but this one for `span`; the busiest first.
pub(super) async fn watch(span: Duration) -> Vec<BusyProcess> {
    let before = all();
    tokio::time::sleep(span).await;
    let after = all();
    let mut busy: Vec<BusyProcess> = after
        .into_iter()
        .filter_map(|(pid, cpu)| {
            let used = cpu.saturating_sub(*before.get(&pid)?);
            let cpu_percent = used.as_secs_f64() / span.as_secs_f64() * 100.0;
            let name = || super::line(format!("/proc/{pid}/comm"));
            (cpu_percent >= CPU_PERCENT_MIN).then(|| BusyProcess {
                name: name(),
                cpu_percent,
            })
        })
        .collect();
    busy.sort_by(|a, b| b.cpu_percent.total_cmp(&a.cpu_percent));
    busy
}

/// CPU time so far of every process but this one.
fn all() -> BTreeMap<u32, Duration> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let others = pids.filter(|pid| *pid != std::process::id());
    others
        .filter_map(|pid| Some((pid, cpu_time_of_process(pid)?)))
        .collect()
}
