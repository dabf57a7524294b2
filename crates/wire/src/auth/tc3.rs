//! TC3-HMAC-SHA256, as the official SDKs and the command line send it.
//!
//! The query is hashed exactly as it was sent and the signed headers in the order they are listed:
//! nothing is decoded, sorted or rebuilt. A signed header's value may have been lower-cased by the
//! signer (the vendor's examples do) or left as sent (its SDKs do); both verify.
//!
//! The vendor's Node SDK takes the service of the credential from the host's first label, which gives `mps`
//! for the cloud's own name and `127` for `127.0.0.1:8080`, and signs the host without its port: the service
//! may be `mps` or that label, and the host may be signed either way.

use std::borrow::Cow;
use std::fmt;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{Message, check_secret_id, check_window, signature_failure};
use crate::{ApiError, codes};

/// Name of the scheme in the `Authorization` header.
pub const ALGORITHM: &str = "TC3-HMAC-SHA256";
/// The service that credentials name.
pub const SERVICE: &str = "mps";
/// The word sent instead of the body's hash by clients that do not sign it.
pub const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

const TERMINATOR: &str = "tc3_request";

/// The key of one day, derived from a secret key; worth keeping, for it costs three rounds of HMAC.
#[derive(Clone)]
pub struct SigningKey {
    day: [u8; 32],
    own: [u8; 32],
}

impl SigningKey {
    /// The key for `date` (`YYYY-MM-DD`, UTC).
    pub fn derive(secret_key: &str, date: &str) -> Self {
        let day = mac(format!("TC3{secret_key}").as_bytes(), date.as_bytes());
        Self { day, own: of_service(&day, SERVICE) }
    }

    fn of_service(&self, service: &str) -> [u8; 32] {
        if service == SERVICE { self.own } else { of_service(&self.day, service) }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(hidden)")
    }
}

