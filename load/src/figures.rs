//! Several measurements of one figure.

use serde::{Deserialize, Serialize};

/// The middle of several measurements, and how far they lie apart.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq)]
pub struct Spread {
    /// As many lie above as below; of an even number the mean of the middle two.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Of these measurements; `None` if there are none. A quotient by zero is no measurement: a part that used less
    /// CPU time than is counted in has no ratio.
    pub fn of(measured: impl IntoIterator<Item = f64>) -> Option<Self> {
        let finite = measured.into_iter().filter(|figure| figure.is_finite());
        let mut sorted: Vec<f64> = finite.collect();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            0 => f64::midpoint(*sorted.get(middle.checked_sub(1)?)?, *sorted.get(middle)?),
            _ => sorted[middle],
        };
        Some(Self {
            median,
            min: *sorted.first()?,
            max: *sorted.last()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let odd = Spread::of([9.0, 1.0, 2.0]).unwrap();
        assert_eq!((odd.median, odd.min, odd.max), (2.0, 1.0, 9.0));
        let even = Spread::of([4.0, 1.0, 2.0, 9.0]).unwrap();
        assert_eq!(even.median, 3.0);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn what_is_no_number_is_no_measurement() {
        let spread = Spread::of([f64::INFINITY, f64::NAN, 3.0]).unwrap();
        assert_eq!((spread.min, spread.max), (3.0, 3.0));
        assert_eq!(Spread::of([f64::INFINITY]), None);
    }
}
