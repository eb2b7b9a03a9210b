//! What the machine does besides a figure.

use std::{fs, time::Duration};

use local_shop::{
    Component,
    machine::{BusyProcess, DiskSync, Machine},
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The machine while a figure was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Surroundings {
    /// Seconds that the figure took.
    pub took_s: f64,
    /// Load average over 1, 5 and 15 minutes before it.
    pub load_average_before: [f64; 3],
    /// The same after it.
    pub load_average_after: [f64; 3],
    /// How often a second the disk made a write durable just before.
    pub fdatasync: Option<DiskSync>,
    /// Programs that used CPU time just before, when nothing of ours ran.
    pub busy_before: Vec<BusyProcess>,
    /// CPU seconds that programs other than ours used meanwhile, time stolen by other machines included.
    pub others_cpu_s: f64,
}

/// Watches the machine from its making to [`Watch::end`].
#[derive(Debug)]
pub struct Watch {
    begun_at: Instant,
    before: Machine,
    ticks: Ticks,
}

impl Watch {
    /// Looks at the machine for two seconds, then watches.
    pub async fn begin() -> Self {
        let before = Machine::look().await;
        Self {
            begun_at: Instant::now(),
            before,
            ticks: Ticks::now(),
        }
    }

    /// What it was like.
    pub fn end(self) -> Surroundings {
        let took = self.begun_at.elapsed();
        Surroundings {
            took_s: took.as_secs_f64(),
            load_average_before: self.before.load_average,
            load_average_after: local_shop::machine::load_average(),
            fdatasync: Some(self.before.disk),
            busy_before: self.before.busy,
            others_cpu_s: Ticks::now().others_since(&self.ticks).as_secs_f64(),
        }
    }
}

/// CPU time of the whole machine, and what of it was ours.
#[derive(Debug, Clone, Copy)]
struct Ticks {
    busy: Duration,
    ours: Duration,
}

impl Ticks {
    fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let ours = Component::new("bench", [std::process::id()]);
        Self {
            busy: busy(&stat),
            ours: ours.read().cpu,
        }
    }

    fn others_since(self, before: &Self) -> Duration {
        let busy = self.busy.saturating_sub(before.busy);
        busy.saturating_sub(self.ours.saturating_sub(before.ours))
    }
}

/// All time in the first line but that of idling and of waiting for a disk, in steps of 10 ms.
fn busy(stat: &str) -> Duration {
    const IDLE: [usize; 2] = [3, 4];
    /// Time of guests is part of that of users.
    const COUNTED: usize = 8;
    let line = stat.lines().next().unwrap_or_default();
    let figures = line.split_whitespace().skip(1).take(COUNTED).enumerate();
    let busy = figures.filter(|(at, _)| !IDLE.contains(at));
    let ticks: u64 = busy.filter_map(|(_, text)| text.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idling_and_guests_do_not_count_as_busy() {
        let stat = "cpu  100 20 30 9999 8888 1 2 4 77 66\ncpu0 5 5 5 5 5 5 5 5 5 5\n";
        assert_eq!(busy(stat), Duration::from_millis(1_570));
    }

    #[test]
    fn what_is_ours_is_not_others() {
        let ticks = |busy, ours| Ticks {
            busy: Duration::from_secs(busy),
            ours: Duration::from_secs(ours),
        };
        let others = ticks(110, 57).others_since(&ticks(100, 50));
        assert_eq!(others, Duration::from_secs(3));
    }
}
