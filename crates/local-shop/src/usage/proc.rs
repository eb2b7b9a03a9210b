//! One process, as `/proc` shows it. A process that is gone is `None`.

use std::{fs, path::Path, time::Duration};

/// CPU time of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CpuTime {
    /// Its own, all threads, in user mode and in the kernel.
    pub(super) own: Duration,
    /// That of children that have ended and were waited for.
    pub(super) of_ended_children: Duration,
}

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Memory {
    /// Pages that no other process maps: its heap and stacks.
    pub(super) private: u64,
    /// Pages of files and of memory that is made to be shared.
    pub(super) shared: u64,
}

/// CPU time so far, in steps of 10 ms.
pub(super) fn cpu_time(pid: u32) -> Option<CpuTime> {
    let stat = fs::read_to_string(directory(pid).join("stat")).ok()?;
    parse_cpu_time(&stat, rustix::param::clock_ticks_per_second())
}

/// CPU time so far of the process alone.
pub(crate) fn cpu_time_of_process(pid: u32) -> Option<Duration> {
    cpu_time(pid).map(|time| time.own)
}

/// Memory now.
pub(super) fn memory(pid: u32) -> Option<Memory> {
    let statm = fs::read_to_string(directory(pid).join("statm")).ok()?;
    parse_memory(&statm, rustix::param::page_size() as u64)
}

/// Whether it is there and not only waiting for somebody to hear how it ended.
pub(super) fn is_running(pid: u32) -> bool {
    let stat = fs::read_to_string(directory(pid).join("stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// The process and all its descendants.
pub(super) fn with_descendants(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(children(parent));
        next += 1;
    }
    found
}

/// Any thread can have children.
fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(directory(pid).join("task"));
    let threads = threads.into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| parse_pids(&list)).collect()
}

fn parse_pids(list: &str) -> Vec<u32> {
    let pids = list.split_whitespace();
    pids.filter_map(|pid| pid.parse().ok()).collect()
}

/// `42 (a name) S 1 …`: the name may hold blanks and parentheses, so the fields begin after the last one.
fn parse_cpu_time(stat: &str, ticks_per_second: u64) -> Option<CpuTime> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    // The state is field 3 of the manual page proc(5), utime 14, stime 15, cutime 16, cstime 17.
    let ticks = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let time = |ticks: u64| Duration::from_nanos(ticks * 1_000_000_000 / ticks_per_second);
    Some(CpuTime {
        own: time(ticks(14)? + ticks(15)?),
        of_ended_children: time(ticks(16)? + ticks(17)?),
    })
}

/// `size resident shared text lib data dirty`, in pages.
fn parse_memory(statm: &str, page_len: u64) -> Option<Memory> {
    let mut pages = statm.split_whitespace().skip(1);
    let resident: u64 = pages.next()?.parse().ok()?;
    let shared: u64 = pages.next()?.parse().ok()?;
    Some(Memory {
        private: resident.saturating_sub(shared) * page_len,
        shared: shared * page_len,
    })
}

fn directory(pid: u32) -> std::path::PathBuf {
    Path::new("/proc").join(pid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_behind_a_name_with_a_parenthesis() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 5 6 7 8 150 50 30 20 20 0 4 0 99 0 0";
        let time = parse_cpu_time(stat, 100).unwrap();
        assert_eq!(time.own, Duration::from_secs(2));
        assert_eq!(time.of_ended_children, Duration::from_millis(500));
    }

    #[test]
    fn memory_is_told_apart_into_private_and_shared() {
        let memory = parse_memory("100 30 10 1 0 5 0", 4096).unwrap();
        assert_eq!((memory.private, memory.shared), (20 * 4096, 10 * 4096));
    }

    #[test]
    fn a_process_that_is_gone_uses_nothing() {
        assert_eq!(cpu_time(u32::MAX), None);
        assert_eq!(memory(u32::MAX), None);
        assert_eq!(with_descendants(u32::MAX), [u32::MAX]);
    }

    #[test]
    fn this_process_uses_memory() {
        let memory = memory(std::process::id()).unwrap();
        assert!(memory.private + memory.shared > 100_000, "{memory:?}");
    }
}
