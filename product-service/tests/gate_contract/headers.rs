//! The codes in the scripts' headers are the enum's.

use std::{collections::BTreeSet, fs, path::Path};

use product_service::gate::reply::Code;

/// The lines `--   N  NAME: meaning` of every script.
fn codes_in_headers() -> BTreeSet<(i64, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lua");
    let mut codes = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "lua") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let of_script: Vec<_> = source.lines().filter_map(code_in).collect();
        assert!(!of_script.is_empty(), "{} names no reply", path.display());
        for word in ["KEYS[1]", "ARGV[1]", "Reply:"] {
            assert!(source.contains(word), "{} says no {word}", path.display());
        }
        codes.extend(of_script);
    }
    codes
}

fn code_in(line: &str) -> Option<(i64, String)> {
    let (number, rest) = line.strip_prefix("--")?.trim_start().split_once("  ")?;
    let (name, _) = rest.split_once(": ")?;
    Some((number.parse().ok()?, name.to_owned()))
}

#[test]
fn every_code_is_in_a_header_and_every_header_knows_only_codes() {
    let codes = Code::ALL
        .iter()
        .map(|&(code, name)| (code as i64, name.to_owned()));
    assert_eq!(codes_in_headers(), codes.collect());
}
