//! Has a conversation: fills in names, signs as told, sends, compares.
//!
//! Requests go out over raw HTTP with the very bytes of the step, so that nothing is dropped or mended on the way.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mps_e2e::Bench;
use mps_testkit::server::{ACCOUNT, INPUT, Key, OUTPUT, REGION, now_s};
use mps_wire::auth::tc3;
use regex::Regex;
use serde_json::{Value, json};

/// One server, its names, and every fault found so far.
pub(crate) struct Runner<'a> {
    bench: &'a Bench,
    other: Key,
    names: BTreeMap<String, String>,
}

impl<'a> Runner<'a> {
    pub(crate) async fn new(bench: &'a Bench) -> Self {
        let names = [
            ("input_bucket", INPUT.to_owned()),
            ("output_bucket", OUTPUT.to_owned()),
            ("app_id", ACCOUNT.to_string()),
            ("files", bench.web.host()),
            ("receiver", bench.receiver.host()),
        ];
        let names = names.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { bench, other: bench.server.new_key(ACCOUNT + 1).await, names }
    }

    /// Has every conversation of a file; panics at the end with all that went otherwise than written.
    pub(crate) async fn run(&mut self, text: &str) {
        let mut read: serde_yaml_ng::Value = serde_yaml_ng::from_str(text).expect("conversations are YAML");
        read.apply_merge().expect("anchors that merge");
        let all: Vec<Value> = serde_yaml_ng::from_value(read).expect("a list of conversations");
        let mut wrong = Vec::new();
        for conversation in &all {
            let name = conversation["name"].as_str().expect("a conversation has a name");
            let known = self.names.clone();
            self.names.insert("unique".to_owned(), uuid::Uuid::new_v4().simple().to_string());
            let steps = conversation["steps"].as_array().expect("a conversation has steps");
            for (at, step) in steps.iter().enumerate() {
                if let Err(told) = self.step(step).await {
                    wrong.push(format!("{name}, step {}: {told}", at + 1));
                    break;
                }
            }
            self.names = known;
        }
        assert!(wrong.is_empty(), "{} of {} conversations:\n{}", wrong.len(), all.len(), wrong.join("\n\n"));
    }

    async fn step(&mut self, step: &Value) -> Result<(), String> {
        let step = self.filled(step)?;
        check_words(&step)?;
        let limit = Instant::now() + Duration::from_secs(step["at_most_s"].as_u64().unwrap_or(60));
        let mut response = Value::Null;
        for _ in 0..step["times"].as_u64().unwrap_or(1) {
            response = self.send(&step).await?;
        }
        if let Some(until) = step.get("until").and_then(Value::as_object) {
            while !until.iter().all(|(path, value)| fits(member(&response, path), value)) {
                if Instant::now() > limit {
                    return Err(format!("never {until:?}: {response:#}"));
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
                response = self.send(&step).await?;
            }
        }
        check(&response, step.get("expect").unwrap_or(&json!({})))?;
        for (name, path) in step["save"].as_object().into_iter().flatten() {
            let path = path.as_str().unwrap_or_default();
            let value = member(&response, path);
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.names.insert(name.clone(), text);
        }
        Ok(())
    }

    async fn send(&self, step: &Value) -> Result<Value, String> {
        let sign = &step["sign"];
        let method = step["method"].as_str().unwrap_or("POST");
        let query = step["query"].as_str().unwrap_or_default();
        let mut body = match (method, step["body"].as_str()) {
            ("GET", _) => Vec::new(),
            (_, Some(text)) => text.as_bytes().to_vec(),
            (_, None) => step.get("params").unwrap_or(&json!({})).to_string().into_bytes(),
        };
        let at_s = now_s() + sign["skew_s"].as_i64().unwrap_or(0);
        let host = self.bench.server.host().to_owned();
        let mut headers: BTreeMap<String, Option<String>> = [
            ("Host", Some(host)),
            ("Content-Type", Some("application/json".to_owned())),
            ("X-TC-Action", step["call"].as_str().map(str::to_owned)),
            ("X-TC-Version", Some("2019-06-12".to_owned())),
            ("X-TC-Region", Some(REGION.to_owned())),
            ("X-TC-Timestamp", Some(at_s.to_string())),
            ("X-TC-Language", Some("en-US".to_owned())),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        for (name, value) in step["headers"].as_object().into_iter().flatten() {
            headers.insert(name.clone(), value.as_str().map(str::to_owned));
        }
        if sign["none"] != true && !headers.contains_key("Authorization") {
            let signed = self.authorization(sign, &headers, (method, query, &body), at_s);
            headers.insert("Authorization".to_owned(), Some(signed));
        }
        body.extend_from_slice(sign["after"].as_str().unwrap_or_default().as_bytes());
        let url = format!(
            "{}{}{}{query}",
            self.bench.server.api(),
            step["path"].as_str().unwrap_or("/"),
            if query.is_empty() { "" } else { "?" },
        );
        let method = reqwest::Method::from_bytes(method.as_bytes()).map_err(|e| e.to_string())?;
        let mut request = mps_testkit::server::client().request(method, url).timeout(Duration::from_mins(1));
        for (name, value) in headers {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let answer = request.body(body).send().await.map_err(|e| format!("no answer: {e:?}"))?;
        let status = answer.status().as_u16();
        let content_type =
            answer.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
        let content_type = content_type.to_owned();
        let text = answer.text().await.map_err(|e| format!("no whole answer: {e}"))?;
        opened(status, &content_type, &text)
    }

    fn authorization(
        &self,
        sign: &Value,
        headers: &BTreeMap<String, Option<String>>,
        (method, query, body): (&str, &str, &[u8]),
        at_s: i64,
    ) -> String {
        let unknown = Key { account: 0, id: format!("AKID{}", "x".repeat(32)), secret: "x".to_owned() };
        let key = match sign["key"].as_str() {
            None => self.bench.server.key(),
            Some("other") => &self.other,
            Some("unknown") => &unknown,
            Some(word) => panic!("there is no key {word}"),
        };
        let secret = if sign["secret"] == "wrong" { "wrong" } else { &key.secret };
        let header = |name: &str| headers.get(name).and_then(Option::as_deref).unwrap_or_default();
        let request = tc3::Request {
            method,
            host: header("Host"),
            content_type: header("Content-Type"),
            query,
            body,
            timestamp_s: at_s,
        };
        let text = tc3::sign(&request, &key.id, secret).expect("a time within the calendar");
        match sign["service"].as_str() {
            Some(service) => text.replace("/mps/tc3_request", &format!("/{service}/tc3_request")),
            None => text,
        }
    }

    fn filled(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => Value::String(self.filled_text(text)?),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.filled(item)).collect::<Result<_, _>>()?)
            }
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.filled(value)?)))
                    .collect::<Result<_, String>>()?,
            ),
            other => other.clone(),
        })
    }

    fn filled_text(&self, text: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) =
                after.split_once('}').ok_or_else(|| format!("no end of a name in {text:?}"))?;
            filled.push_str(before);
            filled.push_str(self.names.get(name).ok_or_else(|| format!("there is no ${{{name}}}"))?);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// A word that the runner does not know would be a check that never happens.
