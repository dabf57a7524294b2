//! The older signature, sent as parameters of the query (GET) or of a form body (POST).
//!
//! Signed is `<METHOD><host>/?` and the sorted `name=value` pairs joined by `&`, values not encoded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::Sha256;

use super::{Message, check_secret_id, signature_failure};
use crate::flatten::parameter;
use crate::{ApiError, codes};

/// How the text is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// The default of the scheme.
    HmacSha1,
    /// Named by `SignatureMethod=HmacSHA256`.
    HmacSha256,
}

/// A signature found among the parameters.
#[derive(Debug)]
pub struct Claim<'a> {
    /// Whose key signed.
    pub secret_id: &'a str,
    /// When it was signed, unix seconds.
    pub timestamp_s: i64,
    algorithm: Algorithm,
    signature: &'a str,
}

impl<'a> Claim<'a> {
    /// Whether the parameters try to carry a signature.
    pub fn is_in(parameters: &[(String, String)]) -> bool {
        parameter(parameters, "Signature").is_some() || parameter(parameters, "SecretId").is_some()
    }

    /// Reads the claim; `MissingParameter` names what the scheme needs and is not there.
    pub fn parse(parameters: &'a [(String, String)]) -> Result<Self, ApiError> {
        let must = |name: &str| {
            parameter(parameters, name)
                .ok_or_else(|| codes::missing_parameter(format!("the parameter `{name}` is required")))
        };
        let secret_id = must("SecretId")?;
        check_secret_id(secret_id)?;
        let signature = must("Signature")?;
        let timestamp_s = must("Timestamp")?
            .parse()
            .map_err(|_| codes::invalid_parameter("`Timestamp` must be whole unix seconds"))?;
        must("Nonce")?
            .parse::<u64>()
            .map_err(|_| codes::invalid_parameter("`Nonce` must be a positive integer"))?;
        let algorithm = match parameter(parameters, "SignatureMethod") {
            None | Some("HmacSHA1") => Algorithm::HmacSha1,
            Some("HmacSHA256") => Algorithm::HmacSha256,
            Some(_) => {
                return Err(codes::invalid_parameter_value(
                    "`SignatureMethod` must be HmacSHA1 or HmacSHA256",
                ));
            }
        };
        Ok(Self { secret_id, timestamp_s, algorithm, signature })
    }

    /// Whether `secret_key` made this signature; takes the same time wherever it differs.
    pub fn verify(
        &self,
        message: &Message<'_>,
        parameters: &[(String, String)],
        secret_key: &str,
    ) -> Result<(), ApiError> {
        let host = message.header("host").unwrap_or_default();
        let text = text_to_sign(message.method, host, parameters);
        // Some clients leave the `+` of base64 unencoded, and a form decodes that to a space.
        let Ok(signature) = STANDARD.decode(self.signature.replace(' ', "+")) else {
            return Err(signature_failure());
        };
        let matches = match self.algorithm {
            Algorithm::HmacSha1 => keyed_sha1(secret_key, &text).verify_slice(&signature).is_ok(),
            Algorithm::HmacSha256 => keyed_sha256(secret_key, &text).verify_slice(&signature).is_ok(),
        };
        if matches { Ok(()) } else { Err(signature_failure()) }
    }
}

/// The value of the `Signature` parameter for a request of these parameters, all but `Signature`.
pub fn sign(
    method: &str,
    host: &str,
    parameters: &[(String, String)],
    secret_key: &str,
    algorithm: Algorithm,
) -> String {
    let text = text_to_sign(method, host, parameters);
    match algorithm {
        Algorithm::HmacSha1 => STANDARD.encode(keyed_sha1(secret_key, &text).finalize().into_bytes()),
        Algorithm::HmacSha256 => STANDARD.encode(keyed_sha256(secret_key, &text).finalize().into_bytes()),
    }
}

fn text_to_sign(method: &str, host: &str, parameters: &[(String, String)]) -> String {
    let mut pairs: Vec<&(String, String)> =
        parameters.iter().filter(|(name, _)| name != "Signature").collect();
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    let mut text = format!("{method}{host}/?");
    for (at, (name, value)) in pairs.into_iter().enumerate() {
        if at > 0 {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text
}

fn keyed_sha1(key: &str, text: &str) -> Hmac<Sha1> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac
}

fn keyed_sha256(key: &str, text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac
}
