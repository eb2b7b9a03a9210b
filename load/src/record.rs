//! What every result says of how it was made, and how its files are called.

use domain::Timestamp;
use local_shop::{Profile, machine::Machine};

/// `order-overload-20261121T183000-958c8c1`: by name the newest of a kind comes last.
pub(crate) fn stem(kind: &str, taken_at: Timestamp, machine: &Machine) -> String {
    // 2026-11-21T18:30:00Z, without what file systems and shells stumble over.
    let moment = taken_at.to_string().replace([':', '-'], "");
    let moment = moment.split('.').next().unwrap_or_default();
    let revision = machine.revision.commit.get(..7).unwrap_or("unknown");
    format!("{kind}-{}-{revision}", moment.trim_end_matches('Z'))
}

/// `release`, or `dev`.
pub(crate) fn profile_name(profile: Profile) -> String {
    let is_release = profile == Profile::Release || !cfg!(debug_assertions);
    if is_release { "release" } else { "dev" }.to_owned()
}
