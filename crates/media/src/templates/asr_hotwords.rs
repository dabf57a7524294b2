//! Libraries of hotwords: words with weights that help the recognition of speech. They are stored like templates, and
//! templates of subtitles name them by [`id`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mps_wire::ApiError;
use mps_wire::codes::{self, value_of};
use serde_json::{Value, json};

use super::rules::{filled, text, text_at, whole};
use super::{MAX_NAME, Need, rules};

/// Name in the store.
pub const STORED_AS: &str = "asr_hotwords";
/// The first number.
pub const FIRST: i64 = 1;
/// The most libraries of an account. The API names no bound, only a code for it.
pub const MAX_LIBRARIES: usize = 100;
/// The most words of a library; ours, as the API names no bound.
const MAX_WORDS: usize = 5000;
/// The most bytes of a library as it is sent; ours.
const MAX_BYTES: usize = 512 * 1024;
/// The longest word, in characters; ours.
const MAX_WORD: usize = 64;
const PREFIX: &str = "hwd-";

/// A word and how much it is favoured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hotword {
    /// The word.
    pub text: String,
    /// 1 to 10, 11 or 100.
    pub weight: i64,
}

/// The id that callers see of a library.
pub fn id(number: i64) -> String {
    format!("{PREFIX}{number}")
}

/// The number of a library; `None` for what is no id of ours.
pub fn number(id: &str) -> Option<i64> {
    let digits = id.strip_prefix(PREFIX)?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// The answer for a library that is not there.
pub fn absent(id: &str) -> ApiError {
    let shown: String = id.chars().filter(|c| !c.is_control()).take(80).collect();
    codes::invalid_parameter_value_hot_words_not_exist(format!("there is no hotword library {shown:?}"))
}

/// That a library switched on by a template of subtitles must be there.
pub(crate) fn need(configure: &Value) -> Option<Need> {
    if text_at(configure, "Switch") != "ON" {
        return None;
    }
    let library = text_at(configure, "LibraryId");
    Some(Need { family: STORED_AS, definition: number(library).unwrap_or_default(), absent: absent(library) })
}

/// Checks a Create request: the body to store and how it is called.
///
/// # Errors
/// `InvalidParameterValue.Name`, `.HotwordsFormatError`, plain ones, `MissingParameter`.
pub fn create(request: &Value) -> Result<(String, Value), ApiError> {
    let name = request["Name"].as_str().unwrap_or_default().to_owned();
    rules::check(request, &[filled("Name", MAX_NAME), whole("Type", 0, 1)])?;
    let needed = if request["Type"] == 0 { "Content" } else { "FileContent" };
    if request[needed].is_null() {
        return Err(codes::missing_parameter(format!(
            "the parameter `{needed}` is required with the type {}",
            request["Type"]
        )));
    }
    let body = body_of(request);
    words(&body)?;
    Ok((name, body))
}

/// Checks a Modify request against what is stored: the new name and body.
///
/// # Errors
/// Those of [`create`], and `MissingParameter` for a request that changes nothing.
pub fn modify(name: &str, body: &Value, request: &Value) -> Result<(String, Value), ApiError> {
    rules::check(request, &[filled("Name", MAX_NAME)])?;
    let (own, others): (&[&str], &[&str]) = match body["Type"].as_i64() {
        Some(0) => (&["Content"], &["FileContent", "FileName"]),
        _ => (&["FileContent", "FileName"], &["Content"]),
    };
    if let Some(other) = others.iter().find(|other| !text_at(request, other).is_empty()) {
        let told = format!("{other} does not go with a library of the type {}", body["Type"]);
        return Err(value_of(other, told));
    }
    if request["Name"].is_null() && own.iter().all(|name| request[name].is_null()) {
        let told = format!("one of Name and {} is required", own.join(", "));
        return Err(codes::missing_parameter(told));
    }
    let mut changed = body.clone();
    for member in own {
        if !request[member].is_null() {
            changed[member] = request[member].clone();
        }
    }
    words(&changed)?;
    Ok((request["Name"].as_str().unwrap_or(name).to_owned(), changed))
}

fn body_of(request: &Value) -> Value {
    let mut body = json!({"Type": request["Type"]});
    for member in ["Content", "FileContent", "FileName"] {
        if !request[member].is_null() {
            body[member] = request[member].clone();
        }
    }
    body
}

/// The words of a library, in its own order.
///
/// # Errors
/// `InvalidParameterValue.HotwordsFormatError`.
pub fn words(body: &Value) -> Result<Vec<Hotword>, ApiError> {
    rules::check(body, &[text("FileName", 255)])?;
    if [text_at(body, "Content"), text_at(body, "FileContent")].iter().any(|sent| sent.len() > MAX_BYTES) {
        let told = format!("a library has at most {MAX_BYTES} bytes");
        return Err(codes::limit_exceeded_too_much_large_hot_words(told));
    }
    let file;
    let listed = if body["Type"] == 0 {
        if !text_at(body, "FileContent").is_empty() || !text_at(body, "FileName").is_empty() {
            return Err(value_of("FileContent", "FileContent and FileName go with the type 1 only"));
        }
        text_at(body, "Content")
    } else {
        if !text_at(body, "Content").is_empty() {
            return Err(value_of("Content", "Content goes with the type 0 only"));
        }
        let bytes = STANDARD.decode(text_at(body, "FileContent").trim()).ok();
        file = bytes
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| wrong("FileContent is not Base64 of a text in UTF-8".to_owned()))?;
        file.trim_start_matches('\u{feff}')
    };
    let entries = listed.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty());
    let words = entries.map(word).collect::<Result<Vec<_>, _>>()?;
    match words.len() {
        0 => Err(wrong("there is no hotword".to_owned())),
        count if count > MAX_WORDS => {
            let told = format!("a library has at most {MAX_WORDS} hotwords, not {count}");
            Err(codes::limit_exceeded_too_much_large_hot_words(told))
        }
        _ => Ok(words),
    }
}

