//! The configuration in words: a commented file with the defaults, and the page of the reference.

use std::fmt::Write as _;

use super::Config;
use super::environment::name_of;
use super::section::{Key, Kind, Section};

/// The defaults as a commented TOML file. It says exactly what no file would say.
pub fn default_file() -> String {
    let mut out = String::from(
        "# Freedom MPS: every key with its default. Keys that are absent by default are shown after `#`.\n\
         # Each can also be given as a variable: MPS_ + path in upper case joined by __ (MPS_BUCKETS__LISTEN).\n",
    );
    for key in Config::keys() {
        push_key(&mut out, &key);
    }
    for table in Config::tables() {
        out.push('\n');
        for line in table.about.lines() {
            let _ = writeln!(out, "# {}", line.trim());
        }
        let _ = writeln!(out, "[{}]", table.name);
        for key in table.keys {
            push_key(&mut out, &key);
        }
    }
    out
}

fn push_key(out: &mut String, key: &Key) {
    out.push('\n');
    for line in key.doc.lines() {
        let _ = writeln!(out, "# {}", line.trim());
    }
    let _ = match &key.default {
        Some(default) => writeln!(out, "{} = {default}", key.name),
        None => writeln!(out, "# {} = {}", key.name, placeholder(key.kind)),
    };
}

fn placeholder(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer => "0",
        Kind::Bool => "false",
        Kind::List => "[]",
        Kind::Table => "{}",
        Kind::Address => "\"127.0.0.1:9090\"",
        Kind::Text | Kind::Secret | Kind::Word | Kind::Path => "\"…\"",
    }
}

/// The page of the reference, in Markdown.
pub fn reference() -> String {
    let mut out = String::from(
        "# Configuration reference\n\n\
         `mps config reference` writes this page; `mps config print-default` writes the same as a file to start from,\n\
         and `mps config check FILE` says what is wrong with one.\n\n\
         What is given later outranks what is given before: the defaults, the file (`--config FILE` or `MPS_CONFIG`),\n\
         the variables, the flags. An unknown key or variable stops the start with a suggestion.\n\
         In variables a list is written as `a,b`, a table as `name=value,name=value`, or both as TOML.\n\n\
         ## Top of the file\n\n",
    );
    for key in Config::keys() {
        push_entry(&mut out, "", &key);
    }
    for table in Config::tables() {
        let _ = write!(out, "## [{}]\n\n{}\n\n", table.name, paragraph(table.about));
        for key in &table.keys {
            push_entry(&mut out, table.name, key);
        }
    }
    out.push_str(
        "## Variables of their own\n\n\
         | variable | meaning |\n| --- | --- |\n\
         | `MPS_CONFIG` | the configuration file |\n\
         | `MPS_FFMPEG`, `MPS_FFPROBE`, `MPS_PACKAGER` | short for `[tools]` |\n\
         | `MPS_ENDPOINT`, `MPS_SECRET_ID`, `MPS_SECRET_KEY` | the server and the key that `mps call`, `process`, \
         `tasks` and `probe` use |\n",
    );
    out
}

fn push_entry(out: &mut String, table: &str, key: &Key) {
    let path = if table.is_empty() { key.name.to_owned() } else { format!("{table}.{}", key.name) };
    let default = key.default.as_deref().map_or("absent".to_owned(), |default| format!("`{default}`"));
    let _ = write!(
        out,
        "### {path}\n\n{}\n\n{} · default {default} · `{}`\n\n",
        paragraph(key.doc),
        key.kind.word(),
        name_of(&path)
    );
}

fn paragraph(doc: &str) -> String {
    doc.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

    #[test]
    fn the_printed_file_is_valid_and_says_what_no_file_says() {
        let text = default_file();
        let config = Config::from_parts(Some((Path::new("default.toml"), &text)), &[]).unwrap();
        assert_eq!(config, Config::default());
    }

    #[test]
    fn every_key_is_documented_for_people() {
        for (table, key) in Config::keys().into_iter().map(|key| ("", key)).chain(
            Config::tables().into_iter().flat_map(|t| t.keys.into_iter().map(move |key| (t.name, key))),
        ) {
            assert!(key.doc.trim().ends_with('.'), "{table}.{}: a sentence, please", key.name);
        }
    }

    #[test]
    fn the_committed_example_and_reference_are_what_this_build_prints() {
        for (path, printed) in
            [("config/mps.toml", default_file()), ("docs/en/reference/configuration.md", reference())]
        {
            let committed = std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_default();
            assert!(committed == printed, "{path} is not what this build prints; run make gen");
        }
    }
}
