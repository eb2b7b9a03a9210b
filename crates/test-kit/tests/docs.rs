//! What the documents say about files and tests is there.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the workspace is there")
}

/// Every file of the repository with this extension; what is built or hidden is left out.
fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).expect("a folder can be read");
    for path in entries.map(|entry| entry.expect("an entry can be read").path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

fn all(extension: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(&root(), extension, &mut found);
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a text can be read");
            (path, text)
        })
        .collect()
}

/// The lines outside of fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// What stands between `](` and `)`, and is no address of the web.
fn relative_links(text: &str) -> Vec<&str> {
    let targets = prose(text).flat_map(|line| line.split("](").skip(1));
    targets
        .filter_map(|rest| rest.split([')', ' ']).next())
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        .collect()
}

/// The anchors of a page, as the usual viewers make them of its headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
        title.chars().filter(kept).collect::<String>()
    };
    headings
        .map(|line| anchor(line).replace(' ', "-"))
        .collect()
}

fn is_there(page: &Path, text: &str, link: &str) -> bool {
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let folder = page.parent().expect("a page is in a folder");
    let target = folder.join(file);
    let text = match file {
        "" => text.to_owned(),
        _ if anchor.is_empty() => return target.exists(),
        _ => fs::read_to_string(target).unwrap_or_default(),
    };
    anchors(&text).iter().any(|found| found == anchor)
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut checked = 0;
    for (page, text) in all("md") {
        for link in relative_links(&text) {
            assert!(is_there(&page, &text, link), "{}: {link}", page.display());
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked} links were found");
}

#[test]
fn a_link_to_nowhere_is_found() {
    let page = root().join("docs/any.md");
    let text = "# A title\n[a](nowhere.md) [b](#a-title) [c](#another)\n```\n[d](code)\n```\n";
    let links = relative_links(text);
    assert_eq!(links, ["nowhere.md", "#a-title", "#another"]);
    let found: Vec<bool> = links.iter().map(|l| is_there(&page, text, l)).collect();
    assert_eq!(found, [false, true, false]);
}

/// Names in backticks that read like a fact.
fn test_names(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    quoted
        .filter(|name| name.chars().all(is_name) && name.matches('_').count() >= 3)
        .collect()
}

fn promises() -> String {
    fs::read_to_string(root().join("docs/promises.md")).expect("the promises are written down")
}

#[test]
fn every_promise_names_a_test() {
    let text = promises();
    for number in 1..=8 {
        let section = text
            .split("\n## ")
            .find(|section| section.starts_with(&format!("{number}. ")));
        let section = section.unwrap_or_else(|| panic!("promise {number} is not there"));
        assert!(
            !test_names(section).is_empty(),
            "promise {number} names no test"
        );
    }
}

#[test]
fn every_test_that_the_promises_name_exists() {
    let sources = all("rs");
    let text = promises();
    for name in test_names(&text) {
        let function = format!("fn {name}(");
        let exists = sources.iter().any(|(_, source)| source.contains(&function));
        assert!(exists, "no test is called {name}");
    }
}
