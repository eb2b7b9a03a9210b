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
    /// The buyer gives it up.
    Cancel,
    /// Its deadline may have passed.
    Expire,
    /// The ledger says that the hold was sold.
    HoldSold {
        /// When, by the ledger.
        at: Timestamp,
    },
    /// The ledger says that the hold was released.
    HoldReleased {
        /// When, by the ledger.
        at: Timestamp,
        /// Why, by the ledger.
        reason: Reason,
        /// The words of the buyer whose cancelling led here.
        note: Option<String>,
    },
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
}

/// The order as it is to be from now on, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Equal to the order decided upon if nothing changes.
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
/// # Errors
/// When the order's state does not allow the command. Final states are never left.
pub fn decide(order: &Order, command: Command, now: Timestamp) -> Result<Decision, Illegal> {
    let illegal = |command| Illegal {
        status: order.state.status(),
        command,
    };
    match (&order.state, command) {
        (State::Pending, Command::Confirm) => Ok(ask(order, Effect::SellHold)),
        (State::Pending, Command::Cancel) => Ok(ask(
            order,
            Effect::ReleaseHold {
                reason: Reason::CANCELLED_BY_USER,
            },
        )),
        (State::Pending, Command::Expire) if now < order.expires_at => Ok(stay(order)),
        (State::Pending, Command::Expire) => Ok(ask(
            order,
            Effect::ReleaseHold {
                reason: Reason::EXPIRED,
            },
        )),
        (State::Pending, Command::HoldSold { at }) => Ok(go(order, State::Confirmed { at }, now)),
        (State::Pending, Command::HoldReleased { at, reason, note }) => {
            // The words belong to the buyer's cancelling; a hold that expired first was not cancelled.
            let note = note.filter(|_| reason == Reason::CANCELLED_BY_USER);
            Ok(go(order, State::Cancelled { at, reason, note }, now))
        }
        (
            State::Confirmed { .. },
            Command::Confirm | Command::Expire | Command::HoldSold { .. },
        )
        | (
            State::Cancelled { .. },
            Command::Cancel | Command::Expire | Command::HoldReleased { .. },
        )
        | (State::Failed { .. }, Command::Expire | Command::HoldReleased { .. }) => Ok(stay(order)),
        (_, Command::Confirm) => Err(illegal("confirm")),
        (_, Command::Cancel) => Err(illegal("cancel")),
        (_, Command::HoldSold { .. }) => Err(illegal("following a sold hold")),
        (_, Command::HoldReleased { .. }) => Err(illegal("following a released hold")),
    }
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
        updated_at: now.max(order.created_at),
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
        }
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
        let again = decide(&order, Command::Cancel, at(30)).unwrap();
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
    fn a_sale_and_a_cancellation_exclude_each_other() {
        let sold = order(confirmed());
        let ended = order(cancelled(Reason::EXPIRED, None));
        for (order, command) in [
            (&sold, Command::Cancel),
            (&sold, released(Reason::EXPIRED, None)),
            (&ended, Command::Confirm),
            (&ended, Command::HoldSold { at: at(20) }),
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
            Just(Command::Cancel),
            Just(Command::Expire),
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
        fn no_history_leaves_a_final_state(
            history in prop::collection::vec((any_command(), 0..200i64), 0..40)
        ) {
            let mut current = order(State::Pending);
            let mut ended: Option<Order> = None;
            for (command, now) in history {
                if let Ok(decision) = decide(&current, command, at(now)) {
                    current = decision.order;
                }
                if let Some(ended) = &ended {
                    prop_assert_eq!(ended, &current);
                } else if current.state != State::Pending {
                    ended = Some(current.clone());
                }
            }
        }

        #[test]
        fn a_command_that_moved_the_order_changes_nothing_the_second_time(
            command in any_command(), now in 0..200i64
        ) {
            let first = decide(&order(State::Pending), command.clone(), at(now)).unwrap();
            if first.order.state != State::Pending {
                let second = decide(&first.order, command, at(now + 1)).unwrap();
                prop_assert_eq!((second.order, second.effect), (first.order, None));
            }
        }
    }
}
