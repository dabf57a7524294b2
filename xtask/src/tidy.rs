//! `tidy`: the rules of the house that no compiler knows.
//!
//! Who may depend on whom, how long a file may be, names that say nothing, hosts of package registries,
//! heavy files. All failures are told at once.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::tree;

/// Which of our crates each crate may use. A new line is a change of the architecture.
const EDGES: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("core", &[]),
    ("store", &["core"]),
    ("tasks", &["core", "store"]),
    ("media", &["core", "wire"]),
    ("ai", &["core", "wire"]),
    ("engines", &["ai"]),
    ("ffmpeg", &["core"]),
    ("backends", &["core", "store"]),
    ("api", &["ai", "backends", "core", "media", "store", "tasks", "wire"]),
    ("work", &["ai", "backends", "core", "engines", "ffmpeg", "media", "store", "tasks", "wire"]),
    ("live", &["ai", "backends", "core", "engines", "ffmpeg", "media", "store", "tasks", "wire"]),
    (
        "mps",
        &[
            "ai", "api", "backends", "core", "engines", "ffmpeg", "live", "media", "store", "tasks", "wire",
            "work",
        ],
    ),
    ("testkit", &["api", "backends", "core", "ffmpeg", "media", "store", "tasks", "wire", "work"]),
    ("xtask", &[]),
];
/// Serves tests alone: any crate may use it there, none elsewhere.
const TEST_ONLY: &str = "testkit";

/// Longest source file, in lines.
const LINES: usize = 700;
/// Heaviest file, in bytes.
const BYTES: u64 = 1 << 20;
/// Endings of files that people write.
const SOURCES: [&str; 10] = ["css", "js", "mjs", "py", "rs", "sh", "sql", "ts", "tsx", "yaml"];
/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 9] =
    ["common", "helper", "helpers", "manager", "managers", "misc", "util", "utils", "v2"];

/// Fails with every breach of the rules, one a line.
pub(crate) fn check(root: &Path) -> Result<()> {
    let files = tree::files(root)?;
    let mut wrong = edges(root)?;
    for path in &files {
        wrong.extend(name_says_nothing(path));
        wrong.extend(content(root, path)?);
    }
    if wrong.is_empty() {
        println!("tidy: {} files, {} crates in order", files.len(), EDGES.len());
        return Ok(());
    }
    bail!("{} against the rules of the house:\n{}", wrong.len(), wrong.join("\n"))
}

fn edges(root: &Path) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root.join("crates"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    folders.retain(|folder| folder.join("Cargo.toml").is_file());
    folders.push(root.join("xtask"));
    folders.sort();
    for folder in folders {
        let name = folder.file_name().context("a crate has a folder")?.to_string_lossy().into_owned();
        let text = std::fs::read_to_string(folder.join("Cargo.toml"))?;
        let manifest: toml::Table = text.parse().with_context(|| format!("parse the manifest of {name}"))?;
        let Some((_, allowed)) = EDGES.iter().find(|(known, _)| *known == name) else {
            wrong.push(format!(
                "crates/{name}: not in the table of xtask/src/tidy.rs; add it there and to ARCHITECTURE.md"
            ));
            continue;
        };
        wrong.extend(forbidden_edges(&name, &manifest, allowed));
    }
    Ok(wrong)
}

fn forbidden_edges(name: &str, manifest: &toml::Table, allowed: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut tables: Vec<(&str, &toml::Table)> = sections(manifest);
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    for target in targets.into_iter().flat_map(|table| table.values()) {
        tables.extend(target.as_table().map(sections).unwrap_or_default());
    }
    for (section, table) in tables {
        for dependency in table.keys().filter_map(|key| key.strip_prefix("mps-")) {
            let in_tests = section == "dev-dependencies" && dependency == TEST_ONLY;
            if !in_tests && (dependency == TEST_ONLY || !allowed.contains(&dependency)) {
                wrong.push(format!(
                    "crates/{name}: may not depend on {dependency} ({section}); see the table in ARCHITECTURE.md"
                ));
            }
        }
    }
    wrong
}

fn sections(table: &toml::Table) -> Vec<(&'static str, &toml::Table)> {
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .into_iter()
        .filter_map(|section| Some((section, table.get(section)?.as_table()?)))
        .collect()
}

