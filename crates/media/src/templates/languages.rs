//! The words for languages. The vendor names the common ones and points to a page for the rest; taken are the named
//! ones and the two-letter codes of the languages that open speech recognizers know.

use mps_wire::ApiError;
use mps_wire::codes::value_of;

/// Words that the vendor gives a meaning of its own.
const NAMED: &[&str] =
    &["zh-PY", "zh_medical", "zh_dialect", "prime_zh", "zh_en", "yue", "fil", "pt-PT", "zh-TW"];
/// Two-letter codes, sorted.
const CODES: &[&str] = &[
    "af", "am", "ar", "as", "az", "ba", "be", "bg", "bn", "bo", "br", "bs", "ca", "cs", "cy", "da", "de",
    "el", "en", "es", "et", "eu", "fa", "fi", "fo", "fr", "gl", "gu", "ha", "he", "hi", "hr", "ht", "hu",
    "hy", "id", "is", "it", "ja", "jv", "ka", "kk", "km", "kn", "ko", "la", "lb", "ln", "lo", "lt", "lv",
    "mg", "mi", "mk", "ml", "mn", "mr", "ms", "mt", "my", "ne", "nl", "nn", "no", "oc", "pa", "pl", "ps",
    "pt", "ro", "ru", "sa", "sd", "si", "sk", "sl", "sn", "so", "sq", "sr", "su", "sv", "sw", "ta", "te",
    "tg", "th", "tk", "tl", "tr", "tt", "uk", "ur", "uz", "vi", "yi", "yo", "zh",
];

/// Whether speech of this language is known; `auto` lets it be found out.
pub(super) fn is_spoken(word: &str) -> bool {
    word == "auto" || is_known(word)
}

/// Whether text can be translated into it.
pub(super) fn is_target(word: &str) -> bool {
    is_known(word) && !matches!(word, "zh-PY" | "zh_medical" | "zh_dialect" | "prime_zh" | "zh_en")
}

fn is_known(word: &str) -> bool {
    CODES.binary_search(&word).is_ok() || NAMED.contains(&word)
}

/// Checks the language of speech.
pub(super) fn check_spoken(code: &str, path: &str, word: &str) -> Result<(), ApiError> {
    if is_spoken(word) {
        return Ok(());
    }
    Err(value_of(code, format!("{path} is {word:?}, which is no known language")))
}

/// Checks one target language or several, such as `en/ja`, and tells how many there are.
pub(super) fn check_targets(code: &str, path: &str, words: &str) -> Result<usize, ApiError> {
    let all: Vec<&str> = words.split('/').collect();
    for (at, word) in all.iter().enumerate() {
        if !is_target(word) {
            return Err(value_of(code, format!("{path} is {words:?}; {word:?} is no known language")));
        }
        if all[..at].contains(word) {
            return Err(value_of(code, format!("{path} is {words:?}; {word:?} stands there twice")));
        }
    }
    Ok(all.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendors_words_and_the_two_letter_codes_are_known() {
        assert!(CODES.is_sorted_by(|a, b| a < b));
        for word in ["auto", "zh", "en", "ja", "zh-PY", "prime_zh", "fil", "yue", "sw"] {
            assert!(is_spoken(word), "{word}");
        }
        for word in ["", "ZH", "english", "xx", "zh_XX"] {
            assert!(!is_spoken(word), "{word:?}");
        }
    }

    #[test]
    fn targets_are_languages_and_none_twice() {
        assert_eq!(check_targets("C", "P", "en"), Ok(1));
        assert_eq!(check_targets("C", "P", "en/ja/zh-TW"), Ok(3));
        for words in ["", "en/", "en/en", "auto", "zh_en", "en,ja"] {
            assert!(check_targets("C", "P", words).is_err(), "{words:?}");
        }
    }
}
