//! Lists in pages.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, Visitor},
};
use utoipa::{IntoParams, ToSchema};

/// Which page of a list, from the query `?page&size`. It may be flattened into a larger query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// From 1, which is also the default.
    #[serde(default = "first_page", deserialize_with = "page")]
    #[param(value_type = i64, minimum = 1, maximum = 4_294_967_295_i64, required = false, default = 1)]
    pub page: u32,
    /// Items a page, 1 to 100, by default 20.
    #[serde(default = "usual_size", deserialize_with = "size")]
    #[param(minimum = 1, maximum = 100, required = false, default = 20)]
    pub size: u32,
}

impl Default for PageQuery {
    fn default() -> Self {
        Self {
            page: first_page(),
            size: usual_size(),
        }
    }
}

impl PageQuery {
    /// For SQL's `LIMIT`.
    pub fn limit(&self) -> i64 {
        i64::from(self.size)
    }

    /// For SQL's `OFFSET`.
    pub fn offset(&self) -> i64 {
        i64::from(self.page.saturating_sub(1)) * i64::from(self.size)
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Page<T> {
    /// At most `size` items.
    pub items: Vec<T>,
    /// Items in all pages.
    pub total: i64,
    /// From 1.
    pub page: u32,
    /// Items asked for.
    pub size: u32,
}

impl<T> Page<T> {
    /// The answer to `query`.
    pub fn new(items: Vec<T>, total: i64, query: PageQuery) -> Self {
        Self {
            items,
            total,
            page: query.page,
            size: query.size,
        }
    }
}

fn first_page() -> u32 {
    1
}

fn usual_size() -> u32 {
    20
}

fn page<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    deserializer.deserialize_any(Whole {
        name: "page",
        max: u32::MAX,
    })
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    deserializer.deserialize_any(Whole {
        name: "size",
        max: 100,
    })
}

/// A whole number from 1 to `max`, written as text or as a number: a flattened query hands out text.
struct Whole {
    name: &'static str,
    max: u32,
}

impl Whole {
    fn check<E: Error>(&self, number: Option<u32>) -> Result<u32, E> {
        match number {
            Some(number) if (1..=self.max).contains(&number) => Ok(number),
            _ => Err(E::custom(self)),
        }
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` must be a whole number from 1 to {}",
            self.name, self.max
        )
    }
}

impl Visitor<'_> for Whole {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u32, E> {
        self.check(text.parse().ok())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<u32, E> {
        self.check(number.try_into().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_anyone_can_ask_for_has_an_offset() {
        let query = PageQuery {
            page: u32::MAX,
            size: 100,
        };
        assert_eq!(query.limit(), 100);
        assert_eq!(query.offset(), 429_496_729_400);
        assert_eq!(PageQuery::default().offset(), 0);
    }
}
