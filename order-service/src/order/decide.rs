//! Moves an order from state to state. product-service's ledger knows how the hold ended; this only
//! says what follows from it, and what has to be asked.

use domain::Timestamp;

use super::{
    order::Order,
    state::{Reason, State, Status},
};

/// What is wanted of an order, or what has become known about its hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Make it final.
    Confirm,
    /// The buyer gives it up, confirmed or not.
    Cancel {
        /// The buyer's words.
        note: Option<String>,
    },
    /// Its deadline may have passed.
    Expire,
    /// Somebody began to cancel its sale and may have died meanwhile.
    Resume,
    /// The ledger says that the hold was sold.
    HoldSold {
        /// When, by the ledger.
        at: Timestamp,
    },
    /// The ledger says that the hold's units are free: released, or their sale taken back.
    HoldReleased {
        /// When, by the ledger.
        at: Timestamp,
        /// Why, by the ledger.
        reason: Reason,
        /// The words of the buyer whose cancelling led here.
        note: Option<String>,
    },
    /// The ledger no longer knows the sale that was to be taken back: it was too long ago.
    SaleForgotten,
}

/// What has to be done outside before the order can move on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Sell the hold, then say how it ended.
    SellHold,
    /// Release the hold, then say how it ended.
    ReleaseHold {
        /// What the ledger shall keep as the reason.
        reason: Reason,
    },
    /// Take the hold's sale back, then say how it ended.
    TakeSaleBack {
        /// What the ledger shall keep as the reason.
        reason: Reason,
    },
}

/// The order as it is to be from now on, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Equal to the order decided upon if nothing changes; else to be stored before anything is done.
    pub order: Order,
    /// What to do, if anything.
    pub effect: Option<Effect>,
}

/// A command that the order's state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{command} is not possible: the order is {}", status.as_str())]
pub struct Illegal {
    /// Where the order stands.
    pub status: Status,
    /// The name of the command.
    pub command: &'static str,
}

/// What `command` does to `order` at `now` (the database's clock).
///
/// A command that asks for what is already so changes nothing and asks for nothing.
///
/// A sale is taken back in two steps: the intent is stored first, so that a crash between the two
/// databases leaves something to go on with.
///
/// # Errors
/// When the order's state does not allow the command.
pub fn decide(order: &Order, command: Command, now: Timestamp) -> Result<Decision, Illegal> {
    match &order.state {
        State::Pending => Ok(pending(order, command, now)),
        State::Confirmed { at } => confirmed(order, *at, command, now),
        State::Cancelling { .. } => cancelling(order, command, now),
        State::Cancelled { .. } | State::Failed { .. } => ended(order, command),
    }
}

fn pending(order: &Order, command: Command, now: Timestamp) -> Decision {
    match command {
        Command::Confirm => ask(order, Effect::SellHold),
        Command::Cancel { .. } => release(order, Reason::CANCELLED_BY_USER),
        Command::Expire if order.expires_at <= now => release(order, Reason::EXPIRED),
        Command::Expire | Command::Resume | Command::SaleForgotten => stay(order),
        Command::HoldSold { at } => go(order, State::Confirmed { at }, now),
        Command::HoldReleased { at, reason, note } => {
            // The words belong to the buyer's cancelling; a hold that expired first was not cancelled.
            let note = note.filter(|_| reason == Reason::CANCELLED_BY_USER);
            let cancelled = State::Cancelled {
                at,
                reason,
                note,
                confirmed_at: None,
            };
            go(order, cancelled, now)
        }
    }
}

fn confirmed(
    order: &Order,
    confirmed_at: Timestamp,
    command: Command,
    now: Timestamp,
) -> Result<Decision, Illegal> {
    match command {
        Command::Cancel { note } => {
            let reason = Reason::CANCELLED_BY_USER;
            let cancelling = State::Cancelling {
                confirmed_at,
                at: now,
                reason: reason.clone(),
                note,
            };
            Ok(Decision {
                effect: Some(Effect::TakeSaleBack { reason }),
                ..go(order, cancelling, now)
            })
        }
        Command::HoldReleased { .. } => Err(illegal(order, "following a released hold")),
        Command::Confirm
        | Command::Expire
        | Command::Resume
        | Command::HoldSold { .. }
        | Command::SaleForgotten => Ok(stay(order)),
    }
}

fn cancelling(order: &Order, command: Command, now: Timestamp) -> Result<Decision, Illegal> {
    let State::Cancelling {
        confirmed_at,
        reason,
        note,
        ..
    } = order.state.clone()
    else {
        return Ok(stay(order));
    };
    match command {
        Command::Confirm => Err(illegal(order, "confirm")),
        Command::Cancel { .. } | Command::Resume => Ok(ask(order, Effect::TakeSaleBack { reason })),
        Command::HoldReleased { at, .. } => {
            let cancelled = State::Cancelled {
                at,
                reason,
                note,
                confirmed_at: Some(confirmed_at),
            };
            Ok(go(order, cancelled, now))
        }
        Command::SaleForgotten => Ok(go(order, State::Confirmed { at: confirmed_at }, now)),
        Command::Expire | Command::HoldSold { .. } => Ok(stay(order)),
    }
}

