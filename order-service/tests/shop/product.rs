//! A double of product-service: its wire over holds in a mutex, and faults on demand.

use std::{
    collections::{HashMap, VecDeque},
    future::pending,
    sync::{Arc, Mutex, MutexGuard},
};

use domain::{Clock as _, SystemClock};
use product_api::{
    CheckStockRequest, CheckStockResponse, ConfirmStockRequest, Deal, DecreaseStockRequest,
    DecreaseStockResponse, GetDealRequest, GetProductRequest, HeldItem, HoldEnded,
    Product as WireProduct, RestoreStockRequest, WatchDealRequest, hold_ended::Outcome,
    product_service_server::ProductService,
};
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};
use uuid::Uuid;

/// What goes wrong with the next call of a method.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It is done, but the answer is lost.
    LoseAnswer,
    /// It is not done, and no answer comes.
    LoseRequest,
    /// It is refused with this status.
    Refuse(Status),
    /// It hangs until the caller gives up.
    Hang,
    /// It is done, and then hangs until the caller gives up.
    HangAfter,
    /// Whoever calls it panics: in one process the call is a function's.
    Panic,
}

/// A call as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: &'static str,
    pub(crate) order_id: String,
    pub(crate) first_attempt: bool,
    pub(crate) authorization: Option<String>,
    pub(crate) traceparent: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum HoldState {
    Open,
    Sold,
    Released(String),
    Returned(String),
}

struct Hold {
    lines: Vec<(String, i64)>,
    expires_at_us: i64,
    state: HoldState,
}

struct Shelf {
    name: String,
    price: i64,
    left: i64,
}

#[derive(Default)]
struct Inner {
    shelves: HashMap<String, Shelf>,
    holds: HashMap<String, Hold>,
    faults: HashMap<&'static str, VecDeque<Fault>>,
    seen: Vec<Seen>,
    ttl: Option<i64>,
    sold_out_ms: Option<u64>,
}

/// The double; clones share everything.
#[derive(Clone, Default)]
pub(crate) struct Product(Arc<Mutex<Inner>>);

impl Product {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// A product to sell.
    pub(crate) fn add(&self, name: &str, price: i64, stock: i64) -> Uuid {
        let mut inner = self.lock();
        let id = Uuid::from_u128(
            0xa000_0000_0000_8000_8000_0000_0000_0000 + inner.shelves.len() as u128,
        );
        let shelf = Shelf {
            name: name.to_owned(),
            price,
            left: stock,
        };
        inner.shelves.insert(id.to_string(), shelf);
        id
    }

    /// The next call of `method` (`decrease`, `confirm`, `restore`, `take_back`) goes wrong; later ones
    /// queue up.
    pub(crate) fn fail(&self, method: &'static str, fault: Fault) {
        self.lock()
            .faults
            .entry(method)
            .or_default()
            .push_back(fault);
    }

    /// No fault is left.
    pub(crate) fn heal(&self) {
        self.lock().faults.clear();
    }

    /// Holds last so many microseconds from now on, negative ones too.
    pub(crate) fn set_ttl(&self, micros: i64) {
        self.lock().ttl = Some(micros);
    }

    /// From now on it says for how many milliseconds it may be believed that nothing is left.
    pub(crate) fn set_sold_out_ms(&self, millis: u64) {
        self.lock().sold_out_ms = Some(millis);
    }

    /// Adds units behind order-service's back.
    pub(crate) fn restock(&self, product: Uuid, units: i64) {
        let mut inner = self.lock();
        inner.shelves.get_mut(&product.to_string()).unwrap().left += units;
    }

    /// Units left.
    pub(crate) fn left(&self, product: Uuid) -> i64 {
        self.lock().shelves[&product.to_string()].left
    }

    /// `open`, `sold`, `returned`, the reason it was released for, or `none`.
    pub(crate) fn hold(&self, order_id: &str) -> String {
        match self.lock().holds.get(order_id).map(|hold| &hold.state) {
            None => "none".to_owned(),
            Some(HoldState::Open) => "open".to_owned(),
            Some(HoldState::Sold) => "sold".to_owned(),
            Some(HoldState::Released(reason)) => reason.clone(),
            Some(HoldState::Returned(_)) => "returned".to_owned(),
        }
    }

    /// Calls of `method` so far.
    pub(crate) fn seen(&self, method: &str) -> Vec<Seen> {
        let seen = &self.lock().seen;
        seen.iter()
            .filter(|seen| seen.method == method)
            .cloned()
            .collect()
    }

    /// Forgets a hold, as a ledger does that was restored from before it.
    pub(crate) fn forget(&self, order_id: &str) {
        self.lock().holds.remove(order_id);
    }

    /// Ends a hold behind order-service's back.
    pub(crate) fn end(&self, order_id: &str, reason: Option<&str>) {
        let mut inner = self.lock();
        let hold = inner.holds.get_mut(order_id).unwrap();
        hold.state = match reason {
            None => HoldState::Sold,
            Some(reason) => HoldState::Released(reason.to_owned()),
        };
    }

