//! The wire does not break: everything in `wire.txt` is still there, and the same.
//!
//! - [`listing`]: what the protos say, one line for everything that a client relies on.
//! - [`compare`]: what has vanished or changed since the baseline, and what is new.
//!
//! What is new is allowed, and from then on relied on. It is written down by
//! `cargo test -p product-api --test compatible -- --ignored renew`, which refuses to forget anything:
//! what has to break goes into a new package beside the old one.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod compare;
mod listing;

use std::{fs, path::Path};

use prost::Message as _;
use prost_types::FileDescriptorSet;

const RENEW: &str = "cargo test -p product-api --test compatible -- --ignored renew";

fn baseline() -> String {
    fs::read_to_string(path()).unwrap()
}

fn path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("wire.txt")
}

fn wire() -> FileDescriptorSet {
    FileDescriptorSet::decode(product_api::DESCRIPTORS).unwrap()
}

#[test]
fn nothing_that_clients_rely_on_has_vanished_or_changed() {
    let broken = compare::broken(&baseline(), &listing::of(&wire()));
    assert!(
        broken.is_empty(),
        "this breaks clients:\n{}",
        broken.join("\n")
    );
}

#[test]
fn what_is_new_is_written_down() {
    let now = listing::of(&wire());
    let new = compare::new(&baseline(), &now);
    assert!(
        new.is_empty(),
        "wire.txt does not have yet what clients will rely on; run `{RENEW}`:\n{}",
        new.join("\n")
    );
}

#[test]
#[ignore = "writes wire.txt anew"]
fn renew() {
    let listed = listing::of(&wire());
    let before = fs::read_to_string(path()).unwrap_or_default();
    let broken = compare::broken(&before, &listed);
    assert!(
        broken.is_empty(),
        "this breaks clients:\n{}",
        broken.join("\n")
    );
    fs::write(path(), listed).unwrap();
}