/// Final states are never left.
fn ended(order: &Order, command: Command) -> Result<Decision, Illegal> {
    let is_cancelled = matches!(order.state, State::Cancelled { .. });
    match command {
        Command::Confirm => Err(illegal(order, "confirm")),
        Command::HoldSold { .. } => Err(illegal(order, "following a sold hold")),
        Command::Cancel { .. } if !is_cancelled => Err(illegal(order, "cancel")),
        Command::Cancel { .. }
        | Command::Expire
        | Command::Resume
        | Command::HoldReleased { .. }
        | Command::SaleForgotten => Ok(stay(order)),
    }
}

fn illegal(order: &Order, command: &'static str) -> Illegal {
    Illegal {
        status: order.state.status(),
        command,
    }
}

fn release(order: &Order, reason: Reason) -> Decision {
    ask(order, Effect::ReleaseHold { reason })
}

fn stay(order: &Order) -> Decision {
    Decision {
        order: order.clone(),
        effect: None,
    }
}

fn ask(order: &Order, effect: Effect) -> Decision {
    Decision {
        order: order.clone(),
        effect: Some(effect),
    }
}

fn go(order: &Order, state: State, now: Timestamp) -> Decision {
    let order = Order {
        state,
        updated_at: now.max(order.updated_at),
        version: order.version + 1,
        ..order.clone()
    };
    Decision {
        order,
        effect: None,
    }
}

#[cfg(test)]
mod tests {
    use domain::{Money, OrderId, UserId};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::order::state::Flow;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn order(state: State) -> Order {
        Order {
            id: OrderId(Uuid::nil()),
            user_id: UserId(Uuid::nil()),
            flow: Flow::Hold,
            state,
            lines: Vec::new(),
            total: Money::ZERO,
            shipping_address: None,
            fingerprint: None,
            expires_at: at(100),
            created_at: at(10),
            updated_at: at(10),
            version: 0,
        }
    }

    fn confirmed() -> State {
        State::Confirmed { at: at(20) }
    }

    fn cancelled(reason: Reason, note: Option<String>) -> State {
        State::Cancelled {
            at: at(20),
            reason,
            note,
            confirmed_at: None,
        }
    }

    fn cancel() -> Command {
        Command::Cancel { note: None }
    }

    /// Confirmed at 20, to be cancelled since 25.
    fn cancelling(note: Option<&str>) -> State {
        State::Cancelling {
            confirmed_at: at(20),
            at: at(25),
            reason: Reason::CANCELLED_BY_USER,
            note: note.map(str::to_owned),
        }
    }

    fn take_back() -> Option<Effect> {
        let reason = Reason::CANCELLED_BY_USER;
        Some(Effect::TakeSaleBack { reason })
    }

    fn released(reason: Reason, note: Option<&str>) -> Command {
        Command::HoldReleased {
            at: at(20),
            reason,
            note: note.map(str::to_owned),
        }
    }

    #[test]
    fn a_pending_order_is_confirmed_by_selling_its_hold() {
        let pending = order(State::Pending);
        let asked = decide(&pending, Command::Confirm, at(15)).unwrap();
        assert_eq!(asked.order, pending);
        assert_eq!(asked.effect, Some(Effect::SellHold));
        let sold = decide(&pending, Command::HoldSold { at: at(20) }, at(21)).unwrap();
        assert_eq!(sold.order.state, confirmed());
        assert_eq!(sold.order.updated_at, at(21));
        assert_eq!(sold.effect, None);
    }

    #[test]
    fn a_second_confirm_changes_nothing() {
        let order = order(confirmed());
        let again = decide(&order, Command::Confirm, at(30)).unwrap();
        assert_eq!((again.order, again.effect), (order, None));
    }

    #[test]
    fn a_second_cancel_changes_nothing() {
        let order = order(cancelled(Reason::CANCELLED_BY_USER, Some("why".into())));
        let again = decide(&order, cancel(), at(30)).unwrap();
        assert_eq!((again.order, again.effect), (order, None));
    }

    #[test]
    fn the_hold_says_why_the_order_was_cancelled() {
        let pending = order(State::Pending);
        let by_user = released(Reason::CANCELLED_BY_USER, Some("too dear"));
        assert_eq!(
            decide(&pending, by_user, at(21)).unwrap().order.state,
            cancelled(Reason::CANCELLED_BY_USER, Some("too dear".into()))
        );
        let expired = released(Reason::EXPIRED, Some("too dear"));
        assert_eq!(
            decide(&pending, expired, at(21)).unwrap().order.state,
            cancelled(Reason::EXPIRED, None)
        );
    }

    #[test]
    fn an_order_does_not_expire_before_its_deadline() {
        let pending = order(State::Pending);
        assert_eq!(
            decide(&pending, Command::Expire, at(99)).unwrap().effect,
            None
        );
        let due = decide(&pending, Command::Expire, at(100)).unwrap();
        let reason = Reason::EXPIRED;
        assert_eq!(due.effect, Some(Effect::ReleaseHold { reason }));
    }

