//! JSON bodies.

use axum::extract::{FromRequest, Request, rejection::BytesRejection};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::error::Category;

use super::{field_of, objects::Objects, words::plain};
use crate::problem::Problem;

/// The body as JSON. Wrong or missing content type: 415; unparseable or not UTF-8: 400; wrong type or
/// shape: 422 with the path of the field (`items[0].quantity`); too large: 413.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

/// Like [`Json`], but an empty body, with or without a content type, and `null` are `T::default()`.
#[derive(Debug, Clone, Copy, Default)]
pub struct OptionalJson<T>(pub T);

/// The body before it is decoded, for a handler that first looks whether it is as nearly all are. Wrong or
/// missing content type: 415; too large: 413.
#[derive(Debug, Clone, Default)]
pub struct JsonText(Bytes);

impl JsonText {
    /// The body as text.
    ///
    /// # Errors
    /// 400 when it is not UTF-8.
    pub fn text(&self) -> Result<&str, Problem> {
        // Fields that nobody reads are not looked at by the decoder; the text is checked as a whole.
        std::str::from_utf8(&self.0)
            .map_err(|_| Problem::invalid(400, "the body is not valid UTF-8"))
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        require_json(request.headers())?;
        body(request, state).await.map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = JsonText::from_request(request, state).await?;
        decode(body.text()?).map(Self)
    }
}

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let typed = require_json(request.headers());
        let body = body(request, state).await?;
        if body.is_empty() {
            return Ok(Self(T::default()));
        }
        typed?;
        let decoded: Option<T> = decode(JsonText(body).text()?)?;
        Ok(Self(decoded.unwrap_or_default()))
    }
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next());
    match content_type {
        Some(essence) if is_json(essence.trim()) => Ok(()),
        _ => Err(Problem::invalid(
            415,
            "the content type must be application/json",
        )),
    }
}

fn is_json(essence: &str) -> bool {
    if essence.eq_ignore_ascii_case("application/json") {
        return true;
    }
    let essence = essence.to_ascii_lowercase();
    essence.starts_with("application/") && essence.ends_with("+json")
}

async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection: BytesRejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_large(),
            _ => Problem::invalid(400, "the body ended early"),
        })
}

/// 413, also given by the server when the body's length is announced.
pub(crate) fn too_large() -> Problem {
    Problem::invalid(413, "the body is too large")
}

/// Decodes a body as [`Json`] does.
///
/// # Errors
/// 400 when it is no JSON, 422 with the path of the field that is wrong.
pub fn decode<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    // Tracking the path costs; only a body that is wrong pays for it.
    decode_if_right(text).map_or_else(|| explain(text), Ok)
}

/// The body, which may borrow from the text; `None` if anything is wrong with it.
pub fn decode_if_right<'de, T: Deserialize<'de>>(text: &'de str) -> Option<T> {
    let mut decoder = serde_json::Deserializer::from_str(text);
    let decoded = T::deserialize(Objects(&mut decoder)).ok()?;
    decoder.end().ok().map(|()| decoded)
}

/// Decodes again, to say which field is wrong.
fn explain<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let mut decoder = serde_json::Deserializer::from_str(text);
    let decoded = serde_path_to_error::deserialize(Objects(&mut decoder)).map_err(|error| {
        let (path, error) = (error.path().to_string(), error.into_inner());
        refusal(&path, &error)
    })?;
    match decoder.end() {
        Ok(()) => Ok(decoded),
        Err(error) => Err(refusal(".", &error)),
    }
}

