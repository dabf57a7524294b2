//! The signature of a request: nothing in a header or a parameter may make reading or checking it panic, and
//! nothing but the right key may pass.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mps_wire::auth::{Claim, Message};
use mps_wire::flatten;

fuzz_target!(|data: (&str, &str, &str, &[u8])| {
    let (authorization, host, query, body) = data;
    let header = |name: &str| match name {
        "authorization" if !authorization.is_empty() => Some(authorization),
        "host" | "content-type" => Some(host),
        "x-tc-timestamp" => Some("1700000000"),
        _ => None,
    };
    for method in ["GET", "POST"] {
        let message = Message { method, query, header: &header, body };
        let parameters = flatten::parse(if method == "GET" { query.as_bytes() } else { body });
        let Ok(claim) = Claim::find(&message, &parameters) else { continue };
        let _ = claim.check_time(1_700_000_000);
        assert!(claim.secret_id().len() <= 128);
        assert!(claim.verify(&message, &parameters, "a key that nobody has").is_err());
    }
});
