//! What may happen next. Each step is what one process, the database or Redis does at once.

use crate::world::{
    BATCHES, Gate, Hold, InFlight, PASSES, REQUESTS, Record, Request, Rules, World, order_of,
};

type Steps = Vec<(&'static str, World)>;

pub(crate) fn next(world: &World, rules: Rules) -> Steps {
    let mut steps = Vec::new();
    for request in 0..REQUESTS {
        match world.requests[request] {
            Request::Before { pass } => before(world, rules, request, pass, &mut steps),
            Request::Between { pass, batch, took } => {
                between(world, rules, request, (pass, batch, took), &mut steps);
            }
            Request::Over => {}
        }
    }
    for batch in 0..BATCHES {
        done(world, batch, &mut steps);
        void(world, rules, batch, &mut steps);
    }
    tend(world, rules, &mut steps);
    faults(world, &mut steps);
    deals(world, rules, &mut steps);
    selling(world, rules, &mut steps);
    steps
}

fn change(world: &World, change: impl FnOnce(&mut World)) -> World {
    let mut after = *world;
    change(&mut after);
    after
}

/// A request calls the gate, finds it missing or of another deal, or goes straight to the ledger.
fn before(world: &World, rules: Rules, request: usize, pass: u8, steps: &mut Steps) {
    let between = |batch, took| Request::Between { pass, batch, took };
    // Who knows that the deal is paused does not ask its gate.
    if world.budget.straight > 0 || world.ledger.is_paused {
        steps.push((
            "straight to the ledger",
            change(world, |w| {
                w.budget.straight -= u8::from(!w.ledger.is_paused);
                w.requests[request] = between(None, 0);
            }),
        ));
    }
    let Some(gate) = &world.gate else {
        return;
    };
    let (known, real) = (world.routes[request], gate.number);
    if rules.deals_are_numbered && real != known {
        if real > known {
            steps.push((
                "the route is read again",
                change(world, |w| {
                    w.routes[request] = w.ledger.number;
                }),
            ));
        }
        return;
    }
    let batch = request * PASSES + usize::from(pass);
    let order = order_of(request);
    let passes = gate.admitted[order].is_some();
    if !passes && gate.quantity == 0 {
        steps.push((
            "the gate says no",
            change(world, |w| refuse(w, rules, request, pass)),
        ));
        return;
    }
    let took = u8::from(!passes);
    let admit = |w: &mut World| {
        let Some(gate) = &mut w.gate else { return };
        gate.quantity -= took;
        gate.admitted[order] = Some(small(batch));
        gate.in_flight[batch] = Some(InFlight {
            units: took,
            order: small(order),
        });
    };
    steps.push((
        "admitted",
        change(world, |w| {
            admit(w);
            w.requests[request] = between(Some(small(batch)), took);
        }),
    ));
    if world.budget.lost_replies > 0 {
        steps.push((
            "admitted, the reply is lost",
            change(world, |w| {
                admit(w);
                w.budget.lost_replies -= 1;
                w.requests[request] = between(None, 0);
            }),
        ));
    }
}

/// A no of the gate is final for a first attempt; any other is looked up.
fn refuse(world: &mut World, rules: Rules, request: usize, pass: u8) {
    world.requests[request] = Request::Over;
    let is_first_attempt = request != 1 && pass == 0;
    let holds = matches!(world.ledger.holds[order_of(request)], Hold::Open { .. });
    if !is_first_attempt && holds && !rules.no_is_looked_up {
        world.broken = Some("a holder heard that he has none");
    }
}

/// A request's transaction commits, or its process dies before it.
fn between(
    world: &World,
    rules: Rules,
    request: usize,
    at: (u8, Option<u8>, u8),
    steps: &mut Steps,
) {
    if world.budget.crashes > 0 {
        steps.push((
            "a process dies between gate and ledger",
            change(world, |w| {
                w.budget.crashes -= 1;
                w.requests[request] = Request::Over;
            }),
        ));
    }
    steps.push((
        "the ledger decides",
        change(world, |w| commit(w, rules, request, at)),
    ));
}

fn commit(
    world: &mut World,
    rules: Rules,
    request: usize,
    (pass, batch, took): (u8, Option<u8>, u8),
) {
    let again = if usize::from(pass) + 1 < PASSES {
        Request::Before { pass: pass + 1 }
    } else {
        Request::Over
    };
    if let Some(batch) = batch.map(usize::from) {
        if world.ledger.records[batch] == Some(Record::Void) {
            if rules.void_binds {
                world.requests[request] = again;
                return;
            }
            world.broken = Some("a void batch was taken");
        }
        world.ledger.records[batch] = Some(Record::Taken);
    }
    let order = order_of(request);
    let ledger = &mut world.ledger;
    let is_routed = ledger.is_open && ledger.number == world.routes[request];
    let (is_taken, surplus, after) = match ledger.holds[order] {
        Hold::Open { .. } => (true, took, Request::Over),
        Hold::Ended => (false, took, Request::Over),
        Hold::None if !is_routed => (false, took, again),
        Hold::None if ledger.available == 0 => (false, 0, Request::Over),
        Hold::None if ledger.is_paused => (false, took, Request::Over),
        Hold::None => {
            ledger.available -= 1;
            ledger.holds[order] = Hold::Open {
                number: ledger.number,
            };
            (true, 0, Request::Over)
        }
    };
    // What the gate of a deal that is over took is nobody's debt.
    if is_routed && rules.surplus_is_owed {
        ledger.owed += surplus;
    }
    if !is_routed {
        world.routes[request] = ledger.number;
    }
    world.requests[request] = after;
    if let Some(batch) = batch.map(usize::from) {
        world.done[batch] = Some(!is_taken);
    }
}

/// The gate hears that a batch is recorded, and forgets what was not taken. A message that is lost is
/// one that stays on its way for ever.
fn done(world: &World, batch: usize, steps: &mut Steps) {
    let Some(not_taken) = world.done[batch] else {
        return;
    };
    steps.push((
        "the gate hears that a batch is recorded",
        change(world, |w| {
            w.done[batch] = None;
            if let Some(gate) = &mut w.gate {
                drop_entry(gate, batch, not_taken);
            }
        }),
    ));
}

fn drop_entry(gate: &mut Gate, batch: usize, with_admission: bool) {
    let Some(entry) = gate.in_flight[batch].take() else {
        return;
    };
    let admission = &mut gate.admitted[usize::from(entry.order)];
    if with_admission && *admission == Some(small(batch)) {
        *admission = None;
    }
}

/// Any replica may take any batch in flight for one of a dead process: it may just be slow.
fn void(world: &World, rules: Rules, batch: usize, steps: &mut Steps) {
    let Some(gate) = &world.gate else {
        return;
    };
    let Some(entry) = gate.in_flight[batch] else {
        return;
    };
    let is_current = world.ledger.is_open && gate.number == world.ledger.number;
    match world.ledger.records[batch] {
        None if is_current => steps.push((
            "a batch is recorded as void",
            change(world, |w| {
                w.ledger.records[batch] = Some(Record::Void);
                if rules.void_owes {
                    w.ledger.owed += entry.units;
                }
            }),
        )),
        None => {}
        Some(record) => steps.push((
            "the gate forgets a stale batch",
            change(world, |w| {
                if let Some(gate) = &mut w.gate {
                    drop_entry(gate, batch, record == Record::Void);
                }
            }),
        )),
    }
}

/// Gates get what they are owed, and missing ones are loaded: read first, written later.
fn tend(world: &World, rules: Rules, steps: &mut Steps) {
    let ledger = &world.ledger;
    if let Some(gate) = &world.gate {
        let is_its_own = !rules.deals_are_numbered || gate.number == ledger.number;
        if is_its_own && gate.owed_seen < ledger.owed {
            steps.push((
                "the gate gets what it is owed",
                change(world, |w| {
                    let owed = w.ledger.owed;
                    if let Some(gate) = &mut w.gate {
                        gate.quantity += owed - gate.owed_seen;
                        gate.owed_seen = owed;
                    }
                }),
            ));
        }
    }
    match world.load {
        None if ledger.is_open && !ledger.is_paused && is_missing(world, rules, ledger.number) => {
            steps.push((
                "a load reads the ledger",
                change(world, |w| {
                    w.load = Some((w.ledger.number, w.ledger.available, w.ledger.owed));
                }),
            ));
        }
        None => {}
        Some((number, available, owed)) => steps.push((
            "a load is written",
            change(world, |w| {
                w.load = None;
                if is_missing(world, rules, number) {
                    w.gate = Some(Gate {
                        number,
                        quantity: available,
                        owed_seen: owed,
                        admitted: [None; crate::world::ORDERS],
                        in_flight: [None; BATCHES],
                    });
                }
            }),
        )),
    }
}

fn is_missing(world: &World, rules: Rules, number: u8) -> bool {
    world
        .gate
        .is_none_or(|gate| rules.deals_are_numbered && gate.number < number)
}

fn faults(world: &World, steps: &mut Steps) {
    if world.budget.wipes > 0 && world.gate.is_some() {
        steps.push((
            "Redis is emptied",
            change(world, |w| {
                w.budget.wipes -= 1;
                w.gate = None;
            }),
        ));
    }
    if world.budget.restores > 0 {
        match world.file {
            None => steps.push(("Redis is saved", change(world, |w| w.file = Some(w.gate)))),
            Some(old) => steps.push((
                "Redis is restored from an old file",
                change(world, |w| {
                    w.budget.restores -= 1;
                    w.gate = old;
                }),
            )),
        }
    }
}

/// Holds are released, the deal ends, and the next one begins with what is on the shelf.
fn deals(world: &World, rules: Rules, steps: &mut Steps) {
    let ledger = &world.ledger;
    if world.budget.releases > 0 {
        for (order, hold) in ledger.holds.iter().enumerate() {
            let Hold::Open { number } = *hold else {
                continue;
            };
            steps.push((
                // Or its sale is taken back: to the gate that is the same.
                "a hold is released",
                change(world, |w| {
                    w.budget.releases -= 1;
                    w.ledger.holds[order] = Hold::Ended;
                    if w.ledger.is_open && w.ledger.number == number {
                        w.ledger.available += 1;
                        w.ledger.owed += 1;
                    } else {
                        w.ledger.shelf += 1;
                    }
                }),
            ));
        }
    }
    if ledger.is_open && world.budget.ends > 0 {
        steps.push((
            "the deal ends",
            change(world, |w| {
                w.budget.ends -= 1;
                w.ledger.is_open = false;
                w.ledger.is_paused = false;
                w.ledger.shelf += w.ledger.available;
                w.ledger.available = 0;
            }),
        ));
    }
    if !ledger.is_open && ledger.shelf > 0 {
        steps.push((
            "the next deal begins",
            change(world, |w| {
                w.ledger.number += 1;
                w.ledger.is_open = true;
                w.ledger.available = w.ledger.shelf;
                w.ledger.shelf = 0;
                w.ledger.owed = 0;
            }),
        ));
    }
    let is_over = |gate: Gate| !ledger.is_open && gate.number == ledger.number;
    if world.gate.is_some_and(is_over) || (!rules.deals_are_numbered && !ledger.is_open) {
        steps.push((
            "the gate of an ended deal is dropped",
            change(world, |w| w.gate = None),
        ));
    }
}

/// Units are added to the deal or written off, it pauses and goes on.
fn selling(world: &World, rules: Rules, steps: &mut Steps) {
    let ledger = &world.ledger;
    if !ledger.is_open {
        return;
    }
    if world.budget.restocks > 0 {
        steps.push((
            "a unit is added",
            change(world, |w| {
                w.budget.restocks -= 1;
                w.ledger.units += 1;
                w.ledger.available += 1;
                w.ledger.owed += u8::from(rules.restock_is_owed);
            }),
        ));
    }
    if world.budget.write_offs > 0 && ledger.available > 0 {
        steps.push((
            "a unit is written off",
            change(world, |w| {
                w.budget.write_offs -= 1;
                w.ledger.units -= 1;
                w.ledger.available -= 1;
            }),
        ));
    }
    if ledger.is_paused {
        steps.push((
            "the deal goes on",
            change(world, |w| w.ledger.is_paused = false),
        ));
    } else if world.budget.pauses > 0 {
        steps.push((
            "the deal is paused",
            change(world, |w| {
                w.budget.pauses -= 1;
                w.ledger.is_paused = true;
            }),
        ));
    }
}

fn small(index: usize) -> u8 {
    u8::try_from(index).expect("the world is small")
}
