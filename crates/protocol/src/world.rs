//! The state of the small world, and what must hold in it.

/// Orders there are.
pub(crate) const ORDERS: usize = 2;
/// Requests there are: order 0 for the first time, order 0 again, order 1 for the first time.
pub(crate) const REQUESTS: usize = 3;
/// Units of stock at first.
pub(crate) const UNITS: u8 = 1;
/// Batch ids: each request may go through the gate this often.
pub(crate) const PASSES: usize = 2;
/// One id per request and pass.
pub(crate) const BATCHES: usize = REQUESTS * PASSES;

/// What may still go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Processes that die between gate and ledger.
    pub crashes: u8,
    /// Replies of the gate that are lost.
    pub lost_replies: u8,
    /// Times that Redis is emptied.
    pub wipes: u8,
    /// Times that Redis is restored from an old file.
    pub restores: u8,
    /// Holds that are released.
    pub releases: u8,
    /// Deals that end, each followed by another.
    pub ends: u8,
    /// Requests that find the gate down and go straight to the ledger.
    pub straight: u8,
    /// Units that are added to the deal.
    pub restocks: u8,
    /// Units that are written off.
    pub write_offs: u8,
    /// Times that the deal is paused.
    pub pauses: u8,
}

/// The rules of the protocol; a search without one of them must fail.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// A voided batch's units are owed.
    pub void_owes: bool,
    /// A batch that was voided is never taken.
    pub void_binds: bool,
    /// What the gate took beyond what the ledger took is owed.
    pub surplus_is_owed: bool,
    /// A no that is not final is looked up in the ledger.
    pub no_is_looked_up: bool,
    /// Scripts are told the deal's number.
    pub deals_are_numbered: bool,
    /// Units that are added are owed.
    pub restock_is_owed: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            void_owes: true,
            void_binds: true,
            surplus_is_owed: true,
            no_is_looked_up: true,
            deals_are_numbered: true,
            restock_is_owed: true,
        }
    }
}

/// A batch on the gate's in-flight list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct InFlight {
    pub(crate) units: u8,
    pub(crate) order: u8,
}

/// The gate, all of which may vanish or go back in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Gate {
    pub(crate) number: u8,
    pub(crate) quantity: u8,
    pub(crate) owed_seen: u8,
    /// The batch that each order's admission carries.
    pub(crate) admitted: [Option<u8>; ORDERS],
    pub(crate) in_flight: [Option<InFlight>; BATCHES],
}

/// How a batch is recorded in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Record {
    Taken,
    Void,
}

/// A hold of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Hold {
    None,
    Open { number: u8 },
    Ended,
}

/// The ledger, which forgets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Ledger {
    /// The deal that was last opened.
    pub(crate) number: u8,
    pub(crate) is_open: bool,
    /// It keeps its units and sells none; nothing unless it is open.
    pub(crate) is_paused: bool,
    pub(crate) available: u8,
    pub(crate) owed: u8,
    pub(crate) shelf: u8,
    /// Units there are in all: what is added counts, what is written off does not.
    pub(crate) units: u8,
    pub(crate) holds: [Hold; ORDERS],
    pub(crate) records: [Option<Record>; BATCHES],
}

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Request {
    /// Before the gate, for the nth time.
    Before { pass: u8 },
    /// Past the gate (or around it: no batch), before the ledger.
    Between {
        pass: u8,
        batch: Option<u8>,
        took: u8,
    },
    /// Answered, or its process is dead.
    Over,
}

/// All of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) ledger: Ledger,
    pub(crate) gate: Option<Gate>,
    /// An old file of Redis.
    pub(crate) file: Option<Option<Gate>>,
    pub(crate) requests: [Request; REQUESTS],
    /// The deal's number as each request knows it.
    pub(crate) routes: [u8; REQUESTS],
    /// What a loader has read and not yet written: number, available, owed.
    pub(crate) load: Option<(u8, u8, u8)>,
    /// Messages that a batch is recorded, each with whether its order was not taken.
    pub(crate) done: [Option<bool>; BATCHES],
    pub(crate) budget: Budget,
    /// A promise that was broken on the way.
    pub(crate) broken: Option<&'static str>,
}

/// The order of a request.
pub(crate) fn order_of(request: usize) -> usize {
    usize::from(request == 2)
}

impl World {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            ledger: Ledger {
                number: 1,
                is_open: true,
                is_paused: false,
                available: UNITS,
                owed: 0,
                shelf: 0,
                units: UNITS,
                holds: [Hold::None; ORDERS],
                records: [None; BATCHES],
            },
            gate: None,
            file: None,
            requests: [Request::Before { pass: 0 }; REQUESTS],
            routes: [1; REQUESTS],
            load: None,
            done: [None; BATCHES],
            budget,
            broken: None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let ledger = &self.ledger;
        let held = ledger
            .holds
            .iter()
            .filter(|hold| matches!(hold, Hold::Open { .. }));
        let somewhere =
            ledger.available + ledger.shelf + u8::try_from(held.count()).expect("few orders");
        if somewhere != ledger.units {
            return Err("a unit was sold twice or lost");
        }
        match &self.gate {
            Some(gate) if ledger.is_open && gate.number == ledger.number => self.check_gate(gate),
            _ => Ok(()),
        }
    }

    fn check_gate(&self, gate: &Gate) -> Result<(), &'static str> {
        let entries = gate.in_flight.iter().zip(&self.ledger.records);
        let on_its_way = entries.filter_map(|(entry, record)| match record {
            None => entry.map(|entry| entry.units),
            Some(_) => None,
        });
        let owed = self.ledger.owed.saturating_sub(gate.owed_seen);
        if gate.quantity + on_its_way.sum::<u8>() + owed < self.ledger.available {
            return Err("the gate is too low");
        }
        Ok(())
    }
}
