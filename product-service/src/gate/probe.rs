//! Finds out whether Redis answers, and whether it is set up as the gate needs it.

use std::{collections::HashMap, time::Duration};

use redis::RedisResult;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Gate;

const PROBE_EVERY: Duration = Duration::from_millis(100);

impl Gate {
    /// Asks Redis every 100 ms whether it answers, until `stop`: the only way from down to up. To be
    /// spawned once.
    pub async fn probe(self, stop: CancellationToken) {
        let mut ticks = interval(PROBE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let probing = async {
            loop {
                ticks.tick().await;
                if let Err(error) = self.check().await {
                    tracing::debug!(%error, "redis does not answer the probe");
                }
            }
        };
        // Cancelled in the middle of a probe nothing is left undone.
        let () = stop.run_until_cancelled(probing).await.unwrap_or(());
    }

    /// One probe.
    pub(super) async fn check(&self) -> RedisResult<()> {
        let answered = self.ping().await;
        match &answered {
            Ok(()) => self.0.breaker.set_up(),
            Err(_) => self.lost(),
        }
        answered
    }

    async fn ping(&self) -> RedisResult<()> {
        let mut connection = self.0.hot.current_or_new().await?;
        redis::cmd("PING").exec_async(&mut connection).await?;
        self.0.hot.keep(connection);
        Ok(())
    }

    /// Warns when Redis may throw keys away. Managed servers refuse to tell, which is no fault.
    pub async fn warn_about_settings(&self) {
        const POLICY: &str = "maxmemory-policy";
        let Ok(mut connection) = self.pooled().await else {
            return;
        };
        let settings: RedisResult<HashMap<String, String>> = redis::cmd("CONFIG")
            .arg("GET")
            .arg(POLICY)
            .query_async(&mut connection)
            .await;
        match settings.map(|settings| settings.get(POLICY).cloned()) {
            Ok(Some(policy)) if policy == "noeviction" => {}
            Ok(Some(policy)) => tracing::warn!(
                policy,
                "redis drops keys when its memory is full, admissions too: set maxmemory-policy to noeviction"
            ),
            Ok(None) => tracing::debug!("redis does not tell its maxmemory-policy"),
            Err(error) => tracing::debug!(%error, "redis does not tell its maxmemory-policy"),
        }
    }
}
