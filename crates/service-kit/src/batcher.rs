//! Group commit: what waits together is done together.
//!
//! Callers push items into a bounded queue; one worker takes what waits, round-robin over the items'
//! keys, and hands it to the batch function. The first arrival leads: an item that finds the worker
//! idle starts at once and alone, and nobody ever waits for a batch to fill.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::metrics::QueueMetrics;

/// Bounds of one queue. Weights are counted in requests.
#[derive(Debug, Clone, Copy)]
pub struct BatcherOptions {
    /// Label of the queue's metrics.
    pub name: &'static str,
    /// A batch is closed at this weight; an item that is heavier goes alone. At least 1.
    pub batch_weight_max: usize,
    /// What may wait in all; more is refused.
    pub queue_weight_max: usize,
    /// What may wait under one key; more is refused, so that one key cannot fill the queue.
    pub key_weight_max: usize,
    /// Batches that may be under way at once. At least 1.
    pub concurrency: usize,
}

/// The item comes back when it was not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum PushError<T> {
    /// The queue, or the key's share of it, is full.
    Full(T),
    /// The worker is shutting down.
    Closed(T),
}

struct Entry<T> {
    weight: usize,
    queued_at: Instant,
    item: T,
}

struct Lane<T> {
    entries: VecDeque<Entry<T>>,
    weight: usize,
}

/// Lanes take turns in `turns`, which holds every key whose lane is not empty exactly once.
struct Queue<K, T> {
    lanes: HashMap<K, Lane<T>>,
    turns: VecDeque<K>,
    weight: usize,
    closed: bool,
}

struct Shared<K, T> {
    options: BatcherOptions,
    metrics: QueueMetrics,
    queue: Mutex<Queue<K, T>>,
    arrival: Notify,
}

impl<K, T> Shared<K, T> {
    fn lock(&self) -> MutexGuard<'_, Queue<K, T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The callers' side of a queue; cheap to clone.
pub struct Batcher<K, T>(Arc<Shared<K, T>>);

impl<K, T> Clone for Batcher<K, T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, T> std::fmt::Debug for Batcher<K, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batcher")
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}

impl<K: Eq + Hash + Clone, T> Batcher<K, T> {
    /// A queue and the worker that empties it.
    pub fn new(options: BatcherOptions) -> (Self, Worker<K, T>) {
        let shared = Arc::new(Shared {
            options,
            metrics: QueueMetrics::new(options.name),
            queue: Mutex::new(Queue {
                lanes: HashMap::new(),
                turns: VecDeque::new(),
                weight: 0,
                closed: false,
            }),
            arrival: Notify::new(),
        });
        (Self(Arc::clone(&shared)), Worker(shared))
    }

    /// Queues an item of `weight` requests under `key`.
    ///
    /// # Errors
    /// Gives the item back when the queue or the key's share is full, or the worker is shutting down.
    pub fn push(&self, key: K, weight: usize, item: T) -> Result<(), PushError<T>> {
        let options = &self.0.options;
        {
            let mut queue = self.0.lock();
            if queue.closed {
                return Err(PushError::Closed(item));
            }
            let lane_weight = queue.lanes.get(&key).map_or(0, |lane| lane.weight);
            let fits = |waiting: usize, max: usize| waiting == 0 || waiting + weight <= max;
            if !fits(queue.weight, options.queue_weight_max)
                || !fits(lane_weight, options.key_weight_max)
            {
                self.0.metrics.refused();
                return Err(PushError::Full(item));
            }
            queue.insert(key, weight, item);
            self.0.metrics.queued(queue.weight);
        }
        self.0.arrival.notify_one();
        Ok(())
    }

    /// Queues an item that is bounded elsewhere, for example by a permit its maker holds: it is taken
    /// even when the queue is full.
    ///
    /// # Errors
    /// Gives the item back when the worker is shutting down.
    pub fn push_reserved(&self, key: K, weight: usize, item: T) -> Result<(), PushError<T>> {
        {
            let mut queue = self.0.lock();
            if queue.closed {
                return Err(PushError::Closed(item));
            }
            queue.insert(key, weight, item);
            self.0.metrics.queued(queue.weight);
        }
        self.0.arrival.notify_one();
        Ok(())
    }
}

