//! Sides in turn: every round measures each of them once, and each round begins with another, so that
//! none has the quieter machine or the fuller disk for itself.

use std::{pin::Pin, time::Duration};

use service_kit::out;

use crate::{
    load::Window,
    results::{Sample, Side},
};

/// How often and how long everything is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounds {
    /// Measurements of each side.
    pub count: usize,
    /// The window of each.
    pub window: Window,
}

impl Rounds {
    /// `count` rounds of `measured` each, after `warm_up`.
    pub fn new(count: usize, measured: Duration, warm_up: Duration) -> Self {
        let window = Window { warm_up, measured };
        Self { count, window }
    }
}

/// What a side's measurement comes to.
pub type Measuring<'a> = Pin<Box<dyn Future<Output = crate::Result<Sample>> + 'a>>;

/// One side of a figure: what it is called, in what it is counted, how it is measured once.
pub struct Contender<'a> {
    name: &'a str,
    unit: &'a str,
    measure: Box<dyn FnMut(Window) -> Measuring<'a> + 'a>,
}

impl<'a> Contender<'a> {
    /// A side that `measure` measures once.
    pub fn new<F: Future<Output = crate::Result<Sample>> + 'a>(
        name: &'a str,
        unit: &'a str,
        mut measure: impl FnMut(Window) -> F + 'a,
    ) -> Self {
        Self {
            name,
            unit,
            measure: Box::new(move |window| Box::pin(measure(window))),
        }
    }
}

/// Measures all sides in turn. They are answered in the order in which they were given.
///
/// # Errors
/// The first error of any of them: a figure with a hole in it is none.
pub async fn in_turn(
    figure: &str,
    rounds: Rounds,
    mut contenders: Vec<Contender<'_>>,
) -> crate::Result<Vec<Side>> {
    let mut samples: Vec<Vec<Sample>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds.count {
        for at in order(round, contenders.len()) {
            let contender = &mut contenders[at];
            let measured = (contender.measure)(rounds.window).await;
            let sample = measured.map_err(|error| {
                let (name, round) = (contender.name, round + 1);
                format!("{figure}, {name}, round {round}: {error}")
            })?;
            out::line(format_args!(
                "  {figure} round {} of {}: {:<24} {:>12.1} {}",
                round + 1,
                rounds.count,
                contender.name,
                sample.value,
                contender.unit
            ));
            samples[at].push(sample);
        }
    }
    let sides = contenders.iter().zip(samples);
    Ok(sides
        .map(|(side, samples)| Side::new(side.name, side.unit, samples))
        .collect())
}

/// Each round begins with the next side.
fn order(round: usize, sides: usize) -> impl Iterator<Item = usize> {
    (0..sides).map(move |at| (round + at) % sides)
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    #[tokio::test]
    async fn sides_take_turns_and_each_round_begins_with_another() {
        let met = Rc::new(RefCell::new(Vec::new()));
        let side = |name: &'static str| {
            let met = Rc::clone(&met);
            Contender::new(name, "1/s", move |_| {
                let met = Rc::clone(&met);
                async move {
                    met.borrow_mut().push(name);
                    Ok(Sample::default())
                }
            })
        };
        let rounds = Rounds::new(3, Duration::ZERO, Duration::ZERO);
        let sides = in_turn("test", rounds, vec![side("a"), side("b")])
            .await
            .unwrap();
        assert_eq!(*met.borrow(), ["a", "b", "b", "a", "a", "b"]);
        assert_eq!((sides[0].name.as_str(), sides[0].samples.len()), ("a", 3));
    }

    #[tokio::test]
    async fn a_side_that_fails_is_named() {
        let fails = Contender::new("a", "1/s", async |_| Err("on purpose".into()));
        let rounds = Rounds::new(1, Duration::ZERO, Duration::ZERO);
        let error = in_turn("P0", rounds, vec![fails]).await.unwrap_err();
        assert_eq!(error.to_string(), "P0, a, round 1: on purpose");
    }
}
