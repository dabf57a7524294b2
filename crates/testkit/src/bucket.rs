//! The server's buckets as an S3 client sees them: put, get, list, with a SigV4 written here once more.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hmac::{Hmac, Mac as _};
use md5::Digest as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, Response, StatusCode};
use sha2::Sha256;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::server::{Key, REGION, Server, now_s};

const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl Server {
    /// Uploads bytes.
    pub async fn put(&self, bucket: &str, key: &str, bytes: Vec<u8>) {
        let answer = self.s3(Method::PUT, bucket, key, &[], bytes).await;
        assert_eq!(answer.status(), 200, "PUT {bucket}/{key}");
    }

    /// The bytes of an object; none where there is no such object.
    pub async fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let answer = self.s3(Method::GET, bucket, key.trim_start_matches('/'), &[], Vec::new()).await;
        match answer.status() {
            StatusCode::NOT_FOUND => None,
            status => {
                assert_eq!(status, 200, "GET {bucket}/{key}");
                Some(answer.bytes().await.expect("a whole object").to_vec())
            }
        }
    }

    /// Downloads an object into `folder`, where it keeps its last name.
    pub async fn download(&self, bucket: &str, key: &str, folder: &Path) -> PathBuf {
        let bytes = self.object(bucket, key).await.unwrap_or_else(|| panic!("there is no {bucket}/{key}"));
        let path = folder.join(key.rsplit('/').next().unwrap_or(key));
        std::fs::write(&path, bytes).expect("a downloaded object");
        path
    }

    /// Keys with this prefix, in order.
    pub async fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let query = [("list-type", "2"), ("prefix", prefix)];
        let answer = self.s3(Method::GET, bucket, "", &query, Vec::new()).await;
        assert_eq!(answer.status(), 200, "list {bucket}/{prefix}");
        let text = answer.text().await.expect("a whole listing");
        assert!(!text.contains("<IsTruncated>true"), "more objects than one listing holds");
        text.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next()).map(unescaped).collect()
    }

    async fn s3(
        &self,
        method: Method,
        bucket: &str,
        key: &str,
        query: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Response {
        self.try_s3(method, bucket, key, query, body).await.expect("the buckets answer")
    }

    /// A signed request of S3, for servers that may be gone: the error says that nobody answered.
    pub async fn try_s3(
        &self,
        method: Method,
        bucket: &str,
        key: &str,
        query: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Response, reqwest::Error> {
        let path = format!("/{bucket}/{}", utf8_percent_encode(key, PATH));
        let path = path.trim_end_matches('/').to_owned();
        let query: BTreeMap<String, String> =
            query.iter().map(|(name, value)| (encoded(name), encoded(value))).collect();
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let query = query.join("&");
        let host = self.buckets().trim_start_matches("http://").to_owned();
        let hash = hex::encode(Sha256::digest(&body));
        let (stamp, authorization) = sign(self.key(), method.as_str(), &host, &path, &query, &hash);
        let url = format!("{}{path}{}{query}", self.buckets(), if query.is_empty() { "" } else { "?" });
        self.http
            .request(method, url)
            .header("x-amz-date", stamp)
            .header("x-amz-content-sha256", hash)
            .header("Authorization", authorization)
            .timeout(Duration::from_secs(30))
            .body(body)
            .send()
            .await
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string()
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// MD5 in lower-case hex.
pub fn md5_hex(bytes: &[u8]) -> String {
    hex::encode(md5::Md5::digest(bytes))
}

fn sign(key: &Key, method: &str, host: &str, path: &str, query: &str, hash: &str) -> (String, String) {
    const SIGNED: &str = "host;x-amz-content-sha256;x-amz-date";
    let at = OffsetDateTime::from_unix_timestamp(now_s()).expect("today is a day");
    let stamp =
        at.format(format_description!("[year][month][day]T[hour][minute][second]Z")).expect("a stamp");
    let day = &stamp[..8];
    let mut canonical = String::new();
    let _ = write!(canonical, "{method}\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{hash}\n");
    let _ = write!(canonical, "x-amz-date:{stamp}\n\n{SIGNED}\n{hash}");
    let scope = format!("{day}/{REGION}/s3/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hex::encode(Sha256::digest(&canonical)));
    let mut secret = format!("AWS4{}", key.secret).into_bytes();
    for part in [day, REGION, "s3", "aws4_request"] {
        secret = mac(&secret, part);
    }
    let signature = hex::encode(mac(&secret, &text));
    let credential = format!("{}/{scope}", key.id);
    (
        stamp,
        format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={SIGNED}, Signature={signature}"),
    )
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
