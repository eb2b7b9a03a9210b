//! What the search finds: nothing with all rules, something without any one of them.

use crate::{Budget, Rules, search};

const NO_FAULTS: Budget = Budget {
    crashes: 0,
    lost_replies: 0,
    wipes: 0,
    restores: 0,
    releases: 0,
    ends: 0,
    straight: 0,
    restocks: 0,
    write_offs: 0,
    pauses: 0,
};

/// One of each fault of a single deal: 15 million worlds.
const ONE_OF_EACH: Budget = Budget {
    crashes: 1,
    lost_replies: 1,
    wipes: 1,
    releases: 1,
    straight: 1,
    ..NO_FAULTS
};

#[test]
fn promise_5_a_dead_process_and_a_release_break_no_promise() {
    let budget = Budget {
        crashes: 1,
        releases: 1,
        ..NO_FAULTS
    };
    search(Rules::default(), budget).unwrap();
}

#[test]
fn promise_5_a_lost_reply_and_a_dead_process_break_no_promise() {
    let budget = Budget {
        crashes: 1,
        lost_replies: 1,
        ..NO_FAULTS
    };
    search(Rules::default(), budget).unwrap();
}

#[test]
fn promise_5_an_emptied_redis_breaks_no_promise() {
    let budget = Budget {
        wipes: 1,
        releases: 1,
        ..NO_FAULTS
    };
    search(Rules::default(), budget).unwrap();
}

#[test]
fn promise_5_a_second_deal_breaks_no_promise() {
    let budget = Budget {
        ends: 1,
        ..NO_FAULTS
    };
    search(Rules::default(), budget).unwrap();
}

#[test]
fn promise_5_units_added_while_a_process_dies_break_no_promise() {
    let budget = Budget {
        restocks: 1,
        crashes: 1,
        ..NO_FAULTS
    };
    search(Rules::default(), budget).unwrap();
}

#[test]
fn promise_5_units_added_and_written_off_break_no_promise() {
    let budget = Budget {
        restocks: 1,
        write_offs: 1,
        ..NO_FAULTS
    };
    search(Rules::default(), budget).unwrap();
}

#[test]
fn promise_5_a_write_off_and_a_release_break_no_promise() {
    let budget = Budget {
        write_offs: 1,
        releases: 1,
        ..NO_FAULTS
    };
    search(Rules::default(), budget).unwrap();
}

#[test]
fn promise_5_a_pause_breaks_no_promise() {
    let budget = Budget {
        pauses: 1,
        ..NO_FAULTS
    };
    search(Rules::default(), budget).unwrap();
}

/// `cargo test -p protocol -- --ignored`: minutes and gigabytes, for changes of the protocol.
#[test]
#[ignore = "minutes and gigabytes: for changes of the protocol"]
fn one_of_each_fault_breaks_no_promise() {
    search(Rules::default(), ONE_OF_EACH).unwrap();
}

#[test]
#[ignore = "minutes and gigabytes: for changes of the protocol"]
fn an_old_snapshot_breaks_no_promise() {
    let budget = Budget {
        restores: 1,
        ..NO_FAULTS
    };
    search(Rules::default(), budget).unwrap();
}

/// 3 million worlds.
#[test]
#[ignore = "minutes and gigabytes: for changes of the protocol"]
fn a_pause_and_a_dead_process_break_no_promise() {
    let budget = Budget {
        pauses: 1,
        crashes: 1,
        ..NO_FAULTS
    };
    told(budget);
}

#[test]
#[ignore = "minutes and gigabytes: for changes of the protocol"]
fn a_deal_that_is_restocked_and_paused_breaks_no_promise() {
    let budget = Budget {
        restocks: 1,
        pauses: 1,
        ..NO_FAULTS
    };
    told(budget);
}

#[test]
#[ignore = "minutes and gigabytes: for changes of the protocol"]
fn a_restock_with_an_emptied_redis_and_a_dead_process_break_no_promise() {
    let budget = Budget {
        restocks: 1,
        wipes: 1,
        crashes: 1,
        ..NO_FAULTS
    };
    told(budget);
}

/// Tells how many worlds there were, for `--nocapture`.
#[track_caller]
#[expect(
    clippy::disallowed_macros,
    reason = "a test has no log, and the figure is for whoever runs it by hand"
)]
fn told(budget: Budget) {
    let worlds = search(Rules::default(), budget).unwrap();
    eprintln!("{worlds} worlds: {budget:?}");
}

#[track_caller]
fn breaks(rules: Rules, budget: Budget, promise: &str) {
    let broken = search(rules, budget).expect_err("the search notices nothing");
    assert!(broken.starts_with(promise), "{broken}");
}

#[test]
fn without_what_is_owed_for_a_voided_batch_the_gate_is_too_low() {
    let rules = Rules {
        void_owes: false,
        ..Rules::default()
    };
    breaks(rules, ONE_OF_EACH, "the gate is too low");
}

#[test]
fn without_what_is_owed_for_a_replay_the_gate_is_too_low() {
    let rules = Rules {
        surplus_is_owed: false,
        ..Rules::default()
    };
    breaks(rules, ONE_OF_EACH, "the gate is too low");
}

#[test]
fn without_a_second_look_a_holder_is_told_that_he_has_none() {
    let rules = Rules {
        no_is_looked_up: false,
        ..Rules::default()
    };
    breaks(rules, ONE_OF_EACH, "a holder heard that he has none");
}

#[test]
fn without_recording_a_batch_once_it_is_taken_after_its_void() {
    let rules = Rules {
        void_binds: false,
        ..Rules::default()
    };
    breaks(rules, ONE_OF_EACH, "a void batch was taken");
}

#[test]
fn without_numbers_the_second_deal_gets_the_first_one_s_gate() {
    let rules = Rules {
        deals_are_numbered: false,
        ..Rules::default()
    };
    let budget = Budget {
        ends: 1,
        restores: 1,
        wipes: 0,
        crashes: 0,
        lost_replies: 0,
        straight: 0,
        ..NO_FAULTS
    };
    breaks(rules, budget, "the gate is too low");
}

#[test]
fn without_what_is_owed_for_a_restock_the_gate_is_too_low() {
    let rules = Rules {
        restock_is_owed: false,
        ..Rules::default()
    };
    let budget = Budget {
        restocks: 1,
        ..NO_FAULTS
    };
    breaks(rules, budget, "the gate is too low");
}

#[test]
fn without_what_is_owed_for_the_orders_that_a_paused_deal_refuses_the_gate_is_too_low() {
    let rules = Rules {
        surplus_is_owed: false,
        ..Rules::default()
    };
    let budget = Budget {
        pauses: 1,
        ..NO_FAULTS
    };
    breaks(rules, budget, "the gate is too low");
}
