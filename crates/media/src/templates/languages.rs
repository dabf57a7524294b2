//! The words for languages: those that the vendor lists for speech and for translations, and the two-letter codes of
//! the languages that open speech recognizers know.

use mps_wire::ApiError;
use mps_wire::codes::value_of;

/// Languages of speech, sorted.
const SPOKEN: &[&str] = &[
    "af",
    "af-ZA",
    "am",
    "am-ET",
    "ar",
    "ar-AE",
    "ar-BH",
    "ar-DZ",
    "ar-EG",
    "ar-IL",
    "ar-IQ",
    "ar-JO",
    "ar-KW",
    "ar-LB",
    "ar-MA",
    "ar-MR",
    "ar-OM",
    "ar-PS",
    "ar-QA",
    "ar-SA",
    "ar-SY",
    "ar-TN",
    "ar-YE",
    "as",
    "az",
    "az-AZ",
    "ba",
    "be",
    "bg",
    "bg-BG",
    "bn",
    "bn-BD",
    "bn-IN",
    "bo",
    "br",
    "bs",
    "bs-BA",
    "ca",
    "ca-ES",
    "cs",
    "cs-CZ",
    "cy",
    "da",
    "da-DK",
    "de",
    "el",
    "el-GR",
    "en",
    "en-AU",
    "en-CA",
    "en-GB",
    "en-GH",
    "en-HK",
    "en-IE",
    "en-IN",
    "en-KE",
    "en-NG",
    "en-NZ",
    "en-PH",
    "en-PK",
    "en-SG",
    "en-TZ",
    "en-US",
    "en-ZA",
    "es",
    "es-AR",
    "es-BO",
    "es-CL",
    "es-CO",
    "es-CR",
    "es-DO",
    "es-EC",
    "es-ES",
    "es-GT",
    "es-HN",
    "es-MX",
    "es-NI",
    "es-PA",
    "es-PE",
    "es-PR",
    "es-PY",
    "es-SV",
    "es-US",
    "es-UY",
    "es-VE",
    "et",
    "et-EE",
    "eu",
    "eu-ES",
    "fa",
    "fa-IR",
    "fi",
    "fi-FI",
    "fil",
    "fil-PH",
    "fo",
    "fr",
    "fr-BE",
    "fr-CA",
    "fr-CH",
    "fr-FR",
    "gl",
    "gl-ES",
    "gu",
    "gu-IN",
    "ha",
    "he",
    "hi",
    "hi-IN",
    "hr",
    "hr-HR",
    "ht",
    "hu",
    "hu-HU",
    "hy",
    "hy-AM",
    "id",
    "id-ID",
    "is",
    "is-IS",
    "it",
    "it-CH",
    "it-IT",
    "iw-IL",
    "ja",
    "ja-JP",
    "jv",
    "jv-ID",
    "ka",
    "ka-GE",
    "kk",
    "kk-KZ",
    "km",
    "km-KH",
    "kn",
    "kn-IN",
    "ko",
    "ko-KR",
    "la",
    "lb",
    "ln",
    "lo",
    "lo-LA",
    "lt",
    "lt-LT",
    "lv",
    "lv-LV",
    "mg",
    "mi",
    "mk",
    "mk-MK",
    "ml",
    "ml-IN",
    "mn",
    "mn-MN",
    "mr",
    "mr-IN",
    "ms",
    "ms-MY",
    "mt",
    "my",
    "my-MM",
    "ne",
    "ne-NP",
    "nl",
    "nl-BE",
    "nl-NL",
    "nn",
    "no",
    "no-NO",
    "oc",
    "pa",
    "pl",
    "pl-PL",
    "prime_zh",
    "ps",
    "pt",
    "pt-BR",
    "pt-PT",
    "ro",
    "ro-RO",
    "ru",
    "ru-RU",
    "rw-RW",
    "sa",
    "sd",
    "si",
    "si-LK",
    "sk",
    "sk-SK",
    "sl",
    "sl-SI",
    "sn",
    "so",
    "sq",
    "sq-AL",
    "sr",
    "sr-RS",
    "st-ZA",
    "su",
    "su-ID",
    "sv",
    "sv-SE",
    "sw",
    "sw-KE",
    "sw-TZ",
    "ta",
    "ta-IN",
    "ta-LK",
    "ta-MY",
    "ta-SG",
    "te",
    "te-IN",
    "tg",
    "th",
    "th-TH",
    "tk",
    "tl",
    "tr",
    "tr-TR",
    "ts-ZA",
    "tt",
    "uk",
    "uk-UA",
    "ur",
    "ur-IN",
    "ur-PK",
    "uz",
    "uz-UZ",
    "ve-ZA",
    "vi",
    "vi-VN",
    "xh-ZA",
    "yi",
    "yo",
    "yue",
    "zh",
    "zh-PY",
    "zh-TW",
    "zh_dialect",
    "zh_en",
    "zh_medical",
    "zu-ZA",
];
/// Languages of translations, sorted.
const TARGETS: &[&str] = &[
    "/", "ab", "ace", "ach", "af", "ak", "am", "ar", "as", "ay", "az", "ba", "ban", "bbc", "be", "bem",
    "bew", "bg", "bho", "bik", "bm", "bn", "bo", "br", "bs", "bts", "btx", "bua", "ca", "ceb", "cgg", "chm",
    "ckb", "cnh", "co", "crh", "crs", "cs", "cv", "cy", "da", "de", "din", "doi", "dov", "dv", "dz", "ee",
    "el", "en", "en/ja", "eo", "es", "et", "eu", "fa", "ff", "fi", "fil", "fj", "fo", "fr", "fr-CA", "fr-FR",
    "fy", "ga", "gaa", "gd", "gl", "gn", "gom", "gu", "gv", "ha", "haw", "he", "hi", "hil", "hmn", "hr",
    "hrx", "ht", "hu", "hy", "id", "ig", "ilo", "is", "it", "iw", "ja", "jv", "ka", "kk", "km", "kn", "ko",
    "kri", "ktu", "ku", "ky", "la", "lb", "lg", "li", "lij", "lmo", "ln", "lo", "lt", "ltg", "luo", "lus",
    "lv", "mai", "mak", "mg", "mi", "min", "mk", "ml", "mn", "mr", "ms", "mt", "my", "ne", "new", "nl", "nn",
    "no", "nr", "nso", "nus", "ny", "oc", "om", "or", "pa", "pag", "pam", "pap", "pl", "ps", "pt", "pt-BR",
    "pt-PT", "qu", "rn", "ro", "rom", "ru", "rw", "sa", "scn", "sd", "sg", "shn", "si", "sk", "sl", "sm",
    "sn", "so", "sq", "sr", "ss", "st", "su", "sv", "sw", "szl", "ta", "te", "tet", "tg", "th", "ti", "tk",
    "tl", "tn", "tr", "ts", "tt", "ug", "uk", "ur", "uz", "vi", "xh", "yi", "yo", "yua", "yue", "zh",
    "zh-TW", "zu",
];

/// Whether speech of this language is known; `auto` lets it be found out.
pub(super) fn is_spoken(word: &str) -> bool {
    word == "auto" || SPOKEN.binary_search(&word).is_ok()
}

/// Whether text can be translated into it.
pub(super) fn is_target(word: &str) -> bool {
    TARGETS.binary_search(&word).is_ok()
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
        assert!(SPOKEN.is_sorted_by(|a, b| a < b) && TARGETS.is_sorted_by(|a, b| a < b));
        for word in ["auto", "zh", "en", "ja", "zh-PY", "prime_zh", "fil", "yue", "sw", "en-US", "af-ZA"] {
            assert!(is_spoken(word), "{word}");
        }
        for word in ["", "ZH", "english", "xx", "zh_XX"] {
            assert!(!is_spoken(word), "{word:?}");
        }
    }

    #[test]
    fn targets_are_languages_and_none_twice() {
        assert_eq!(check_targets("C", "P", "en"), Ok(1));
        assert_eq!(check_targets("C", "P", "en/ceb/fr-CA"), Ok(3));
        for words in ["", "en/", "en/en", "auto", "zh_en", "en,ja"] {
            assert!(check_targets("C", "P", words).is_err(), "{words:?}");
        }
    }
}
