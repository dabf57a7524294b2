//! Who signed a request: finding the claim in it, checking its time, verifying its signature.
//!
//! The caller keeps the keys and the clock: it takes the claim's secret id, looks the key up, and hands
//! both back. Two schemes are known: TC3-HMAC-SHA256 in headers ([`tc3`]) and the older one whose
//! signature is a parameter ([`v1`]). Neither has a nonce that is remembered: an identical request
//! inside the clock window is legal.

pub mod tc3;
pub mod v1;

use crate::{ApiError, codes};

/// How far a request's time may be from the server's, in seconds, either way.
pub const CLOCK_WINDOW_S: i64 = 300;

/// Longest secret id looked at, in bytes.
const SECRET_ID_LIMIT: usize = 128;

/// What of an HTTP request its signature covers.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// `GET` or `POST`, as sent.
    pub method: &'a str,
    /// The text after `?` exactly as sent, empty if there is none.
    pub query: &'a str,
    /// Value of the header of this lower-case name exactly as sent; `host` too, whatever it looks like.
    pub header: &'a dyn Fn(&str) -> Option<&'a str>,
    /// The whole body.
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    fn header(&self, name: &str) -> Option<&'a str> {
        (self.header)(name)
    }
}

/// A signature found in a request, not verified yet.
pub enum Claim<'a> {
    /// In the `Authorization` header.
    Tc3(tc3::Claim<'a>),
    /// In the parameters.
    V1(v1::Claim<'a>),
}

impl<'a> Claim<'a> {
    /// Finds the claim: an `Authorization` header first, else the parameters, which are those of the
    /// query of a GET or of a form body.
    ///
    /// Errors: `AuthFailure.InvalidAuthorization` (absent or malformed), `AuthFailure.InvalidSecretId`,
    /// `NoSuchProduct`, `MissingParameter` and `InvalidParameter` for what else the scheme needs.
    pub fn find(message: &Message<'a>, parameters: &'a [(String, String)]) -> Result<Self, ApiError> {
        if let Some(authorization) = message.header("authorization") {
            return tc3::Claim::parse(
                authorization,
                message.header("x-tc-timestamp"),
                message.header("host"),
            )
            .map(Self::Tc3);
        }
        if v1::Claim::is_in(parameters) {
            return v1::Claim::parse(parameters).map(Self::V1);
        }
        Err(codes::auth_failure_invalid_authorization(
            "the request is not signed; sign it with TC3-HMAC-SHA256 and send the Authorization header, \
             as every official SDK does",
        ))
    }

    /// Whose key signed, by what the request says.
    pub fn secret_id(&self) -> &'a str {
        match self {
            Self::Tc3(claim) => claim.secret_id,
            Self::V1(claim) => claim.secret_id,
        }
    }

    /// Refuses a claim made too long ago or too far ahead of `now_s`, both in unix seconds.
    pub fn check_time(&self, now_s: i64) -> Result<(), ApiError> {
        match self {
            Self::Tc3(claim) => claim.check_time(now_s),
            Self::V1(claim) => check_window(claim.timestamp_s, now_s),
        }
    }

    /// Whether `secret_key` made this signature over this message; `AuthFailure.SignatureFailure` if not.
    ///
    /// A server with many requests a second verifies [`tc3::Claim`] with a kept [`tc3::SigningKey`].
    pub fn verify(
        &self,
        message: &Message<'_>,
        parameters: &[(String, String)],
        secret_key: &str,
    ) -> Result<(), ApiError> {
        match self {
            Self::Tc3(claim) => claim.verify(message, &claim.signing_key(secret_key)),
            Self::V1(claim) => claim.verify(message, parameters, secret_key),
        }
    }
}

fn check_window(timestamp_s: i64, now_s: i64) -> Result<(), ApiError> {
    if now_s.abs_diff(timestamp_s) <= CLOCK_WINDOW_S.unsigned_abs() {
        return Ok(());
    }
    Err(codes::auth_failure_signature_expire(format!(
        "the request was signed at {timestamp_s} and the server's time is {now_s} (unix seconds); they may \
         differ by {CLOCK_WINDOW_S} seconds: set the clock of the signing machine and sign again"
    )))
}

fn check_secret_id(secret_id: &str) -> Result<(), ApiError> {
    let fits = !secret_id.is_empty()
        && secret_id.len() <= SECRET_ID_LIMIT
        && secret_id.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        return Ok(());
    }
    Err(codes::auth_failure_invalid_secret_id(
        "the SecretId is empty, too long or not printable; use one that `mps keys create` printed",
    ))
}

fn signature_failure() -> ApiError {
    codes::auth_failure_signature_failure(
        "the signature does not match the request; check the SecretKey, and that the body, the query and \
         the signed headers arrive exactly as they were signed",
    )
}
