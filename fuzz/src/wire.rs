//! Everything the wire crate reads from strangers.

use mps_wire::auth::{Claim, Message};
use mps_wire::schema::{ACTIONS, Action};
use mps_wire::{decode_value, flatten, redact};

/// A request's signature: the first line is the `Authorization` header, the second the timestamp,
/// the third the host; the rest is the body, read as a form too.
pub fn signature(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.splitn(4, '\n');
    let (authorization, timestamp, host) = (lines.next(), lines.next(), lines.next());
    let body = lines.next().unwrap_or_default();
    let header = |name: &str| match name {
        "authorization" => authorization.filter(|line| !line.is_empty()),
        "x-tc-timestamp" => timestamp,
        "host" => host,
        "content-type" => Some("application/json"),
        _ => None,
    };
    let message = Message { method: "POST", query: body, header: &header, body: body.as_bytes() };
    let parameters = flatten::parse(body.as_bytes());
    let Ok(claim) = Claim::find(&message, &parameters) else {
        return;
    };
    assert!(!claim.secret_id().is_empty());
    let _ = claim.check_time(0);
    let _ = claim.check_time(i64::MAX);
    assert!(claim.verify(&message, &parameters, "a key nobody signed with").is_err());
}

/// A request's body: the first byte picks the action, the rest is its JSON. What was accepted once is
/// accepted again, unchanged.
pub fn request(data: &[u8]) {
    let Some((first, body)) = data.split_first() else {
        return;
    };
    let action = pick(*first);
    let Ok(params) = serde_json::from_slice(body) else {
        return;
    };
    let Ok(checked) = decode_value(action.name, params, &[]) else {
        return;
    };
    assert_eq!(decode_value(action.name, checked.clone(), &[]).as_ref(), Ok(&checked));
    let mut masked = checked;
    redact(&mut masked);
}

/// Flattened parameters: the first byte picks the action, the rest is a query. What they stand for
/// says the same when it is flattened again.
pub fn flattened(data: &[u8]) {
    let Some((first, query)) = data.split_first() else {
        return;
    };
    let action = pick(*first);
    let Ok(value) = flatten::unflatten(action, &flatten::parse(query)) else {
        return;
    };
    let Ok(checked) = decode_value(action.name, value, &[]) else {
        return;
    };
    let again = flatten::unflatten(action, &flatten::flatten(&checked)).expect("what we flatten reads back");
    assert_eq!(decode_value(action.name, again, &[]).as_ref(), Ok(&checked));
}

fn pick(byte: u8) -> &'static Action {
    &ACTIONS[usize::from(byte) % ACTIONS.len()]
}
