//! What a batch asks the gates, one question per deal, and what their answers mean for each request.

use std::collections::{BTreeMap, HashSet};

use domain::{OrderId, ProductId};
use service_kit::batcher::Call;

use crate::{
    gate::{Admission, Verdict},
    ledger::command::{Outcome, Place, Take},
};

/// A request that wants to pass the gate.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) take: Take,
    /// Per line, the number of the running deal; `None` for a line without a gate.
    pub(super) numbers: Vec<Option<i64>>,
    /// A no for lack of stock is final.
    pub(super) is_first_attempt: bool,
    /// The ledger has counted the buyer's units.
    pub(super) ignore_limit: bool,
}

pub(super) type GateCall = Call<Candidate, Outcome>;

/// All lines of a batch that want units of one deal.
pub(super) struct Ask {
    pub(super) product_id: ProductId,
    pub(super) number: i64,
    /// Index of the call, index of the line in it.
    pub(super) lines: Vec<(usize, usize)>,
    pub(super) admissions: Vec<Admission>,
}

/// What the gate of one deal says to its lines.
pub(super) enum Answer {
    Verdicts(Vec<Verdict>),
    /// The gate does not answer, so the ledger decides alone. Should the gate have admitted the batch
    /// after all, it is left in flight, to be voided.
    Absent,
    /// The deal is another by now.
    Rerouted,
}

/// What the gates together say to one request.
pub(super) enum Judgement {
    Through,
    Rerouted,
    No { line: usize, verdict: Verdict },
}

/// Groups the hot lines of a batch by deal.
pub(super) fn asks(calls: &[GateCall]) -> Vec<Ask> {
    let mut by_deal: BTreeMap<(ProductId, i64), Ask> = BTreeMap::new();
    for (call_at, call) in calls.iter().enumerate() {
        let candidate = &call.request;
        let lines = candidate.take.lines.iter().zip(&candidate.numbers);
        for (line_at, (line, number)) in lines.enumerate() {
            let Some(number) = *number else {
                continue;
            };
            let ask = by_deal
                .entry((line.product_id, number))
                .or_insert_with(|| Ask {
                    product_id: line.product_id,
                    number,
                    lines: Vec::new(),
                    admissions: Vec::new(),
                });
            ask.lines.push((call_at, line_at));
            ask.admissions.push(Admission {
                order_id: candidate.take.order_id,
                user_id: candidate.take.user_id,
                units: line.quantity.units(),
                ignore_limit: candidate.ignore_limit,
            });
        }
    }
    by_deal.into_values().collect()
}

impl Ask {
    pub(super) fn place(&self) -> Place {
        Place {
            product_id: self.product_id,
            deal_number: Some(self.number),
        }
    }

    /// Notes the gate's answer at each line, and the orders that it `let_in`. Answers whether the gate
    /// keeps the batch in flight.
    pub(super) fn judge(
        &self,
        answer: &Answer,
        calls: &mut [GateCall],
        judgements: &mut [Judgement],
        let_in: &mut HashSet<OrderId>,
    ) -> bool {
        let verdicts = match answer {
            Answer::Absent => return false,
            Answer::Rerouted => {
                for (call, _) in &self.lines {
                    judgements[*call] = Judgement::Rerouted;
                }
                return false;
            }
            Answer::Verdicts(verdicts) => verdicts,
        };
        let mut is_in_flight = false;
        for ((call, line), verdict) in self.lines.iter().zip(verdicts) {
            if matches!(verdict, Verdict::Admitted | Verdict::Passed) {
                let_in.insert(calls[*call].request.take.order_id);
            }
            match verdict {
                Verdict::Admitted => {
                    let line = &mut calls[*call].request.take.lines[*line];
                    line.gate_units = line.quantity.units();
                    is_in_flight = true;
                }
                Verdict::Passed => is_in_flight = true,
                Verdict::TooFew | Verdict::SoldOut | Verdict::Limited => {
                    if matches!(judgements[*call], Judgement::Through) {
                        judgements[*call] = Judgement::No {
                            line: *line,
                            verdict: *verdict,
                        };
                    }
                }
            }
        }
        is_in_flight
    }
}