impl<K: Eq + Hash + Clone, T> Queue<K, T> {
    fn insert(&mut self, key: K, weight: usize, item: T) {
        let lane = self.lanes.entry(key.clone()).or_insert_with(|| Lane {
            entries: VecDeque::new(),
            weight: 0,
        });
        if lane.entries.is_empty() {
            self.turns.push_back(key);
        }
        lane.weight += weight;
        lane.entries.push_back(Entry {
            weight,
            queued_at: Instant::now(),
            item,
        });
        self.weight += weight;
    }

    /// One item from each lane in turn until the batch is full or nothing waits. A lane whose next item
    /// does not fit any more keeps its turn; lighter items of others may still go along.
    fn take(&mut self, weight_max: usize) -> Vec<Entry<T>> {
        let mut batch = Vec::new();
        let mut batch_weight = 0;
        let mut at = 0;
        while at < self.turns.len() && (batch.is_empty() || batch_weight < weight_max) {
            match self.take_from(
                at,
                batch.is_empty(),
                weight_max - batch_weight.min(weight_max),
            ) {
                Some(entry) => {
                    batch_weight += entry.weight;
                    batch.push(entry);
                }
                None => at += 1,
            }
        }
        batch
    }

    /// The next item of the lane whose turn is `at`, if it fits, or `is_first`; the lane goes to the end
    /// of the turns.
    fn take_from(&mut self, at: usize, is_first: bool, room: usize) -> Option<Entry<T>> {
        let lane = self.lanes.get_mut(self.turns.get(at)?)?;
        let fits = lane.entries.front()?.weight <= room;
        if !is_first && !fits {
            return None;
        }
        let entry = lane.entries.pop_front()?;
        lane.weight -= entry.weight;
        self.weight -= entry.weight;
        let is_empty = lane.entries.is_empty();
        let key = self.turns.remove(at)?;
        if is_empty {
            self.lanes.remove(&key);
        } else {
            self.turns.push_back(key);
        }
        Some(entry)
    }
}

/// The side that empties the queue.
pub struct Worker<K, T>(Arc<Shared<K, T>>);

impl<K, T> std::fmt::Debug for Worker<K, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}

impl<K: Eq + Hash + Clone, T> Worker<K, T> {
    /// Runs batches until `stop`; then refuses new items, works off what is queued, and returns.
    pub async fn run<F, B>(self, run_batch: F, stop: CancellationToken)
    where
        F: Fn(Vec<T>) -> B,
        B: Future<Output = ()>,
    {
        let mut running = FuturesUnordered::new();
        let concurrency = self.0.options.concurrency.max(1);
        loop {
            if stop.is_cancelled() {
                self.0.lock().closed = true;
            }
            let batch = if running.len() < concurrency {
                self.next_batch()
            } else {
                Vec::new()
            };
            if !batch.is_empty() {
                running.push(run_batch(batch));
            }
            let has_room = running.len() < concurrency;
            let may_hold_more = has_room && self.0.lock().weight > 0;
            if may_hold_more {
                continue;
            }
            if running.is_empty() && stop.is_cancelled() {
                return;
            }
            tokio::select! {
                Some(()) = running.next(), if !running.is_empty() => {}
                () = self.0.arrival.notified(), if has_room => {}
                () = stop.cancelled(), if !stop.is_cancelled() => {}
            }
        }
    }

    fn next_batch(&self) -> Vec<T> {
        let Shared {
            options, metrics, ..
        } = &*self.0;
        let mut queue = self.0.lock();
        let entries = queue.take(options.batch_weight_max);
        if entries.is_empty() {
            return Vec::new();
        }
        metrics.queued(queue.weight);
        drop(queue);
        let now = Instant::now();
        metrics.taken(entries.iter().map(|entry| entry.weight).sum());
        entries
            .into_iter()
            .map(|entry| {
                metrics.waited(now.duration_since(entry.queued_at));
                entry.item
            })
            .collect()
    }
}

