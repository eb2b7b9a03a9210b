//! Every command of the README's section "Try it" is run, and its output is what the README shows.

use std::{fs, path::Path};

use end_to_end::{Shop, ShopOptions};
use serde_json::Value;
use tokio::process::Command;

/// A block of commands and the output shown below it.
struct Example {
    commands: String,
    shown: String,
}

fn examples(readme: &str, heading: &str) -> Vec<Example> {
    let section = readme.split(heading).nth(1).expect("there is a section");
    let section = section.split("\n## ").next().expect("it has an end");
    let blocks: Vec<&str> = section.split("```").skip(1).step_by(2).collect();
    let pairs = blocks.chunks(2).map(|pair| match pair {
        [commands, shown] if commands.starts_with("sh\n") => Example {
            commands: commands["sh\n".len()..].to_owned(),
            shown: shown.trim_start_matches("json").trim().to_owned(),
        },
        other => panic!("not commands and their output: {other:?}"),
    });
    pairs.collect()
}

/// `…` stands for any text; everything else is to the letter.
fn is_like(shown: &Value, real: &Value) -> bool {
    match (shown, real) {
        (Value::String(any), Value::String(_)) if any == "…" => true,
        (Value::Object(shown), Value::Object(real)) => {
            shown.len() == real.len()
                && shown
                    .iter()
                    .all(|(name, value)| real.get(name).is_some_and(|real| is_like(value, real)))
        }
        (Value::Array(shown), Value::Array(real)) => {
            shown.len() == real.len() && shown.iter().zip(real).all(|(a, b)| is_like(a, b))
        }
        (shown, real) => shown == real,
    }
}

async fn run(script: &str) -> String {
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .output()
        .await;
    let output = output.expect("bash runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{errors}");
    String::from_utf8(output.stdout)
        .expect("the output is text")
        .trim()
        .to_owned()
}

async fn check(readme: &str, heading: &str) {
    let shop = Shop::start(ShopOptions::default()).await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(readme);
    let readme = fs::read_to_string(path).expect("the README is there");
    let examples = examples(&readme, heading);
    assert!(
        examples.len() >= 7,
        "only {} examples were found",
        examples.len()
    );
    // The variables of one block are there in the next, as in a terminal.
    let variables = tempfile::NamedTempFile::new().expect("a temporary file");
    let file = variables.path().display();
    for example in examples {
        let commands = example
            .commands
            .replace("http://127.0.0.1:8081", &shop.product[0].http.url(""))
            .replace("http://127.0.0.1:8080", &shop.order[0].http.url(""));
        let script = format!(
            ". {file}\n{commands}\ndeclare -p | grep -E '^declare -- (PRODUCT|BUYER|ORDER)=' > {file}"
        );
        let output = run(&script).await;
        let matches = match (
            serde_json::from_str(&example.shown),
            serde_json::from_str(&output),
        ) {
            (Ok(shown), Ok(real)) => is_like(&shown, &real),
            _ => example.shown == output,
        };
        assert!(
            matches,
            "{commands}\nshows {}\nbut is {output}",
            example.shown
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_readme_do_what_it_shows() {
    check("README.md", "\n## Try it\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_korean_readme_do_what_it_shows() {
    check("README.ko.md", "\n## 써 보기\n").await;
}

#[test]
fn an_output_that_differs_is_found() {
    let shown = serde_json::json!({"id": "…", "items": [{"n": 1}]});
    let real = |n, more: Value| serde_json::json!({"id": "x", "items": [{"n": n}], "more": more});
    assert!(is_like(
        &shown,
        &serde_json::json!({"id": "x", "items": [{"n": 1}]})
    ));
    assert!(!is_like(&shown, &real(1, Value::Null)));
    assert!(!is_like(
        &shown,
        &serde_json::json!({"id": "x", "items": [{"n": 2}]})
    ));
}