/// The parsed `Authorization` header with the time of the request.
#[derive(Debug)]
pub struct Claim<'a> {
    /// Whose key signed.
    pub secret_id: &'a str,
    /// The day of the credential, `YYYY-MM-DD`.
    pub date: &'a str,
    /// When it was signed, unix seconds.
    pub timestamp_s: i64,
    service: &'a str,
    timestamp: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Claim<'a> {
    /// Reads the header's value and those of `X-TC-Timestamp` and `Host`.
    pub fn parse(
        authorization: &'a str,
        timestamp: Option<&'a str>,
        host: Option<&str>,
    ) -> Result<Self, ApiError> {
        let authorization = authorization.trim();
        let (algorithm, rest) = authorization.split_once(char::is_whitespace).unwrap_or((authorization, ""));
        if algorithm != ALGORITHM {
            return Err(malformed(&format!("it must begin with `{ALGORITHM} `")));
        }
        let mut parts = [None; 3];
        for part in rest.split(',') {
            let Some((name, value)) = part.trim().split_once('=') else {
                return Err(malformed("after the algorithm come Credential=…, SignedHeaders=…, Signature=…"));
            };
            let at = match name {
                "Credential" => 0,
                "SignedHeaders" => 1,
                "Signature" => 2,
                _ => return Err(malformed("it has a part other than Credential, SignedHeaders, Signature")),
            };
            if parts[at].replace(value).is_some() {
                return Err(malformed(&format!("{name} is given twice")));
            }
        }
        let [Some(credential), Some(signed_headers), Some(signature)] = parts else {
            return Err(malformed("it must hold Credential, SignedHeaders and Signature"));
        };
        let (secret_id, date, service) = parse_credential(credential, host.unwrap_or_default())?;
        check_signed_headers(signed_headers)?;
        if signature.is_empty() {
            return Err(malformed("the Signature is empty"));
        }
        let timestamp = timestamp.map(str::trim).ok_or_else(|| {
            codes::missing_parameter("the header X-TC-Timestamp is required: unix seconds of the signing")
        })?;
        let timestamp_s = parse_timestamp(timestamp)?;
        Ok(Self { secret_id, date, timestamp_s, service, timestamp, signed_headers, signature })
    }

    /// Refuses a time outside the window, and a credential of another day than the time's.
    pub fn check_time(&self, now_s: i64) -> Result<(), ApiError> {
        check_window(self.timestamp_s, now_s)?;
        let day = utc_day(self.timestamp_s).unwrap_or_default();
        if day == self.date {
            return Ok(());
        }
        Err(codes::auth_failure_signature_failure(format!(
            "the date in Credential must be the UTC day of X-TC-Timestamp, which is {day}"
        )))
    }

    /// The key that this claim needs.
    pub fn signing_key(&self, secret_key: &str) -> SigningKey {
        SigningKey::derive(secret_key, self.date)
    }

    /// Whether `key` made this signature over `message`; takes the same time wherever it differs.
    pub fn verify(&self, message: &Message<'_>, key: &SigningKey) -> Result<(), ApiError> {
        let Ok(signature) = hex::decode(self.signature) else {
            return Err(signature_failure());
        };
        for spelling in [Spelling::AsSent, Spelling::LowerCase, Spelling::HostWithoutPort] {
            let (canonical, differs) = self.canonical_hash(message, spelling)?;
            if spelling != Spelling::AsSent && !differs {
                continue;
            }
            let signed = string_to_sign(key, self.timestamp, self.date, self.service, &canonical);
            if signed.verify_slice(&signature).is_ok() {
                return Ok(());
            }
        }
        Err(signature_failure())
    }

    /// SHA-256 of the canonical request, and whether the spelling changed any header's value.
    fn canonical_hash(
        &self,
        message: &Message<'_>,
        spelling: Spelling,
    ) -> Result<([u8; 32], bool), ApiError> {
        let mut hash = begin(message.method, message.query);
        let mut differs = false;
        for name in self.signed_headers.split(';') {
            let name = name.to_ascii_lowercase();
            let value = message.header(&name).ok_or_else(|| {
                codes::auth_failure_signature_failure(format!(
                    "SignedHeaders lists `{name}`, but the request has no such header"
                ))
            })?;
            let value = value.trim();
            hash.update(&name);
            hash.update(":");
            let spelt = spelling.of(&name, value);
            differs |= spelt != value;
            hash.update(spelt.as_bytes());
            hash.update("\n");
        }
        let unsigned = message.header("x-tc-content-sha256").is_some_and(|v| v.trim() == UNSIGNED_PAYLOAD);
        Ok((finish(hash, self.signed_headers, message, unsigned), differs))
    }
}

/// How a signer may have written the values of headers before hashing them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    AsSent,
    LowerCase,
    HostWithoutPort,
}

impl Spelling {
    fn of<'v>(self, name: &str, value: &'v str) -> Cow<'v, str> {
        match self {
            Self::LowerCase if value.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                Cow::Owned(value.to_ascii_lowercase())
            }
            Self::HostWithoutPort if name == "host" => Cow::Borrowed(without_port(value)),
            Self::AsSent | Self::LowerCase | Self::HostWithoutPort => Cow::Borrowed(value),
        }
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// A request to be signed; it must then be sent with exactly these values.
pub struct Request<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// Value of the `Host` header.
    pub host: &'a str,
    /// Value of the `Content-Type` header.
    pub content_type: &'a str,
    /// The encoded query of a GET, empty for a POST.
    pub query: &'a str,
    /// The body of a POST, empty for a GET.
    pub body: &'a [u8],
    /// When it is signed, unix seconds; sent as `X-TC-Timestamp`.
    pub timestamp_s: i64,
}

/// The value of the `Authorization` header for `request`.
///
/// Errors: `InvalidParameter` for a time no calendar has.
pub fn sign(request: &Request<'_>, secret_id: &str, secret_key: &str) -> Result<String, ApiError> {
    const SIGNED: &str = "content-type;host";
    let date = utc_day(request.timestamp_s)
        .ok_or_else(|| codes::invalid_parameter("the time of the signature is out of range"))?;
    let Request { method, host, content_type, query, body, .. } = *request;
    let no_header = |_: &str| None;
    let message = Message { method, query, header: &no_header, body };
    let mut hash = begin(method, query);
    hash.update(format!("content-type:{content_type}\nhost:{host}\n"));
    let canonical = finish(hash, SIGNED, &message, false);
    let key = SigningKey::derive(secret_key, &date);
    let signature = string_to_sign(&key, &request.timestamp_s.to_string(), &date, SERVICE, &canonical)
        .finalize()
        .into_bytes();
    Ok(format!(
        "{ALGORITHM} Credential={secret_id}/{date}/{SERVICE}/{TERMINATOR}, SignedHeaders={SIGNED}, Signature={}",
        hex::encode(signature)
    ))
}