    async fn answer<M, R>(
        &self,
        method: &'static str,
        order_id: String,
        first_attempt: bool,
        request: Request<M>,
        act: impl FnOnce(&mut Inner, M) -> Result<R, Status>,
    ) -> Result<Response<R>, Status> {
        let text = |name| {
            let value = request.metadata().get(name);
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        let seen = Seen {
            method,
            order_id,
            first_attempt,
            authorization: text("authorization"),
            traceparent: text("traceparent"),
        };
        let fault = {
            let mut inner = self.lock();
            inner.seen.push(seen);
            inner.faults.get_mut(method).and_then(VecDeque::pop_front)
        };
        let message = request.into_inner();
        match fault {
            None => act(&mut self.lock(), message).map(Response::new),
            Some(Fault::LoseAnswer) => {
                let _ = act(&mut self.lock(), message);
                Err(Status::unavailable("the answer is lost"))
            }
            Some(Fault::LoseRequest) => Err(Status::unavailable("the request is lost")),
            Some(Fault::Refuse(status)) => Err(status),
            Some(Fault::Hang) => pending().await,
            Some(Fault::HangAfter) => {
                let _ = act(&mut self.lock(), message);
                pending().await
            }
            Some(Fault::Panic) => panic!("on purpose"),
        }
    }
}

/// A refusal as product-service words it.
pub(crate) fn refusal(code: Code, reason: &str) -> Status {
    let details = ErrorDetails::with_error_info(reason, "hotdeal", HashMap::new());
    Status::with_error_details(code, reason, details)
}

/// Bad input as product-service words it.
pub(crate) fn bad_field(reason: &str, field: &str) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, "hotdeal", HashMap::new());
    details.add_bad_request_violation(field, "is wrong");
    Status::with_error_details(Code::InvalidArgument, reason, details)
}

fn now_us() -> i64 {
    SystemClock.now().as_micros()
}

fn timestamp(micros: i64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000)).unwrap() * 1_000,
    }
}

impl Inner {
    fn decrease(&mut self, ask: DecreaseStockRequest) -> Result<DecreaseStockResponse, Status> {
        let mut lines: Vec<(String, i64)> = Vec::new();
        for (index, item) in ask.items.iter().enumerate() {
            if !self.shelves.contains_key(&item.product_id) {
                let field = format!("items[{index}].product_id");
                return Err(bad_field("PRODUCT_NOT_FOUND", &field));
            }
            match lines.iter_mut().find(|(id, _)| *id == item.product_id) {
                Some((_, quantity)) => *quantity += item.quantity,
                None => lines.push((item.product_id.clone(), item.quantity)),
            }
        }
        lines.sort();
        if let Some(hold) = self.holds.get(&ask.order_id) {
            if matches!(hold.state, HoldState::Released(_) | HoldState::Returned(_)) {
                return Err(refusal(Code::FailedPrecondition, "HOLD_ENDED"));
            }
            if hold.lines != lines {
                return Err(refusal(Code::AlreadyExists, "ORDER_ID_REUSED"));
            }
            return Ok(self.held(&lines, hold.expires_at_us, true));
        }
        let lacking = |(id, quantity): &&(String, i64)| self.shelves[id].left < *quantity;
        if let Some((id, _)) = lines.iter().find(lacking) {
            return Err(self.out_of_stock(id));
        }
        for (id, quantity) in &lines {
            self.shelves.get_mut(id).unwrap().left -= quantity;
        }
        let asked = ask.hold_ttl.map_or(0, |ttl| ttl.seconds * 1_000_000);
        let expires_at_us = now_us() + self.ttl.unwrap_or(asked);
        let hold = Hold {
            lines: lines.clone(),
            expires_at_us,
            state: HoldState::Open,
        };
        self.holds.insert(ask.order_id, hold);
        Ok(self.held(&lines, expires_at_us, false))
    }

    fn out_of_stock(&self, id: &str) -> Status {
        let mut about = HashMap::from([("product_id".to_owned(), id.to_owned())]);
        if let (0, Some(millis)) = (self.shelves[id].left, self.sold_out_ms) {
            about.insert("sold_out_ms".to_owned(), millis.to_string());
        }
        let details = ErrorDetails::with_error_info("OUT_OF_STOCK", "hotdeal", about);
        Status::with_error_details(Code::FailedPrecondition, "OUT_OF_STOCK", details)
    }

    fn held(
        &self,
        lines: &[(String, i64)],
        expires_at_us: i64,
        replayed: bool,
    ) -> DecreaseStockResponse {
        let item = |(id, quantity): &(String, i64)| HeldItem {
            product_id: id.clone(),
            product_name: self.shelves[id].name.clone(),
            quantity: *quantity,
            unit_price: self.shelves[id].price,
            deal_id: None,
            remaining: (!replayed).then(|| self.shelves[id].left),
        };
        DecreaseStockResponse {
            items: lines.iter().map(item).collect(),
            expires_at: Some(timestamp(expires_at_us)),
            replayed,
        }
    }

