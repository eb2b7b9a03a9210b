//! The closed loop.

use std::{cell::RefCell, rc::Rc};

use tokio::{task::LocalSet, time::Instant};

use super::{Caller, Load, Window};

/// Lets every caller ask, wait for its answer, and ask again, until the window is over; the last answers
/// are waited for.
///
/// # Panics
/// When a caller does.
pub async fn closed<C: Caller + 'static>(callers: Vec<C>, window: Window) -> Load {
    let span = window.span(Instant::now());
    let mut load = Load::new(window.measured);
    load.callers_busy = callers.len();
    let load = Rc::new(RefCell::new(load));
    let tasks = LocalSet::new();
    let running: Vec<_> = callers
        .into_iter()
        .map(|mut caller| {
            let load = Rc::clone(&load);
            tasks.spawn_local(async move {
                loop {
                    let begun_at = Instant::now();
                    if begun_at >= span.ends_at {
                        return;
                    }
                    let answer = caller.call().await;
                    let mut load = load.borrow_mut();
                    load.answered(&answer, span, begun_at, Instant::now());
                }
            })
        })
        .collect();
    tasks.await;
    super::tally::finished(running, load).await
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::Duration};

    use tokio::time::sleep;

    use super::*;
    use crate::load::{Answer, Answering};

    #[tokio::test(start_paused = true)]
    async fn callers_ask_again_once_answered_and_the_warm_up_does_not_count() {
        let asked = Rc::new(Cell::new(0));
        let callers = (0..4).map(|_| {
            let asked = Rc::clone(&asked);
            Answering(async move || {
                asked.set(asked.get() + 1);
                sleep(Duration::from_millis(10)).await;
                Answer::Won
            })
        });
        let window = Window {
            warm_up: Duration::from_millis(95),
            measured: Duration::from_millis(1_000),
        };
        let load = closed(callers.collect(), window).await;
        // Four callers, a hundred answers each; the last ones are answered after the end.
        assert_eq!(load.measured.won, 400);
        assert_eq!(load.in_all.won, asked.get());
        assert_eq!(load.in_all.won, 4 * 110);
        assert!((load.won_per_s() - 400.0).abs() < 1e-9);
        assert!((load.latency_ms(0.5) - 10.0).abs() < 0.05);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_counted_by_kind_and_are_no_successes() {
        let mut number = 0;
        let caller = Answering(async move || {
            sleep(Duration::from_millis(1)).await;
            number += 1;
            match number % 4 {
                0 => Answer::Failed("503".to_owned()),
                1 => Answer::Lost,
                _ => Answer::Won,
            }
        });
        let window = Window {
            warm_up: Duration::ZERO,
            measured: Duration::from_millis(400),
        };
        let load = closed(vec![caller], window).await;
        assert_eq!(load.in_all.all(), 400);
        assert_eq!((load.in_all.won, load.in_all.lost), (200, 100));
        assert_eq!(load.in_all.failed["503"], 100);
    }
}