fn name_says_nothing(path: &Path) -> Option<String> {
    let guilty = path.components().find_map(|component| {
        let Component::Normal(word) = component else {
            return None;
        };
        let word = word.to_string_lossy();
        let stem = word.split('.').next().unwrap_or_default().to_lowercase().replace('-', "_");
        let empty = EMPTY_NAMES.contains(&stem.as_str()) || stem.starts_with("new_");
        empty.then(|| word.into_owned())
    })?;
    Some(format!("{}: the name `{guilty}` says nothing; name what it does", path.display()))
}

fn content(root: &Path, path: &Path) -> Result<Vec<String>> {
    let full = root.join(path);
    let mut wrong = Vec::new();
    let bytes = full.metadata()?.len();
    if bytes > BYTES {
        wrong.push(format!("{}: {bytes} bytes; the most is {BYTES}", path.display()));
        return Ok(wrong);
    }
    let Ok(text) = std::fs::read_to_string(&full) else {
        return Ok(wrong);
    };
    let generated = path.to_string_lossy().contains(".gen.");
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let lines = text.lines().count();
    if !generated && lines > LINES && SOURCES.contains(&ending.as_ref()) {
        wrong.push(format!("{}: {lines} lines; split it, the most is {LINES}", path.display()));
    }
    for (at, line) in text.lines().enumerate() {
        if let Some(host) = registry_host(line) {
            wrong.push(format!("{}:{}: names the package registry {host}", path.display(), at + 1));
        }
    }
    Ok(wrong)
}

/// Hosts of package registries: which one serves is a matter of the machine, not of the project.
/// Kept in halves, so that this list itself names none.
fn registries() -> BTreeSet<String> {
    let halves = [
        ("crates", "io"),
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("rubygems", "org"),
        ("proxy.golang", "org"),
        ("sum.golang", "org"),
        ("deb.debian", "org"),
        ("snapshot.debian", "org"),
        ("archive.ubuntu", "com"),
        ("security.ubuntu", "com"),
        ("ports.ubuntu", "com"),
    ];
    halves.into_iter().map(|(name, top)| format!("{name}.{top}")).collect()
}

/// The registry that the line names as a host. Part of another host's path is no host.
fn registry_host(line: &str) -> Option<String> {
    let line = line.to_lowercase();
    registries().into_iter().find(|host| {
        line.match_indices(host.as_str()).any(|(at, _)| {
            let before = line[..at].trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-'));
            before.ends_with("//") || !before.ends_with('/')
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_registry_host_but_not_a_path_that_looks_like_one() {
        let host = format!("{}.{}", "crates", "io");
        assert_eq!(registry_host(&format!("url = \"https://static.{host}/x\"")), Some(host.clone()));
        assert_eq!(registry_host(&format!("see {host}")), Some(host.clone()));
        assert_eq!(registry_host(&format!("registry+https://github.com/rust-lang/{host}-index")), None);
        assert_eq!(registry_host("https://example.com/"), None);
    }

    #[test]
    fn finds_names_that_say_nothing_anywhere_in_a_path() {
        for path in ["crates/api/src/utils.rs", "console/src/common/a.ts", "a/new_tasks.rs", "api/v2/x.rs"] {
            assert!(name_says_nothing(Path::new(path)).is_some(), "{path}");
        }
        for path in ["crates/api/src/news.rs", "docs/en/uncommon.md", "spec/mps-2019-06-12.json"] {
            assert!(name_says_nothing(Path::new(path)).is_none(), "{path}");
        }
    }

    #[test]
    fn refuses_an_edge_that_is_not_in_the_table() {
        let manifest: toml::Table = "[dependencies]\nmps-core.workspace = true\nmps-tasks.workspace = true\n\
            mps-testkit.workspace = true\n[dev-dependencies]\nmps-testkit.workspace = true\n\
            [target.'cfg(unix)'.dependencies]\nmps-api.workspace = true\n"
            .parse()
            .unwrap();
        let wrong = forbidden_edges("store", &manifest, &["core"]);
        assert_eq!(wrong.len(), 3, "{wrong:?}");
    }
}
