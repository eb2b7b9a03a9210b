//! The open loop.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use tokio::{
    task::LocalSet,
    time::{Instant, sleep_until},
};

use super::{Caller, Load, Span, Window};

/// Sends requests at a constant rate, whoever still waits: each caller takes the next request that is
/// due. When all callers wait, requests become late, and their latency counts from when they were due.
/// Those that could not be sent before the end are counted, with the time they have waited until then.
///
/// # Panics
/// When a caller does.
pub async fn open<C: Caller + 'static>(callers: Vec<C>, rate_per_s: f64, window: Window) -> Load {
    let begun_at = Instant::now();
    let span = window.span(begun_at);
    let load = Rc::new(RefCell::new(Load::new(window.measured)));
    let schedule = Rc::new(Schedule {
        begun_at,
        rate_per_s,
        next: Cell::new(0),
    });
    let tasks = LocalSet::new();
    let running: Vec<_> = callers
        .into_iter()
        .map(|caller| {
            let worker = work(caller, Rc::clone(&schedule), span, Rc::clone(&load));
            tasks.spawn_local(worker)
        })
        .collect();
    tasks.await;
    schedule.give_up(span, &mut load.borrow_mut());
    super::tally::finished(running, load).await
}

async fn work<C: Caller>(
    mut caller: C,
    schedule: Rc<Schedule>,
    span: Span,
    load: Rc<RefCell<Load>>,
) {
    while Instant::now() < span.ends_at {
        let due_at = schedule.take();
        if due_at >= span.ends_at {
            return;
        }
        sleep_until(due_at).await;
        let answer = caller.call().await;
        let mut load = load.borrow_mut();
        load.answered(&answer, span, due_at, Instant::now());
    }
}

/// When requests are due.
#[derive(Debug)]
struct Schedule {
    begun_at: Instant,
    rate_per_s: f64,
    next: Cell<u64>,
}

impl Schedule {
    /// The next request, for one caller alone.
    fn take(&self) -> Instant {
        let number = self.next.get();
        self.next.set(number + 1);
        self.due_at(number)
    }

    // Not a sum of steps, whose rounding would add up.
    #[expect(
        clippy::cast_precision_loss,
        reason = "requests of one run are far below 2^53"
    )]
    fn due_at(&self, number: u64) -> Instant {
        self.begun_at + std::time::Duration::from_secs_f64(number as f64 / self.rate_per_s)
    }

    /// Counts what nobody has taken before the end.
    fn give_up(&self, span: Span, load: &mut Load) {
        loop {
            let due_at = self.take();
            if due_at >= span.ends_at {
                return;
            }
            load.not_sent(span, due_at, span.ends_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;
    use crate::load::{Answer, Answering};

    const SECOND: Window = Window {
        warm_up: Duration::ZERO,
        measured: Duration::from_secs(1),
    };

    fn prompt(callers: usize) -> Vec<impl Caller> {
        let caller = || {
            Answering(async || {
                sleep(Duration::from_millis(2)).await;
                Answer::Won
            })
        };
        (0..callers).map(|_| caller()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn requests_come_at_the_rate_whatever_the_number_of_callers() {
        for callers in [3, 50] {
            let load = open(prompt(callers), 1_000.0, SECOND).await;
            assert_eq!((load.in_all.won, load.unsent), (1_000, 0), "{callers}");
            assert!((load.latency_ms(0.99) - 2.0).abs() < 0.01, "{callers}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_is_seen_by_all_who_would_have_come_meanwhile() {
        let begun_at = Instant::now();
        let stalls = Answering(async move || {
            let stall_ends_at = begun_at + Duration::from_millis(500);
            if Instant::now() < stall_ends_at {
                tokio::time::sleep_until(stall_ends_at).await;
            }
            Answer::Won
        });
        let load = open(vec![stalls], 1_000.0, SECOND).await;
        assert_eq!((load.in_all.won, load.unsent), (1_000, 0));
        // A closed loop would have seen one slow answer of a thousand. Here those due during the stall waited
        // 500 ms, 499 ms, …: the middle one of all waited for nothing, a quarter of them for half the stall.
        assert!((load.latency_ms(0.75) - 250.0).abs() < 2.0);
        assert!((load.max_ms() - 500.0).abs() < 1.0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_sent_is_counted_and_has_waited_until_the_end() {
        // Five callers at 2 ms each send 2,500 a second.
        let load = open(prompt(5), 10_000.0, SECOND).await;
        assert_eq!(load.in_all.won + load.unsent, 10_000);
        assert!(load.unsent > 7_000, "{}", load.unsent);
        assert!(load.latency_ms(0.5) > 300.0);
    }
}
