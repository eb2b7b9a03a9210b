//! Parsers of single values, for clap's `value_parser`.

use std::time::Duration;

/// The largest number [`count`] takes.
const COUNT_MAX: usize = 1 << 30;

/// Reads a duration above zero such as `5m`, `1h 30m` or `250ms`.
///
/// # Errors
/// When the text is no duration, or zero.
pub fn duration(text: &str) -> Result<Duration, String> {
    match duration_or_zero(text)? {
        Duration::ZERO => Err("must be longer than 0".to_owned()),
        duration => Ok(duration),
    }
}

/// Reads a duration such as `50ms`, or `0ms` where that turns something off.
///
/// # Errors
/// When the text is no duration.
pub fn duration_or_zero(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("must be a duration such as 250ms or 5m: {error}"))
}

/// Reads a whole number from 1 to 2^30.
///
/// # Errors
/// When the text is none.
pub fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=COUNT_MAX) => Ok(count),
        _ => Err(format!("must be a whole number from 1 to {COUNT_MAX}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_are_not_zero() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        for text in ["", "5", "0s", "-5s", "soon"] {
            assert!(duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn zero_is_a_duration_where_it_turns_something_off() {
        assert_eq!(duration_or_zero("0ms"), Ok(Duration::ZERO));
        assert!(duration_or_zero("soon").is_err());
    }

    #[test]
    fn counts_start_at_one() {
        assert_eq!(count("1"), Ok(1));
        for text in ["", "0", "-1", "1.5", "1073741825", "99999999999999999999"] {
            assert!(count(text).is_err(), "{text:?}");
        }
    }
}