    #[test]
    fn a_sale_is_taken_back_after_its_intent_is_stored() {
        let sold = order(confirmed());
        let note = Some("changed my mind".to_owned());
        let begun = decide(&sold, Command::Cancel { note }, at(25)).unwrap();
        assert_eq!(begun.order.state, cancelling(Some("changed my mind")));
        assert_eq!(begun.order.state.status(), Status::Confirmed);
        assert_eq!((begun.order.version, begun.effect), (1, take_back()));
        for command in [cancel(), Command::Resume] {
            let again = decide(&begun.order, command, at(26)).unwrap();
            assert_eq!((&again.order, again.effect), (&begun.order, take_back()));
        }
        let returned = decide(
            &begun.order,
            released(Reason::CANCELLED_BY_USER, None),
            at(27),
        );
        let expected = State::Cancelled {
            at: at(20),
            reason: Reason::CANCELLED_BY_USER,
            note: Some("changed my mind".into()),
            confirmed_at: Some(at(20)),
        };
        assert_eq!(returned.unwrap().order.state, expected);
    }

    #[test]
    fn an_order_that_is_to_be_cancelled_is_not_confirmed_any_more() {
        let order = order(cancelling(None));
        assert!(decide(&order, Command::Confirm, at(30)).is_err());
        let sold = decide(&order, Command::HoldSold { at: at(20) }, at(30)).unwrap();
        assert_eq!((sold.order, sold.effect), (order, None));
    }

    #[test]
    fn a_sale_that_the_ledger_has_forgotten_stays_one() {
        let order = order(cancelling(Some("words")));
        let kept = decide(&order, Command::SaleForgotten, at(30)).unwrap();
        assert_eq!((kept.order.state, kept.effect), (confirmed(), None));
    }

    #[test]
    fn what_has_ended_is_not_ended_otherwise() {
        let sold = order(confirmed());
        let cancelled = order(cancelled(Reason::EXPIRED, None));
        let failed = order(State::Failed {
            at: at(20),
            reason: Reason::EXPIRED,
        });
        for (order, command) in [
            (&sold, released(Reason::EXPIRED, None)),
            (&cancelled, Command::Confirm),
            (&cancelled, Command::HoldSold { at: at(20) }),
            (&failed, Command::Confirm),
            (&failed, cancel()),
        ] {
            assert!(
                decide(order, command.clone(), at(30)).is_err(),
                "{command:?}"
            );
        }
    }

    fn any_command() -> impl Strategy<Value = Command> {
        prop_oneof![
            Just(Command::Confirm),
            any::<bool>().prop_map(|words| Command::Cancel {
                note: words.then(|| "words".to_owned()),
            }),
            Just(Command::Expire),
            Just(Command::Resume),
            Just(Command::SaleForgotten),
            (0..200i64).prop_map(|micros| Command::HoldSold { at: at(micros) }),
            (0..200i64, any::<bool>(), any::<bool>()).prop_map(|(micros, by_user, words)| {
                Command::HoldReleased {
                    at: at(micros),
                    reason: if by_user {
                        Reason::CANCELLED_BY_USER
                    } else {
                        Reason::EXPIRED
                    },
                    note: words.then(|| "words".to_owned()),
                }
            }),
        ]
    }

    proptest! {
        #[test]
        fn no_history_leaves_a_final_state_nor_a_sale_without_an_intent(
            history in prop::collection::vec((any_command(), 0..200i64), 0..40)
        ) {
            let mut current = order(State::Pending);
            for (command, now) in history {
                let Ok(Decision { order: next, effect }) = decide(&current, command, at(now)) else {
                    continue;
                };
                let is_allowed = match (&current.state, &next.state) {
                    (before, after) if before == after => next == current,
                    (State::Pending, State::Confirmed { .. } | State::Cancelled { .. })
                    | (State::Cancelling { .. }, State::Confirmed { .. } | State::Cancelled { .. }) => {
                        effect.is_none()
                    }
                    (State::Confirmed { .. }, State::Cancelling { .. }) => effect == take_back(),
                    _ => false,
                };
                prop_assert!(is_allowed, "{:?} -> {:?}", current.state, next.state);
                prop_assert_eq!(next.version > current.version, next != current);
                prop_assert!(next.updated_at >= current.updated_at);
                current = next;
            }
        }

        #[test]
        fn a_command_that_moved_the_order_changes_nothing_the_second_time(
            command in any_command(), now in 0..200i64
        ) {
            for state in [State::Pending, confirmed(), cancelling(None)] {
                let before = order(state);
                let Ok(first) = decide(&before, command.clone(), at(now)) else {
                    continue;
                };
                if first.order != before {
                    let second = decide(&first.order, command.clone(), at(now + 1)).unwrap();
                    prop_assert_eq!(second.order, first.order);
                }
            }
        }
    }
}
