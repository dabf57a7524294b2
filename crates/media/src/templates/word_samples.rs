//! Word samples: words of an account that recognition and review look for. They are stored like templates, under the
//! word as their name.

use mps_wire::ApiError;
use mps_wire::codes::{self, value_of};
use serde_json::{Value, json};

use super::rules;
use super::rules::{Rule, filled, items, text, text_at, whole, word};

/// Name in the store.
pub const STORED_AS: &str = "word_samples";
/// The first number.
pub const FIRST: i64 = 1;
/// The most words of an account; ours, as the API names no bound.
pub const MAX_SAMPLES: usize = 10_000;
/// The most tags of a word.
const MAX_TAGS: usize = 20;

/// What words are used for, and what the shorter words stand for.
const USAGES: &[&str] =
    &["Recognition.Ocr", "Recognition.Asr", "Review.Ocr", "Review.Asr", "Recognition", "Review", "All"];

const CREATE: &[Rule] = &[
    items("Usages", 1, USAGES.len()),
    word("Usages", USAGES),
    items("Words", 1, 100),
    filled("Words.Keyword", 20),
    items("Words.Tags", 0, MAX_TAGS),
    filled("Words.Tags", 128),
];
const MODIFY: &[Rule] = &[
    filled("Keyword", 128),
    items("Usages", 1, USAGES.len()),
    word("Usages", USAGES),
    word("TagOperationInfo.Type", &["add", "delete", "reset"]),
    filled("TagOperationInfo.Tags", 128),
];
const DELETE: &[Rule] = &[items("Keywords", 1, 100)];
const DESCRIBE: &[Rule] = &[
    items("Keywords", 0, 100),
    word("Usages", USAGES),
    items("Tags", 0, MAX_TAGS),
    text("Tags", 128),
    whole("Limit", 1, 100),
];

/// A word with what is stored of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The word.
    pub keyword: String,
    /// Its usages and tags, as they were sent.
    pub body: Value,
}

/// Checks a request that makes words.
///
/// # Errors
/// The API's own codes.
pub fn create(request: &Value) -> Result<Vec<Sample>, ApiError> {
    rules::check(request, CREATE)?;
    check_usages(&request["Usages"])?;
    let mut samples: Vec<Sample> = Vec::new();
    for word in request["Words"].as_array().into_iter().flatten() {
        let keyword = text_at(word, "Keyword").to_owned();
        if samples.iter().any(|sample| sample.keyword == keyword) {
            return Err(value_of("Words", format!("Words has {keyword:?} twice")));
        }
        let tags = if word["Tags"].is_null() { json!([]) } else { word["Tags"].clone() };
        let body = json!({"Usages": request["Usages"], "Tags": tags});
        samples.push(Sample { keyword, body });
    }
    Ok(samples)
}

/// What a word becomes by a request that changes it.
///
/// # Errors
/// The API's own codes.
pub fn modify(body: &Value, request: &Value) -> Result<Value, ApiError> {
    let mut changed = body.clone();
    if !request["Usages"].is_null() {
        changed["Usages"] = request["Usages"].clone();
    }
    let operation = &request["TagOperationInfo"];
    let named = operation["Tags"].as_array().cloned().unwrap_or_default();
    let mut tags = body["Tags"].as_array().cloned().unwrap_or_default();
    match text_at(operation, "Type") {
        "add" => {
            for tag in named {
                if !tags.contains(&tag) {
                    tags.push(tag);
                }
            }
        }
        "delete" => tags.retain(|tag| !named.contains(tag)),
        "reset" => tags = named,
        _ => {}
    }
    if tags.len() > MAX_TAGS {
        let told = format!("a word has at most {MAX_TAGS} tags, not {}", tags.len());
        return Err(value_of("Tags", told));
    }
    changed["Tags"] = Value::Array(tags);
    Ok(changed)
}

/// Checks a request that changes a word.
///
/// # Errors
/// The API's own codes.
pub fn check_modify(request: &Value) -> Result<(), ApiError> {
    rules::check(request, MODIFY)?;
    check_usages(&request["Usages"])?;
    let operation = &request["TagOperationInfo"];
    if operation.is_object() && text_at(operation, "Type").is_empty() {
        return Err(value_of("Type", "TagOperationInfo.Type is empty; it must be add, delete or reset"));
    }
    Ok(())
}

/// Checks a request that removes words.
///
/// # Errors
/// The API's own codes.
pub fn check_delete(request: &Value) -> Result<(), ApiError> {
    rules::check(request, DELETE)
}

/// Checks a request that lists words.
///
/// # Errors
/// `InvalidParameterValue.Limit` and plain ones.
pub fn check_describe(request: &Value) -> Result<(), ApiError> {
    rules::check(request, DESCRIBE)
}