    fn confirm(&mut self, order_id: &str) -> Result<HoldEnded, Status> {
        let ended = || refusal(Code::FailedPrecondition, "HOLD_ENDED");
        let Some(hold) = self.holds.get_mut(order_id) else {
            return Err(refusal(Code::NotFound, "NOT_FOUND"));
        };
        match hold.state {
            HoldState::Open if now_us() >= hold.expires_at_us => return Err(ended()),
            HoldState::Released(_) | HoldState::Returned(_) => return Err(ended()),
            HoldState::Open | HoldState::Sold => hold.state = HoldState::Sold,
        }
        Ok(self.ending(order_id))
    }

    fn restore(&mut self, order_id: &str, reason: &str) -> HoldEnded {
        let tombstone = Hold {
            lines: Vec::new(),
            expires_at_us: 0,
            state: HoldState::Open,
        };
        let hold = self.holds.entry(order_id.to_owned()).or_insert(tombstone);
        if hold.state == HoldState::Open {
            hold.state = HoldState::Released(reason.to_owned());
            self.free(order_id);
        }
        self.ending(order_id)
    }

    fn take_back(&mut self, order_id: &str, reason: &str) -> Result<HoldEnded, Status> {
        match self.holds.get_mut(order_id).map(|hold| &mut hold.state) {
            None => return Err(refusal(Code::NotFound, "NOT_FOUND")),
            Some(state @ HoldState::Sold) => *state = HoldState::Returned(reason.to_owned()),
            Some(_) => return Ok(self.restore(order_id, reason)),
        }
        self.free(order_id);
        Ok(self.ending(order_id))
    }

    fn free(&mut self, order_id: &str) {
        for (id, quantity) in &self.holds[order_id].lines {
            self.shelves.get_mut(id).unwrap().left += quantity;
        }
    }

    fn ending(&self, order_id: &str) -> HoldEnded {
        let (outcome, reason) = match &self.holds[order_id].state {
            HoldState::Sold => (Outcome::Sold, String::new()),
            HoldState::Released(reason) => (Outcome::Released, reason.clone()),
            HoldState::Returned(reason) => (Outcome::Returned, reason.clone()),
            HoldState::Open => panic!("a hold that is open has not ended"),
        };
        HoldEnded {
            outcome: outcome.into(),
            reason,
            ended_at: Some(timestamp(now_us())),
        }
    }
}

#[tonic::async_trait]
impl ProductService for Product {
    async fn decrease_stock(
        &self,
        request: Request<DecreaseStockRequest>,
    ) -> Result<Response<DecreaseStockResponse>, Status> {
        let (id, first) = (
            request.get_ref().order_id.clone(),
            request.get_ref().first_attempt,
        );
        self.answer("decrease", id, first, request, Inner::decrease)
            .await
    }

    async fn confirm_stock(
        &self,
        request: Request<ConfirmStockRequest>,
    ) -> Result<Response<HoldEnded>, Status> {
        let id = request.get_ref().order_id.clone();
        self.answer("confirm", id, false, request, |inner, ask| {
            inner.confirm(&ask.order_id)
        })
        .await
    }

    async fn restore_stock(
        &self,
        request: Request<RestoreStockRequest>,
    ) -> Result<Response<HoldEnded>, Status> {
        let id = request.get_ref().order_id.clone();
        if request.get_ref().return_sold {
            let act = |inner: &mut Inner, ask: RestoreStockRequest| {
                inner.take_back(&ask.order_id, &ask.reason)
            };
            return self.answer("take_back", id, false, request, act).await;
        }
        self.answer("restore", id, false, request, |inner, ask| {
            Ok(inner.restore(&ask.order_id, &ask.reason))
        })
        .await
    }

    async fn check_stock(
        &self,
        _: Request<CheckStockRequest>,
    ) -> Result<Response<CheckStockResponse>, Status> {
        Ok(Response::new(CheckStockResponse::default()))
    }

    async fn get_product(
        &self,
        _: Request<GetProductRequest>,
    ) -> Result<Response<WireProduct>, Status> {
        Err(Status::unimplemented("order-service asks nothing twice"))
    }

    async fn get_deal(&self, _: Request<GetDealRequest>) -> Result<Response<Deal>, Status> {
        Err(Status::unimplemented("order-service asks nothing twice"))
    }

    type WatchDealStream = futures::stream::Empty<Result<Deal, Status>>;

    async fn watch_deal(
        &self,
        _: Request<WatchDealRequest>,
    ) -> Result<Response<Self::WatchDealStream>, Status> {
        Err(Status::unimplemented("order-service watches nothing"))
    }
}
