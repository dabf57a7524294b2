//! `gen`: writes every generated file; `gen --check`: fails when a committed one differs.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};

use crate::spec::Spec;
use crate::{coverage, gen_types};

/// Folder of the generated Rust, from the repository root.
const WIRE: &str = "crates/wire/src/generated";

/// Writes the generated files whose content changed and removes those no longer generated. The wire types
/// come first: the pages are made by running code that needs them.
pub(crate) fn write(root: &Path) -> Result<()> {
    let types = types(root)?;
    save(root, &types)?;
    for path in strangers(root, &types)? {
        std::fs::remove_file(root.join(&path)).with_context(|| format!("remove {}", path.display()))?;
        println!("removed {}", path.display());
    }
    save(root, &coverage::pages(root)?.into_iter().collect())
}

fn save(root: &Path, files: &BTreeMap<PathBuf, String>) -> Result<()> {
    for (path, text) in files {
        let full = root.join(path);
        if std::fs::read_to_string(&full).is_ok_and(|old| old == *text) {
            continue;
        }
        std::fs::create_dir_all(full.parent().context("a generated file has a folder")?)?;
        std::fs::write(&full, text).with_context(|| format!("write {}", path.display()))?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// Fails naming every generated file that is absent, old, or no longer generated.
pub(crate) fn check(root: &Path) -> Result<()> {
    let mut files = types(root)?;
    let mut wrong = Vec::new();
    for path in strangers(root, &files)? {
        wrong.push(format!("{} is no longer generated", path.display()));
    }
    files.extend(coverage::pages(root)?);
    for (path, text) in &files {
        match std::fs::read_to_string(root.join(path)) {
            Ok(old) if old == *text => {}
            Ok(_) => wrong.push(format!("{} differs from the specification", path.display())),
            Err(_) => wrong.push(format!("{} is missing", path.display())),
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("{}\nrun `cargo xtask gen` and commit the result", wrong.join("\n"))
}

/// The wire types and schema: path from the root and text.
fn types(root: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let spec = Spec::read(root)?;
    let mut files = BTreeMap::new();
    for (name, text) in gen_types::files(&spec)? {
        files.insert(Path::new(WIRE).join(name), format_rust(root, &text)?);
    }
    Ok(files)
}

/// Files of the generated folder that nothing generates any more.
fn strangers(root: &Path, files: &BTreeMap<PathBuf, String>) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let folder = root.join(WIRE);
    if !folder.exists() {
        return Ok(found);
    }
    for entry in std::fs::read_dir(&folder)? {
        let name = entry?.file_name();
        let path = Path::new(WIRE).join(&name);
        if name.to_string_lossy().ends_with(".gen.rs") && !files.contains_key(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[expect(clippy::disallowed_methods, reason = "a chore of the repository calls the formatter")]
fn format_rust(root: &Path, text: &str) -> Result<String> {
    let mut child = std::process::Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("start rustfmt; install it with `rustup component add rustfmt`")?;
    let mut stdin = child.stdin.take().context("rustfmt takes no input")?;
    let text = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    writer.join().expect("the writer does not panic").context("send the text to rustfmt")?;
    ensure!(output.status.success(), "rustfmt refused generated code");
    Ok(String::from_utf8(output.stdout)?)
}