fn refusal(path: &str, error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    if error.classify() != Category::Data {
        return Problem::invalid(400, format!("the body is not valid JSON: {text}"));
    }
    let message = text.split(" at line ").next().unwrap_or_default();
    match field_of(path, message).as_str() {
        "" => Problem::invalid_field("body", plain(message)),
        field => Problem::invalid_field(field, plain(message)),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Order {
        #[expect(dead_code, reason = "only its decoding is looked at")]
        items: Vec<Item>,
    }

    #[derive(Debug, Deserialize)]
    struct Item {
        #[expect(dead_code, reason = "only its decoding is looked at")]
        quantity: i64,
    }

    fn refused(body: impl AsRef<[u8]>) -> (u16, String) {
        let body = JsonText(Bytes::copy_from_slice(body.as_ref()));
        let decoded = body.text().and_then(decode::<Order>);
        let problem = decoded.unwrap_err();
        assert_eq!(problem.error, "INVALID");
        let field = problem.fields.first().map(|field| field.field.clone());
        (problem.status, field.unwrap_or_default())
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_with_its_path() {
        for quantity in [
            "\"1\"",
            "1.5",
            "null",
            "9223372036854775808",
            "[]",
            "{}",
            "true",
        ] {
            let body = format!(r#"{{"items":[{{"quantity":1}},{{"quantity":{quantity}}}]}}"#);
            assert_eq!(
                refused(&body),
                (422, "items[1].quantity".to_owned()),
                "{quantity}"
            );
        }
        assert_eq!(
            refused(r#"{"items":[{}]}"#),
            (422, "items[0].quantity".to_owned())
        );
        assert_eq!(refused("{}"), (422, "items".to_owned()));
        assert_eq!(
            refused(r#"{"items":[],"items":[]}"#),
            (422, "items".to_owned())
        );
        assert_eq!(refused("[1]").0, 422);
        assert_eq!(refused("null"), (422, "body".to_owned()));
    }

    #[test]
    fn an_array_is_no_object() {
        assert_eq!(refused("[[]]"), (422, "body".to_owned()));
        assert_eq!(refused(r#"{"items":[[1]]}"#), (422, "items[0]".to_owned()));
        let problem = decode::<Order>(r#"{"items":[{"quantity":1},[1]]}"#).unwrap_err();
        assert_eq!(problem.fields[0].field, "items[1]");
        assert_eq!(problem.fields[0].message, "must be an object");
        assert!(decode::<Order>(r#"{"items":[{"quantity":1}]}"#).is_ok());
    }

    #[test]
    fn what_needs_no_object_is_read_as_ever() {
        #[derive(Debug, Deserialize, PartialEq)]
        #[serde(rename_all = "lowercase")]
        enum Colour {
            Red,
        }
        #[derive(Debug, Deserialize, PartialEq)]
        struct Units(u64);
        #[derive(Debug, Deserialize, PartialEq)]
        struct Everything {
            text: String,
            given: Option<Units>,
            null: Option<i64>,
            absent: Option<bool>,
            pair: (i64, f64),
            colour: Colour,
        }
        let body =
            r#"{"text":"a\n","given":7,"null":null,"pair":[-1,1.5],"colour":"red","x":[[{}]]}"#;
        let expected = Everything {
            text: "a\n".to_owned(),
            given: Some(Units(7)),
            null: None,
            absent: None,
            pair: (-1, 1.5),
            colour: Colour::Red,
        };
        assert_eq!(decode::<Everything>(body).unwrap(), expected);
        let value: serde_json::Value = decode(body).unwrap();
        assert_eq!(
            value,
            serde_json::from_str::<serde_json::Value>(body).unwrap()
        );
    }

    #[test]
    fn what_is_no_json_is_unparseable() {
        let deep = format!("{{\"unknown\":{}", "[".repeat(100_000));
        for body in [
            "",
            "{",
            "{\"items\":[]} x",
            "items=1",
            "{\"items\":[}",
            &deep,
            "NaN",
        ] {
            assert_eq!(refused(body).0, 400, "{body:.20}");
        }
        assert_eq!(refused(b"{\"items\":[],\"note\":\"\xff\"}").0, 400);
    }

    #[test]
    fn only_json_is_json() {
        for essence in [
            "application/json",
            "Application/JSON",
            "application/merge-patch+json",
            "APPLICATION/x+Json",
        ] {
            assert!(is_json(essence), "{essence}");
        }
        for essence in [
            "text/json",
            "application/jsonp",
            "text/plain",
            "",
            "application/xml",
        ] {
            assert!(!is_json(essence), "{essence}");
        }
    }
}
