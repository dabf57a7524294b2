//! A text that must not be seen: a key, an address with a ticket in it, the flags that carry keys.
//!
//! It shows itself to nobody who prints or logs it, and its memory is cleared when it goes. It is written in clear
//! where it is serialised, for that is how it gets into the store and into a child; who puts it into anything that
//! leaves the machine has to mask it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// The text. Cloning copies it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Zeroizing<String>);

/// What stands for it.
const MASK: &str = "******";
/// Shorter words of it tell nothing that is secret: names of flags, numbers.
const WORD: usize = 12;

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. The name is there to be searched for.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `text` without the words of this secret, for what a program says that has read it.
    #[must_use]
    pub fn hide_in(&self, text: &str) -> String {
        let words = self.0.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() >= WORD);
        words.fold(text.to_owned(), |hidden, word| hidden.replace(word, MASK))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "\"\"" } else { MASK })
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.reveal())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_stored_but_not_shown() {
        let secret = Secret::new("k3y");
        assert_eq!(
            format!("{secret:?} {:?} {:?}", Some(&secret), Secret::default()),
            "****** Some(******) \"\""
        );
        let stored = serde_json::to_string(&secret).unwrap();
        assert_eq!((stored.as_str(), serde_json::from_str::<Secret>(&stored).unwrap()), ("\"k3y\"", secret));
    }

    #[test]
    fn what_a_program_says_about_it_is_hidden_word_by_word() {
        let flags =
            Secret::new("--keys=label=S1:key_id=00aa00aa00aa00aa:key=ffeeffeeffeeffee\n--clear_lead=0\n");
        let said = "bad key ffeeffeeffeeffee of label S1: --keys=label=S1:key_id=00aa00aa00aa00aa";
        assert_eq!(flags.hide_in(said), "bad key ****** of label S1: --keys=label=S1:key_id=******");
    }
}
