//! A bar that grows, on a terminal only.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use crate::cli::grouped;

const WIDTH: u32 = 40;
const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

/// Draws until it is dropped, which wipes the line.
pub(super) async fn draw(done: &AtomicU32, total: u32) {
    if !io::stderr().is_terminal() {
        return std::future::pending().await;
    }
    let _line = Line;
    loop {
        let _ = write!(
            io::stderr(),
            "\r{}",
            bar(done.load(Ordering::Relaxed), total)
        );
        let _ = io::stderr().flush();
        tokio::time::sleep(REDRAW_INTERVAL).await;
    }
}

/// The terminal's line, wiped at the end.
struct Line;

impl Drop for Line {
    fn drop(&mut self) {
        let _ = write!(io::stderr(), "\r\u{1b}[K");
    }
}

fn bar(done: u32, total: u32) -> String {
    let filled = u64::from(WIDTH) * u64::from(done) / u64::from(total.max(1));
    let filled = usize::try_from(filled).unwrap_or(0);
    let rest = usize::try_from(WIDTH).unwrap_or(0).saturating_sub(filled);
    let (filled, rest) = ("█".repeat(filled), "░".repeat(rest));
    format!(
        "{filled}{rest} {} of {} buyers",
        grouped(done),
        grouped(total)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_full_when_everybody_was_answered() {
        assert!(bar(0, 2).starts_with("░"));
        let full = bar(2_000, 2_000);
        assert!(
            !full.contains('░') && full.ends_with("2,000 of 2,000 buyers"),
            "{full}"
        );
    }
}
