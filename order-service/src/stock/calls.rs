//! The calls. Each is repeated with the same order id, on another transport, as long as no answer came
//! and its deadline allows; product-service takes, sells and releases once per order id.

use std::time::Duration;

use domain::{OrderId, ProductId, UserId};
use product_api::{
    CheckStockRequest, ConfirmStockRequest, DecreaseStockRequest, HoldEnded, RestoreStockRequest,
};
use service_kit::trace;
use tokio::time::{Instant, sleep_until, timeout_at};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
};

use super::{
    Ending, Held, StockError,
    channels::{Channels, Transport},
    convert,
    sold_out::SoldOut,
    wire::{self, Call},
};
use crate::{
    metrics::StockMetrics,
    order::{Reason, RequestedLine},
};

const TRIES_MAX: u32 = 3;
const BACK_OFF: Duration = Duration::from_millis(20);

/// How holds are asked for.
#[derive(Debug, Clone)]
pub struct StockOptions {
    /// How long stock is held.
    pub hold_ttl: Duration,
    /// `Bearer …`, if product-service wants one.
    pub authorization: Option<MetadataValue<Ascii>>,
}

/// product-service behind its channels.
#[derive(Debug)]
pub struct Stock {
    channels: Channels,
    options: StockOptions,
    sold_out: SoldOut,
    metrics: StockMetrics,
}

/// What to hold.
#[derive(Debug, Clone)]
pub struct Decrease {
    /// Names the hold.
    pub order_id: OrderId,
    /// Who buys.
    pub user_id: UserId,
    /// 1 to 100 lines.
    pub lines: Vec<RequestedLine>,
    /// Whether nobody else can ever have used the order id.
    pub is_fresh_id: bool,
}

/// Stock was not taken, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotHeld {
    /// Why.
    pub error: StockError,
    /// What may be left of the call.
    pub leftover: Leftover,
}

/// A hold that no order will be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftover {
    /// There is none.
    Nothing,
    /// A try went unanswered: it may have taken stock, or take it yet.
    Perhaps,
    /// Stock is held, but not so that an order can be made of it, now or later.
    Useless,
}

impl Stock {
    /// Calls go over `transports` in turn.
    pub fn new(transports: Vec<Transport>, options: StockOptions) -> Self {
        Self {
            channels: Channels::new(transports),
            options,
            sold_out: SoldOut::default(),
            metrics: StockMetrics::new(),
        }
    }

    /// Whether product-service said a moment ago that nothing is left for one of these lines. Only an order that
    /// cannot have been asked for before may be refused because of it: who holds a unit must not hear that.
    pub fn is_sold_out(&self, lines: &[RequestedLine]) -> bool {
        self.sold_out.refuses(lines, Instant::now())
    }

    /// Holds stock for an order.
    ///
    /// # Errors
    /// When it is refused, or no clear answer came before `deadline`.
    pub async fn decrease(&self, ask: Decrease, deadline: Instant) -> Result<Held, NotHeld> {
        let mut message = DecreaseStockRequest {
            order_id: ask.order_id.to_string(),
            user_id: ask.user_id.to_string(),
            items: ask.lines.iter().map(convert::item).collect(),
            hold_ttl: Some(convert::duration(self.options.hold_ttl)),
            first_attempt: ask.is_fresh_id,
        };
        let mut tries = Tries::new(ask.order_id, deadline);
        loop {
            let asked_at = Instant::now();
            let error = match self
                .once("decrease", &message, &tries, wire::decrease)
                .await
            {
                Ok(answer) => match convert::held(ask.order_id, answer) {
                    Ok(held) => return Ok(held),
                    Err(error) => {
                        let leftover = Leftover::Useless;
                        return Err(NotHeld { error, leftover });
                    }
                },
                Err(error) => error,
            };
            if let StockError::Refused(refusal) = &error
                && let Some(nothing) = refusal.nothing_left
            {
                self.sold_out.note(&ask.lines, nothing, asked_at);
            }
            // From now on this id has been used: a plain "sold out" must be looked up.
            message.first_attempt = false;
            if let Err(error) = tries.again_after(error).await {
                let leftover = if tries.any_unclear {
                    Leftover::Perhaps
                } else {
                    Leftover::Nothing
                };
                return Err(NotHeld { error, leftover });
            }
        }
    }

    /// Sells the hold of an order.
    ///
    /// # Errors
    /// When it is refused (`HOLD_ENDED`), or no clear answer came before `deadline`.
    pub async fn confirm(&self, id: OrderId, deadline: Instant) -> Result<Ending, StockError> {
        let order_id = id.to_string();
        let message = ConfirmStockRequest { order_id };
        self.end("confirm", id, message, deadline, wire::confirm)
            .await
    }

    /// Releases the hold of an order, which is of `products`; an unknown id can never take stock from then on.
    ///
    /// # Errors
    /// When no clear answer came before `deadline`.
    pub async fn restore(
        &self,
        id: OrderId,
        products: &[ProductId],
        reason: &Reason,
        deadline: Instant,
    ) -> Result<Ending, StockError> {
        let message = give_back(id, reason, false);
        let ended = self
            .end("restore", id, message, deadline, wire::restore)
            .await;
        self.came_back(products);
        ended
    }

    /// Takes the sale of an order of `products` back; a hold that was not sold is released.
    ///
    /// # Errors
    /// When it is refused (`NOT_FOUND`: the sale was too long ago), or no clear answer came before
    /// `deadline`.
    pub async fn take_back(
        &self,
        id: OrderId,
        products: &[ProductId],
        reason: &Reason,
        deadline: Instant,
    ) -> Result<Ending, StockError> {
        let message = give_back(id, reason, true);
        let ended = self
            .end("take_back", id, message, deadline, wire::restore)
            .await;
        self.came_back(products);
        ended
    }

