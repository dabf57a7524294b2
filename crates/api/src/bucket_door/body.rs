//! Takes a body in pieces and holds it against what the client said of it: length, MD5, checksums.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::Checksum as _;
use s3s::crypto::{Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto::{Checksum, ChecksumAlgorithm, StreamingBlob};
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders, s3_error};

const ALGORITHMS: [&str; 5] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

/// Bytes of a body as the client promised them.
pub(super) struct Promise {
    /// MD5 in lower-case hex.
    md5: Option<String>,
    /// Algorithm to value in base64.
    checksums: BTreeMap<&'static str, String>,
    /// Those that come behind the body.
    trailing: Option<TrailingHeaders>,
    hasher: ChecksumHasher,
}

impl Promise {
    /// What the headers of a request promise; `algorithm` is one that is only named.
    pub(super) fn new(
        headers: &HeaderMap,
        content_md5: Option<&str>,
        algorithm: Option<&ChecksumAlgorithm>,
        trailing: Option<TrailingHeaders>,
    ) -> S3Result<Self> {
        let md5 = content_md5.map(md5_in_hex).transpose()?;
        let mut checksums = BTreeMap::new();
        let mut hasher = ChecksumHasher::default();
        let trailers = headers.get("x-amz-trailer").and_then(|value| value.to_str().ok()).unwrap_or_default();
        for name in ALGORITHMS {
            let header = format!("x-amz-checksum-{name}");
            let value = headers.get(&header).and_then(|value| value.to_str().ok());
            if let Some(value) = value {
                checksums.insert(name, value.to_owned());
            }
            let is_named = algorithm.is_some_and(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name));
            let is_trailing = trailers.split(',').any(|trailer| trailer.trim().eq_ignore_ascii_case(&header));
            if value.is_some() || is_named || is_trailing {
                enable(&mut hasher, name);
            }
        }
        Ok(Self { md5, checksums, trailing, hasher })
    }

    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// Holds what came against the promise; gives the checksums that were computed.
    pub(super) fn keep(mut self, md5: &str) -> S3Result<BTreeMap<String, String>> {
        if self.md5.as_deref().is_some_and(|promised| promised != md5) {
            return Err(s3_error!(BadDigest, "the Content-MD5 does not fit the body"));
        }
        let trailers = self.trailing.and_then(|trailing| trailing.take()).unwrap_or_default();
        for name in ALGORITHMS {
            let trailer =
                trailers.get(format!("x-amz-checksum-{name}")).and_then(|value| value.to_str().ok());
            if let Some(value) = trailer {
                self.checksums.insert(name, value.to_owned());
            }
        }
        let computed = values(&self.hasher.finalize());
        for (name, promised) in self.checksums {
            if computed.get(name) != Some(&promised) {
                return Err(s3_error!(BadDigest, "the {name} checksum does not fit the body"));
            }
        }
        Ok(computed)
    }
}

fn enable(hasher: &mut ChecksumHasher, name: &str) {
    match name {
        "crc32" => hasher.crc32 = Some(Crc32::new()),
        "crc32c" => hasher.crc32c = Some(Crc32c::new()),
        "crc64nvme" => hasher.crc64nvme = Some(Crc64Nvme::new()),
        "sha1" => hasher.sha1 = Some(Sha1::new()),
        _ => hasher.sha256 = Some(Sha256::new()),
    }
}

fn values(checksum: &Checksum) -> BTreeMap<String, String> {
    let all = [
        ("crc32", &checksum.checksum_crc32),
        ("crc32c", &checksum.checksum_crc32c),
        ("crc64nvme", &checksum.checksum_crc64nvme),
        ("sha1", &checksum.checksum_sha1),
        ("sha256", &checksum.checksum_sha256),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect()
}

/// The MD5 of a `Content-MD5` header in hex.
fn md5_in_hex(header: &str) -> S3Result<String> {
    let bytes = BASE64_STANDARD.decode(header).ok().filter(|bytes| bytes.len() == 16);
    let bytes = bytes.ok_or_else(|| s3_error!(InvalidDigest, "the Content-MD5 is not an MD5 in base64"))?;
    Ok(hex::encode(bytes))
}

/// The pieces of a body, each awaited for at most `idle`.
pub(super) struct Pieces<S> {
    stream: S,
    idle: Duration,
    room: u64,
}

impl Pieces<StreamingBlob> {
    pub(super) fn of(body: Option<StreamingBlob>, idle: Duration, most_bytes: u64) -> Self {
        let empty = || StreamingBlob::from(s3s::Body::empty());
        Self { stream: body.unwrap_or_else(empty), idle, room: most_bytes }
    }
}

impl<S, E> Pieces<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    pub(super) fn new(stream: S, idle: Duration, most_bytes: u64) -> Self {
        Self { stream, idle, room: most_bytes }
    }

    pub(super) async fn next(&mut self) -> S3Result<Option<Bytes>> {
        let piece = tokio::time::timeout(self.idle, self.stream.next())
            .await
            .map_err(|_| s3_error!(RequestTimeout, "the body stopped coming"))?;
        let Some(piece) = piece else { return Ok(None) };
        let piece = piece.map_err(|error| broken(&error.to_string()))?;
        self.room = self
            .room
            .checked_sub(piece.len() as u64)
            .ok_or_else(|| s3_error!(EntityTooLarge, "the object is larger than allowed"))?;
        Ok(Some(piece))
    }
}

/// Why a body ended early. The reader of the protocol tells it in words only.
fn broken(why: &str) -> S3Error {
    if why.contains("Sha256Mismatch") {
        let code = S3ErrorCode::from_bytes(b"XAmzContentSHA256Mismatch").unwrap_or(S3ErrorCode::BadDigest);
        let mut error = S3Error::with_message(code, "the body does not have the SHA-256 that was signed");
        error.set_status_code(http::StatusCode::BAD_REQUEST);
        error
    } else if why.contains("SignatureMismatch") {
        s3_error!(SignatureDoesNotMatch, "a piece of the body has a wrong signature")
    } else {
        s3_error!(IncompleteBody, "the body ended before its announced length")
    }
}

/// Checksums as members of an answer.
pub(super) fn checksum_of(values: &BTreeMap<String, String>) -> Checksum {
    let of = |name: &str| values.get(name).cloned();
    Checksum {
        checksum_crc32: of("crc32"),
        checksum_crc32c: of("crc32c"),
        checksum_crc64nvme: of("crc64nvme"),
        checksum_sha1: of("sha1"),
        checksum_sha256: of("sha256"),
        checksum_type: None,
    }
}
