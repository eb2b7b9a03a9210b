//! One figure: sides, samples, ratio.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    journal::Surroundings,
    load::{Load, tally::Counts},
    stats::Spread,
};

/// Something measured several times, on one or more sides.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    /// `P1a`.
    pub id: String,
    /// What it is, in a sentence.
    pub what: String,
    /// What gives this figure again.
    pub command: String,
    /// What was measured in turn; of the ratio the upper side comes first.
    pub sides: Vec<Side>,
    /// The ratios that the figure is about; none: it is absolute.
    pub ratios: Vec<Ratio>,
    /// The machine meanwhile.
    pub surroundings: Surroundings,
}

/// One of the things compared.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Side {
    /// A short name.
    pub name: String,
    /// What `value` of its samples is: `1/s`, `µs`, `MB`.
    pub unit: String,
    /// One a round.
    pub samples: Vec<Sample>,
    /// Of their values.
    pub spread: Option<Spread>,
    /// What the median should be, where the side is a figure of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aim: Option<Aim>,
}

/// One measurement of one side.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// What the side is compared by, in the side's unit.
    pub value: f64,
    /// How long requests took, if it was load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Latency>,
    /// Answers of the whole load by kind, its warm-up included: `won`, `lost`, and failures by their name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, u64>,
    /// Rows that the database has for it: as many as `won`, or the run would have failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<u64>,
    /// What else was measured, by name with its unit last, such as `order_service_cpu_s`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, f64>,
}

/// Latencies in milliseconds. Those of an open loop count from when a request was due.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// The median.
    pub p50_ms: f64,
    /// 95 of 100 requests took no longer.
    pub p95_ms: f64,
    /// 99 of 100.
    pub p99_ms: f64,
    /// The mean.
    pub mean_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// One side's values over another's, round by round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// Name of the side above the line.
    pub over: String,
    /// Name of the side below it.
    pub under: String,
    /// One a round.
    pub rounds: Vec<f64>,
    /// Of the rounds; its median is the figure.
    pub spread: Spread,
    /// What it should be; `None`: it is told for what it is.
    pub aim: Option<Aim>,
}

/// What a ratio should be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Aim {
    /// Which way is good.
    pub better: Better,
    /// What is aimed at.
    pub aim: f64,
    /// What must be reached.
    pub at_least: f64,
}

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// How a figure stands to its aim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The aim is reached.
    Aim,
    /// Not the aim, but what must be reached.
    Enough,
    /// Less than what must be reached.
    Missed,
}

impl Aim {
    /// More is better.
    pub const fn higher(aim: f64, at_least: f64) -> Self {
        Self {
            better: Better::Higher,
            aim,
            at_least,
        }
    }

    /// Less is better.
    pub const fn lower(aim: f64, at_most: f64) -> Self {
        Self {
            better: Better::Lower,
            aim,
            at_least: at_most,
        }
    }

    /// What this value is worth.
    pub fn verdict(self, value: f64) -> Verdict {
        let reaches = |bound: f64| match self.better {
            Better::Higher => value >= bound,
            Better::Lower => value <= bound,
        };
        match (reaches(self.aim), reaches(self.at_least)) {
            (true, _) => Verdict::Aim,
            (false, true) => Verdict::Enough,
            (false, false) => Verdict::Missed,
        }
    }
}

impl Verdict {
    /// One word for a table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Aim => "aim",
            Self::Enough => "enough",
            Self::Missed => "MISSED",
        }
    }
}

impl Side {
    /// A side with its samples.
    pub fn new(name: &str, unit: &str, samples: Vec<Sample>) -> Self {
        let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
        Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
            spread: Spread::of(&values),
            samples,
            aim: None,
        }
    }

    /// Another value of the same samples, as a side of its own.
    #[must_use]
    pub fn derived(&self, name: &str, unit: &str, value: impl Fn(&Sample) -> f64) -> Self {
        let sample = |sample: &Sample| Sample {
            value: value(sample),
            ..Sample::default()
        };
        Self::new(name, unit, self.samples.iter().map(sample).collect())
    }

    /// The side with what its median should be.
    #[must_use]
    pub fn aiming(self, aim: Aim) -> Self {
        Self {
            aim: Some(aim),
            ..self
        }
    }
}

impl Ratio {
    /// `over` by `under`, round by round.
    ///
    /// # Errors
    /// When they have no rounds, or a round gave no finite ratio.
    pub fn of(over: &Side, under: &Side, aim: Option<Aim>) -> crate::Result<Self> {
        let pairs = over.samples.iter().zip(&under.samples);
        let rounds: Vec<f64> = pairs
            .map(|(over, under)| over.value / under.value)
            .collect();
        let what = || format!("{} : {} has no ratio", over.name, under.name);
        if !rounds.iter().all(|ratio| ratio.is_finite()) {
            return Err(what().into());
        }
        Ok(Self {
            over: over.name.clone(),
            under: under.name.clone(),
            spread: Spread::of(&rounds).ok_or_else(what)?,
            rounds,
            aim,
        })
    }
}

impl From<&Load> for Latency {
    fn from(load: &Load) -> Self {
        Self {
            p50_ms: load.latency_ms(0.5),
            p95_ms: load.latency_ms(0.95),
            p99_ms: load.latency_ms(0.99),
            mean_ms: load.mean_ms(),
            max_ms: load.max_ms(),
        }
    }
}

impl Sample {
    /// Of load, with its `value`: accepted or answered requests a second, as the side counts.
    pub fn of_load(load: &Load, value: f64) -> Self {
        let Counts { won, lost, failed } = &load.in_all;
        let mut answers = failed.clone();
        answers.insert("won".to_owned(), *won);
        answers.insert("lost".to_owned(), *lost);
        if load.unsent > 0 {
            answers.insert("unsent".to_owned(), load.unsent);
        }
        Self {
            value,
            latency: Some(load.into()),
            answers,
            ..Self::default()
        }
    }

    /// With one more detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: f64) -> Self {
        self.details.insert(name.to_owned(), value);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(name: &str, values: &[f64]) -> Side {
        let sample = |value: &f64| Sample {
            value: *value,
            ..Sample::default()
        };
        Side::new(name, "1/s", values.iter().map(sample).collect())
    }

    #[test]
    fn the_ratio_is_the_median_of_the_rounds_not_the_ratio_of_the_medians() {
        let (over, under) = (side("a", &[1.0, 4.0, 9.0]), side("b", &[1.0, 2.0, 30.0]));
        let ratio = Ratio::of(&over, &under, None).unwrap();
        assert_eq!(ratio.rounds, [1.0, 2.0, 0.3]);
        assert_eq!(ratio.spread.median, 1.0);
    }

    #[test]
    fn a_side_that_did_nothing_gives_no_ratio() {
        let (over, under) = (side("a", &[1.0]), side("b", &[0.0]));
        assert!(Ratio::of(&over, &under, None).is_err());
        assert!(Ratio::of(&side("a", &[]), &side("b", &[]), None).is_err());
    }

    #[test]
    fn verdicts_know_which_way_is_good() {
        let more = Aim::higher(0.5, 0.3);
        let verdicts = [0.5, 0.4, 0.29].map(|value| more.verdict(value));
        assert_eq!(verdicts, [Verdict::Aim, Verdict::Enough, Verdict::Missed]);
        let less = Aim::lower(1.1, 1.25);
        let verdicts = [1.0, 1.2, 1.3].map(|value| less.verdict(value));
        assert_eq!(verdicts, [Verdict::Aim, Verdict::Enough, Verdict::Missed]);
        assert_eq!(more.verdict(f64::NAN), Verdict::Missed);
    }
}
