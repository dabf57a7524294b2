//! MPDs of DASH: the packager's one, with our names in it.

use mps_core::{Error, Result};

/// A file and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named<'a> {
    /// Its name in the job's folder.
    pub(super) file: &'a str,
    /// Its address as seen from the manifest.
    pub(super) uri: String,
    /// What a player calls it in a menu.
    pub(super) label: Option<&'a str>,
}

/// The manifest with the names put in, and its length in microseconds.
///
/// # Errors
/// `Internal` when it is not of a finished presentation, lacks one of the files, or names one that is not ours.
pub(super) fn renamed(text: &str, named: &[Named<'_>]) -> Result<(String, i64)> {
    let bad = |what: &str| Error::internal(format!("the packager's manifest {what}"));
    if !text.contains("type=\"static\"") {
        return Err(bad("is not one of a finished presentation"));
    }
    let length = text.split("mediaPresentationDuration=\"").nth(1).and_then(|rest| rest.split('"').next());
    let duration_us = length.and_then(duration).ok_or_else(|| bad("tells no length"))?;
    let mut out = String::with_capacity(text.len() * 2);
    let mut seen = vec![false; named.len()];
    let mut label_at = None;
    let mut rest = text;
    while let Some(open) = rest.find(['<']) {
        let (before, tag) = rest.split_at(open);
        out.push_str(before);
        let end = tag.find('>').ok_or_else(|| bad("is cut short"))? + 1;
        let (tag, after) = tag.split_at(end);
        rest = after;
        if is_comment(tag) {
            continue;
        }
        out.push_str(tag);
        if tag.starts_with("<AdaptationSet") {
            label_at = Some(out.len());
        }
        if tag == "<BaseURL>" {
            let (file, after) = rest.split_once('<').ok_or_else(|| bad("is cut short"))?;
            let at = named.iter().position(|name| name.file == file);
            let at = at.ok_or_else(|| bad("names a file that is not of this job"))?;
            out.push_str(&escaped(&named[at].uri));
            rest = &rest[rest.len() - after.len() - 1..];
            seen[at] = true;
            if let (Some(at_byte), Some(label)) = (label_at.take(), named[at].label) {
                out.insert_str(at_byte, &format!("\n      <Label>{}</Label>", escaped(label)));
            }
        }
    }
    out.push_str(rest);
    match seen.iter().position(|seen| !seen) {
        Some(at) => Err(bad(&format!("lacks {}", named[at].file))),
        None => Ok((out, duration_us)),
    }
}

fn is_comment(tag: &str) -> bool {
    tag.starts_with("<!--")
}

/// Of `PT1H2M3.4S`.
fn duration(text: &str) -> Option<i64> {
    let mut seconds = 0.0;
    let mut number = String::new();
    for c in text.strip_prefix("PT")?.chars() {
        let scale = match c {
            'H' => 3600.0,
            'M' => 60.0,
            'S' => 1.0,
            _ => {
                number.push(c);
                continue;
            }
        };
        seconds += number.parse::<f64>().ok().filter(|n| (0.0..1e9).contains(n))? * scale;
        number.clear();
    }
    Some((seconds * 1e6).round() as i64)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