fn begin(method: &str, query: &str) -> Sha256 {
    let mut hash = Sha256::new();
    hash.update(method);
    hash.update("\n/\n");
    hash.update(query);
    hash.update("\n");
    hash
}

fn finish(mut hash: Sha256, signed_headers: &str, message: &Message<'_>, unsigned: bool) -> [u8; 32] {
    let payload: &[u8] = match message.method {
        _ if unsigned => UNSIGNED_PAYLOAD.as_bytes(),
        "GET" => b"",
        _ => message.body,
    };
    hash.update("\n");
    hash.update(signed_headers);
    hash.update("\n");
    hash.update(hex::encode(Sha256::digest(payload)));
    hash.finalize().into()
}

fn string_to_sign(
    key: &SigningKey,
    timestamp: &str,
    date: &str,
    service: &str,
    canonical: &[u8; 32],
) -> Hmac<Sha256> {
    let mut signed = keyed(&key.of_service(service));
    for part in [ALGORITHM, "\n", timestamp, "\n", date, "/", service, "/", TERMINATOR, "\n"] {
        signed.update(part.as_bytes());
    }
    signed.update(hex::encode(canonical).as_bytes());
    signed
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = keyed(key);
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn of_service(day: &[u8; 32], service: &str) -> [u8; 32] {
    mac(&mac(day, service.as_bytes()), TERMINATOR.as_bytes())
}

/// Secret id, date and service. A host may be an address, so the service may hold a colon, never a slash.
fn parse_credential<'a>(credential: &'a str, host: &str) -> Result<(&'a str, &'a str, &'a str), ApiError> {
    let parts: Vec<&str> = credential.split('/').take(5).collect();
    let [secret_id, date, service, TERMINATOR] = parts[..] else {
        return Err(malformed(&format!("Credential must be <SecretId>/<YYYY-MM-DD>/{SERVICE}/{TERMINATOR}")));
    };
    if !is_date(date) {
        return Err(malformed("the date in Credential must be YYYY-MM-DD"));
    }
    check_secret_id(secret_id)?;
    if service != SERVICE && (service.is_empty() || host.split('.').next() != Some(service)) {
        return Err(codes::no_such_product(format!(
            "this server is the product `{SERVICE}`; the Credential names another one"
        )));
    }
    Ok((secret_id, date, service))
}

fn is_date(text: &str) -> bool {
    let form =
        |(at, byte): (usize, u8)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == 10 && text.bytes().enumerate().all(form)
}

/// The vendor asks for these two at least; without them a signature could be moved to another server.
fn check_signed_headers(signed_headers: &str) -> Result<(), ApiError> {
    let has = |wanted: &str| signed_headers.split(';').any(|name| name.eq_ignore_ascii_case(wanted));
    if has("host") && has("content-type") {
        return Ok(());
    }
    Err(malformed("SignedHeaders must list content-type and host"))
}

fn parse_timestamp(text: &str) -> Result<i64, ApiError> {
    let seconds = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    seconds.ok_or_else(|| codes::invalid_parameter("X-TC-Timestamp must be whole unix seconds"))
}

/// `YYYY-MM-DD` of the UTC day that holds this second.
fn utc_day(timestamp_s: i64) -> Option<String> {
    let date = OffsetDateTime::from_unix_timestamp(timestamp_s).ok()?.date();
    Some(format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()))
}

fn malformed(what: &str) -> ApiError {
    codes::auth_failure_invalid_authorization(format!("the Authorization header is malformed: {what}"))
}