/// A request that waits for its reply, and until when its caller will wait.
#[derive(Debug)]
pub struct Call<Q, R> {
    /// What is asked.
    pub request: Q,
    /// When the caller gives up; `None` if never.
    pub deadline: Option<Instant>,
    reply: oneshot::Sender<R>,
}

impl<Q, R> Call<Q, R> {
    /// A call and the receiver of its reply.
    pub fn new(request: Q, deadline: Option<Instant>) -> (Self, oneshot::Receiver<R>) {
        let (reply, receiver) = oneshot::channel();
        let call = Self {
            request,
            deadline,
            reply,
        };
        (call, receiver)
    }

    /// Whether nobody waits any more: what has not been begun need not be.
    pub fn is_abandoned(&self, now: Instant) -> bool {
        self.reply.is_closed() || self.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// The same caller with another request, when the work goes on elsewhere.
    pub fn map<P>(self, change: impl FnOnce(Q) -> P) -> Call<P, R> {
        Call {
            request: change(self.request),
            deadline: self.deadline,
            reply: self.reply,
        }
    }

    /// Replies; a caller that has gone is not an error.
    pub fn answer(self, reply: R) {
        drop(self.reply.send(reply));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn options(batch_weight_max: usize) -> BatcherOptions {
        BatcherOptions {
            name: "test",
            batch_weight_max,
            queue_weight_max: 100,
            key_weight_max: 50,
            concurrency: 1,
        }
    }

    /// Runs a worker over what is queued, and returns the batches it made.
    async fn drain(worker: Worker<char, u32>) -> Vec<Vec<u32>> {
        let batches = Mutex::new(Vec::new());
        let stop = CancellationToken::new();
        stop.cancel();
        worker
            .run(async |batch| batches.lock().unwrap().push(batch), stop)
            .await;
        batches.into_inner().unwrap()
    }

    #[tokio::test]
    async fn keys_take_turns_within_a_batch() {
        let (batcher, worker) = Batcher::new(options(4));
        for item in 0..5 {
            batcher.push('a', 1, item).unwrap();
        }
        batcher.push('b', 1, 10).unwrap();
        batcher.push('c', 1, 20).unwrap();
        assert_eq!(drain(worker).await, vec![vec![0, 10, 20, 1], vec![2, 3, 4]]);
    }

    #[tokio::test]
    async fn a_heavy_item_goes_alone_and_a_batch_never_exceeds_its_weight_otherwise() {
        let (batcher, worker) = Batcher::new(options(4));
        batcher.push('a', 9, 0).unwrap();
        batcher.push('a', 2, 1).unwrap();
        batcher.push('a', 3, 2).unwrap();
        assert_eq!(drain(worker).await, vec![vec![0], vec![1], vec![2]]);
    }

    #[tokio::test]
    async fn a_heavy_item_that_does_not_fit_leaves_room_to_lighter_ones_and_keeps_its_turn() {
        let (batcher, worker) = Batcher::new(options(4));
        for item in 0..6 {
            batcher.push('a', 1, item).unwrap();
        }
        batcher.push('b', 4, 100).unwrap();
        batcher.push('b', 4, 101).unwrap();
        assert_eq!(
            drain(worker).await,
            vec![vec![0, 1, 2, 3], vec![100], vec![4, 5], vec![101]]
        );
    }

    #[tokio::test]
    async fn a_full_key_is_refused_while_others_still_fit() {
        let (batcher, _worker) = Batcher::new(options(4));
        for item in 0..50 {
            batcher.push('a', 1, item).unwrap();
        }
        assert_eq!(batcher.push('a', 1, 99), Err(PushError::Full(99)));
        for item in 0..50 {
            batcher.push('b', 1, item).unwrap();
        }
        assert_eq!(batcher.push('c', 1, 99), Err(PushError::Full(99)));
        assert_eq!(batcher.0.lock().weight, 100);
    }

    #[tokio::test]
    async fn a_reserved_item_is_taken_by_a_full_queue() {
        let (batcher, worker) = Batcher::new(BatcherOptions {
            queue_weight_max: 1,
            ..options(4)
        });
        batcher.push('a', 1, 1).unwrap();
        assert_eq!(batcher.push('b', 1, 2), Err(PushError::Full(2)));
        batcher.push_reserved('b', 1, 2).unwrap();
        assert_eq!(drain(worker).await, vec![vec![1, 2]]);
    }

    #[tokio::test]
    async fn after_stop_what_is_queued_is_done_and_more_is_refused() {
        let (batcher, worker) = Batcher::new(options(4));
        batcher.push('a', 1, 1).unwrap();
        assert_eq!(drain(worker).await, vec![vec![1]]);
        assert_eq!(batcher.push('a', 1, 2), Err(PushError::Closed(2)));
    }

    #[tokio::test]
    async fn an_item_alone_starts_without_waiting_and_arrivals_meanwhile_share_the_next_batch() {
        let (batcher, worker) = Batcher::new(options(8));
        let stop = CancellationToken::new();
        let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        let run = {
            let (gate, stop) = (Arc::clone(&gate), stop.clone());
            tokio::spawn(worker.run(
                move |batch: Vec<u32>| {
                    started.send(batch).unwrap();
                    let gate = Arc::clone(&gate);
                    async move { gate.acquire().await.unwrap().forget() }
                },
                stop,
            ))
        };
        batcher.push('a', 1, 1).unwrap();
        assert_eq!(starts.recv().await, Some(vec![1]));
        batcher.push('a', 1, 2).unwrap();
        batcher.push('a', 1, 3).unwrap();
        gate.add_permits(1);
        assert_eq!(starts.recv().await, Some(vec![2, 3]));
        gate.add_permits(1);
        stop.cancel();
        run.await.unwrap();
    }

    #[tokio::test]
    async fn as_many_batches_run_at_once_as_allowed() {
        let (batcher, worker) = Batcher::new(BatcherOptions {
            concurrency: 2,
            ..options(1)
        });
        for item in 0..2 {
            batcher.push('a', 1, item).unwrap();
        }
        let both = Arc::new(tokio::sync::Barrier::new(2));
        let stop = CancellationToken::new();
        stop.cancel();
        // Each batch waits for the other: one at a time would hang here.
        worker
            .run(
                |_| {
                    let both = Arc::clone(&both);
                    async move {
                        both.wait().await;
                    }
                },
                stop,
            )
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_is_abandoned_when_its_deadline_passes_or_its_caller_goes() {
        let deadline = Instant::now() + std::time::Duration::from_secs(1);
        let (call, receiver) = Call::<(), ()>::new((), Some(deadline));
        assert!(!call.is_abandoned(Instant::now()));
        assert!(call.is_abandoned(deadline));
        drop(receiver);
        assert!(call.is_abandoned(Instant::now()));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_repeated_or_reordered_within_its_key(
            pushes in proptest::collection::vec((0u8..4, 1usize..5), 0..60),
            weight_max in 1usize..10,
        ) {
            let (batcher, worker) = Batcher::new(BatcherOptions { key_weight_max: 1_000, queue_weight_max: 1_000, ..options(weight_max) });
            for (index, (key, weight)) in pushes.iter().enumerate() {
                batcher.push(char::from(*key), *weight, u32::try_from(index).unwrap()).unwrap();
            }
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let batches = runtime.block_on(drain(worker));
            for batch in &batches {
                let weight: usize = batch.iter().map(|index| pushes[*index as usize].1).sum();
                prop_assert!(batch.len() == 1 || weight <= weight_max);
            }
            let done: Vec<u32> = batches.into_iter().flatten().collect();
            for key in 0u8..4 {
                let expected: Vec<u32> = (0u32..).zip(&pushes).filter(|(_, p)| p.0 == key).map(|(i, _)| i).collect();
                let actual: Vec<u32> = done.iter().copied().filter(|i| pushes[*i as usize].0 == key).collect();
                prop_assert_eq!(actual, expected);
            }
        }
    }
}
