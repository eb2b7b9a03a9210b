//! What a member's `Cargo.toml` may not say for itself.
//!
//! cargo's metadata no longer tells what was inherited, so this reads the text: sections, and entries that may
//! run over several lines.

/// Dependencies without `workspace = true`.
pub(crate) fn own_versions(path: &str, text: &str) -> Vec<String> {
    let broken = entries(text).into_iter().filter_map(|(section, entry)| {
        let (name, inherits) = dependency(&section, &entry)?;
        (!inherits).then(|| {
            format!("{path}: {name} has a version of its own: name it in the root's [workspace.dependencies] and say `{name}.workspace = true`")
        })
    });
    broken.collect()
}

/// Lints that are not the workspace's.
pub(crate) fn own_lints(path: &str, text: &str) -> Vec<String> {
    let lints: Vec<String> = entries(text)
        .into_iter()
        .filter(|(section, _)| section == "lints" || section.starts_with("lints."))
        .map(|(section, entry)| format!("{section} {}", entry.replace(' ', "")))
        .collect();
    if lints == ["lints workspace=true"] {
        return Vec::new();
    }
    vec![format!(
        "{path}: say `[lints] workspace = true` and nothing more; a lint is set for all in the root's [workspace.lints]"
    )]
}

/// The dependency's name and whether it is inherited; nothing if the entry is none, or only adds to an inherited one.
fn dependency(section: &str, entry: &str) -> Option<(String, bool)> {
    let (key, value) = entry.split_once('=')?;
    let (key, value) = (key.trim(), value.trim());
    let inherits = |text: &str| text.replace(' ', "").contains("workspace=true");
    if is_dependency_section(section) {
        let name = key.split('.').next().unwrap_or(key);
        return Some((
            name.to_owned(),
            inherits(value) || (key.ends_with(".workspace") && value == "true"),
        ));
    }
    // `[dependencies.name]`: of its lines, `version`, `path` and `git` are what stands in for the workspace's.
    let (parent, name) = section.rsplit_once('.')?;
    let own = ["version", "path", "git"].contains(&key);
    (is_dependency_section(parent) && own).then(|| (name.to_owned(), false))
}

fn is_dependency_section(section: &str) -> bool {
    let last = section.rsplit('.').next().unwrap_or(section);
    ["dependencies", "dev-dependencies", "build-dependencies"].contains(&last)
}

/// Every `key = value` with its section; lines are joined until brackets are closed.
fn entries(text: &str) -> Vec<(String, String)> {
    let (mut found, mut section, mut entry) = (Vec::new(), String::new(), String::new());
    for line in text
        .lines()
        .map(|line| line.split(" #").next().unwrap_or(line).trim())
    {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if entry.is_empty() && line.starts_with('[') {
            section = line.trim_matches(['[', ']']).to_owned();
            continue;
        }
        entry.push_str(line);
        if depth(&entry) == 0 {
            found.push((section.clone(), std::mem::take(&mut entry)));
        }
    }
    found
}

fn depth(entry: &str) -> usize {
    let count = |brackets: [char; 2]| entry.matches(brackets).count();
    count(['[', '{']).saturating_sub(count([']', '}']))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
        [package]
        name = \"good\"
        version.workspace = true
        [lints]
        workspace = true # as everywhere
        [dependencies]
        serde.workspace = true
        tokio = { workspace = true, features = [
            \"process\",
        ] }
        [dev-dependencies.redis]
        workspace = true
        features = [\"script\"]
    ";

    #[test]
    fn inherited_versions_and_lints_are_fine() {
        assert!(own_versions("good", GOOD).is_empty());
        assert!(own_lints("good", GOOD).is_empty());
    }

    #[test]
    fn a_version_of_its_own_is_caught_in_every_form() {
        for text in [
            "[dependencies]\nserde = \"1\"",
            "[dev-dependencies]\nserde = { version = \"1\",\n features = [\"derive\"] }",
            "[build-dependencies]\nserde.version = \"1\"",
            "[dependencies.serde]\nversion = \"1\"",
            "[target.'cfg(unix)'.dependencies]\nserde = { path = \"../serde\" }",
        ] {
            let broken = own_versions("bad", text);
            assert_eq!(broken.len(), 1, "{text}: {broken:?}");
            assert!(
                broken[0].contains("serde has a version of its own"),
                "{broken:?}"
            );
        }
    }

    #[test]
    fn lints_of_its_own_or_none_are_caught() {
        let own = "[lints]\nworkspace = true\n[lints.rust]\nmissing_docs = \"allow\"";
        for text in [
            own,
            "[lints.clippy]\nall = \"allow\"",
            "[package]\nname = \"bad\"",
        ] {
            assert_eq!(own_lints("bad", text).len(), 1, "{text}");
        }
    }
}
