//! Licences of ClearKey: JSON with ids, answered by JSON with keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mps_media::drm::Kid;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Seed;

/// The most keys of one licence.
const KEYS: usize = 256;

#[derive(Deserialize)]
struct Request {
    kids: Vec<String>,
    #[serde(default = "temporary")]
    r#type: String,
}

fn temporary() -> String {
    "temporary".to_owned()
}

/// The licence that `body` asks for.
pub(super) fn answer(body: &[u8], seed: &Seed) -> Result<Value, String> {
    let request: Request =
        serde_json::from_slice(body).map_err(|_| "a request for a licence is JSON with a list of kids")?;
    if request.kids.is_empty() || request.kids.len() > KEYS {
        return Err(format!("a licence is for 1 to {KEYS} keys"));
    }
    if request.r#type != "temporary" {
        return Err("licences are temporary".to_owned());
    }
    let key = |text: &String| {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        let kid = bytes.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok()).map(Kid::from);
        let kid = kid.ok_or("a kid is 16 bytes in base64url")?;
        let encode = |bytes: &[u8; 16]| URL_SAFE_NO_PAD.encode(bytes);
        Ok(json!({"kty": "oct", "kid": encode(kid.bytes()), "k": encode(seed.key(kid).reveal())}))
    };
    let keys = request.kids.iter().map(key).collect::<Result<Vec<_>, &str>>()?;
    Ok(json!({"keys": keys, "type": "temporary"}))
}
