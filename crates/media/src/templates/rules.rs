//! Rules that most members of a body obey, as data: a path and what must hold for what lies there.
//!
//! A path goes through lists by itself. What was not sent obeys every rule, and so does an empty string where words
//! are chosen from: both mean the default. What two members must agree on is the family's own code.

use mps_wire::ApiError;
use mps_wire::codes::value_of;
use serde_json::Value;

/// What must hold at a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    path: &'static str,
    code: Option<&'static str>,
    holds: Holds,
}

#[derive(Debug, Clone, Copy)]
enum Holds {
    OneOf(&'static [&'static str]),
    Whole { zero: bool, least: i64, most: i64 },
    Number { least: f64, most: f64, without_least: bool },
    Text { least: usize, most: usize },
    Items { least: usize, most: usize },
    Colour { prefix: bool },
    Json,
}

/// One of a few words.
pub(crate) const fn word(path: &'static str, words: &'static [&'static str]) -> Rule {
    Rule { path, code: None, holds: Holds::OneOf(words) }
}

/// `ON` or `OFF`; with the code that the API has for switches.
pub(crate) const fn switch(path: &'static str) -> Rule {
    word(path, &["ON", "OFF"]).code("Switch")
}

/// 0 or 1.
pub(crate) const fn flag(path: &'static str) -> Rule {
    whole(path, 0, 1)
}

/// A whole number in a range.
pub(crate) const fn whole(path: &'static str, least: i64, most: i64) -> Rule {
    Rule { path, code: None, holds: Holds::Whole { zero: false, least, most } }
}

/// 0, or a whole number in a range.
pub(crate) const fn zero_or(path: &'static str, least: i64, most: i64) -> Rule {
    Rule { path, code: None, holds: Holds::Whole { zero: true, least, most } }
}

/// A number in a range, both ends included.
pub(crate) const fn number(path: &'static str, least: f64, most: f64) -> Rule {
    Rule { path, code: None, holds: Holds::Number { least, most, without_least: false } }
}

/// A number more than one and at most another.
pub(crate) const fn above(path: &'static str, least: f64, most: f64) -> Rule {
    Rule { path, code: None, holds: Holds::Number { least, most, without_least: true } }
}

/// A text of at most so many characters, which may be empty.
pub(crate) const fn text(path: &'static str, most: usize) -> Rule {
    Rule { path, code: None, holds: Holds::Text { least: 0, most } }
}

/// A text of at least one and at most so many characters.
pub(crate) const fn filled(path: &'static str, most: usize) -> Rule {
    Rule { path, code: None, holds: Holds::Text { least: 1, most } }
}

/// A list of so many items.
pub(crate) const fn items(path: &'static str, least: usize, most: usize) -> Rule {
    Rule { path, code: None, holds: Holds::Items { least, most } }
}

/// A colour, `0xRRGGBB`.
pub(crate) const fn colour(path: &'static str) -> Rule {
    Rule { path, code: None, holds: Holds::Colour { prefix: true } }
}

/// A colour, `0xRRGGBB` or `RRGGBB`.
pub(crate) const fn bare_colour(path: &'static str) -> Rule {
    Rule { path, code: None, holds: Holds::Colour { prefix: false } }
}

/// Text that is JSON; may be empty.
pub(crate) const fn json_text(path: &'static str) -> Rule {
    Rule { path, code: None, holds: Holds::Json }
}

impl Rule {
    /// The same with the code `InvalidParameterValue.<code>` instead of the member's own.
    pub(crate) const fn code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    fn check(&self, body: &Value) -> Result<(), ApiError> {
        self.walk(body, self.path)
    }

    fn walk(&self, value: &Value, rest: &str) -> Result<(), ApiError> {
        match value {
            Value::Null => Ok(()),
            _ if rest.is_empty() => self.look(value),
            Value::Array(items) => items.iter().try_for_each(|item| self.walk(item, rest)),
            _ => {
                let (name, rest) = rest.split_once('.').unwrap_or((rest, ""));
                self.walk(&value[name], rest)
            }
        }
    }

    fn look(&self, value: &Value) -> Result<(), ApiError> {
        // Every rule but the one about the list itself is about each of the list's items.
        if let (Value::Array(list), Holds::Items { least, most }) = (value, self.holds) {
            let holds = (least..=most).contains(&list.len());
            return if holds { Ok(()) } else { Err(self.broken(&format!("{} items", list.len()))) };
        }
        if let Value::Array(list) = value {
            return list.iter().try_for_each(|item| self.look(item));
        }
        let text = value.as_str();
        let holds = match self.holds {
            Holds::OneOf(words) => text.is_none_or(|text| text.is_empty() || words.contains(&text)),
            Holds::Whole { zero, least, most } => {
                value.as_i64().is_some_and(|number| (zero && number == 0) || (least..=most).contains(&number))
            }
            Holds::Number { least, most, without_least } => value.as_f64().is_some_and(|number| {
                number <= most && if without_least { number > least } else { number >= least }
            }),
            Holds::Text { least, most } => {
                text.is_none_or(|text| (least..=most).contains(&text.chars().count()))
            }
            Holds::Items { .. } => true,
            Holds::Colour { prefix } => text.is_none_or(|text| text.is_empty() || is_colour(text, prefix)),
            Holds::Json => text.is_none_or(|text| text.is_empty() || is_json(text)),
        };
        if holds { Ok(()) } else { Err(self.broken(&shown(value))) }
    }

    fn broken(&self, given: &str) -> ApiError {
        let member = self.path.rsplit('.').next().unwrap_or(self.path);
        let wanted = match self.holds {
            Holds::OneOf(words) => format!("one of {}", words.join(", ")),
            Holds::Whole { zero: true, least, most } => format!("0 or {least} to {most}"),
            Holds::Whole { zero: false, least, most } => format!("{least} to {most}"),
            Holds::Number { least, most, without_least: true } => {
                format!("more than {least} and at most {most}")
            }
            Holds::Number { least, most, .. } => format!("{least} to {most}"),
            Holds::Text { least: 0, most } => format!("at most {most} characters long"),
            Holds::Text { least, most } => format!("{least} to {most} characters long"),
            Holds::Items { least, most } => format!("a list of {least} to {most}"),
            Holds::Colour { .. } => "a colour such as 0xFFFFFF".to_owned(),
            Holds::Json => "JSON".to_owned(),
        };
        value_of(self.code.unwrap_or(member), format!("{} is {given}; it must be {wanted}", self.path))
    }
}

/// Checks `body` against all of `rules`.
pub(crate) fn check(body: &Value, rules: &[Rule]) -> Result<(), ApiError> {
    rules.iter().try_for_each(|rule| rule.check(body))
}

/// The text at a path without lists; empty where there is none.
pub(crate) fn text_at<'v>(body: &'v Value, path: &str) -> &'v str {
    path.split('.').fold(body, |value, name| &value[name]).as_str().unwrap_or_default()
}