fn word(entry: &str) -> Result<Hotword, ApiError> {
    let shown: String = entry.chars().take(80).collect();
    let parts = entry.split_once('|').map(|(text, weight)| (text.trim(), weight.trim().parse::<i64>().ok()));
    match parts {
        Some((text, Some(weight)))
            if (1..=MAX_WORD).contains(&text.chars().count()) && matches!(weight, 1..=11 | 100) =>
        {
            Ok(Hotword { text: text.to_owned(), weight })
        }
        _ => Err(wrong(format!(
            "{shown:?} is not a hotword such as `name|10`, whose weight is 1 to 11 or 100 and which has at most \
             {MAX_WORD} characters"
        ))),
    }
}

fn wrong(told: String) -> ApiError {
    codes::invalid_parameter_value_hotwords_format_error(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: std::fmt::Debug>(outcome: Result<T, ApiError>) -> String {
        outcome.map_err(|error| error.code.into_owned()).unwrap_err()
    }

    fn library(content: &str) -> Value {
        json!({"Type": 0, "Name": "films", "Content": content})
    }

    #[test]
    fn ids_are_read_back() {
        assert_eq!(number(&id(17)), Some(17));
        for other in ["", "17", "hwd-", "hwd-x", "hwd--1", "hwd-1 ", "hwd-99999999999999999999"] {
            assert_eq!(number(other), None, "{other:?}");
        }
    }

    #[test]
    fn words_have_weights() {
        let (_, body) = create(&library("云|10, cloud native|100,\nx|11")).unwrap();
        let read: Vec<_> = words(&body).unwrap().into_iter().map(|word| (word.text, word.weight)).collect();
        let wanted = [("云", 10), ("cloud native", 100), ("x", 11)];
        assert_eq!(read, wanted.map(|(text, weight)| (text.to_owned(), weight)));
        for bad in ["a|b", "a", "a|0", "a|12", "a|99", "|5", "a|", "", " , ", "a|5,b"] {
            assert_eq!(code(create(&library(bad))), "InvalidParameterValue.HotwordsFormatError", "{bad:?}");
        }
        let long = format!("{}|1", "x".repeat(65));
        assert_eq!(code(create(&library(&long))), "InvalidParameterValue.HotwordsFormatError");
        let many = vec!["a|1"; MAX_WORDS + 1].join(",");
        assert_eq!(code(create(&library(&many))), "LimitExceeded.TooMuchLargeHotWords");
        let padded = format!("a|1{}", " ".repeat(MAX_BYTES));
        assert_eq!(code(create(&library(&padded))), "LimitExceeded.TooMuchLargeHotWords");
    }

    #[test]
    fn a_file_is_text_in_base64() {
        let file = |text: &[u8]| json!({"Type": 1, "Name": "f", "FileName": "f.txt", "FileContent": STANDARD.encode(text)});
        let (_, body) = create(&file("\u{feff}one|1\r\ntwo|2\r\n".as_bytes())).unwrap();
        assert_eq!(words(&body).unwrap().len(), 2);
        assert_eq!(code(create(&file(b"\xff\xfe"))), "InvalidParameterValue.HotwordsFormatError");
        let broken = json!({"Type": 1, "Name": "f", "FileContent": "%"});
        assert_eq!(code(create(&broken)), "InvalidParameterValue.HotwordsFormatError");
    }

    #[test]
    fn each_type_has_its_own_members() {
        assert_eq!(code(create(&json!({"Type": 0, "Name": "n"}))), "MissingParameter");
        assert_eq!(code(create(&json!({"Type": 1, "Name": "n", "Content": "a|1"}))), "MissingParameter");
        assert_eq!(code(create(&json!({"Type": 2, "Name": "n"}))), "InvalidParameterValue.Type");
        assert_eq!(
            code(create(&json!({"Type": 0, "Name": "", "Content": "a|1"}))),
            "InvalidParameterValue.Name"
        );
        let both = json!({"Type": 0, "Name": "n", "Content": "a|1", "FileName": "x"});
        assert_eq!(code(create(&both)), "InvalidParameterValue");
    }

    #[test]
    fn a_change_touches_only_what_it_names() {
        let (name, body) = create(&library("a|1")).unwrap();
        let renamed = modify(&name, &body, &json!({"Name": "other"})).unwrap();
        assert_eq!(renamed, ("other".to_owned(), body.clone()));
        let (kept, changed) = modify(&name, &body, &json!({"Content": "b|2"})).unwrap();
        assert_eq!((kept.as_str(), &changed["Content"]), ("films", &json!("b|2")));
        assert_eq!(code(modify(&name, &body, &json!({}))), "MissingParameter");
        assert_eq!(code(modify(&name, &body, &json!({"FileName": "x"}))), "InvalidParameterValue");
        assert_eq!(
            code(modify(&name, &body, &json!({"Content": "b"}))),
            "InvalidParameterValue.HotwordsFormatError"
        );
    }
}