/// Whether a word passes the filters of a listing: each that is given, by any of its values.
pub fn passes(sample: &Sample, request: &Value) -> bool {
    let list = |name: &str| request[name].as_array().filter(|list| !list.is_empty());
    let has_tag = |tags: &Vec<Value>| {
        let own = sample.body["Tags"].as_array().map(Vec::as_slice).unwrap_or_default();
        tags.iter().any(|tag| own.contains(tag))
    };
    let has_usage = |usages: &Vec<Value>| {
        let own = bases(&sample.body["Usages"]);
        usages
            .iter()
            .any(|usage| base_of(usage.as_str().unwrap_or_default()).iter().any(|base| own.contains(base)))
    };
    list("Keywords").is_none_or(|words| words.iter().any(|word| *word == sample.keyword))
        && list("Tags").is_none_or(has_tag)
        && list("Usages").is_none_or(has_usage)
}

/// The answer for words that are not there.
pub fn absent(keyword: &str) -> ApiError {
    let shown: String = keyword.chars().filter(|c| !c.is_control()).take(40).collect();
    codes::resource_not_found_word(format!("there is no word {shown:?}"))
}

/// Rules let an empty word pass as one that was not sent.
fn check_usages(usages: &Value) -> Result<(), ApiError> {
    if usages.as_array().is_some_and(|usages| usages.iter().any(|usage| usage == "")) {
        return Err(value_of("Usages", format!("Usages must be of {}", USAGES.join(", "))));
    }
    Ok(())
}

/// The single usages that a list stands for.
fn bases(usages: &Value) -> Vec<&'static str> {
    let usages = usages.as_array().into_iter().flatten().filter_map(Value::as_str);
    usages.flat_map(base_of).copied().collect()
}

fn base_of(usage: &str) -> &'static [&'static str] {
    match usage {
        "Recognition.Ocr" => &USAGES[..1],
        "Recognition.Asr" => &USAGES[1..2],
        "Review.Ocr" => &USAGES[2..3],
        "Review.Asr" => &USAGES[3..4],
        "Recognition" => &USAGES[..2],
        "Review" => &USAGES[2..4],
        "All" => &USAGES[..4],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(words: &Value) -> Value {
        json!({"Usages": ["Recognition"], "Words": words})
    }

    #[test]
    fn words_and_tags_have_limits() {
        let words = |count: usize| (0..count).map(|n| json!({"Keyword": n.to_string()})).collect::<Vec<_>>();
        let word = |length: usize, tags: usize, tag: usize| json!([{"Keyword": "字".repeat(length), "Tags": vec!["x".repeat(tag); tags]}]);
        for good in [json!(words(100)), word(20, 20, 128), word(1, 0, 1)] {
            assert!(create(&request(&good)).is_ok(), "{good}");
        }
        let twice = json!([{"Keyword": "a"}, {"Keyword": "a"}]);
        for bad in [
            json!(words(101)),
            json!([]),
            word(21, 0, 1),
            word(0, 0, 1),
            word(1, 21, 1),
            word(1, 1, 129),
            twice,
        ] {
            assert_eq!(create(&request(&bad)).unwrap_err().code, "InvalidParameterValue", "{bad}");
        }
        for usages in [json!([]), json!(["Recognition.ocr"]), json!([""])] {
            let mut request = request(&word(1, 0, 1));
            request["Usages"] = usages.clone();
            assert!(create(&request).is_err(), "{usages}");
        }
    }

    #[test]
    fn tags_are_added_taken_away_and_replaced() {
        let body = json!({"Usages": ["All"], "Tags": ["a", "b"]});
        let tags = |kind: &str, tags: Value| {
            modify(&body, &json!({"TagOperationInfo": {"Type": kind, "Tags": tags}}))
                .map(|body| body["Tags"].clone())
        };
        assert_eq!(tags("add", json!(["b", "c"])), Ok(json!(["a", "b", "c"])));
        assert_eq!(tags("delete", json!(["a", "x"])), Ok(json!(["b"])));
        assert_eq!(tags("reset", json!(["z"])), Ok(json!(["z"])));
        let many: Vec<String> = (0..19).map(|n| n.to_string()).collect();
        assert!(tags("add", json!(many)).is_err());
        let moved = modify(&body, &json!({"Usages": ["Review.Asr"]})).unwrap();
        assert_eq!(moved, json!({"Usages": ["Review.Asr"], "Tags": ["a", "b"]}));
        assert!(
            check_modify(&json!({"Keyword": "k", "TagOperationInfo": {"Type": "drop", "Tags": []}})).is_err()
        );
    }

    #[test]
    fn a_filter_passes_by_any_of_its_values() {
        let body = json!({"Usages": ["Recognition", "Review.Asr"], "Tags": ["a", "b"]});
        let sample = Sample { keyword: "word".to_owned(), body };
        for good in [
            json!({}),
            json!({"Keywords": ["x", "word"]}),
            json!({"Tags": ["b", "x"]}),
            json!({"Usages": ["Recognition.Ocr"]}),
            json!({"Usages": ["Review"]}),
            json!({"Usages": ["Review.Ocr", "All"]}),
        ] {
            assert!(passes(&sample, &good), "{good}");
        }
        for bad in [
            json!({"Keywords": ["wor"]}),
            json!({"Tags": ["x"]}),
            json!({"Usages": ["Review.Ocr"]}),
            json!({"Tags": ["a"], "Usages": ["Review.Ocr"]}),
        ] {
            assert!(!passes(&sample, &bad), "{bad}");
        }
    }
}
