//! What the decoder finds wrong, in words for callers: they know JSON, not our types.

/// Says the same as `message`, of serde, without the names of Rust.
pub(super) fn plain(message: &str) -> String {
    if message.starts_with("missing field `") {
        return "is missing".to_owned();
    }
    if message.starts_with("duplicate field `") {
        return "is given twice".to_owned();
    }
    // What was found is the caller's text, and may contain anything: the last comma counts.
    let is_about_kind = message.starts_with("invalid ");
    match message.rsplit_once(", expected ") {
        Some((found, expected)) if is_about_kind => must_be(found, expected),
        _ => message.to_owned(),
    }
}

fn must_be(found: &str, expected: &str) -> String {
    const WHOLE: [&str; 10] = [
        "i8", "i16", "i32", "i64", "isize", "u8", "u16", "u32", "u64", "usize",
    ];
    if WHOLE.contains(&expected) && found.starts_with("invalid value: integer") {
        return "is out of range".to_owned();
    }
    let what = match expected {
        whole if WHOLE.contains(&whole) => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "an array",
        "a map" => "an object",
        object if object.starts_with("struct ") => "an object",
        other => other,
    };
    format!("must be {what}")
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::{Deserialize, de::DeserializeOwned};

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its decoding is looked at")]
    struct Request {
        delta: i64,
        name: Option<String>,
        tags: Option<Vec<u32>>,
        is_new: Option<bool>,
        more: Option<serde_json::Map<String, serde_json::Value>>,
    }

    fn said<T: DeserializeOwned + Debug>(text: &str) -> String {
        let error = serde_json::from_str::<T>(text).unwrap_err().to_string();
        plain(error.split(" at line ").next().unwrap())
    }

    #[test]
    fn callers_read_what_json_calls_things() {
        for (body, words) in [
            ("7", "must be an object"),
            ("{}", "is missing"),
            (r#"{"delta":1,"delta":2}"#, "is given twice"),
            (r#"{"delta":"a, expected b"}"#, "must be a whole number"),
            (r#"{"delta":1.5}"#, "must be a whole number"),
            (r#"{"delta":null}"#, "must be a whole number"),
            (r#"{"delta":9223372036854775808}"#, "is out of range"),
            (r#"{"name":1}"#, "must be a string"),
            (r#"{"tags":1}"#, "must be an array"),
            (r#"{"tags":[-1]}"#, "is out of range"),
            (r#"{"is_new":1}"#, "must be true or false"),
            (r#"{"more":[]}"#, "must be an object"),
        ] {
            assert_eq!(said::<Request>(body), words, "{body}");
        }
    }

    #[test]
    fn our_own_words_stay() {
        for words in ["must be a UUID", "is set by the server"] {
            assert_eq!(plain(words), words);
        }
    }
}
