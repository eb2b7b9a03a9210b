//! The open loop.

use std::{cell::RefCell, rc::Rc};

use tokio::{
    sync::{mpsc, oneshot},
    task::LocalSet,
    time::{Instant, sleep_until, timeout_at},
};

use super::{Caller, Load, Span, Window};

/// Sends requests at a constant rate, whoever still waits. The caller that has been free for longest takes the next
/// one: all of a crowd come, whatever the rate. When all callers wait, requests become late, and their latency counts
/// from when they were due. Those that could not be sent before the end are counted, with the time they have waited
/// until then.
///
/// # Panics
/// When a caller does.
pub async fn open<C: Caller + 'static>(callers: Vec<C>, rate_per_s: f64, window: Window) -> Load {
    let schedule = Schedule {
        begun_at: Instant::now(),
        rate_per_s,
    };
    let span = window.span(schedule.begun_at);
    let load = Rc::new(RefCell::new(Load::new(window.measured)));
    // Who is free for longest is in front.
    let (queue, free) = mpsc::unbounded_channel();
    let count = callers.len();
    let tasks = LocalSet::new();
    let running = callers
        .into_iter()
        .map(|caller| {
            let worker = work(caller, queue.clone(), span, Rc::clone(&load));
            tasks.spawn_local(worker)
        })
        .collect();
    let (unsent, free_min) = tasks.run_until(send(&schedule, free, span)).await;
    tasks.await;
    load.borrow_mut().callers_busy = count - free_min.min(count);
    for due_at in schedule.from(unsent).take_while(|due| *due < span.ends_at) {
        load.borrow_mut().not_sent(span, due_at, span.ends_at);
    }
    super::tally::finished(running, load).await
}

/// Hands every request to a caller when it is due, and sends all callers home at the end. Answers the number of the
/// first that could not be sent before that, and how few callers were free at the least.
async fn send(
    schedule: &Schedule,
    mut free: mpsc::UnboundedReceiver<Free>,
    span: Span,
) -> (u64, usize) {
    let (mut sent, mut free_min) = (0, usize::MAX);
    for due_at in schedule.from(0).take_while(|due| *due < span.ends_at) {
        sleep_until(due_at).await;
        let Ok(Some(caller)) = timeout_at(span.ends_at, free.recv()).await else {
            break;
        };
        free_min = free_min.min(free.len());
        // Only a caller that has panicked does not listen, which is told at the end.
        _ = caller.send(due_at);
        sent += 1;
    }
    (sent, free_min)
}

async fn work<C: Caller>(
    mut caller: C,
    queue: mpsc::UnboundedSender<Free>,
    span: Span,
    load: Rc<RefCell<Load>>,
) {
    loop {
        let (tell, told) = oneshot::channel();
        // Nobody sends any more, or will.
        if queue.send(tell).is_err() {
            return;
        }
        let Ok(due_at) = told.await else {
            return;
        };
        let answer = caller.call().await;
        let mut load = load.borrow_mut();
        load.answered(&answer, span, due_at, Instant::now());
    }
}

/// A caller that has nothing to do: it is told when its request was due.
type Free = oneshot::Sender<Instant>;

/// When requests are due.
#[derive(Debug)]
struct Schedule {
    begun_at: Instant,
    rate_per_s: f64,
}

impl Schedule {
    /// Every request from this one on.
    // Not a sum of steps, whose rounding would add up.
    #[expect(
        clippy::cast_precision_loss,
        reason = "requests of one run are far below 2^53"
    )]
    fn from(&self, number: u64) -> impl Iterator<Item = Instant> {
        let due_after_s = |number| number as f64 / self.rate_per_s;
        (number..).map(move |number| {
            self.begun_at + std::time::Duration::from_secs_f64(due_after_s(number))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::Duration};

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
    async fn all_callers_take_turns_and_the_busy_ones_are_counted() {
        let used = Rc::new(Cell::new(0));
        let callers = (0..50).map(|_| {
            let (used, mut is_new) = (Rc::clone(&used), true);
            Answering(async move || {
                used.set(used.get() + usize::from(std::mem::take(&mut is_new)));
                sleep(Duration::from_millis(2)).await;
                Answer::Won
            })
        });
        // One request a millisecond, each of 2 ms.
        let load = open(callers.collect(), 1_000.0, SECOND).await;
        assert_eq!((load.in_all.won, used.get()), (1_000, 50));
        assert!(
            (2..=3).contains(&load.callers_busy),
            "{}",
            load.callers_busy
        );
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
