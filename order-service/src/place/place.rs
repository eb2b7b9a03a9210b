//! The steps of placing an order. An answer of success leaves only after the commit; a failure says
//! whether the hold may still be there, and only ids that nobody can retry are then released.

use domain::{ErrorCode, IdSource, OrderId, UserId};
use tokio::time::Instant;

use super::{
    inserter::{Inserter, NotInserted},
    releaser::Releaser,
};
use crate::{
    order::{
        Flow, IdempotencyKey, Order, RequestedLine, ShippingAddress,
        fingerprint::{Fingerprint, fingerprint},
        id,
        order::total,
    },
    stock::{Decrease, Held, Leftover, NotHeld, Stock, StockError, convert},
    store::{
        Store, StoreError,
        insert::{Inserted, NewOrder},
    },
};

/// What a buyer asks for.
#[derive(Debug, Clone)]
pub struct Place {
    /// The buyer.
    pub user_id: UserId,
    /// With it, the same request may be sent again and again.
    pub key: Option<IdempotencyKey>,
    /// 1 to 100 lines.
    pub lines: Vec<RequestedLine>,
    /// Where to deliver.
    pub shipping_address: Option<ShippingAddress>,
}

/// An order that is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// Placed by this request.
    New(Order),
    /// Placed by an earlier request with the same key; as it stands now.
    Replayed(Order),
}

/// Why no order was placed, as far as is known.
#[derive(Debug, thiserror::Error)]
pub enum NotPlaced {
    /// The key came with another body before.
    #[error("the key came with another body before")]
    KeyReused,
    /// The stock was not held.
    #[error(transparent)]
    Stock(#[from] StockError),
    /// The order was not stored, or it is not known whether it was.
    #[error(transparent)]
    Insert(#[from] NotInserted),
    /// The database could not be asked for an earlier order.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Places orders.
#[derive(Debug)]
pub struct Placer {
    /// Where orders are.
    pub store: Store,
    /// Who holds the stock.
    pub stock: std::sync::Arc<Stock>,
    /// Puts orders there.
    pub inserter: Inserter,
    /// Gives holds back.
    pub releaser: Releaser,
    /// Mints ids of orders without a key.
    pub ids: IdSource,
}

/// A request under the id it will have.
struct Identified {
    id: OrderId,
    /// `None` without a key: the id is fresh, and nobody can send it again.
    fingerprint: Option<Fingerprint>,
    place: Place,
}

impl Placer {
    /// Whether the order would be refused because nothing is left, as far as was heard a moment ago. Never with a
    /// key: who holds a unit by it already must not hear that.
    pub fn is_sold_out(&self, place: &Place) -> bool {
        place.key.is_none() && self.stock.is_sold_out(&place.lines)
    }

    /// Places an order, or finds the one that was placed before with the same key.
    ///
    /// # Errors
    /// When the shop says no, or no certain success is reached before `deadline`.
    pub async fn place(&self, place: Place, deadline: Instant) -> Result<Placed, NotPlaced> {
        let request = self.identify(place);
        if request.fingerprint.is_some()
            && let Some((order, _)) = self.store.find(request.id).await?
        {
            return request.replay(order);
        }
        let held = match self.hold(&request, deadline).await {
            Ok(held) => held,
            Err(not_held) => return self.without_hold(&request, not_held).await,
        };
        let order = match request.order(held) {
            Ok(order) => order,
            Err(error) => {
                // No order can ever be made of this hold, key or not.
                self.release(&request);
                return Err(error.into());
            }
        };
        match self.inserter.insert(order, deadline).await {
            Ok(Inserted::New(order)) => Ok(Placed::New(order)),
            Ok(Inserted::Existing(order)) => request.replay(order),
            Ok(Inserted::TooLate) => {
                self.release_if_fresh(&request);
                Err(NotInserted::TooLate.into())
            }
            Err(error) => {
                // Released only if it is certain that there is no order, nor will be.
                if !matches!(error, NotInserted::Unknown) {
                    self.release_if_fresh(&request);
                }
                Err(error.into())
            }
        }
    }

    fn identify(&self, place: Place) -> Identified {
        let (id, fingerprint) = match &place.key {
            None => (OrderId(self.ids.next()), None),
            Some(key) => {
                let address = place.shipping_address.as_ref();
                let fingerprint = fingerprint(&place.lines, address);
                (id::keyed(place.user_id, key), Some(fingerprint))
            }
        };
        Identified {
            id,
            fingerprint,
            place,
        }
    }

    async fn hold(&self, request: &Identified, deadline: Instant) -> Result<Held, NotHeld> {
        let ask = Decrease {
            order_id: request.id,
            user_id: request.place.user_id,
            lines: request.place.lines.clone(),
            is_fresh_id: request.is_fresh(),
        };
        self.stock.decrease(ask, deadline).await
    }

    async fn without_hold(
        &self,
        request: &Identified,
        not_held: NotHeld,
    ) -> Result<Placed, NotPlaced> {
        match not_held.leftover {
            Leftover::Nothing => {}
            Leftover::Perhaps => self.release_if_fresh(request),
            Leftover::Useless => self.release(request),
        }
        match not_held.error {
            StockError::Refused(refusal) if !request.is_fresh() => match refusal.code {
                ErrorCode::OrderIdReused => Err(NotPlaced::KeyReused),
                // A request with the same key may have placed the order since it was looked for, and
                // the order may have ended since.
                ErrorCode::HoldEnded => match self.store.find(request.id).await? {
                    Some((order, _)) => request.replay(order),
                    None => Err(StockError::Refused(refusal).into()),
                },
                _ => Err(StockError::Refused(refusal).into()),
            },
            error => Err(error.into()),
        }
    }

    fn release_if_fresh(&self, request: &Identified) {
        if request.is_fresh() {
            self.release(request);
        }
    }

    fn release(&self, request: &Identified) {
        let products = request.place.lines.iter().map(|line| line.product_id);
        self.releaser.release(request.id, products);
    }
}

impl Identified {
    fn is_fresh(&self) -> bool {
        self.fingerprint.is_none()
    }

    /// The answer when an order with this id is there already.
    fn replay(&self, order: Order) -> Result<Placed, NotPlaced> {
        match self.fingerprint {
            // Only this very request can have stored it: an insert that seemed lost was not.
            None => Ok(Placed::New(order)),
            Some(_) if order.user_id != self.place.user_id => Err(NotPlaced::KeyReused),
            fingerprint if order.fingerprint != fingerprint => Err(NotPlaced::KeyReused),
            Some(_) => Ok(Placed::Replayed(order)),
        }
    }

    fn order(&self, held: Held) -> Result<NewOrder, StockError> {
        let total = total(&held.lines).map_err(|_| convert::amount_too_large())?;
        Ok(NewOrder {
            id: self.id,
            user_id: self.place.user_id,
            flow: Flow::Hold,
            lines: held.lines,
            total,
            shipping_address: self.place.shipping_address.clone(),
            fingerprint: self.fingerprint,
            expires_at: held.expires_at,
            events: Vec::new(),
        })
    }
}