fn check_words(step: &Value) -> Result<(), String> {
    const STEP: [&str; 13] = [
        "call",
        "params",
        "body",
        "expect",
        "save",
        "until",
        "at_most_s",
        "headers",
        "method",
        "path",
        "query",
        "sign",
        "times",
    ];
    const EXPECT: [&str; 5] = ["code", "message", "has", "lacks", "count"];
    const SIGN: [&str; 6] = ["key", "skew_s", "secret", "service", "none", "after"];
    for (place, known) in [(step, &STEP[..]), (&step["expect"], &EXPECT[..]), (&step["sign"], &SIGN[..])] {
        for name in place.as_object().into_iter().flat_map(|members| members.keys()) {
            if !known.contains(&name.as_str()) {
                return Err(format!("{name} is no word of a step"));
            }
        }
    }
    Ok(())
}

/// The `Response` inside an envelope that is as it must be.
fn opened(status: u16, content_type: &str, text: &str) -> Result<Value, String> {
    if status != 200 || content_type != "application/json" {
        return Err(format!("status {status}, {content_type:?}: {text}"));
    }
    let envelope: Value = serde_json::from_str(text).map_err(|e| format!("no JSON ({e}): {text}"))?;
    let response = envelope.get("Response").ok_or_else(|| format!("no Response: {text}"))?;
    if envelope.as_object().is_some_and(|members| members.len() != 1) {
        return Err(format!("more than a Response: {text}"));
    }
    let id = response["RequestId"].as_str().unwrap_or_default();
    uuid::Uuid::parse_str(id).map_err(|e| format!("RequestId {id:?}: {e}"))?;
    Ok(response.clone())
}

fn check(response: &Value, expect: &Value) -> Result<(), String> {
    let code = response["Error"]["Code"].as_str().unwrap_or("ok");
    let wanted = expect["code"].as_str().unwrap_or("ok");
    if code != wanted {
        return Err(format!("{code}, not {wanted}: {response:#}"));
    }
    if let Some(pattern) = expect["message"].as_str() {
        let message = response["Error"]["Message"].as_str().unwrap_or_default();
        if !Regex::new(pattern).map_err(|e| e.to_string())?.is_match(message) {
            return Err(format!("the message is {message:?}, not like {pattern:?}"));
        }
    }
    for (path, wanted) in expect["has"].as_object().into_iter().flatten() {
        let seen = member(response, path);
        if !fits(seen, wanted) {
            return Err(format!("{path} is {seen}, not {wanted}: {response:#}"));
        }
    }
    for (path, wanted) in expect["count"].as_object().into_iter().flatten() {
        let seen = member(response, path).as_array().map(Vec::len);
        if seen.map(|count| count as u64) != wanted.as_u64() {
            return Err(format!("{path} holds {seen:?}, not {wanted}: {response:#}"));
        }
    }
    for text in expect["lacks"].as_array().into_iter().flatten() {
        let text = text.as_str().unwrap_or_default();
        if response.to_string().contains(text) {
            return Err(format!("the answer holds {text:?}: {response:#}"));
        }
    }
    Ok(())
}

/// A member by its path; null where there is none.
fn member<'v>(value: &'v Value, path: &str) -> &'v Value {
    const NOTHING: &Value = &Value::Null;
    path.split('.').fold(value, |value, name| match value {
        Value::Array(items) => name.parse::<usize>().ok().and_then(|at| items.get(at)).unwrap_or(NOTHING),
        _ => value.get(name).unwrap_or(NOTHING),
    })
}

fn fits(seen: &Value, wanted: &Value) -> bool {
    if let Some(other) = wanted.get("not") {
        return seen != other;
    }
    if let Some(pattern) = wanted.get("like").and_then(Value::as_str) {
        let text = seen.as_str().map_or_else(|| seen.to_string(), str::to_owned);
        return Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(&text));
    }
    match (seen.as_f64(), wanted.as_f64()) {
        (Some(seen), Some(wanted)) => (seen - wanted).abs() < 1e-9,
        _ => seen == wanted,
    }
}
