//! The rules. Each answers the sentences to show; none means that it is kept.

use crate::graph::{Graph, Kind};

const SERVICES: [&str; 2] = ["product-service", "order-service"];

/// The one package that puts services together, and so may depend on them.
const ALL_IN_ONE: &str = "hotdeal";

/// What starts, loads and measures the shop from outside.
const TOOLS: [&str; 4] = ["bench", "end-to-end", "load", "local-shop"];

const IO: [&str; 7] = [
    "tokio", "sqlx", "redis", "tonic", "axum", "hyper", "reqwest",
];

/// The packages that the rules name: after a renaming the rules would hold for nobody.
pub(crate) fn subjects_exist(graph: &Graph) -> Vec<String> {
    let others = ["domain", "product-api", "service-kit", "sql", "test-kit"];
    let named = SERVICES.into_iter().chain(TOOLS).chain(others);
    let missing = named.filter(|name| !graph.has_member(name));
    missing
        .map(|name| format!("no member is called {name}: give its rule the new name"))
        .collect()
}

/// A service is known to others by its wire only, in tests too.
pub(crate) fn services_stand_alone(graph: &Graph) -> Vec<String> {
    let edges = graph.member_edges().into_iter();
    let wrong = edges.filter(|(from, to, _)| SERVICES.contains(to) && *from != ALL_IN_ONE);
    wrong
        .map(|(from, to, _)| {
            format!("{from} depends on {to}: call it through product-api, or over HTTP; tests start it as a process")
        })
        .collect()
}

/// The values of the shop can be used anywhere, by anything.
pub(crate) fn domain_is_pure(graph: &Graph) -> Vec<String> {
    let reached = graph.reached("domain");
    let wrong = IO.iter().filter(|name| reached.contains(**name));
    wrong
        .map(|name| {
            format!(
                "domain reaches {name}: move what does I/O to the service or crate that needs it"
            )
        })
        .collect()
}

/// `package` depends on no member, but for tests on those in `for_tests`.
pub(crate) fn is_a_leaf(graph: &Graph, package: &str, for_tests: &[&str]) -> Vec<String> {
    let edges = graph
        .member_edges()
        .into_iter()
        .filter(|(from, _, _)| *from == package);
    let wrong = edges.filter(|(_, to, kind)| !(*kind == Kind::Dev && for_tests.contains(to)));
    wrong
        .map(|(from, to, _)| {
            format!("{from} depends on {to}: hand over what it needs as an argument, or move it up")
        })
        .collect()
}

/// What is deployed is made without the tools around it, and without the test kit they stand on.
pub(crate) fn tools_stand_outside(graph: &Graph) -> Vec<String> {
    let deployed = || SERVICES.into_iter().chain([ALL_IN_ONE]);
    let edges = graph.member_edges().into_iter();
    let wrong = edges.filter(|(from, to, kind)| {
        let is_tool = TOOLS.contains(to) || *to == "test-kit";
        is_tool && *kind != Kind::Dev && deployed().any(|name| name == *from)
    });
    wrong
        .map(|(from, to, _)| format!("{from} depends on {to}: what is deployed needs no test"))
        .collect()
}

/// Stock is product-service's, and so is the gate.
pub(crate) fn order_service_without_redis(graph: &Graph) -> Vec<String> {
    let direct = graph.direct("order-service");
    let wrong = ["redis", "deadpool-redis"]
        .into_iter()
        .filter(|name| direct.contains(name));
    wrong
        .map(|name| format!("order-service depends on {name}: ask product-service for stock"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Kind::{Build, Dev, Normal};

    #[track_caller]
    fn assert_names(broken: &[String], expected: &str) {
        assert_eq!(broken.len(), 1, "{broken:?}");
        assert!(broken[0].starts_with(expected), "{broken:?}");
    }

    #[test]
    fn a_renamed_subject_is_caught() {
        let edges = [
            "order-service",
            "domain",
            "product-api",
            "service-kit",
            "sql",
            "test-kit",
            "bench",
            "end-to-end",
            "load",
            "local-shop",
        ];
        let graph = Graph::of_edges(&edges.map(|name| ("product", name, Normal)));
        assert_names(
            &subjects_exist(&graph),
            "no member is called product-service",
        );
    }

    #[test]
    fn a_service_that_tests_with_another_is_caught() {
        let graph = Graph::of_edges(&[
            ("order-service", "product-service", Dev),
            ("hotdeal", "product-service", Normal),
            ("order-service", "product-api", Normal),
        ]);
        assert_names(
            &services_stand_alone(&graph),
            "order-service depends on product-service",
        );
    }

    #[test]
    fn a_crate_that_depends_on_a_service_is_caught() {
        let graph = Graph::of_edges(&[("test-kit", "order-service", Normal)]);
        assert_names(
            &services_stand_alone(&graph),
            "test-kit depends on order-service",
        );
    }

    #[test]
    fn io_behind_another_package_is_caught_and_that_of_tests_is_not() {
        let graph = Graph::of_edges(&[
            ("domain", "ext:middle", Normal),
            ("ext:middle", "ext:tokio", Normal),
            ("ext:middle", "ext:hyper", Dev),
            ("domain", "ext:sqlx", Dev),
        ]);
        assert_names(&domain_is_pure(&graph), "domain reaches tokio");
    }

    #[test]
    fn a_circle_ends() {
        let graph = Graph::of_edges(&[
            ("domain", "ext:a", Normal),
            ("ext:a", "ext:b", Normal),
            ("ext:b", "ext:a", Normal),
        ]);
        assert!(domain_is_pure(&graph).is_empty());
    }

    #[test]
    fn a_leaf_that_depends_on_a_member_is_caught_but_may_use_the_test_kit_in_tests() {
        let graph = Graph::of_edges(&[
            ("sql", "domain", Build),
            ("sql", "test-kit", Dev),
            ("sql", "ext:sqlx", Normal),
        ]);
        assert_names(
            &is_a_leaf(&graph, "sql", &["test-kit"]),
            "sql depends on domain",
        );
        let graph = Graph::of_edges(&[("sql", "test-kit", Normal)]);
        assert_names(
            &is_a_leaf(&graph, "sql", &["test-kit"]),
            "sql depends on test-kit",
        );
    }

    #[test]
    fn a_service_that_is_made_of_a_tool_is_caught_unless_for_tests() {
        let graph = Graph::of_edges(&[
            ("order-service", "test-kit", Dev),
            ("end-to-end", "local-shop", Normal),
            ("hotdeal", "local-shop", Normal),
        ]);
        assert_names(
            &tools_stand_outside(&graph),
            "hotdeal depends on local-shop",
        );
    }

    #[test]
    fn redis_in_the_order_service_is_caught_unless_for_tests() {
        let graph = Graph::of_edges(&[("order-service", "ext:redis", Normal)]);
        assert_names(
            &order_service_without_redis(&graph),
            "order-service depends on redis",
        );
        let graph = Graph::of_edges(&[("order-service", "ext:redis", Dev)]);
        assert!(order_service_without_redis(&graph).is_empty());
    }
}
