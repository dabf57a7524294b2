//! The signature of the COS XML API: HMAC-SHA1 over method, path, named parameters and named headers, with a key
//! that is made of the secret and a span of time. It comes in `Authorization` or in the query.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hmac::{Hmac, Mac};
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use s3s::{S3Result, s3_error};
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

const ALGORITHM: &str = "q-sign-algorithm";
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// How far a client's clock may run ahead.
const AHEAD_S: i64 = 300;

/// A signature as sent.
pub(super) struct Signature {
    pub(super) secret_id: String,
    sign_time: String,
    key_time: String,
    headers: Vec<String>,
    params: Vec<String>,
    sent: String,
}

impl Signature {
    /// The signature of a request; `None` when it has none of this kind.
    pub(super) fn of(parts: &Parts) -> S3Result<Option<Self>> {
        let header = parts.headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(text) = header.filter(|text| text.contains(ALGORITHM)) {
            return Self::parse(&pairs(text.trim())).map(Some);
        }
        let query = parts.uri.query().unwrap_or_default();
        if query.contains(ALGORITHM) {
            let all: BTreeMap<_, _> = decoded(query).collect();
            if let Some(whole) = all.get("sign") {
                return Self::parse(&pairs(whole)).map(Some);
            }
            return Self::parse(&all).map(Some);
        }
        Ok(None)
    }

    fn parse(fields: &BTreeMap<String, String>) -> S3Result<Self> {
        let of = |name: &str| {
            let value = fields.get(name).cloned();
            value.ok_or_else(|| s3_error!(InvalidRequest, "the signature lacks {name}"))
        };
        if of(ALGORITHM)? != "sha1" {
            return Err(s3_error!(InvalidRequest, "the algorithm of the signature must be sha1"));
        }
        let list = |text: String| {
            text.split(';').filter(|name| !name.is_empty()).map(str::to_ascii_lowercase).collect()
        };
        Ok(Self {
            secret_id: of("q-ak")?,
            sign_time: of("q-sign-time")?,
            key_time: of("q-key-time")?,
            headers: list(of("q-header-list")?),
            params: list(of("q-url-param-list")?),
            sent: of("q-signature")?,
        })
    }

    /// Whether now lies in both spans of time.
    pub(super) fn check_time(&self, now_s: i64) -> S3Result<()> {
        if window_holds(&self.sign_time, now_s) && window_holds(&self.key_time, now_s) {
            return Ok(());
        }
        Err(s3_error!(AccessDenied, "the signature's time is over or has not begun"))
    }

    /// Whether the signature was made with `secret` for this request. Clients sign the host with or without its
    /// port, and behind a path that names the bucket they sign the key alone.
    pub(super) fn is_right(&self, parts: &Parts, secret: &str, is_path_style: bool) -> bool {
        let path: Vec<u8> = percent_decode_str(parts.uri.path()).collect();
        let mut paths = vec![path.as_slice()];
        if is_path_style && let Some(at) = path.iter().skip(1).position(|byte| *byte == b'/') {
            paths.push(&path[at + 1..]);
        }
        let params = self.params(parts);
        let key = sign_key(secret, &self.key_time);
        [false, true].into_iter().any(|has_bare_host| {
            let headers = self.headers(parts, has_bare_host);
            paths.iter().any(|path| {
                let mut text = Sha1::new();
                text.update(parts.method.as_str().to_ascii_lowercase());
                text.update(b"\n");
                text.update(path);
                text.update(format!("\n{params}\n{headers}\n"));
                let to_sign = format!("sha1\n{}\n{}\n", self.sign_time, hex::encode(text.finalize()));
                let right = hmac_sha1_hex(key.as_bytes(), to_sign.as_bytes());
                right.as_bytes().ct_eq(self.sent.as_bytes()).into()
            })
        })
    }

    fn params(&self, parts: &Parts) -> String {
        let mut sent: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in decoded(parts.uri.query().unwrap_or_default()) {
            sent.entry(encode(name.as_bytes()).to_ascii_lowercase()).or_insert(encode(value.as_bytes()));
        }
        let absent = String::new();
        let pairs = self.params.iter().map(|name| format!("{name}={}", sent.get(name).unwrap_or(&absent)));
        pairs.collect::<Vec<_>>().join("&")
    }

