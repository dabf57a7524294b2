//! A configuration file: parsed with the place of every key, so that a mistake is shown where it stands.

use std::fmt::Write as _;
use std::path::Path;

use mps_core::{Error, Result};
use toml::de::{DeTable, DeValue};

use super::section::Section;
use super::{Config, nearest};

/// Parses and checks a file; the error begins with `file:line:column`.
pub fn parse(path: &Path, text: &str) -> Result<toml::Table> {
    let at = |offset: usize| place(path, text, offset);
    let document = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        Error::invalid(format!("{}: {}", at(offset), one_line(error.message())))
    })?;
    check_names(document.get_ref(), &at)?;

    let deserializer = toml::Deserializer::parse(text)
        .map_err(|error| Error::invalid(format!("{}: {}", path.display(), one_line(error.message()))))?;
    let typed: Result<Config, _> = serde_path_to_error::deserialize(deserializer);
    typed.map_err(|error| {
        let offset = error.inner().span().map_or(0, |span| span.start);
        Error::invalid(format!("{}: {}: {}", at(offset), error.path(), one_line(error.inner().message())))
    })?;
    toml::from_str(text)
        .map_err(|error| Error::invalid(format!("{}: {}", path.display(), one_line(error.message()))))
}

fn check_names(document: &DeTable<'_>, at: &dyn Fn(usize) -> String) -> Result<()> {
    let (keys, tables) = (Config::keys(), Config::tables());
    let roots: Vec<&str> = keys.iter().map(|k| k.name).chain(tables.iter().map(|t| t.name)).collect();
    for (name, value) in document {
        let offset = name.span().start;
        let name: &str = name.get_ref().as_ref();
        if !roots.contains(&name) {
            let elsewhere = tables
                .iter()
                .find(|table| table.keys.iter().any(|key| key.name == name))
                .map(|table| table.name);
            return Err(unknown(&at(offset), name, "", &roots, elsewhere));
        }
        let Some(table) = tables.iter().find(|table| table.name == name) else { continue };
        let DeValue::Table(inner) = value.get_ref() else { continue };
        let known: Vec<&str> = table.keys.iter().map(|key| key.name).collect();
        for key in inner.keys() {
            let word: &str = key.get_ref().as_ref();
            if !known.contains(&word) {
                let elsewhere = tables
                    .iter()
                    .find(|other| other.keys.iter().any(|k| k.name == word))
                    .map(|other| other.name);
                return Err(unknown(&at(key.span().start), word, table.name, &known, elsewhere));
            }
        }
    }
    Ok(())
}

/// `file:1:2: unknown key "lisen" in [buckets]; did you mean "listen"?`
fn unknown(place: &str, name: &str, table: &str, known: &[&str], elsewhere: Option<&str>) -> Error {
    let mut message = format!("{place}: unknown key \"{name}\"");
    if !table.is_empty() {
        let _ = write!(message, " in [{table}]");
    }
    if let Some(like) = nearest(name, known.iter().copied()) {
        let _ = write!(message, "; did you mean \"{like}\"?");
    } else if let Some(table) = elsewhere {
        let _ = write!(message, "; it belongs to [{table}]");
    } else {
        let _ = write!(message, "; known here: {}", known.join(", "));
    }
    Error::invalid(message)
}

/// `file:line:column`, both counted from one, columns in characters.
fn place(path: &Path, text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    format!("{}:{line}:{column}", path.display())
}

fn one_line(message: &str) -> String {
    message.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(Path::new("mps.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn a_misspelt_key_is_shown_where_it_stands_with_the_right_one() {
        assert_eq!(
            error("region = \"x\"\n\n[buckets]\n  lisen = \"127.0.0.1:1\"\n"),
            "mps.toml:4:3: unknown key \"lisen\" in [buckets]; did you mean \"listen\"?"
        );
        assert_eq!(error("[bucket]\n"), "mps.toml:1:2: unknown key \"bucket\"; did you mean \"buckets\"?");
    }

    #[test]
    fn a_key_in_the_wrong_table_is_sent_to_its_own() {
        assert_eq!(error("slots = 3\n"), "mps.toml:1:1: unknown key \"slots\"; it belongs to [workers]");
    }

    #[test]
    fn a_file_that_is_no_toml_is_shown_where_it_breaks() {
        assert!(error("listen = \n").starts_with("mps.toml:1:"), "{}", error("listen = \n"));
    }

    #[test]
    fn a_table_may_be_written_inline() {
        parse(Path::new("mps.toml"), "buckets = { listen = \"127.0.0.1:1\" }\n").unwrap();
        assert!(error("buckets = { listn = \"127.0.0.1:1\" }\n").contains("did you mean \"listen\"?"));
    }
}
