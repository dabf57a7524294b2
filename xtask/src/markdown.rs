//! The little of Markdown that the checks need: headings, their anchors, links. Code is skipped.

use std::collections::{BTreeMap, BTreeSet};

/// A heading.
pub(crate) struct Heading {
    /// 1 to 6.
    pub(crate) level: usize,
    /// Its text, marks included.
    pub(crate) text: String,
}

/// The headings in their order.
pub(crate) fn headings(text: &str) -> Vec<Heading> {
    prose(text)
        .filter_map(|line| {
            let level = line.bytes().take_while(|byte| *byte == b'#').count();
            let rest = line.get(level..)?.strip_prefix(' ')?;
            (1..=6).contains(&level).then(|| Heading { level, text: rest.trim().to_owned() })
        })
        .collect()
}

/// What may stand behind `#` in a link to this page, as code hosts make it of the headings.
pub(crate) fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut out = BTreeSet::new();
    for heading in headings(text) {
        let slug: String = heading
            .text
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let count = seen.entry(slug.clone()).or_insert(0);
        out.insert(if *count == 0 { slug } else { format!("{slug}-{count}") });
        *count += 1;
    }
    out
}

/// The targets of `[text](target)` and `![text](target)`, titles cut off.
pub(crate) fn links(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    for line in prose(text) {
        let line = without_code_spans(line);
        let mut rest = line.as_str();
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, behind)) = after.split_once(')') else {
                break;
            };
            let target = target.trim().split([' ', '\t']).next().unwrap_or_default();
            out.push(target.trim_matches(['<', '>']).to_owned());
            rest = behind;
        }
    }
    out
}

/// The lines outside of fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fence: Option<&str> = None;
    text.lines().filter(move |line| {
        let line = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| line.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => {
                fence = Some(mark);
                false
            }
            (Some(open), Some(mark)) if open == mark => {
                fence = None;
                false
            }
            (Some(_), _) => false,
            (None, None) => true,
        }
    })
}

fn without_code_spans(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# One\n\nsee [a](a.md#x), ![b](<b.png> \"title\") and `[c](c.md)`\n\n```sh\n# not a heading\n[d](d.md)\n```\n## Имя файла: `x`\n## One\n#no\n";

    #[test]
    fn reads_headings_outside_of_code() {
        let found: Vec<(usize, String)> = headings(PAGE).into_iter().map(|h| (h.level, h.text)).collect();
        assert_eq!(found, [(1, "One".to_owned()), (2, "Имя файла: `x`".to_owned()), (2, "One".to_owned())]);
    }

    #[test]
    fn makes_anchors_as_code_hosts_do() {
        let anchors = anchors(PAGE);
        assert!(
            ["one", "one-1", "имя-файла-x"].iter().all(|anchor| anchors.contains(*anchor)),
            "{anchors:?}"
        );
    }

    #[test]
    fn reads_links_outside_of_code() {
        assert_eq!(links(PAGE), ["a.md#x", "b.png"]);
    }
}