    /// Units may have come back, also if no answer came.
    fn came_back(&self, products: &[ProductId]) {
        for product_id in products {
            self.sold_out.forget(*product_id);
        }
    }

    /// Whether product-service answers at all; one try, which changes nothing.
    ///
    /// # Errors
    /// When no answer came before `deadline`.
    pub async fn ping(&self, deadline: Instant) -> Result<(), StockError> {
        let tries = Tries {
            done: TRIES_MAX,
            ..Tries::new(OrderId(uuid::Uuid::nil()), deadline)
        };
        let nothing = CheckStockRequest { items: Vec::new() };
        match self.once("check", &nothing, &tries, wire::check).await {
            // To refuse is to answer.
            Ok(_) | Err(StockError::Refused(_) | StockError::Busy { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn end<M: Clone>(
        &self,
        method: &'static str,
        id: OrderId,
        message: M,
        deadline: Instant,
        call: Call<M, HoldEnded>,
    ) -> Result<Ending, StockError> {
        let mut tries = Tries::new(id, deadline);
        loop {
            match self.once(method, &message, &tries, call).await {
                Ok(answer) => return convert::ending(&answer),
                Err(error) => tries.again_after(error).await?,
            }
        }
    }

    /// One try on one transport.
    async fn once<M: Clone, R>(
        &self,
        method: &'static str,
        message: &M,
        tries: &Tries,
        call: Call<M, R>,
    ) -> Result<R, StockError> {
        let begun = Instant::now();
        let Some(picked) = self.channels.pick(begun) else {
            return Err(StockError::Unclear("no address".to_owned()));
        };
        let deadline = tries.next_deadline(begun);
        let request = self.request(message.clone(), deadline - begun);
        let answer = timeout_at(deadline, call(picked.client(), request)).await;
        let result = match answer {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => Err(convert::error(&status)),
            Err(_) => Err(StockError::Unclear("deadline passed".to_owned())),
        };
        if matches!(result, Err(StockError::Unclear(_))) {
            picked.failed(Instant::now());
        }
        let took = begun.elapsed();
        self.metrics.called(method, result.as_ref().err(), took);
        result
    }

    fn request<M>(&self, message: M, timeout: Duration) -> Request<M> {
        let mut request = Request::new(message);
        request.set_timeout(timeout);
        let metadata = request.metadata_mut();
        if let Some(authorization) = &self.options.authorization {
            metadata.insert("authorization", authorization.clone());
        }
        let trace = trace::current().map(|context| context.child().header().parse());
        if let Some(Ok(header)) = trace {
            metadata.insert(trace::HEADER, header);
        }
        request
    }
}

fn give_back(id: OrderId, reason: &Reason, return_sold: bool) -> RestoreStockRequest {
    RestoreStockRequest {
        order_id: id.to_string(),
        reason: reason.to_string(),
        return_sold,
    }
}

/// How often and until when one call is repeated.
struct Tries {
    order_id: OrderId,
    done: u32,
    any_unclear: bool,
    deadline: Instant,
}

impl Tries {
    fn new(order_id: OrderId, deadline: Instant) -> Self {
        Self {
            order_id,
            done: 0,
            any_unclear: false,
            deadline,
        }
    }

    /// Each try may use its share of what is left, so that one that hangs leaves time for another.
    fn next_deadline(&self, now: Instant) -> Instant {
        let left = self.deadline.saturating_duration_since(now);
        now + left / TRIES_MAX.saturating_sub(self.done).max(1)
    }

    /// Waits a little if another try makes sense; else gives the error back.
    async fn again_after(&mut self, error: StockError) -> Result<(), StockError> {
        self.done += 1;
        if !matches!(error, StockError::Unclear(_)) {
            return Err(error);
        }
        self.any_unclear = true;
        let next = Instant::now() + self.back_off();
        if self.done >= TRIES_MAX || next >= self.deadline {
            return Err(error);
        }
        sleep_until(next).await;
        Ok(())
    }

    /// Doubles with every try, and differs by order: the id is as good as random in its last bytes.
    fn back_off(&self) -> Duration {
        let [.., last] = *self.order_id.0.as_bytes();
        let base = BACK_OFF * 2u32.pow(self.done.saturating_sub(1));
        base + base * u32::from(last) / 256
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn tries(last_byte: u128) -> Tries {
        let deadline = Instant::now() + Duration::from_secs(9);
        Tries::new(OrderId(Uuid::from_u128(last_byte)), deadline)
    }

    #[tokio::test(start_paused = true)]
    async fn a_try_that_hangs_leaves_time_for_another() {
        let mut tries = tries(0);
        let begun = Instant::now();
        assert_eq!(tries.next_deadline(begun) - begun, Duration::from_secs(3));
        let unclear = StockError::Unclear(String::new());
        tries.again_after(unclear.clone()).await.unwrap();
        tries.again_after(unclear.clone()).await.unwrap();
        assert_eq!(tries.next_deadline(Instant::now()), tries.deadline);
        assert_eq!(tries.again_after(unclear.clone()).await, Err(unclear));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_not_asked_for_twice() {
        let broken = StockError::Broken(String::new());
        let mut tries = tries(0);
        assert_eq!(tries.again_after(broken.clone()).await, Err(broken));
        assert!(!tries.any_unclear);
    }

    #[tokio::test(start_paused = true)]
    async fn orders_that_failed_together_do_not_come_back_together() {
        assert_ne!(tries(1).back_off(), tries(200).back_off());
        assert!(tries(255).back_off() < BACK_OFF * 2);
    }
}
