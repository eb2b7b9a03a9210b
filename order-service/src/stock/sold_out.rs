//! What product-service said a moment ago is sold out: first attempts at it are refused here, without a call.
//!
//! product-service says for how long it may be believed that nothing at all is left; that is counted from the
//! moment it was asked. Units that pass through this process on their way back end it at once.

use std::time::Duration;

use domain::{DealId, ProductId, error_code::SOLD_OUT_MEMORY_MAX};
use service_kit::remembered::{About, Remembered};
use tokio::time::Instant;

use super::NothingLeft;
use crate::order::RequestedLine;

/// For so long after a release a "nothing is left" is not remembered. The gate hears of the units a moment after
/// the ledger has them, and another replica of product-service may still believe what it heard before.
const SETTLING: Duration = SOLD_OUT_MEMORY_MAX;

/// The memory, shared by all who ask and all who learn.
#[derive(Debug, Default)]
pub(super) struct SoldOut(Remembered<Kind>);

/// What a line asks for, but for the quantity. A line that names its deal may be refused for other reasons than
/// one that does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    product_id: ProductId,
    deal_id: Option<DealId>,
}

impl About for Kind {
    type Subject = ProductId;
    fn subject(&self) -> ProductId {
        self.product_id
    }
}

impl From<&RequestedLine> for Kind {
    fn from(line: &RequestedLine) -> Self {
        Self {
            product_id: line.product_id,
            deal_id: line.deal_id,
        }
    }
}

impl SoldOut {
    /// Whether product-service would say that these lines are sold out: one is, and nothing else may be wrong
    /// with any that it would say instead.
    pub(super) fn refuses(&self, lines: &[RequestedLine], now: Instant) -> bool {
        let is_empty = |line: &RequestedLine| {
            let until = self.0.believed_until(&Kind::from(line), now);
            until.is_some()
        };
        match lines {
            [line] => is_empty(line),
            lines => {
                lines.iter().any(is_empty)
                    && are_different(lines)
                    && lines
                        .iter()
                        .all(|line| line.deal_id.is_none() || is_empty(line))
            }
        }
    }

    /// product-service, asked at `asked_at` for `lines`, said so.
    pub(super) fn note(&self, lines: &[RequestedLine], nothing: NothingLeft, asked_at: Instant) {
        let is_meant = |line: &&RequestedLine| line.product_id == nothing.of;
        let mut lines = lines.iter().filter(is_meant);
        // Lines of one product are one to product-service, of a kind that none of them may be.
        let (Some(line), None) = (lines.next(), lines.next()) else {
            return;
        };
        let until = asked_at + nothing.believed_for.min(SOLD_OUT_MEMORY_MAX);
        self.0
            .note(Kind::from(line), asked_at, until, Instant::now());
    }

    /// Units of the product may have come back until now.
    pub(super) fn forget(&self, product_id: ProductId) {
        self.0.forget(&product_id, Instant::now() + SETTLING);
    }
}

/// Lines of one product are summed by product-service, which may find the sum wrong.
fn are_different(lines: &[RequestedLine]) -> bool {
    let mut rest = lines;
    while let [line, others @ ..] = rest {
        if others
            .iter()
            .any(|other| other.product_id == line.product_id)
        {
            return false;
        }
        rest = others;
    }
    true
}

#[cfg(test)]
mod tests {
    use domain::Quantity;
    use tokio::time::advance;
    use uuid::Uuid;

    use super::*;

    fn product(number: u128) -> ProductId {
        ProductId(Uuid::from_u128(number))
    }

    fn line(number: u128, deal: Option<u128>) -> RequestedLine {
        RequestedLine {
            product_id: product(number),
            deal_id: deal.map(|deal| DealId(Uuid::from_u128(deal))),
            quantity: Quantity::try_from(1).unwrap(),
        }
    }

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn nothing(number: u128, believed_ms: u64) -> NothingLeft {
        NothingLeft {
            of: product(number),
            believed_for: millis(believed_ms),
        }
    }

