//! The few S3 operations that the command line needs, signed by SigV4: put, get, list buckets.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use hmac::{Hmac, Mac as _};
use mps_core::clock::{Clock as _, SystemClock};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::macros::format_description;
use url::Url;

use super::{KeyPair, Server, authority};

/// The hash that stands for "the body is not signed"; the connection's own checks and the ETag guard it.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

impl Server {
    /// Uploads a file; `sent` hears how many bytes have gone.
    pub async fn put_file(
        &self,
        bucket: &str,
        key: &str,
        file: &Path,
        sent: impl Fn(u64) + Send + 'static,
    ) -> anyhow::Result<()> {
        let opened =
            tokio::fs::File::open(file).await.with_context(|| format!("cannot open {}", file.display()))?;
        let size = opened.metadata().await.with_context(|| format!("cannot read {}", file.display()))?.len();
        let body = counted(opened, sent);
        let request = self
            .request(reqwest::Method::PUT, bucket, key)?
            .header("Content-Length", size)
            .header("Content-Type", content_type(key))
            .body(reqwest::Body::wrap_stream(body));
        checked(request.send().await, || format!("cannot upload {} to {bucket}/{key}", file.display()))
            .await?;
        Ok(())
    }

    /// Downloads an object to a file, which appears whole or not at all.
    pub async fn get_file(&self, bucket: &str, key: &str, file: &Path) -> anyhow::Result<()> {
        use tokio::io::AsyncWriteExt as _;
        let what = || format!("cannot download {bucket}/{key}");
        let mut answer = checked(self.request(reqwest::Method::GET, bucket, key)?.send().await, what).await?;
        if let Some(folder) = file.parent() {
            tokio::fs::create_dir_all(folder)
                .await
                .with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = file.with_file_name(name);
        let mut out = tokio::fs::File::create(&part)
            .await
            .with_context(|| format!("cannot write {}", part.display()))?;
        while let Some(bytes) = answer.chunk().await.with_context(what)? {
            out.write_all(&bytes).await.with_context(|| format!("cannot write {}", part.display()))?;
        }
        out.sync_all().await.with_context(|| format!("cannot write {}", part.display()))?;
        tokio::fs::rename(&part, file).await.with_context(|| format!("cannot write {}", file.display()))
    }

    /// The names of the account's buckets.
    pub async fn list_buckets(&self) -> anyhow::Result<Vec<String>> {
        let answer = checked(self.request(reqwest::Method::GET, "", "")?.send().await, || {
            format!("cannot list the buckets of {}", self.buckets)
        })
        .await?;
        let text = answer.text().await.context("cannot read the list of buckets")?;
        Ok(elements(&text, "Name"))
    }

    /// The keys below a prefix, at most 1,000.
    pub async fn list_keys(&self, bucket: &str, prefix: &str) -> anyhow::Result<Vec<String>> {
        let mut url = self.object_url(bucket, "")?;
        url.set_query(Some(&format!("list-type=2&prefix={}", encode(prefix, false))));
        let request = self.signed(reqwest::Method::GET, &url);
        let answer = checked(request.send().await, || format!("cannot list {bucket}/{prefix}")).await?;
        Ok(elements(&answer.text().await.context("cannot read the list of keys")?, "Key"))
    }

    fn object_url(&self, bucket: &str, key: &str) -> anyhow::Result<Url> {
        let base = self.buckets.as_str().trim_end_matches('/');
        let path = match (bucket, key) {
            ("", _) => "/".to_owned(),
            (bucket, "") => format!("/{}", encode(bucket, false)),
            (bucket, key) => format!("/{}/{}", encode(bucket, false), encode(key, true)),
        };
        Url::parse(&format!("{base}{path}")).with_context(|| format!("{bucket}/{key} has no address"))
    }

    fn request(
        &self,
        method: reqwest::Method,
        bucket: &str,
        key: &str,
    ) -> anyhow::Result<reqwest::RequestBuilder> {
        Ok(self.signed(method, &self.object_url(bucket, key)?))
    }

    fn signed(&self, method: reqwest::Method, url: &Url) -> reqwest::RequestBuilder {
        let (date, authorization) =
            sign(&self.key, &self.region, method.as_str(), url, SystemClock.now_ms() / 1_000);
        self.http
            .request(method, url.clone())
            .header("Host", authority(url))
            .header("x-amz-date", date)
            .header("x-amz-content-sha256", UNSIGNED)
            .header("Authorization", authorization)
    }
}

/// The `x-amz-date` and `Authorization` of a request whose path and query are in canonical form already.
fn sign(key: &KeyPair, region: &str, method: &str, url: &Url, unix_s: i64) -> (String, String) {
    let at = OffsetDateTime::from_unix_timestamp(unix_s).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let stamp =
        at.format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap_or_default();
    let day = stamp.get(..8).unwrap_or_default();
    let signed_headers = "host;x-amz-content-sha256;x-amz-date";
    let canonical = format!(
        "{method}\n{}\n{}\nhost:{}\nx-amz-content-sha256:{UNSIGNED}\nx-amz-date:{stamp}\n\n{signed_headers}\n{UNSIGNED}",
        url.path(),
        url.query().unwrap_or_default(),
        authority(url),
    );
    let scope = format!("{day}/{region}/s3/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
    let mut secret = format!("AWS4{}", key.secret).into_bytes();
    for part in [day, region, "s3", "aws4_request", &text] {
        secret = hmac(&secret, part);
    }
    let signature = hex::encode(secret);
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed_headers}, Signature={signature}",
        key.id
    );
    (stamp, authorization)
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Percent-encodes all but the unreserved characters, and slashes unless they part a path.
fn encode(text: &str, is_path: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            b'/' if is_path => out.push('/'),
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

/// A file as a stream of pieces, telling how much has gone.
fn counted(
    file: tokio::fs::File,
    sent: impl Fn(u64) + Send + 'static,
) -> impl futures::Stream<Item = std::io::Result<bytes::Bytes>> + Send {
    use futures::StreamExt as _;
    let mut total = 0;
    tokio_util::io::ReaderStream::with_capacity(file, 256 * 1024).map(move |piece| {
        if let Ok(piece) = &piece {
            total += piece.len() as u64;
            sent(total);
        }
        piece
    })
}

async fn checked(
    answer: reqwest::Result<reqwest::Response>,
    what: impl Fn() -> String,
) -> anyhow::Result<reqwest::Response> {
    let answer = answer.with_context(&what)?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let text = answer.text().await.unwrap_or_default();
    let code = elements(&text, "Code").into_iter().next().unwrap_or_else(|| status.to_string());
    let message = elements(&text, "Message").into_iter().next().unwrap_or_default();
    bail!("{code}: {} {message}", what())
}

/// The texts of all elements of a name, in order. Enough for the flat lists that S3 answers.
fn elements(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    let mut found = Vec::new();
    while let Some((_, after)) = rest.split_once(&open) {
        let Some((text, behind)) = after.split_once(&close) else { break };
        found.push(unescape(text));
        rest = behind;
    }
    found
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

fn content_type(key: &str) -> &'static str {
    match key.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "mp4" | "m4v" => "video/mp4",
        "mov" => "video/quicktime",
        "mkv" => "video/x-matroska",
        "webm" => "video/webm",
        "ts" => "video/mp2t",
        "flv" => "video/x-flv",
        "mp3" => "audio/mpeg",
        "m4a" => "audio/mp4",
        "wav" => "audio/wav",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_signed_as_amazon_says() {
        // The published examples hash the body; the signature of this one was computed by a second implementation.
        let key =
            KeyPair { id: "AKIDEXAMPLE".into(), secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into() };
        let url = Url::parse("http://127.0.0.1:8081/b-1/a%20b/%C3%A9.mp4?list-type=2&prefix=x%2Fy").unwrap();
        let (date, authorization) = sign(&key, "ap-guangzhou", "GET", &url, 1_440_938_160);
        assert_eq!(date, "20150830T123600Z");
        assert_eq!(
            authorization,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/ap-guangzhou/s3/aws4_request, \
             SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=5265e536d84eedce33a75ebcc53a6f13dc58387c9b2fa1cdbc6266f8c291aeec"
        );
    }

    #[test]
    fn keys_keep_their_slashes_and_nothing_else() {
        assert_eq!(encode("a b/é+.mp4", true), "a%20b/%C3%A9%2B.mp4");
        assert_eq!(encode("a/b", false), "a%2Fb");
    }

    #[test]
    fn lists_are_read_from_the_answer() {
        let xml = "<L><Bucket><Name>a&amp;b</Name></Bucket><Bucket><Name>c</Name></Bucket></L>";
        assert_eq!(elements(xml, "Name"), ["a&b", "c"]);
    }
}
