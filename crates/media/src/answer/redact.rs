//! Secrets of callers, masked.

use serde_json::Value;

/// Members that hold a secret.
const SECRETS: &[&str] =
    &["S3SecretKey", "S3SecretId", "NotifyKey", "SecretKey", "SecretId", "Password", "Token"];
/// What stands for a secret too short to show any of it.
const MASK: &str = "********";

/// Masks every secret in `value`, however deep: the first and last characters remain of a long id, nothing of a key.
pub fn redact(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                match inner {
                    Value::String(text) if SECRETS.contains(&name.as_str()) && !text.is_empty() => {
                        *text = mask(name, text);
                    }
                    _ => redact(inner),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

fn mask(name: &str, text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    if !name.ends_with("SecretId") || letters.len() < 12 {
        return MASK.to_owned();
    }
    let head: String = letters[..4].iter().collect();
    let tail: String = letters[letters.len() - 3..].iter().collect();
    format!("{head}{MASK}{tail}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_vanish_and_ids_stay_recognisable() {
        let mut value = json!({"Out": [{"S3SecretId": "AKIAIOSFODNN7EXAMPLE", "S3SecretKey": "wJalrXUtnFEMI/K7",
            "S3Bucket": "b"}], "NotifyKey": "k", "S3SecretKey": ""});
        redact(&mut value);
        assert_eq!(
            value,
            json!({"Out": [{"S3SecretId": "AKIA********PLE", "S3SecretKey": "********", "S3Bucket": "b"}],
                "NotifyKey": "********", "S3SecretKey": ""})
        );
    }
}