    /// Product 1 is known to be sold out, as asked for without a deal.
    fn knowing() -> SoldOut {
        let sold_out = SoldOut::default();
        sold_out.note(&[line(1, None)], nothing(1, 40), Instant::now());
        sold_out
    }

    fn refuses(sold_out: &SoldOut, lines: &[RequestedLine]) -> bool {
        sold_out.refuses(lines, Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_believed_as_long_as_product_service_said_from_the_question_on() {
        let sold_out = SoldOut::default();
        let asked_at = Instant::now();
        advance(millis(15)).await;
        sold_out.note(&[line(1, None)], nothing(1, 40), asked_at);
        assert!(refuses(&sold_out, &[line(1, None)]));
        advance(millis(24)).await;
        assert!(refuses(&sold_out, &[line(1, None)]));
        advance(millis(1)).await;
        assert!(!refuses(&sold_out, &[line(1, None)]));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_never_believed_for_longer_than_the_promise() {
        let sold_out = SoldOut::default();
        sold_out.note(&[line(1, None)], nothing(1, 3_600_000), Instant::now());
        advance(SOLD_OUT_MEMORY_MAX).await;
        assert!(!refuses(&sold_out, &[line(1, None)]));
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_very_kind_of_line_is_refused() {
        let sold_out = knowing();
        for other in [line(1, Some(7)), line(2, None)] {
            assert!(!refuses(&sold_out, &[other]), "{other:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn of_several_lines_one_is_enough_unless_another_may_be_wrong() {
        let sold_out = knowing();
        assert!(refuses(&sold_out, &[line(2, None), line(1, None)]));
        assert!(!refuses(&sold_out, &[line(2, None), line(3, None)]));
        // The deal may be of another product, and the sum of the two too large.
        assert!(!refuses(&sold_out, &[line(2, Some(7)), line(1, None)]));
        assert!(!refuses(&sold_out, &[line(1, None), line(1, None)]));
        sold_out.note(&[line(2, Some(7))], nothing(2, 40), Instant::now());
        assert!(refuses(&sold_out, &[line(2, Some(7)), line(1, None)]));
    }

    #[tokio::test(start_paused = true)]
    async fn of_the_lines_that_were_asked_for_only_the_one_that_was_meant_is_remembered() {
        let sold_out = SoldOut::default();
        let asked = [line(1, None), line(2, None), line(3, None), line(3, None)];
        sold_out.note(&asked, nothing(2, 40), Instant::now());
        sold_out.note(&asked, nothing(3, 40), Instant::now());
        sold_out.note(&asked, nothing(4, 40), Instant::now());
        let refused = [1, 2, 3, 4].map(|number| refuses(&sold_out, &[line(number, None)]));
        assert_eq!(refused, [false, true, false, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_release_ends_it_and_nothing_asked_until_all_have_heard_of_it_brings_it_back() {
        let sold_out = knowing();
        sold_out.note(&[line(1, Some(7))], nothing(1, 40), Instant::now());
        for other in 2..6 {
            let asked = [line(other, None)];
            sold_out.note(&asked, nothing(other, 40), Instant::now());
        }
        sold_out.forget(product(1));
        for one in [line(1, None), line(1, Some(7))] {
            assert!(!refuses(&sold_out, &[one]), "{one:?}");
        }
        // One of them may by chance share the place of what is forgotten.
        let others = (2..6).filter(|other| refuses(&sold_out, &[line(*other, None)]));
        assert!(others.count() >= 2);
        sold_out.note(&[line(1, None)], nothing(1, 40), Instant::now());
        assert!(!refuses(&sold_out, &[line(1, None)]));
        advance(SETTLING + millis(1)).await;
        sold_out.note(&[line(1, None)], nothing(1, 40), Instant::now());
        assert!(refuses(&sold_out, &[line(1, None)]));
    }
}
