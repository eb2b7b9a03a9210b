//! Whether the service can do its work.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use futures::future::{BoxFuture, join_all};
use serde::Serialize;

/// How long one check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The checks of a service. Cloning shares them.
#[derive(Clone, Default)]
pub struct Health {
    checks: Vec<Named>,
}

#[derive(Clone)]
struct Named {
    name: Cow<'static, str>,
    required: bool,
    check: Check,
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.checks.iter().map(|check| &check.name))
            .finish()
    }
}

/// How well the service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Every check passed.
    Ok,
    /// An optional check failed: slower, but right.
    Degraded,
    /// A required check failed.
    Unavailable,
}

/// What the checks found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The worst of all checks.
    pub status: Status,
    /// By name, in the order they were added.
    #[serde(serialize_with = "as_map")]
    pub checks: Vec<(Cow<'static, str>, CheckReport)>,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum CheckReport {
    /// It passed.
    Ok,
    /// It failed.
    Failed {
        /// Why, for people. It must hold no secret.
        message: String,
    },
}

impl Health {
    /// Without checks, which is always well.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check without which the service cannot answer. It is bounded by 1 s.
    #[must_use]
    pub fn required<F>(self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync + 'static,
    {
        self.with(name, true, Arc::new(check))
    }

    /// Adds a check without which the service is slower, but right. It is bounded by 1 s.
    #[must_use]
    pub fn optional<F>(self, name: &'static str, check: F) -> Self
    where
        F: Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync + 'static,
    {
        self.with(name, false, Arc::new(check))
    }

    fn with(mut self, name: &'static str, required: bool, check: Check) -> Self {
        self.checks.push(Named {
            name: name.into(),
            required,
            check,
        });
        self
    }

    /// Adds the checks of a part of this process, each under the name `part.name`.
    #[must_use]
    pub fn part(mut self, part: &str, health: Self) -> Self {
        self.checks
            .extend(health.checks.into_iter().map(|check| Named {
                name: format!("{part}.{}", check.name).into(),
                ..check
            }));
        self
    }

    /// Runs all checks at once.
    pub async fn report(&self) -> Report {
        let found = join_all(self.checks.iter().map(Named::run)).await;
        let worst =
            self.checks
                .iter()
                .zip(&found)
                .map(|(named, found)| match (found, named.required) {
                    (CheckReport::Ok, _) => Status::Ok,
                    (CheckReport::Failed { .. }, false) => Status::Degraded,
                    (CheckReport::Failed { .. }, true) => Status::Unavailable,
                });
        let status = worst.fold(Status::Ok, Status::worse);
        let names = self.checks.iter().map(|named| named.name.clone());
        Report {
            status,
            checks: names.zip(found).collect(),
        }
    }
}

impl Named {
    async fn run(&self) -> CheckReport {
        let message = match tokio::time::timeout(CHECK_TIMEOUT, (self.check)()).await {
            Ok(Ok(())) => return CheckReport::Ok,
            Ok(Err(message)) => message,
            Err(_) => format!("no answer within {} s", CHECK_TIMEOUT.as_secs()),
        };
        CheckReport::Failed { message }
    }
}

impl Status {
    fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unavailable, _) | (_, Self::Unavailable) => Self::Unavailable,
            (Self::Degraded, _) | (_, Self::Degraded) => Self::Degraded,
            _ => Self::Ok,
        }
    }
}

fn as_map<S: serde::Serializer>(
    checks: &[(Cow<'static, str>, CheckReport)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(checks.iter().map(|(name, found)| (name, found)))
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn good() -> BoxFuture<'static, Result<(), String>> {
        async { Ok(()) }.boxed()
    }

    fn bad() -> BoxFuture<'static, Result<(), String>> {
        async { Err("refused".to_owned()) }.boxed()
    }

    fn silent() -> BoxFuture<'static, Result<(), String>> {
        futures::future::pending().boxed()
    }

    #[tokio::test]
    async fn the_worst_check_decides() {
        let ok = Health::new()
            .required("postgres", good)
            .optional("redis", good);
        assert_eq!(ok.report().await.status, Status::Ok);
        let degraded = Health::new()
            .required("postgres", good)
            .optional("redis", bad);
        assert_eq!(degraded.report().await.status, Status::Degraded);
        let gone = Health::new()
            .required("postgres", bad)
            .optional("redis", bad);
        assert_eq!(gone.report().await.status, Status::Unavailable);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_has_failed_after_a_second() {
        let report = Health::new().optional("redis", silent).report().await;
        assert_eq!(
            serde_json::to_value(report).unwrap(),
            serde_json::json!({"status": "degraded", "checks": {
                "redis": {"status": "failed", "message": "no answer within 1 s"}}})
        );
    }

    #[tokio::test]
    async fn two_parts_may_have_a_check_of_the_same_name() {
        let part = |check: fn() -> _| Health::new().required("database", check);
        let whole = Health::new()
            .part("product", part(good))
            .part("order", part(bad));
        let report = whole.report().await;
        assert_eq!(report.status, Status::Unavailable);
        let names: Vec<_> = report.checks.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["product.database", "order.database"]);
    }

    #[tokio::test]
    async fn a_passed_check_has_no_message() {
        let report = Health::new().required("postgres", good).report().await;
        assert_eq!(
            serde_json::to_value(report).unwrap(),
            serde_json::json!({"status": "ok", "checks": {"postgres": {"status": "ok"}}})
        );
    }
}
