//! A section of the configuration: one table of TOML whose keys, defaults and documentation are written once.
//!
//! [`section!`](crate::config::section) declares the structure. Its doc comments are the reference: `mps config
//! print-default`, `mps config reference` and the suggestions for misspelt keys all read [`Section::keys`].

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a value looks like, for the reference and for reading it from the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// Text that is never shown again.
    Secret,
    /// One of a few words.
    Word,
    /// `address:port`.
    Address,
    /// A file or folder.
    Path,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Bool,
    /// Several texts.
    List,
    /// Names and texts.
    Table,
}

impl Kind {
    /// The kind in words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Secret => "text, secret",
            Self::Word => "word",
            Self::Address => "address:port",
            Self::Path => "path",
            Self::Integer => "integer",
            Self::Bool => "true or false",
            Self::List => "list of texts",
            Self::Table => "table of texts",
        }
    }
}

/// A type that a key can have.
pub trait Shown {
    /// What its values look like.
    const KIND: Kind;
}

macro_rules! shown {
    ($($ty:ty => $kind:ident),* $(,)?) => { $(impl Shown for $ty { const KIND: Kind = Kind::$kind; })* };
}
shown! {
    String => Text, Secret => Secret, SocketAddr => Address, PathBuf => Path, u16 => Integer, u32 => Integer,
    u64 => Integer, bool => Bool, Vec<String> => List, BTreeMap<String, String> => Table,
}
impl<T: Shown> Shown for Option<T> {
    const KIND: Kind = T::KIND;
}

/// A text that neither logs nor `Debug` repeat.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"…\"")
    }
}

/// One key of a section.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its name in the table.
    pub name: &'static str,
    /// Its documentation: the doc comment, lines joined by `\n`.
    pub doc: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// The default as TOML; none where the key is absent by default.
    pub default: Option<String>,
}

/// A table of the configuration.
pub trait Section: Default {
    /// What the table is about: its doc comment.
    const ABOUT: &'static str;
    /// Its keys, in the order of the reference.
    fn keys() -> Vec<Key>;
    /// The tables inside it, in the order of the reference.
    fn tables() -> Vec<Table> {
        Vec::new()
    }
}

/// A table inside another one.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its keys.
    pub keys: Vec<Key>,
}

/// Declares a section: `struct Name { /// doc \n key: Type = default, … }`, for the root with its tables after it:
/// `tables { key: Section, … }`.
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        $vis:vis struct $Name:ident { $( $(#[doc = $doc:literal])* $key:ident : $ty:ty = $default:expr ),* $(,)? }
        $( tables { $( $(#[doc = $table_doc:literal])* $table:ident : $Table:ty ),* $(,)? } )?
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        $vis struct $Name {
            $( $(#[doc = $doc])* pub $key: $ty, )*
            $( $( $(#[doc = $table_doc])* pub $table: $Table, )* )?
        }

        impl Default for $Name {
            fn default() -> Self {
                Self { $( $key: $default, )* $( $( $table: Default::default(), )* )? }
            }
        }

        impl $crate::config::section::Section for $Name {
            const ABOUT: &'static str = concat!($($about, "\n"),*);
            fn keys() -> Vec<$crate::config::section::Key> {
                let default = Self::default();
                vec![ $( $crate::config::section::Key {
                    name: stringify!($key),
                    doc: concat!($($doc, "\n"),*),
                    kind: <$ty as $crate::config::section::Shown>::KIND,
                    default: $crate::config::section::as_toml(&default.$key),
                } ),* ]
            }
            $( fn tables() -> Vec<$crate::config::section::Table> {
                vec![ $( $crate::config::section::Table {
                    name: stringify!($table),
                    about: <$Table as $crate::config::section::Section>::ABOUT,
                    keys: <$Table as $crate::config::section::Section>::keys(),
                } ),* ]
            } )?
        }
    };
}
pub(crate) use section;

/// A value as TOML would write it; none for a value that TOML cannot hold, which is `None`.
pub fn as_toml(value: &impl Serialize) -> Option<String> {
    toml::Value::try_from(value).ok().map(|value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    section! {
        /// About it.
        struct Sample {
            /// The first line.
            /// The second.
            port: u16 = 7,
            /// Maybe.
            name: Option<String> = None,
        }
    }

    #[test]
    fn a_section_knows_its_keys_with_their_documentation_and_defaults() {
        let keys = Sample::keys();
        assert_eq!(Sample::ABOUT.trim(), "About it.");
        assert_eq!(keys[0].name, "port");
        assert_eq!(keys[0].doc, " The first line.\n The second.\n");
        assert_eq!((keys[0].kind, keys[0].default.as_deref()), (Kind::Integer, Some("7")));
        assert_eq!((keys[1].kind, keys[1].default.as_deref()), (Kind::Text, None));
    }

    #[test]
    fn a_secret_is_not_repeated() {
        assert!(!format!("{:?}", Secret::from("tea")).contains("tea"));
    }
}
