//! Hides what a caller entrusted to us before a value is shown to anyone, the caller included.

use serde_json::Value;

/// What stands in the place of a secret.
pub const MASK: &str = "******";

/// Members whose value is a secret, in whatever structure they lie.
const SECRET: [&str; 4] = ["NotifyKey", "S3SecretKey", "SecretKey", "StreamKey"];
/// Members that name a key pair: the beginning stays readable, so that a person can tell which it is.
const NAMES_A_KEY: [&str; 2] = ["S3SecretId", "SecretId"];
/// Structures whose member `Key` is a secret; elsewhere `Key` is half of a pair.
const HOLDS_A_KEY: [&str; 1] = ["SimpleAesDrm"];
/// Addresses that hold a ticket: what stands in front of the query stays readable, a user and password do not.
const HOLDS_A_TICKET: [&str; 1] = ["KeyServerUrl"];
/// Characters of a key's name left readable.
const READABLE: usize = 4;

/// Masks every secret inside `value`, in place. An empty secret stays empty: it says nothing.
pub fn redact(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map.iter_mut() {
                let name = name.as_str();
                if SECRET.contains(&name) {
                    mask(inner, 0);
                } else if NAMES_A_KEY.contains(&name) {
                    mask(inner, READABLE);
                } else if HOLDS_A_TICKET.contains(&name) {
                    mask_ticket(inner);
                } else {
                    if HOLDS_A_KEY.contains(&name)
                        && let Some(key) = inner.get_mut("Key")
                    {
                        mask(key, 0);
                    }
                    redact(inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

/// `redact` for a value that is kept.
#[must_use]
pub fn redacted(value: &Value) -> Value {
    let mut copy = value.clone();
    redact(&mut copy);
    copy
}

fn mask(value: &mut Value, readable: usize) {
    match value {
        Value::Null => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => {
            let long = text.chars().count() > 2 * readable;
            let shown: String = text.chars().take(if long { readable } else { 0 }).collect();
            *text = format!("{shown}{MASK}");
        }
        other => *other = Value::String(MASK.to_owned()),
    }
}

fn mask_ticket(value: &mut Value) {
    let Value::String(text) = value else { return mask(value, 0) };
    let (place, rest) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
    let begin = place.find("://").map_or(0, |at| at + 3);
    let end = place[begin..].find('/').map_or(place.len(), |at| begin + at);
    let mut shown = match place[begin..end].rfind('@') {
        Some(at) => format!("{}{MASK}{}", &place[..begin], &place[begin + at..]),
        None => place.to_owned(),
    };
    if let Some(mark) = rest.chars().next() {
        shown.push(mark);
        shown.push_str(MASK);
    }
    *text = shown;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn masks_secrets_wherever_they_lie_and_leaves_the_rest() {
        let shown = redacted(&json!({
            "OutputStorage": {"S3OutputStorage": {"S3Bucket": "b", "S3SecretId": "AKIA12345678", "S3SecretKey": "s3cr3t"}},
            "TaskNotifyConfig": {"NotifyKey": "n0t1fy", "AwsSQS": {"S3SecretId": "short", "S3SecretKey": "x"}},
            "List": [{"S3SecretKey": {"odd": "s3cr3t"}}, {"S3SecretKey": ""}, {"S3SecretKey": null}],
            "DrmInfo": {"SimpleAesDrm": {"Uri": "u", "Key": "k3y"}},
            "Metadata": {"Key": "shown"},
        }));
        assert_eq!(
            shown,
            json!({
                "OutputStorage": {"S3OutputStorage": {"S3Bucket": "b", "S3SecretId": "AKIA******", "S3SecretKey": "******"}},
                "TaskNotifyConfig": {"NotifyKey": "******", "AwsSQS": {"S3SecretId": "******", "S3SecretKey": "******"}},
                "List": [{"S3SecretKey": "******"}, {"S3SecretKey": ""}, {"S3SecretKey": null}],
                "DrmInfo": {"SimpleAesDrm": {"Uri": "u", "Key": "******"}},
                "Metadata": {"Key": "shown"},
            })
        );
    }

    #[test]
    fn a_key_servers_address_is_shown_without_its_ticket() {
        for (sent, shown) in [
            ("https://keys.example/speke?ticket=t0p&a=b", "https://keys.example/speke?******"),
            ("https://u:p@keys.example/a@b?t0p", "https://******@keys.example/a@b?******"),
            ("https://keys.example/speke#t0p", "https://keys.example/speke#******"),
            ("https://keys.example/speke", "https://keys.example/speke"),
            ("no address", "no address"),
            ("", ""),
        ] {
            let value =
                redacted(&json!({"DrmInfo": {"SpekeDrm": {"KeyServerUrl": sent, "ResourceId": "r"}}}));
            assert_eq!(
                value["DrmInfo"]["SpekeDrm"],
                json!({"KeyServerUrl": shown, "ResourceId": "r"}),
                "{sent}"
            );
        }
        assert_eq!(redacted(&json!({"KeyServerUrl": ["t0p"]}))["KeyServerUrl"], MASK);
    }
}
