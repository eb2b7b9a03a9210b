//! Every command of the READMEs is run, in their order, and its output is what they show below it.

use std::{fs, path::Path};

use serde_json::Value;
use tokio::process::Command;

use crate::shop::Shop;

/// A block of commands and the output shown below it, if any.
struct Example {
    commands: String,
    shown: Option<String>,
}

/// The blocks after the first one, which is about `make` and has a test of its own.
fn examples(readme: &str) -> Vec<Example> {
    let mut blocks = readme.split("```").skip(1).step_by(2).peekable();
    let mut examples = Vec::new();
    while let Some(block) = blocks.next() {
        let Some(commands) = block.strip_prefix("sh\n") else {
            continue;
        };
        let shown = blocks.next_if(|next| !next.starts_with("sh\n") && !next.contains("──"));
        examples.push(Example {
            commands: commands.to_owned(),
            shown: shown.map(|shown| shown.trim_start_matches("json").trim().to_owned()),
        });
    }
    examples.split_off(1)
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

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    fs::read_to_string(path).expect("the file is there")
}

async fn check(readme: &str) {
    let shop = Shop::start().await;
    let examples = examples(&read(readme));
    assert!(
        examples.len() >= 10,
        "only {} examples were found",
        examples.len()
    );
    let program = Path::new(env!("CARGO_BIN_EXE_hotdeal"));
    let directory = program.parent().expect("a program is in a directory");
    // The variables of one block are there in the next, as in a terminal.
    let variables = tempfile::NamedTempFile::new().expect("a temporary file");
    let file = variables.path().display();
    for Example { commands, shown } in examples {
        let adapted = commands
            .replace("http://127.0.0.1:8080", &shop.http.url(""))
            .replace("$PWD/target/release", &directory.display().to_string());
        let script = format!(
            "export HOTDEAL_URL={}\n. {file}\n{adapted}\n\
             declare -p | grep -E '^declare -[-x] ([A-Z]+|HOTDEAL_USER)=' | grep -v HOTDEAL_URL > {file}",
            shop.http.url("")
        );
        let output = run(&script).await;
        let Some(shown) = shown else {
            assert!(!output.is_empty(), "{commands}\nprints nothing");
            continue;
        };
        let matches = match (serde_json::from_str(&shown), serde_json::from_str(&output)) {
            (Ok(shown), Ok(real)) => is_like(&shown, &real),
            _ => shown == output,
        };
        assert!(matches, "{commands}\nshows {shown}\nbut is {output}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_readme_do_what_it_shows() {
    check("README.md").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_korean_readme_do_what_it_shows() {
    check("README.ko.md").await;
}

/// The first block: what they do is tested elsewhere, that they are there and do it is seen here.
#[tokio::test]
async fn the_make_targets_of_the_readmes_do_what_is_tested() {
    let readmes = [read("README.md"), read("README.ko.md")];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (target, does) in [
        (
            "run",
            "cargo run --release --locked --package hotdeal -- run --demo",
        ),
        (
            "demo",
            "cargo run --release --locked --quiet --package hotdeal -- demo",
        ),
        ("test", "scripts/setup.sh\nscripts/test.sh"),
    ] {
        for readme in &readmes {
            assert!(readme.contains(&format!("make {target}")), "{target}");
        }
        let script = format!(
            "make -C {} --no-print-directory -n {target}",
            root.display()
        );
        assert_eq!(run(&script).await, does, "{target}");
    }
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
