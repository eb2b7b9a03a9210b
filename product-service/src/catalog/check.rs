//! What may be written into the catalogue.

use domain::Money;
use service_kit::problem::FieldError;

use crate::catalog::error::CatalogError;

/// The longest name, in characters.
pub const NAME_LEN_MAX: usize = 200;
/// The longest description, in characters.
pub const DESCRIPTION_LEN_MAX: usize = 10_000;
/// The longest category, in characters.
pub const CATEGORY_LEN_MAX: usize = 100;
/// The most units a product may start with, a deal be given, or one correction move.
pub const UNITS_MAX: i64 = 1_000_000_000;

/// A product somebody wants to add, unchecked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewProduct {
    /// 1 to 200 characters, no control characters.
    pub name: String,
    /// Up to 10,000 characters.
    pub description: String,
    /// Up to 100 characters, no control characters; empty: none.
    pub category: String,
    /// Minor units, 0 to 2^53 − 1.
    pub price: i64,
    /// Units, 0 to 1,000,000,000.
    pub stock: i64,
}

/// A product that may be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedProduct {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) category: String,
    pub(crate) price: Money,
    pub(crate) stock: i64,
}

/// Changes somebody wants to make, unchecked; the ranges are those of [`NewProduct`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProductChange {
    /// A new name.
    pub name: Option<String>,
    /// A new description.
    pub description: Option<String>,
    /// A new category.
    pub category: Option<String>,
    /// A new price; running deals keep theirs.
    pub price: Option<i64>,
}

/// Changes that may be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckedChange {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) price: Option<Money>,
}

impl CheckedChange {
    /// Whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl NewProduct {
    /// Checks every field; outer blanks of name and category are dropped.
    ///
    /// # Errors
    /// [`CatalogError::Invalid`] with every field that is out of range.
    pub fn check(self) -> Result<CheckedProduct, CatalogError> {
        let mut found = Complaints::default();
        let checked = CheckedProduct {
            name: found.note("name", name(&self.name)),
            description: found.note("description", description(&self.description)),
            category: found.note("category", category(&self.category)),
            price: found.note("price", price(self.price)),
            stock: found.note("stock", units(self.stock)),
        };
        found.or(checked)
    }
}

impl ProductChange {
    /// Checks the fields that are given.
    ///
    /// # Errors
    /// [`CatalogError::Invalid`] with every field that is out of range.
    pub fn check(self) -> Result<CheckedChange, CatalogError> {
        let mut found = Complaints::default();
        let checked = CheckedChange {
            name: found.note("name", self.name.as_deref().map(name).transpose()),
            description: found.note(
                "description",
                self.description.as_deref().map(description).transpose(),
            ),
            category: found.note(
                "category",
                self.category.as_deref().map(category).transpose(),
            ),
            price: found.note("price", self.price.map(price).transpose()),
        };
        found.or(checked)
    }
}

/// A category to look for.
///
/// # Errors
/// [`CatalogError::Invalid`] when no product can have it.
pub(super) fn category_filter(text: &str) -> Result<&str, CatalogError> {
    let mut found = Complaints::default();
    found.note("category", category(text));
    found.or(text.trim())
}

fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("must have 1 to {NAME_LEN_MAX} characters"));
    }
    line(text, NAME_LEN_MAX)
}

fn category(text: &str) -> Result<String, String> {
    line(text.trim(), CATEGORY_LEN_MAX)
}

fn line(text: &str, chars_max: usize) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("must have no control characters".to_owned());
    }
    bounded(text, chars_max)
}

/// Paragraphs may be parted; the other control characters have no place in a text.
fn description(text: &str) -> Result<String, String> {
    let parts_lines = |c: char| matches!(c, '\n' | '\r' | '\t');
    if text.chars().any(|c| c.is_control() && !parts_lines(c)) {
        return Err("must have no control characters but line breaks and tabs".to_owned());
    }
    bounded(text, DESCRIPTION_LEN_MAX)
}

