//! The fuzz targets of this crate on stable, bounded: arbitrary bytes, and bytes that nearly make sense.

#[expect(unreachable_pub, reason = "public in the fuzz crate")]
#[path = "../../../fuzz/src/wire.rs"]
mod entries;

use mps_wire::schema::{ACTIONS, Kind, Object};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

const GOOD: &str = "TC3-HMAC-SHA256 Credential=AKID/2026-11-21/mps/tc3_request, \
    SignedHeaders=content-type;host, Signature=00\n1795261320\nhost\nSecretId=a&Signature=b&Nonce=1&Timestamp=1";

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        "-?[0-9]{1,25}(\\.[0-9]{1,3})?".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((member_name(), inner), 0..4).prop_map(|pairs| pairs.into_iter().collect()),
        ]
    })
}

fn member_name() -> impl Strategy<Value = String> {
    let known: Vec<&str> =
        ACTIONS.iter().flat_map(|action| action.request.members).map(|member| member.name).collect();
    prop_oneof![4 => select(known).prop_map(str::to_owned), 1 => ".{0,6}"]
}

/// A request that follows the schema except where a choice says otherwise.
fn nearly(object: &'static Object, choices: &[Index], at: &mut usize, depth: usize) -> Value {
    let mut map = Map::new();
    for member in object.members {
        if member.required || (depth < 4 && choose(choices, at, 3) == 0) {
            map.insert(member.name.to_owned(), nearly_value(&member.kind, choices, at, depth));
        }
    }
    Value::Object(map)
}

fn nearly_value(kind: &'static Kind, choices: &[Index], at: &mut usize, depth: usize) -> Value {
    match (kind, choose(choices, at, 40)) {
        (_, 0) => Value::Null,
        (_, 1) => json!([]),
        (_, 2) => json!({}),
        (_, 3) => json!(-1.5),
        (Kind::Text, n) => json!("t".repeat(n)),
        (Kind::Int | Kind::Uint, n) if n % 2 == 0 => json!(n.to_string()),
        (Kind::Int | Kind::Uint, n) => json!(n),
        (Kind::Float, n) => json!(n as f64 / 4.0),
        (Kind::Bool, n) => json!(n % 2 == 0),
        (Kind::Object(object), _) if depth < 8 => nearly(object, choices, at, depth + 1),
        (Kind::Object(_), _) => Value::Null,
        (Kind::List(inner), n) => (0..n % 3).map(|_| nearly_value(inner, choices, at, depth + 1)).collect(),
    }
}

fn choose(choices: &[Index], at: &mut usize, size: usize) -> usize {
    *at += 1;
    choices[*at % choices.len()].index(size)
}

proptest! {
    #[test]
    fn signature_survives_any_bytes(data in prop::collection::vec(any::<u8>(), 0..400)) {
        entries::signature(&data);
    }

    #[test]
    fn signature_survives_a_damaged_header(cut in any::<Index>(), len in 0_usize..8, put in ".{0,5}") {
        let from = cut.index(GOOD.len());
        let to = (from + len).min(GOOD.len());
        entries::signature(format!("{}{put}{}", &GOOD[..from], &GOOD[to..]).as_bytes());
    }

    #[test]
    fn request_survives_any_bytes(data in prop::collection::vec(any::<u8>(), 0..400)) {
        entries::request(&data);
    }

    #[test]
    fn request_survives_any_json(action in any::<u8>(), body in any_json()) {
        let mut data = vec![action];
        data.extend(body.to_string().into_bytes());
        entries::request(&data);
    }

    #[test]
    fn request_survives_what_nearly_fits(
        action in any::<u8>(),
        choices in prop::collection::vec(any::<Index>(), 1..60),
    ) {
        let object = ACTIONS[usize::from(action) % ACTIONS.len()].request;
        let body = nearly(object, &choices, &mut 0, 0);
        let mut data = vec![action];
        data.extend(body.to_string().into_bytes());
        entries::request(&data);
        let mut data = vec![action];
        let pairs = mps_wire::flatten::flatten(&body);
        let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        data.extend(query.join("&").into_bytes());
        entries::flattened(&data);
    }

    #[test]
    fn flattened_survives_any_names(
        action in any::<u8>(),
        names in prop::collection::vec(("([A-Z][a-z]{0,3}|[0-9]{1,20}|\\.){0,8}", ".{0,4}"), 0..6),
    ) {
        let query: Vec<String> = names.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut data = vec![action];
        data.extend(query.join("&").into_bytes());
        entries::flattened(&data);
    }
}
