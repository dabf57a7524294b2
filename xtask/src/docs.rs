//! `docs`: the English pages and their Russian pairs say the same, and links lead somewhere.
//!
//! English is the source. A Russian page's first line carries the hash of the English page it was
//! translated from; after a translation `docs --stamp` writes it anew.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::{markdown, tree};

/// Fails with every page that lacks its pair, differs from it in headings, is older than its source,
/// or holds a link to nothing.
pub(crate) fn check(root: &Path) -> Result<()> {
    let files = tree::files(root)?;
    let (pairs, mut wrong) = pairs(&files);
    for (english, russian) in &pairs {
        wrong.extend(compare(root, english, russian)?);
    }
    for path in files.iter().filter(|path| is_page(path)) {
        wrong.extend(dead_links(root, path)?);
    }
    if wrong.is_empty() {
        println!("docs: {} pairs in order", pairs.len());
        return Ok(());
    }
    bail!("{} wrong in the documents:\n{}", wrong.len(), wrong.join("\n"))
}

/// Writes the present hash of each English page into its Russian pair.
pub(crate) fn stamp(root: &Path) -> Result<()> {
    let (pairs, _) = pairs(&tree::files(root)?);
    for (english, russian) in pairs {
        let source = read(root, &english)?;
        let text = read(root, &russian)?;
        let body = if stamped(&text).is_some() { after_first_line(&text) } else { &text };
        let fresh = with_stamp(&source, body);
        if fresh != text {
            std::fs::write(root.join(&russian), fresh)?;
            println!("stamped {}", russian.display());
        }
    }
    Ok(())
}

/// `body` under the line that says which English text it was translated from.
pub(crate) fn with_stamp(source: &str, body: &str) -> String {
    format!("<!-- source: {} -->\n{body}", hash(source))
}

/// The pairs there are, and a complaint for each page without one.
fn pairs(files: &[PathBuf]) -> (Vec<(PathBuf, PathBuf)>, Vec<String>) {
    let known: BTreeSet<&Path> = files.iter().map(PathBuf::as_path).collect();
    let (mut pairs, mut wrong) = (Vec::new(), Vec::new());
    for path in files.iter().filter(|path| is_page(path)) {
        let (english, russian) = if let Some(russian) = russian_of(path) {
            (path.clone(), russian)
        } else if let Some(english) = english_of(path) {
            (english, path.clone())
        } else {
            continue;
        };
        let other = if *path == english { &russian } else { &english };
        if !known.contains(other.as_path()) {
            wrong.push(format!("{}: its pair {} is missing", path.display(), other.display()));
        } else if *path == english {
            pairs.push((english, russian));
        }
    }
    (pairs, wrong)
}

fn is_page(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "md")
}

fn russian_of(path: &Path) -> Option<PathBuf> {
    if path == Path::new("README.md") {
        return Some(PathBuf::from("README.ru.md"));
    }
    Some(Path::new("docs/ru").join(path.strip_prefix("docs/en").ok()?))
}

fn english_of(path: &Path) -> Option<PathBuf> {
    if path == Path::new("README.ru.md") {
        return Some(PathBuf::from("README.md"));
    }
    Some(Path::new("docs/en").join(path.strip_prefix("docs/ru").ok()?))
}

fn compare(root: &Path, english: &Path, russian: &Path) -> Result<Vec<String>> {
    let (source, text) = (read(root, english)?, read(root, russian)?);
    let mut wrong = Vec::new();
    match stamped(&text) {
        None => wrong.push(format!(
            "{}: its first line must be `<!-- source: … -->`; write it with `cargo xtask docs --stamp`",
            russian.display()
        )),
        Some(old) if old != hash(&source) => wrong.push(format!(
            "{}: {} has changed since; translate the change, then `cargo xtask docs --stamp`",
            russian.display(),
            english.display()
        )),
        Some(_) => {}
    }
    let levels = |text: &str| -> Vec<usize> { markdown::headings(text).iter().map(|h| h.level).collect() };
    let (ours, theirs) = (levels(&source), levels(&text));
    if ours != theirs {
        let at = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
        let heading = |text: &str| {
            let headings = markdown::headings(text);
            headings.get(at).map_or("the end".to_owned(), |h| format!("`{} {}`", "#".repeat(h.level), h.text))
        };
        wrong.push(format!(
            "{}: other headings than {}: heading {} is {}, there it is {}",
            russian.display(),
            english.display(),
            at + 1,
            heading(&text),
            heading(&source)
        ));
    }
    Ok(wrong)
}

fn dead_links(root: &Path, path: &Path) -> Result<Vec<String>> {
    let text = read(root, path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut wrong = Vec::new();
    for link in markdown::links(&text) {
        if link.contains("://") || link.starts_with("mailto:") {
            continue;
        }
        let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
        let target = if file.is_empty() { path.to_path_buf() } else { resolve(folder, file) };
        let full = root.join(&target);
        if !full.exists() {
            wrong.push(format!("{}: the link {link} leads nowhere", path.display()));
        } else if !anchor.is_empty() && is_page(&target) {
            let there = markdown::anchors(&read(root, &target)?);
            if !there.contains(anchor) {
                wrong.push(format!("{}: {} has no heading #{anchor}", path.display(), target.display()));
            }
        }
    }
    Ok(wrong)
}

/// `file` seen from `folder`, without `.` and `..`.
fn resolve(folder: &Path, file: &str) -> PathBuf {
    let mut out = PathBuf::new();
    for component in folder.join(file).components() {
        match component {
            Component::ParentDir => {
                out.pop();
            }
            Component::Normal(word) => out.push(word),
            _ => {}
        }
    }
    out
}

fn stamped(text: &str) -> Option<&str> {
    text.lines().next()?.strip_prefix("<!-- source: ")?.strip_suffix(" -->")
}

fn after_first_line(text: &str) -> &str {
    text.split_once('\n').map(|(_, rest)| rest).unwrap_or_default()
}

fn hash(source: &str) -> String {
    hex::encode(Sha256::digest(source))[..16].to_owned()
}

fn read(root: &Path, path: &Path) -> Result<String> {
    std::fs::read_to_string(root.join(path)).with_context(|| format!("read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_pages_and_names_the_lonely_ones() {
        let files: Vec<PathBuf> =
            ["README.md", "docs/adr/1.md", "docs/en/a.md", "docs/en/b/c.md", "docs/ru/a.md", "docs/ru/z.md"]
                .map(PathBuf::from)
                .to_vec();
        let (pairs, wrong) = pairs(&files);
        assert_eq!(pairs, [(PathBuf::from("docs/en/a.md"), PathBuf::from("docs/ru/a.md"))]);
        assert_eq!(wrong.len(), 3, "{wrong:?}");
    }

    #[test]
    fn stamps_with_the_hash_of_the_source() {
        let text = with_stamp("# A\n", "# А\n");
        assert_eq!(stamped(&text), Some(hash("# A\n").as_str()));
        assert_eq!(stamped(&text).unwrap().len(), 16);
        assert_eq!(after_first_line(&text), "# А\n");
        assert_eq!(stamped("# А\n"), None);
    }

    #[test]
    fn resolves_links_from_the_folder_of_the_page() {
        assert_eq!(resolve(Path::new("docs/en"), "../ru/./a.md"), Path::new("docs/ru/a.md"));
    }
}