/// Whether anything was said: not null, not an empty text, list or structure.
pub(crate) fn is_given(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn is_colour(text: &str, prefix: bool) -> bool {
    let hex = text.strip_prefix("0x").or_else(|| (!prefix).then_some(text));
    hex.is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// A caller's value, short enough for a message.
fn shown(value: &Value) -> String {
    const MOST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn code(rule: Rule, body: &Value) -> Option<String> {
        check(body, &[rule]).err().map(|error| error.code.into_owned())
    }

    #[test]
    fn each_kind_of_rule_takes_its_ends_and_nothing_beyond() {
        let cases: &[(Rule, &[Value], &[Value])] = &[
            (word("A", &["x", "y"]), &[json!("x"), json!(""), Value::Null], &[json!("X"), json!("z")]),
            (whole("A", 1, 3), &[json!(1), json!(3)], &[json!(0), json!(4), json!(-1)]),
            (zero_or("A", 8, 9), &[json!(0), json!(8), json!(9)], &[json!(7), json!(10)]),
            (number("A", 0.0, 1.0), &[json!(0), json!(1.0)], &[json!(-0.1), json!(1.1)]),
            (above("A", 0.0, 1.0), &[json!(0.1), json!(1)], &[json!(0), json!(1.1)]),
            (text("A", 2), &[json!(""), json!("名字")], &[json!("abc")]),
            (filled("A", 2), &[json!("ab")], &[json!(""), json!("abc")]),
            (items("A", 1, 2), &[json!([1]), json!([1, 2])], &[json!([]), json!([1, 2, 3])]),
            (
                colour("A"),
                &[json!("0xaaBB09"), json!("")],
                &[json!("OxFFFFFF"), json!("#ffffff"), json!("0xFFF")],
            ),
            (bare_colour("A"), &[json!("0xaaBB09"), json!("aaBB09")], &[json!("#aabb09"), json!("red")]),
            (json_text("A"), &[json!("{}"), json!("")], &[json!("{")]),
        ];
        for (rule, good, bad) in cases {
            for value in *good {
                assert_eq!(code(*rule, &json!({"A": value})), None, "{rule:?} {value}");
            }
            for value in *bad {
                assert!(code(*rule, &json!({"A": value})).is_some(), "{rule:?} {value}");
            }
        }
    }

    #[test]
    fn a_path_goes_through_lists_and_names_itself() {
        let rule = whole("Streams.Audio.Rate", 1, 2).code("SampleRate");
        let body = json!({"Streams": [{"Audio": {"Rate": 1}}, {"Audio": {"Rate": 5}}]});
        let error = check(&body, &[rule]).unwrap_err();
        assert_eq!(error.code, "InvalidParameterValue.SampleRate");
        assert_eq!(error.message, "Streams.Audio.Rate is 5; it must be 1 to 2");
        assert!(check(&json!({"Streams": [{}, {"Audio": null}]}), &[rule]).is_ok());
        assert!(check(&json!({"Labels": ["a", "bcd"]}), &[text("Labels", 2)]).is_err());
    }

    #[test]
    fn a_member_without_a_code_of_its_own_gets_the_plain_one() {
        assert_eq!(code(flag("SpeakerMode"), &json!({"SpeakerMode": 2})).unwrap(), "InvalidParameterValue");
        assert_eq!(
            code(switch("X.Switch"), &json!({"X": {"Switch": "on"}})).unwrap(),
            "InvalidParameterValue.Switch"
        );
    }
}
