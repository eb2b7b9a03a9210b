//! The reply codes of the scripts. Whatever is not one of them is an error, never a guess.

use redis::Value;

use super::GateError;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal $name:literal,)*) => {
        /// A code in a script's reply; the numbers are the same in every script.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(i64)]
        pub enum Code {
            $($(#[$doc])* $variant = $number,)*
        }

        impl Code {
            /// Every code with its name as the scripts' headers write it.
            pub const ALL: &[(Self, &str)] = &[$((Self::$variant, $name),)*];

            fn of(number: i64) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    /// The gate is of the caller's deal.
    Open = 1 "OPEN",
    /// There is no gate, or one of an earlier deal.
    Missing = 2 "MISSING",
    /// The gate is of a later deal than the caller's.
    StaleCaller = 3 "STALE_CALLER",
    /// The gate was put up.
    Loaded = 4 "LOADED",
    /// The deal had its gate already.
    Kept = 5 "KEPT",
    /// The gate was taken down.
    Dropped = 6 "DROPPED",
    /// There was no gate to take down.
    Absent = 7 "ABSENT",
    /// The gate has the new quantity.
    Raised = 8 "RAISED",
    /// The gate is not as the caller read it.
    Changed = 9 "CHANGED",
    /// The units were taken.
    Admitted = 10 "ADMITTED",
    /// Admitted before.
    Passed = 11 "PASSED",
    /// Fewer units are left than asked for.
    TooFew = 12 "TOO_FEW",
    /// Nothing is left.
    SoldOut = 13 "SOLD_OUT",
    /// The buyer's limit is reached.
    Limited = 14 "LIMITED",
}

impl TryFrom<i64> for Code {
    type Error = GateError;
    fn try_from(number: i64) -> Result<Self, GateError> {
        Self::of(number).ok_or_else(|| GateError::Protocol(format!("reply code {number}")))
    }
}

/// A script's reply: a status, and the figures after it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) status: Code,
    pub(super) figures: Vec<i64>,
}

impl Reply {
    pub(super) fn read(value: Value) -> Result<Self, GateError> {
        let unexpected = |value: &Value| GateError::Protocol(format!("reply {value:?}"));
        let Value::Array(items) = &value else {
            return Err(unexpected(&value));
        };
        let mut numbers = items.iter().map(|item| match item {
            Value::Int(number) => Ok(*number),
            other => Err(unexpected(other)),
        });
        let status = numbers.next().ok_or_else(|| unexpected(&value))??;
        Ok(Self {
            status: Code::try_from(status)?,
            figures: numbers.collect::<Result<_, _>>()?,
        })
    }

    /// The figures, when there are exactly `N`.
    pub(super) fn exactly<const N: usize>(&self) -> Result<[i64; N], GateError> {
        <[i64; N]>::try_from(self.figures.as_slice()).map_err(|_| self.unexpected())
    }

    pub(super) fn unexpected(&self) -> GateError {
        GateError::Protocol(format!(
            "status {:?} with {} figures",
            self.status,
            self.figures.len()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_a_status_and_figures() {
        let reply = Reply::read(Value::Array(vec![Value::Int(1), Value::Int(7)])).unwrap();
        assert_eq!(reply.status, Code::Open);
        assert_eq!(reply.exactly::<1>().unwrap(), [7]);
        assert!(reply.exactly::<2>().is_err());
    }

    #[test]
    fn anything_else_is_an_error() {
        for value in [
            Value::Nil,
            Value::Okay,
            Value::Int(1),
            Value::Array(vec![]),
            Value::Array(vec![Value::Int(0)]),
            Value::Array(vec![Value::Int(15)]),
            Value::Array(vec![Value::Int(1), Value::Nil]),
            Value::Array(vec![Value::BulkString(b"1".to_vec())]),
        ] {
            assert!(
                matches!(Reply::read(value.clone()), Err(GateError::Protocol(_))),
                "{value:?}"
            );
        }
    }
}
