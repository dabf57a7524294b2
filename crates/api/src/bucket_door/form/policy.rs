//! The policy of an upload by a form: until when, for which fields and for how many bytes it was signed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use s3s::{S3Result, s3_error};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A policy, read.
#[derive(Debug)]
pub(super) struct Policy {
    conditions: Vec<Condition>,
    expires_s: i64,
}

#[derive(Debug, PartialEq, Eq)]
enum Condition {
    Is { field: String, value: String },
    BeginsWith { field: String, value: String },
    Length { least: u64, most: u64 },
}

/// Fields that a policy need not name.
const FREE: [&str; 10] = [
    "policy",
    "file",
    "signature",
    "awsaccesskeyid",
    "x-amz-signature",
    "q-sign-algorithm",
    "q-ak",
    "q-key-time",
    "q-sign-time",
    "q-signature",
];

impl Policy {
    /// Reads a policy as sent.
    pub(super) fn read(field: &str) -> S3Result<Self> {
        let wrong = || s3_error!(InvalidPolicyDocument, "the policy cannot be read");
        let text = text(field)?;
        let policy: Value = serde_json::from_slice(&text).map_err(|_| wrong())?;
        let expires = policy["expiration"].as_str().ok_or_else(wrong)?;
        let expires = OffsetDateTime::parse(expires, &Rfc3339).map_err(|_| wrong())?;
        let conditions = policy["conditions"].as_array().ok_or_else(wrong)?;
        let mut read = Vec::new();
        for condition in conditions {
            match condition {
                Value::Object(members) => {
                    for (field, value) in members {
                        let value = value.as_str().ok_or_else(wrong)?.to_owned();
                        read.push(Condition::Is { field: field.to_ascii_lowercase(), value });
                    }
                }
                Value::Array(parts) => read.push(triple(parts).ok_or_else(wrong)?),
                _ => return Err(wrong()),
            }
        }
        Ok(Self { conditions: read, expires_s: expires.unix_timestamp() })
    }

    /// Checks the fields of a form; `is_strict` also refuses a field that no condition names.
    pub(super) fn check(
        &self,
        fields: &BTreeMap<String, String>,
        now_s: i64,
        is_strict: bool,
    ) -> S3Result<()> {
        if now_s >= self.expires_s {
            return Err(s3_error!(AccessDenied, "Invalid according to Policy: Policy expired."));
        }
        for condition in &self.conditions {
            let (field, holds) = match condition {
                Condition::Is { field, value } => (field, fields.get(field) == Some(value)),
                Condition::BeginsWith { field, value } => {
                    (field, fields.get(field).is_some_and(|sent| sent.starts_with(value.as_str())))
                }
                Condition::Length { .. } => continue,
            };
            if !holds && !FREE.contains(&field.as_str()) {
                return Err(s3_error!(
                    AccessDenied,
                    "Invalid according to Policy: Policy Condition failed: {field}"
                ));
            }
        }
        let is_named = |field: &str| {
            self.conditions.iter().any(|condition| match condition {
                Condition::Is { field: named, .. } | Condition::BeginsWith { field: named, .. } => {
                    named == field
                }
                Condition::Length { .. } => false,
            })
        };
        let is_free =
            |field: &str| FREE.contains(&field) || field.starts_with("x-ignore-") || field == "bucket";
        match fields.keys().find(|field| is_strict && !is_free(field) && !is_named(field)) {
            Some(field) => {
                Err(s3_error!(AccessDenied, "Invalid according to Policy: Extra input fields: {field}"))
            }
            None => Ok(()),
        }
    }

    /// The least and most bytes that the file may have.
    pub(super) fn length(&self) -> (u64, u64) {
        let lengths = self.conditions.iter().filter_map(|condition| match condition {
            Condition::Length { least, most } => Some((*least, *most)),
            _ => None,
        });
        lengths.fold((0, u64::MAX), |(least, most), (a, b)| (least.max(a), most.min(b)))
    }
}

/// The policy's own text.
pub(super) fn text(field: &str) -> S3Result<Vec<u8>> {
    let packed: String = field.split_whitespace().collect();
    BASE64_STANDARD.decode(packed).map_err(|_| s3_error!(InvalidPolicyDocument, "the policy is not base64"))
}

fn triple(parts: &[Value]) -> Option<Condition> {
    let [kind, a, b] = parts else { return None };
    if kind.as_str()?.eq_ignore_ascii_case("content-length-range") {
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        return Some(Condition::Length { least: number(a)?, most: number(b)? });
    }
    let field = a.as_str()?.strip_prefix('$')?.to_ascii_lowercase();
    let value = b.as_str()?.to_owned();
    match kind.as_str()?.to_ascii_lowercase().as_str() {
        "eq" => Some(Condition::Is { field, value }),
        "starts-with" => Some(Condition::BeginsWith { field, value }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(conditions: &str) -> S3Result<Policy> {
        let text = format!(r#"{{"expiration":"2030-01-01T00:00:00.000Z","conditions":{conditions}}}"#);
        Policy::read(&BASE64_STANDARD.encode(text))
    }

    fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn each_condition_must_hold() {
        let policy = policy(r#"[{"bucket":"b"},["starts-with","$key","up/"],["eq","$x-amz-meta-a","1"],["content-length-range",1,"10"]]"#).unwrap();
        let good =
            fields(&[("bucket", "b"), ("key", "up/x"), ("x-amz-meta-a", "1"), ("x-amz-signature", "s")]);
        policy.check(&good, 0, true).unwrap();
        policy.check(&good, 1_893_456_000, true).unwrap_err();
        assert_eq!(policy.length(), (1, 10));
        for (name, value) in [("key", "other/x"), ("bucket", "c"), ("x-amz-meta-a", "2")] {
            let mut bad = good.clone();
            bad.insert(name.to_owned(), value.to_owned());
            policy.check(&bad, 0, true).unwrap_err();
        }
        let mut extra = good.clone();
        extra.insert("acl".to_owned(), "public-read".to_owned());
        policy.check(&extra, 0, true).unwrap_err();
        policy.check(&extra, 0, false).unwrap();
    }

    #[test]
    fn a_policy_of_another_shape_is_refused() {
        for conditions in [
            r#"[["near","$key","a"]]"#,
            "[1]",
            r#"[["eq","key","a"]]"#,
            r#"{"a":1}"#,
            r#"[["content-length-range",-1,2]]"#,
        ] {
            assert!(policy(conditions).is_err(), "{conditions}");
        }
        assert!(Policy::read("%%%").is_err());
    }
}
