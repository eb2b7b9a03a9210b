//! What a sampler has seen.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Component;

/// Every component over a span of time.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Usage {
    /// In the order in which the components were named.
    pub components: Vec<ComponentUsage>,
}

/// One component over that span.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct ComponentUsage {
    /// Such as `order-service`.
    pub name: String,
    /// CPU seconds used.
    pub cpu_seconds: f64,
    /// CPU seconds per second in per cent: 100 is one core.
    pub cpu_percent: f64,
    /// Resident memory at the first reading, in bytes.
    pub rss_first_bytes: u64,
    /// The most at any reading, in bytes.
    pub rss_peak_bytes: u64,
    /// Resident memory at the last reading, in bytes.
    pub rss_last_bytes: u64,
    /// Every reading; none after [`Usage::without_points`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<Point>,
}

/// One reading.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq)]
pub struct Point {
    /// Seconds since the sampler was started.
    pub at_seconds: f64,
    /// CPU seconds of the component's processes since they began.
    pub cpu_seconds: f64,
    /// Resident memory in bytes.
    pub rss_bytes: u64,
}

impl Usage {
    /// The component of that name.
    pub fn component(&self, name: &str) -> Option<&ComponentUsage> {
        self.components.iter().find(|one| one.name == name)
    }

    /// The same over the part from `from` to `to`, both counted from the sampler's start: without ramps, say. Whole
    /// readings only; a part without two of them has used nothing.
    #[must_use]
    pub fn between(&self, from: Duration, to: Duration) -> Self {
        let range = from.as_secs_f64()..=to.as_secs_f64();
        let components = self.components.iter().map(|one| {
            let points = one.points.iter().copied();
            let inside = points.filter(|point| range.contains(&point.at_seconds));
            ComponentUsage::of(one.name.clone(), inside.collect())
        });
        Self {
            components: components.collect(),
        }
    }

    /// The same without the single readings, which are too many to be kept in a file.
    #[must_use]
    pub fn without_points(mut self) -> Self {
        for one in &mut self.components {
            one.points.clear();
        }
        self
    }

    pub(super) fn of(series: Vec<Series>) -> Self {
        let components = series.into_iter();
        let components = components.map(|one| ComponentUsage::of(one.component.name, one.points));
        Self {
            components: components.collect(),
        }
    }
}

impl ComponentUsage {
    fn of(name: String, points: Vec<Point>) -> Self {
        let first = points.first().copied().unwrap_or(Point::NOTHING);
        let last = points.last().copied().unwrap_or(Point::NOTHING);
        // A killed process takes its time with it, so that the sum may shrink: then nothing is known.
        let cpu_seconds = (last.cpu_seconds - first.cpu_seconds).max(0.0);
        let span_seconds = last.at_seconds - first.at_seconds;
        let cpu_percent = match span_seconds > 0.0 {
            true => cpu_seconds / span_seconds * 100.0,
            false => 0.0,
        };
        let peak = points.iter().map(|point| point.rss_bytes).max();
        Self {
            name,
            cpu_seconds,
            cpu_percent,
            rss_first_bytes: first.rss_bytes,
            rss_peak_bytes: peak.unwrap_or(0),
            rss_last_bytes: last.rss_bytes,
            points,
        }
    }
}

impl Point {
    const NOTHING: Self = Self {
        at_seconds: 0.0,
        cpu_seconds: 0.0,
        rss_bytes: 0,
    };
}

/// A component with its readings so far.
#[derive(Debug)]
pub(super) struct Series {
    component: Component,
    points: Vec<Point>,
}

impl Series {
    pub(super) fn new(component: Component) -> Self {
        Self {
            component,
            points: Vec::new(),
        }
    }

    pub(super) fn read(&mut self, at: Duration) {
        let reading = self.component.read();
        self.points.push(Point {
            at_seconds: at.as_secs_f64(),
            cpu_seconds: reading.cpu.as_secs_f64(),
            rss_bytes: reading.rss_bytes,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage() -> Usage {
        let point = |at_seconds, cpu_seconds, rss_bytes| Point {
            at_seconds,
            cpu_seconds,
            rss_bytes,
        };
        let points = vec![
            point(0.0, 1.0, 10),
            point(1.0, 1.5, 40),
            point(2.0, 2.5, 30),
            point(3.0, 4.5, 20),
        ];
        Usage {
            components: vec![ComponentUsage::of("one".to_owned(), points)],
        }
    }

    #[test]
    fn cpu_is_that_of_the_span_and_memory_its_peak() {
        let usage = usage();
        let one = usage.component("one").unwrap();
        assert!((one.cpu_seconds - 3.5).abs() < 1e-9);
        assert!((one.cpu_percent - 350.0 / 3.0).abs() < 1e-9);
        assert_eq!(
            (one.rss_first_bytes, one.rss_peak_bytes, one.rss_last_bytes),
            (10, 40, 20)
        );
    }

    #[test]
    fn a_part_is_its_own_readings_only() {
        let part = usage().between(Duration::from_millis(1_500), Duration::from_secs(3));
        let one = part.component("one").unwrap();
        assert_eq!(one.points.len(), 2);
        assert!((one.cpu_percent - 200.0).abs() < 1e-9);
        assert_eq!(one.rss_peak_bytes, 30);
    }

    #[test]
    fn a_part_without_readings_has_used_nothing() {
        let part = usage().between(Duration::from_secs(9), Duration::from_secs(10));
        assert_eq!(part.component("one").unwrap().cpu_percent, 0.0);
    }
}
