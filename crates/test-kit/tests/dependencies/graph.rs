//! The dependency graph as cargo resolves it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// What an edge is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Dev,
    Build,
}

/// One package needs another.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) kind: Kind,
}

/// Packages by cargo's id, which tells two versions of one name apart.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    names: BTreeMap<String, String>,
    members: BTreeSet<String>,
    manifests: Vec<PathBuf>,
    edges: Vec<Edge>,
}

impl Graph {
    pub(crate) fn of_workspace() -> Self {
        let mut command = Command::new(env!("CARGO"));
        command.args(["metadata", "--format-version", "1", "--locked"]);
        let output = command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo can be run");
        assert!(
            output.status.success(),
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Self::read(&serde_json::from_slice(&output.stdout).expect("cargo metadata answers JSON"))
    }

    /// A made-up graph whose packages are all members but those that begin with `ext:`.
    pub(crate) fn of_edges(edges: &[(&str, &str, Kind)]) -> Self {
        let mut graph = Self::default();
        for (from, to, kind) in edges {
            for id in [from, to] {
                graph
                    .names
                    .insert(id.to_string(), id.trim_start_matches("ext:").to_owned());
                if !id.starts_with("ext:") {
                    graph.members.insert(id.to_string());
                }
            }
            graph.edges.push(Edge {
                from: from.to_string(),
                to: to.to_string(),
                kind: *kind,
            });
        }
        graph
    }

    /// True if a member has this name.
    pub(crate) fn has_member(&self, name: &str) -> bool {
        self.members.iter().any(|id| self.name(id) == name)
    }

    /// Edges between members, by name.
    pub(crate) fn member_edges(&self) -> Vec<(&str, &str, Kind)> {
        let inside = self
            .edges
            .iter()
            .filter(|edge| self.members.contains(&edge.from) && self.members.contains(&edge.to));
        inside
            .map(|edge| (self.name(&edge.from), self.name(&edge.to), edge.kind))
            .collect()
    }

    /// The names that the member needs directly in a build for use, not for tests.
    pub(crate) fn direct(&self, member: &str) -> BTreeSet<&str> {
        let own = self
            .edges
            .iter()
            .filter(|edge| edge.kind != Kind::Dev && self.is_member(&edge.from, member));
        own.map(|edge| self.name(&edge.to)).collect()
    }

    /// The names that the member's normal dependencies lead to, however far.
    pub(crate) fn reached(&self, member: &str) -> BTreeSet<&str> {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = self
            .members
            .iter()
            .filter(|id| self.is_member(id, member))
            .map(String::as_str)
            .collect();
        while let Some(id) = open.pop() {
            let next = self
                .edges
                .iter()
                .filter(|edge| edge.from == id && edge.kind == Kind::Normal);
            open.extend(
                next.map(|edge| edge.to.as_str())
                    .filter(|to| seen.insert(to)),
            );
        }
        seen.into_iter().map(|id| self.name(id)).collect()
    }

    /// The members' `Cargo.toml`: path and text.
    pub(crate) fn manifests(&self) -> Vec<(String, String)> {
        let read = |path: &PathBuf| {
            let text = std::fs::read_to_string(path).expect("cargo names files that are there");
            (path.display().to_string(), text)
        };
        self.manifests.iter().map(read).collect()
    }

    fn read(metadata: &Value) -> Self {
        let members = list(&metadata["workspace_members"]).map(text).collect();
        let mut graph = Self {
            members,
            ..Self::default()
        };
        for package in list(&metadata["packages"]) {
            let id = text(&package["id"]);
            if graph.members.contains(&id) {
                graph.manifests.push(text(&package["manifest_path"]).into());
            }
            graph.names.insert(id, text(&package["name"]));
        }
        for node in list(&metadata["resolve"]["nodes"]) {
            for dependency in list(&node["deps"]) {
                for kind in list(&dependency["dep_kinds"]) {
                    let (from, to) = (text(&node["id"]), text(&dependency["pkg"]));
                    graph.edges.push(Edge {
                        from,
                        to,
                        kind: kind_of(&kind["kind"]),
                    });
                }
            }
        }
        assert!(
            !graph.members.is_empty() && !graph.edges.is_empty(),
            "cargo metadata has another form than expected"
        );
        graph
    }

    fn is_member(&self, id: &str, name: &str) -> bool {
        self.members.contains(id) && self.name(id) == name
    }

    fn name(&self, id: &str) -> &str {
        &self.names[id]
    }
}

fn kind_of(kind: &Value) -> Kind {
    match kind.as_str() {
        Some("dev") => Kind::Dev,
        Some("build") => Kind::Build,
        _ => Kind::Normal,
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .expect("cargo metadata names it by a string")
        .to_owned()
}
