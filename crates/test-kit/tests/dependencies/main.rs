//! Who may depend on whom, and where versions and lints stand: checked on the workspace as it is.
//!
//! - [`graph`]: the packages and their edges, read from `cargo metadata`.
//! - [`rules`]: one function a rule; each is also shown a small graph that breaks it.
//! - [`manifest`]: the rules about the text of a member's `Cargo.toml`.

mod graph;
mod manifest;
mod rules;

use graph::Graph;

/// The workspace's graph; read once, since cargo takes a moment.
fn workspace() -> &'static Graph {
    static GRAPH: std::sync::OnceLock<Graph> = std::sync::OnceLock::new();
    GRAPH.get_or_init(Graph::of_workspace)
}

#[track_caller]
fn assert_kept(broken: &[String]) {
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_rules_name_packages_that_exist() {
    assert_kept(&rules::subjects_exist(workspace()));
}

#[test]
fn only_the_all_in_one_binary_depends_on_services() {
    assert_kept(&rules::services_stand_alone(workspace()));
}

#[test]
fn what_is_deployed_is_made_without_tools() {
    assert_kept(&rules::tools_stand_outside(workspace()));
}

#[test]
fn domain_reaches_no_io() {
    assert_kept(&rules::domain_is_pure(workspace()));
}

#[test]
fn product_api_depends_on_no_member() {
    assert_kept(&rules::is_a_leaf(workspace(), "product-api", &[]));
}

#[test]
fn service_kit_knows_no_shop() {
    assert_kept(&rules::is_a_leaf(workspace(), "service-kit", &["test-kit"]));
}

#[test]
fn sql_depends_on_no_member() {
    assert_kept(&rules::is_a_leaf(workspace(), "sql", &["test-kit"]));
}

#[test]
fn order_service_knows_no_redis() {
    assert_kept(&rules::order_service_without_redis(workspace()));
}

#[test]
fn members_take_versions_from_the_workspace() {
    for (path, text) in workspace().manifests() {
        assert_kept(&manifest::own_versions(&path, &text));
    }
}

#[test]
fn members_take_lints_from_the_workspace() {
    for (path, text) in workspace().manifests() {
        assert_kept(&manifest::own_lints(&path, &text));
    }
}
