//! Waiting for a condition instead of for a time.

use std::panic::Location;
use std::time::Duration;

use tokio::time::Instant;

const POLL: Duration = Duration::from_millis(10);

/// What a condition answers: `bool`, or `Option` when there is something to hand back.
pub trait Condition {
    /// What is handed back once the condition holds.
    type Value;

    /// The value, if the condition holds.
    fn holds(self) -> Option<Self::Value>;
}

impl Condition for bool {
    type Value = ();

    fn holds(self) -> Option<()> {
        self.then_some(())
    }
}

impl<T> Condition for Option<T> {
    type Value = T;

    fn holds(self) -> Option<T> {
        self
    }
}

/// Asks every 10 ms until `condition` holds, at least once however short the timeout.
///
/// A condition that hangs is not waited for longer than `timeout` either.
///
/// # Panics
/// With `what` and the caller's place when it does not hold within `timeout`.
#[track_caller]
pub fn eventually<C, Fut, F>(
    timeout: Duration,
    what: &str,
    mut condition: F,
) -> impl Future<Output = C::Value>
where
    C: Condition,
    Fut: Future<Output = C>,
    F: FnMut() -> Fut,
{
    let caller = Location::caller();
    async move {
        let deadline = Instant::now() + timeout;
        loop {
            let answer = tokio::time::timeout_at(deadline, condition()).await;
            if let Some(value) = answer.ok().and_then(Condition::holds) {
                return value;
            }
            assert!(
                Instant::now() < deadline,
                "not within {timeout:?}: {what} ({caller})"
            );
            tokio::time::sleep(POLL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_value_is_handed_back_when_it_is_there() {
        let mut left = 3;
        let value = eventually(Duration::from_secs(5), "three looks", || {
            left -= 1;
            async move { (left == 0).then_some("there") }
        });
        assert_eq!(value.await, "there");
    }

    #[tokio::test]
    #[should_panic(expected = "not within 50ms: the moon is blue")]
    async fn what_never_holds_panics_with_its_words() {
        eventually(SOON, "the moon is blue", async || false).await;
    }

    #[tokio::test]
    #[should_panic(expected = "not within 50ms: an answer")]
    async fn what_never_answers_is_not_waited_for() {
        eventually(SOON, "an answer", std::future::pending::<bool>).await;
    }
}