    fn headers(&self, parts: &Parts, has_bare_host: bool) -> String {
        let value = |name: &String| {
            let name: Cow<'_, str> = percent_decode_str(name).decode_utf8_lossy();
            let sent = parts.headers.get(name.as_ref()).map(http::HeaderValue::as_bytes).unwrap_or_default();
            if name == "host" && has_bare_host {
                let end = sent.iter().rposition(|byte| *byte == b':').unwrap_or(sent.len());
                return encode(&sent[..end]);
            }
            encode(sent)
        };
        self.headers.iter().map(|name| format!("{name}={}", value(name))).collect::<Vec<_>>().join("&")
    }
}

/// `name=value&…` as it stands.
fn pairs(text: &str) -> BTreeMap<String, String> {
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The pairs of a query, decoded; a `+` is a space.
fn decoded(query: &str) -> impl Iterator<Item = (String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned()))
}

fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, PLAIN).to_string()
}

/// Whether a span `FIRST;LAST` of Unix seconds holds `now_s`.
pub(in crate::bucket_door) fn window_holds(span: &str, now_s: i64) -> bool {
    let ends = span.split_once(';').and_then(|(a, b)| Some((a.parse::<i64>().ok()?, b.parse::<i64>().ok()?)));
    ends.is_some_and(|(first, last)| first - AHEAD_S <= now_s && now_s <= last)
}

/// The key that signs during a span of time.
pub(in crate::bucket_door) fn sign_key(secret: &str, key_time: &str) -> String {
    hmac_sha1_hex(secret.as_bytes(), key_time.as_bytes())
}

/// HMAC-SHA1 in lower-case hex.
pub(in crate::bucket_door) fn hmac_sha1_hex(key: &[u8], text: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    /// The example of the vendor's documentation of request signatures.
    const DOCUMENTED: &str = "q-sign-algorithm=sha1&q-ak=AKIDQjz3ltompVjBni5LitkWHFlFpwkn9U5q&q-sign-time=1557989151;1557996351&q-key-time=1557989151;1557996351&q-header-list=content-length;content-md5;content-type;date;host;x-cos-acl;x-cos-grant-read&q-url-param-list=&q-signature=3b8851a11a569213c17ba8fa7dcf2abec6935172";

    fn documented(secret: &str) -> bool {
        let parts = request(
            "PUT",
            "/exampleobject(%E8%85%BE%E8%AE%AF%E4%BA%91)",
            &[
                ("date", "Thu, 16 May 2019 06:45:51 GMT"),
                ("host", "examplebucket-1250000000.cos.ap-beijing.myqcloud.com"),
                ("content-type", "text/plain"),
                ("content-length", "13"),
                ("content-md5", "mQ/fVh815F3k6TAUm8m0eg=="),
                ("x-cos-acl", "private"),
                ("x-cos-grant-read", "uin=\"100000000011\""),
                ("authorization", DOCUMENTED),
            ],
        );
        let signature = Signature::of(&parts).unwrap().unwrap();
        signature.check_time(1_557_990_000).unwrap();
        signature.check_time(1_557_996_352).unwrap_err();
        signature.check_time(1_557_980_000).unwrap_err();
        signature.is_right(&parts, secret, false)
    }

    #[test]
    fn the_documented_example_is_right_with_its_secret_only() {
        assert!(documented("BQYIM75p8x0iWVFSIgqEKwFprpRSVHlz"));
        assert!(!documented("BQYIM75p8x0iWVFSIgqEKwFprpRSVHlx"));
    }

    #[test]
    fn other_requests_are_not_of_this_kind() {
        let parts =
            request("GET", "/a?X-Amz-Signature=1", &[("authorization", "AWS4-HMAC-SHA256 Credential=x")]);
        assert!(Signature::of(&parts).unwrap().is_none());
        let parts = request("GET", "/a", &[("authorization", "q-sign-algorithm=sha1&q-ak=a")]);
        assert!(Signature::of(&parts).is_err());
    }
}
