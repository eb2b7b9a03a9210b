//! Admission: one script call for all requests that wait for one product.

use domain::{BatchId, OrderId, ProductId, UserId};

use super::{
    Gate, GateError,
    reply::{Code, Reply},
    scripts::ADMIT,
};

/// A request for units of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// The order that wants them; admitted once, it passes from then on.
    pub order_id: OrderId,
    /// Who buys.
    pub user_id: UserId,
    /// 1 to 2³¹ − 1.
    pub units: i64,
    /// The ledger has been asked: the gate's count of the buyer's units does not matter.
    pub ignore_limit: bool,
}

/// What became of a batch of requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// The gate decided.
    Open {
        /// Units left afterwards.
        quantity: i64,
        /// One for each request, in their order.
        verdicts: Vec<Verdict>,
    },
    /// There is no gate of this deal yet: nothing was done.
    Missing,
    /// The product has a later deal than the caller knows: nothing was done.
    StaleCaller,
}

/// What the gate says to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The units are taken now.
    Admitted,
    /// The order was admitted before: nothing was taken, its admission now carries this batch's id.
    Passed,
    /// Some units are left, but fewer than asked for.
    TooFew,
    /// No unit is left.
    SoldOut,
    /// The buyer would have more than the deal's limit, as far as the gate knows.
    Limited,
}

impl TryFrom<i64> for Verdict {
    type Error = GateError;
    fn try_from(number: i64) -> Result<Self, GateError> {
        match Code::try_from(number)? {
            Code::Admitted => Ok(Self::Admitted),
            Code::Passed => Ok(Self::Passed),
            Code::TooFew => Ok(Self::TooFew),
            Code::SoldOut => Ok(Self::SoldOut),
            Code::Limited => Ok(Self::Limited),
            other => Err(GateError::Protocol(format!("verdict {other:?}"))),
        }
    }
}

impl Gate {
    /// Takes `requests` in their order, as far as the product's units and the buyers' limits go. A
    /// batch id is for one call of one product.
    ///
    /// # Errors
    /// After [`GateError::Unclear`], and when the future was dropped, the batch may be in flight: the
    /// requests need a new batch id, and this one is left to be voided.
    pub async fn admit(
        &self,
        product: ProductId,
        deal_number: i64,
        batch: BatchId,
        requests: &[Admission],
    ) -> Result<Admitted, GateError> {
        const BYTES_OF_A_REQUEST: usize = 64;
        let asked = asked(requests)?;
        if !self.is_up() {
            return Err(GateError::Down);
        }
        let mut call = ADMIT.call(
            product,
            5 + 2 * requests.len(),
            64 + BYTES_OF_A_REQUEST * requests.len(),
        );
        let told = self.0.done.take(product);
        call.arg(deal_number)
            .arg(batch.0.as_bytes())
            .arg(told.batches)
            .arg(told.not_taken)
            .arg(asked);
        for request in requests {
            call.arg(request.order_id.0.as_bytes());
        }
        let mut admission = Vec::with_capacity(BYTES_OF_A_REQUEST);
        for request in requests {
            admission.clear();
            admission.extend_from_slice(batch.0.as_bytes());
            admission.extend_from_slice(request.user_id.0.as_bytes());
            admission.extend_from_slice(request.units.to_string().as_bytes());
            call.arg(admission.as_slice());
        }
        let reply = self.run_hot(&ADMIT, &call).await?;
        self.noted(decode(&reply, requests.len()))
    }
}

/// The units of every request as a MessagePack array of 32-bit integers, negative where the limit
/// does not matter.
fn asked(requests: &[Admission]) -> Result<Vec<u8>, GateError> {
    const ARRAY_32: u8 = 0xdd;
    const INT_32: u8 = 0xd2;
    let too_large = |what: &str| GateError::Protocol(format!("{what} beyond what the gate holds"));
    let len = u32::try_from(requests.len()).map_err(|_| too_large("a batch"))?;
    let mut packed = Vec::with_capacity(5 + 5 * requests.len());
    packed.push(ARRAY_32);
    packed.extend_from_slice(&len.to_be_bytes());
    for request in requests {
        let units = match i32::try_from(request.units) {
            Ok(units) if units > 0 => units,
            _ => return Err(too_large("units")),
        };
        let signed = if request.ignore_limit { -units } else { units };
        packed.push(INT_32);
        packed.extend_from_slice(&signed.to_be_bytes());
    }
    Ok(packed)
}

fn decode(reply: &Reply, requests_len: usize) -> Result<Admitted, GateError> {
    match (reply.status, reply.figures.as_slice()) {
        (Code::Open, [quantity, verdicts @ ..]) if verdicts.len() == requests_len => {
            let verdicts = verdicts.iter().map(|&code| Verdict::try_from(code));
            Ok(Admitted::Open {
                quantity: *quantity,
                verdicts: verdicts.collect::<Result<_, _>>()?,
            })
        }
        (Code::Missing, []) => Ok(Admitted::Missing),
        (Code::StaleCaller, []) => Ok(Admitted::StaleCaller),
        _ => Err(reply.unexpected()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: Code, figures: &[i64]) -> Reply {
        Reply {
            status,
            figures: figures.to_vec(),
        }
    }

    #[test]
    fn a_verdict_too_few_or_of_another_kind_is_an_error() {
        assert_eq!(
            decode(&reply(Code::Open, &[3, 10, 14]), 2).unwrap(),
            Admitted::Open {
                quantity: 3,
                verdicts: vec![Verdict::Admitted, Verdict::Limited]
            }
        );
        for (status, figures) in [
            (Code::Open, &[3, 10][..]),
            (Code::Open, &[]),
            (Code::Open, &[3, 10, 1]),
            (Code::Open, &[3, 10, 99]),
            (Code::Loaded, &[]),
            (Code::Missing, &[1]),
        ] {
            assert!(decode(&reply(status, figures), 2).is_err(), "{figures:?}");
        }
    }

    #[test]
    fn units_that_the_script_cannot_count_are_refused() {
        let request = |units| Admission {
            order_id: OrderId(uuid::Uuid::nil()),
            user_id: UserId(uuid::Uuid::nil()),
            units,
            ignore_limit: true,
        };
        for units in [0, -1, i64::MIN, 1 << 31, i64::MAX] {
            assert!(asked(&[request(units)]).is_err(), "{units}");
        }
        let packed = asked(&[request(1)]).unwrap();
        assert_eq!(packed, [0xdd, 0, 0, 0, 1, 0xd2, 255, 255, 255, 255]);
    }
}