fn bounded(text: &str, chars_max: usize) -> Result<String, String> {
    if text.chars().count() > chars_max {
        return Err(format!("must have at most {chars_max} characters"));
    }
    Ok(text.to_owned())
}

fn price(minor: i64) -> Result<Money, String> {
    Money::try_from(minor).map_err(|invalid| invalid.to_string())
}

fn units(units: i64) -> Result<i64, String> {
    if (0..=UNITS_MAX).contains(&units) {
        return Ok(units);
    }
    Err(format!("must be a whole number from 0 to {UNITS_MAX}"))
}

/// Collects what is wrong, so that a caller need not come back once per field.
#[derive(Debug, Default)]
struct Complaints(Vec<FieldError>);

impl Complaints {
    /// The value, or its default while the complaint is kept; [`Complaints::or`] then withholds it.
    fn note<T: Default>(&mut self, field: &str, checked: Result<T, String>) -> T {
        checked.unwrap_or_else(|message| {
            self.0.push(FieldError::new(field, message));
            T::default()
        })
    }

    fn or<T>(self, value: T) -> Result<T, CatalogError> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(CatalogError::Invalid(self.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lamp() -> NewProduct {
        NewProduct {
            name: "Lamp".into(),
            price: 12_000,
            stock: 10,
            ..NewProduct::default()
        }
    }

    fn fields<T: std::fmt::Debug>(checked: Result<T, CatalogError>) -> Vec<String> {
        match checked {
            Err(CatalogError::Invalid(errors)) => errors.into_iter().map(|e| e.field).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn all_wrong_fields_are_named_at_once() {
        let wrong = NewProduct {
            name: "  ".into(),
            description: "a\0b".into(),
            category: "x".repeat(101),
            price: -1,
            stock: UNITS_MAX + 1,
        };
        let all = ["name", "description", "category", "price", "stock"];
        assert_eq!(fields(wrong.check()), all);
    }

    #[test]
    fn the_ends_of_every_range_are_allowed() {
        let longest = NewProduct {
            name: "가".repeat(NAME_LEN_MAX),
            description: "d\n".repeat(DESCRIPTION_LEN_MAX / 2),
            category: "c".repeat(CATEGORY_LEN_MAX),
            price: Money::MAX_MINOR,
            stock: UNITS_MAX,
        };
        assert!(longest.check().is_ok());
        let least = NewProduct {
            name: "x".into(),
            ..NewProduct::default()
        };
        assert!(least.check().is_ok());
    }

    #[test]
    fn one_beyond_the_end_of_a_range_is_refused() {
        let mut long = lamp();
        long.name = "가".repeat(NAME_LEN_MAX + 1);
        assert_eq!(fields(long.check()), ["name"]);
        let mut dear = lamp();
        dear.price = Money::MAX_MINOR + 1;
        assert_eq!(fields(dear.check()), ["price"]);
    }

    #[test]
    fn control_characters_are_refused_wherever_a_text_is_one_line() {
        for name in ["a\0", "a\nb", "\u{7f}x"] {
            let wrong = NewProduct {
                name: name.into(),
                ..lamp()
            };
            assert_eq!(fields(wrong.check()), ["name"], "{name:?}");
        }
        assert_eq!(fields(category_filter("a\0")), ["category"]);
    }

    #[test]
    fn outer_blanks_of_name_and_category_are_dropped() {
        let checked = NewProduct {
            name: " Lamp ".into(),
            category: " home ".into(),
            ..lamp()
        };
        let checked = checked.check().unwrap();
        assert_eq!(
            (checked.name.as_str(), checked.category.as_str()),
            ("Lamp", "home")
        );
    }

    #[test]
    fn a_change_checks_only_what_is_given() {
        assert!(ProductChange::default().check().unwrap().is_empty());
        let wrong = ProductChange {
            name: Some(String::new()),
            price: Some(-5),
            ..ProductChange::default()
        };
        assert_eq!(fields(wrong.check()), ["name", "price"]);
    }
}
