//! The files of the repository, as git sees them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Files that are tracked, or new and not ignored: what a commit of everything would hold. Sorted.
pub(crate) fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = list(root, &["--cached", "--others", "--exclude-standard"])?;
    files.retain(|path| root.join(path).is_file());
    Ok(files)
}

#[expect(clippy::disallowed_methods, reason = "a chore of the repository asks git")]
fn list(root: &Path, which: &[&str]) -> Result<Vec<PathBuf>> {
    let output = std::process::Command::new("git")
        .current_dir(root)
        .args(["ls-files", "-z", "--deduplicate"])
        .args(which)
        .output()
        .context("start git")?;
    ensure!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim());
    let text = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    let mut files: Vec<PathBuf> =
        text.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from).collect();
    files.sort();
    Ok(files)
}
