//! A few processes under one name.

use std::time::Duration;

use super::proc;

/// Processes that are measured together, with all their descendants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Such as `order-service`.
    pub name: String,
    roots: Vec<u32>,
}

/// What a component has used at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// CPU time of all its processes since they began, those that have ended included. Steps of 10 ms a process.
    pub cpu: Duration,
    /// Resident memory in bytes. Shared pages are counted once, by the process that maps the most of them: several
    /// backends of Postgres have the same buffers.
    pub rss_bytes: u64,
}

impl Component {
    /// The processes with these ids, and what they start.
    pub fn new(name: impl Into<String>, roots: impl IntoIterator<Item = u32>) -> Self {
        Self {
            name: name.into(),
            roots: roots.into_iter().collect(),
        }
    }

    /// Whether one of the processes it was made of is no more.
    pub fn has_ended(&self) -> bool {
        !self.roots.iter().all(|pid| proc::is_running(*pid))
    }

    /// What it has used so far. Processes that are gone without a parent that has waited for them count as nothing.
    pub fn read(&self) -> Reading {
        let mut reading = Reading {
            cpu: Duration::ZERO,
            rss_bytes: 0,
        };
        for root in &self.roots {
            let mut shared_max = 0;
            for pid in proc::with_descendants(*root) {
                if let Some(time) = proc::cpu_time(pid) {
                    reading.cpu += time.own + time.of_ended_children;
                }
                if let Some(memory) = proc::memory(pid) {
                    reading.rss_bytes += memory.private;
                    shared_max = shared_max.max(memory.shared);
                }
            }
            reading.rss_bytes += shared_max;
        }
        reading
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    /// Ended with the test, whatever comes of it.
    struct Ended(Child);

    impl Drop for Ended {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn cpu_of_a_child_that_has_ended_stays_counted() {
        // The shell waits for a child that counts, then for a reader that never comes.
        let script =
            "sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done'; echo done; read forever";
        let child = Command::new("sh")
            .args(["-c", script])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut child = Ended(child);
        let mut line = String::new();
        let out = child.0.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        assert_eq!(line, "done\n");
        let reading = Component::new("shell", [child.0.id()]).read();
        assert!(reading.cpu >= Duration::from_millis(10), "{reading:?}");
        assert!(reading.rss_bytes > 0);
    }

    #[test]
    fn children_are_part_of_their_component() {
        let mut child = Ended(
            Command::new("sh")
                .args(["-c", "sleep 600 & echo started; wait"])
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap(),
        );
        let mut line = String::new();
        let out = child.0.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        let family = proc::with_descendants(child.0.id());
        let alone = proc::memory(child.0.id()).unwrap();
        let reading = Component::new("shell", [child.0.id()]).read();
        assert_eq!(family.len(), 2);
        assert!(reading.rss_bytes > alone.private + alone.shared);
        let _ = Command::new("kill").arg(family[1].to_string()).status();
    }
}
