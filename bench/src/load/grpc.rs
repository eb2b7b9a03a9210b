//! `DecreaseStock` over gRPC, as order-service calls it.

use std::{cell::Cell, rc::Rc, time::Duration};

use domain::IdSource;
use product_api::{DecreaseStockRequest, StockItem, product_service_client::ProductServiceClient};
use tonic::{
    Code, Request,
    transport::{Channel, Endpoint},
};

use super::{Answer, Caller};

/// What a caller lets each of its calls take: it goes with the call, as order-service sends it.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long stock is held: longer than any measurement, so that nothing expires meanwhile.
const HOLD_TTL_S: i64 = 3_600;

/// Which product the next call asks for, shared by all callers of a load.
#[derive(Debug)]
pub struct Products {
    ids: Vec<String>,
    calls_each: u64,
    next: Cell<u64>,
}

impl Products {
    /// One product for all calls.
    pub fn one(id: String) -> Rc<Self> {
        Self::in_turn(vec![id], u64::MAX)
    }

    /// `calls_each` calls for the first, then as many for the next, and so on; the last one gets the rest.
    pub fn in_turn(ids: Vec<String>, calls_each: u64) -> Rc<Self> {
        Rc::new(Self {
            ids,
            calls_each,
            next: Cell::new(0),
        })
    }

    /// Whether more calls were made than there were products for.
    pub fn ran_out(&self) -> bool {
        let turns = self.next.get().div_ceil(self.calls_each);
        turns > self.ids.len() as u64
    }

    fn take(&self) -> &str {
        let number = self.next.get();
        self.next.set(number + 1);
        let turn = usize::try_from(number / self.calls_each).unwrap_or(usize::MAX);
        &self.ids[turn.min(self.ids.len() - 1)]
    }
}

/// One caller of `DecreaseStock`: each call has an order id and a buyer of its own, and asks for one unit.
#[derive(Debug)]
pub struct Decrease {
    client: ProductServiceClient<Channel>,
    products: Rc<Products>,
    ids: IdSource,
}

impl Decrease {
    /// `callers` callers that share `channels` connections to `url`.
    ///
    /// # Errors
    /// When a connection cannot be made.
    pub async fn callers(
        url: &str,
        channels: usize,
        callers: usize,
        products: &Rc<Products>,
        ids: &IdSource,
    ) -> crate::Result<Vec<Self>> {
        let endpoint = Endpoint::from_shared(url.to_owned())?;
        let mut clients = Vec::with_capacity(channels);
        for _ in 0..channels {
            clients.push(ProductServiceClient::new(endpoint.connect().await?));
        }
        let caller = |client: &ProductServiceClient<Channel>| Self {
            client: client.clone(),
            products: Rc::clone(products),
            ids: ids.clone(),
        };
        Ok(clients.iter().cycle().take(callers).map(caller).collect())
    }
}

impl Caller for Decrease {
    async fn call(&mut self) -> Answer {
        let mut request = Request::new(DecreaseStockRequest {
            order_id: self.ids.next().to_string(),
            user_id: self.ids.next().to_string(),
            items: vec![StockItem {
                product_id: self.products.take().to_owned(),
                quantity: 1,
                deal_id: None,
            }],
            hold_ttl: Some(prost_types::Duration {
                seconds: HOLD_TTL_S,
                nanos: 0,
            }),
            first_attempt: true,
        });
        request.set_timeout(TIMEOUT);
        match self.client.decrease_stock(request).await {
            Ok(_) => Answer::Won,
            Err(status) if status.code() == Code::FailedPrecondition => Answer::Lost,
            Err(status) => Answer::Failed(format!("{:?}", status.code())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_take_turns_and_running_out_of_them_is_noticed() {
        let products = Products::in_turn(vec!["a".to_owned(), "b".to_owned()], 2);
        let asked: Vec<&str> = (0..4).map(|_| products.take()).collect();
        assert_eq!(asked, ["a", "a", "b", "b"]);
        assert!(!products.ran_out());
        assert_eq!(products.take(), "b");
        assert!(products.ran_out());
    }
}
