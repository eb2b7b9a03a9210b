//! On which machine a run was made, with what, and what else the machine did.
//!
//! - [`Journal`]: of the whole run. [`Surroundings`]: of one figure, watched by [`Watch`].

mod watch;

use std::collections::BTreeMap;

use domain::Timestamp;
use local_shop::{POSTGRES_SETTINGS, Profile, machine::Machine};
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, PgConnection};
use test_kit::Postgres;

pub use self::watch::{Surroundings, Watch};
use crate::rounds::Rounds;

/// Of one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Journal {
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// The commit that was measured, shortened; with `-dirty` if files differed from it.
    pub revision: String,
    /// The machine before the run.
    pub machine: Machine,
    /// Load average over 1, 5 and 15 minutes after the run.
    pub load_average_after: [f64; 3],
    /// `release` or `dev`.
    pub profile: String,
    /// Rounds of each figure.
    pub rounds: usize,
    /// Length of each measurement, in seconds.
    pub measured_s: f64,
    /// Load before it, in seconds.
    pub warm_up_s: f64,
    /// Every setting of Postgres that is not its built-in default.
    pub postgres_settings: BTreeMap<String, String>,
}

impl Journal {
    /// Begun now, on a machine that has just been looked at; [`Journal::end`] completes it.
    pub fn begin(now: Timestamp, machine: Machine, profile: Profile, rounds: Rounds) -> Self {
        let Machine { revision, .. } = &machine;
        let mut short: String = revision.commit.chars().take(7).collect();
        if revision.is_dirty {
            short.push_str("-dirty");
        }
        Self {
            begun_at: now,
            ended_at: now,
            revision: short,
            load_average_after: machine.load_average,
            machine,
            profile: profile_name(profile).to_owned(),
            rounds: rounds.count,
            measured_s: rounds.window.measured.as_secs_f64(),
            warm_up_s: rounds.window.warm_up.as_secs_f64(),
            postgres_settings: BTreeMap::new(),
        }
    }

    /// The run is over.
    pub fn end(&mut self, now: Timestamp) {
        self.ended_at = now;
        self.load_average_after = local_shop::machine::load_average();
    }
}

fn profile_name(profile: Profile) -> &'static str {
    match profile {
        Profile::Release => "release",
        Profile::Own if cfg!(debug_assertions) => "dev",
        Profile::Own => "release",
    }
}

/// The settings, by name, of a server of Postgres as everything is measured on: those that are not its
/// built-in defaults, and those that durability hangs on.
///
/// # Errors
/// When it does not answer.
pub async fn postgres_settings() -> crate::Result<BTreeMap<String, String>> {
    let changed = "SELECT name, current_setting(name) FROM pg_settings \
                   WHERE source IN ('command line', 'configuration file') \
                      OR name IN ('fsync', 'synchronous_commit', 'full_page_writes')";
    let server = Postgres::start_durable_with(POSTGRES_SETTINGS).await;
    let mut connection = PgConnection::connect(&server.url()).await?;
    let rows: Vec<(String, String)> = sqlx::query_as(changed).fetch_all(&mut connection).await?;
    Ok(rows.into_iter().collect())
}
