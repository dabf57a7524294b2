//! What the signature checks refuse, with which code, and what they say.

use mps_wire::auth::{Claim, Message, tc3};
use mps_wire::{ApiError, flatten};

const NOW_S: i64 = 1_795_261_320;
const HOST: &str = "mps.example.test";
const SECRET: &str = "s3cr3t-never-shown";

struct Sent {
    headers: Vec<(&'static str, String)>,
    form: String,
    body: &'static [u8],
}

impl Sent {
    fn signed() -> Self {
        let body = b"{}";
        let authorization = sign(body);
        let headers = vec![
            ("authorization", authorization),
            ("x-tc-timestamp", NOW_S.to_string()),
            ("host", HOST.to_owned()),
            ("content-type", "application/json".to_owned()),
            ("x-tc-action", "DescribeTasks".to_owned()),
        ];
        Self { headers, form: String::new(), body }
    }

    fn form(form: &str) -> Self {
        Self { headers: vec![("host", HOST.to_owned())], form: form.to_owned(), body: b"" }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self
    }

    fn check(&self) -> Result<(), ApiError> {
        let header =
            |name: &str| self.headers.iter().find(|(known, _)| *known == name).map(|(_, v)| v.as_str());
        let method = "POST";
        let message = Message { method, query: "", header: &header, body: self.body };
        let parameters = flatten::parse(self.form.as_bytes());
        let claim = Claim::find(&message, &parameters)?;
        claim.check_time(NOW_S)?;
        claim.verify(&message, &parameters, SECRET)
    }

    fn refusal(&self) -> ApiError {
        self.check().expect_err("this request must be refused")
    }
}

fn sign(body: &[u8]) -> String {
    let request = tc3::Request {
        method: "POST",
        host: HOST,
        content_type: "application/json",
        query: "",
        body,
        timestamp_s: NOW_S,
    };
    tc3::sign(&request, "AKIDtest", SECRET).unwrap()
}

#[test]
fn accepts_what_it_signed_in_any_order_of_parts_and_any_spacing() {
    assert_eq!(Sent::signed().check(), Ok(()));
    let authorization = sign(b"{}");
    let rest = authorization.strip_prefix("TC3-HMAC-SHA256 ").unwrap();
    let mut parts: Vec<&str> = rest.split(", ").collect();
    parts.reverse();
    for joined in [parts.join(","), parts.join(" ,  ")] {
        let sent = Sent::signed().with("authorization", &format!("TC3-HMAC-SHA256  {joined} "));
        assert_eq!(sent.check(), Ok(()), "{joined}");
    }
}

#[test]
fn accepts_more_signed_headers_lower_cased_or_as_sent() {
    // Computed apart from this crate over content-type;host;x-tc-action, in both spellings of the value.
    for signature in [
        "0bfaeaf7ec789c2fc74996f9f5c263d049e180798395f8bbc86c8a00d3db8839",
        "eb8196f18cdd16015936ad50d0bd833f37ff00bb050c24642aad1e3cd4c08c0f",
    ] {
        let authorization = format!(
            "TC3-HMAC-SHA256 Credential=AKIDtest/2026-11-21/mps/tc3_request, \
             SignedHeaders=content-type;host;x-tc-action, Signature={signature}"
        );
        assert_eq!(Sent::signed().with("authorization", &authorization).check(), Ok(()));
        let other = Sent::signed().with("authorization", &authorization).with("x-tc-action", "ManageTask");
        assert_eq!(other.refusal().code, "AuthFailure.SignatureFailure");
        let absent = Sent::signed().with("authorization", &authorization).without("x-tc-action");
        assert_eq!(absent.refusal().code, "AuthFailure.SignatureFailure");
    }
}

#[test]
fn accepts_service_and_host_as_the_node_sdk_signs_them() {
    const SIGNATURE: &str = "6d0c288fa355381974a9ed0ed042be18f2b2259c1dfff7aeecab5aebc15194b4";
    let authorization = format!(
        "TC3-HMAC-SHA256 Credential=AKIDtest/2026-11-21/127/tc3_request, SignedHeaders=content-type;host, \
         Signature={SIGNATURE}"
    );
    let sent = Sent::signed().with("authorization", &authorization);
    assert_eq!(sent.refusal().code, "NoSuchProduct");
    let sent = sent.with("host", "127.0.0.1:8080");
    sent.check().expect("this request is signed");
    assert_eq!(sent.with("host", "127.0.0.2:8080").refusal().code, "AuthFailure.SignatureFailure");
}

#[test]
fn answers_each_malformed_authorization_with_its_code() {
    const GOOD: &str = "Credential=AKIDtest/2026-11-21/mps/tc3_request";
    let rest = "SignedHeaders=content-type;host, Signature=00";
    let table = [
        (String::new(), "AuthFailure.InvalidAuthorization"),
        ("SKIP".to_owned(), "AuthFailure.InvalidAuthorization"),
        ("Bearer abc".to_owned(), "AuthFailure.InvalidAuthorization"),
        ("TC3-HMAC-SHA256".to_owned(), "AuthFailure.InvalidAuthorization"),
        (format!("TC3-HMAC-SHA512 {GOOD}, {rest}"), "AuthFailure.InvalidAuthorization"),
        (format!("TC3-HMAC-SHA256 {GOOD}"), "AuthFailure.InvalidAuthorization"),
        (format!("TC3-HMAC-SHA256 {GOOD}, {GOOD}, {rest}"), "AuthFailure.InvalidAuthorization"),
        (format!("TC3-HMAC-SHA256 {GOOD}, {rest}, Extra=1"), "AuthFailure.InvalidAuthorization"),
        (format!("TC3-HMAC-SHA256 {GOOD}; {rest}"), "AuthFailure.InvalidAuthorization"),
        (
            format!("TC3-HMAC-SHA256 {GOOD}, SignedHeaders=host, Signature=00"),
            "AuthFailure.InvalidAuthorization",
        ),
        (
            format!("TC3-HMAC-SHA256 {GOOD}, SignedHeaders=content-type;host, Signature="),
            "AuthFailure.InvalidAuthorization",
        ),
        (
            format!("TC3-HMAC-SHA256 Credential=AKIDtest/2026-11-21/mps, {rest}"),
            "AuthFailure.InvalidAuthorization",
        ),
        (
            format!("TC3-HMAC-SHA256 Credential=AKIDtest/20261121/mps/tc3_request, {rest}"),
            "AuthFailure.InvalidAuthorization",
        ),
        (
            format!("TC3-HMAC-SHA256 Credential=AKIDtest/2026-11-21/mps/aws4_request, {rest}"),
            "AuthFailure.InvalidAuthorization",
        ),
        (
            format!("TC3-HMAC-SHA256 Credential=/2026-11-21/mps/tc3_request, {rest}"),
            "AuthFailure.InvalidSecretId",
        ),
        (format!("TC3-HMAC-SHA256 Credential=AKIDtest/2026-11-21/cvm/tc3_request, {rest}"), "NoSuchProduct"),
        (
            format!("TC3-HMAC-SHA256 Credential=AKIDtest/2026-11-20/mps/tc3_request, {rest}"),
            "AuthFailure.SignatureFailure",
        ),
        (format!("TC3-HMAC-SHA256 {GOOD}, {rest}"), "AuthFailure.SignatureFailure"),
        (
            format!("TC3-HMAC-SHA256 {GOOD}, SignedHeaders=content-type;host, Signature=not hex"),
            "AuthFailure.SignatureFailure",
        ),
    ];
    for (authorization, code) in table {
        let refusal = Sent::signed().with("authorization", &authorization).refusal();
        assert_eq!(refusal.code, code, "{authorization}");
    }
}

#[test]
fn answers_what_is_absent_or_out_of_time_with_its_code() {
    let unsigned = Sent::signed().without("authorization").refusal();
    assert_eq!(unsigned.code, "AuthFailure.InvalidAuthorization");
    assert!(unsigned.message.contains("not signed"));
    assert_eq!(Sent::signed().without("x-tc-timestamp").refusal().code, "MissingParameter");
    for word in ["", "soon", "-5", "1e9", "99999999999999999999"] {
        assert_eq!(Sent::signed().with("x-tc-timestamp", word).refusal().code, "InvalidParameter", "{word}");
    }
    for word in ["0", "9223372036854775807"] {
        let refusal = Sent::signed().with("x-tc-timestamp", word).refusal();
        assert_eq!(refusal.code, "AuthFailure.SignatureExpire");
        assert!(refusal.message.contains(word) && refusal.message.contains(&NOW_S.to_string()));
    }
}

#[test]
fn answers_malformed_parameters_of_the_old_scheme_with_their_codes() {
    let whole = format!("SecretId=AKIDtest&Signature=AAAA&Timestamp={NOW_S}&Nonce=5");
    assert_eq!(Sent::form(&whole).refusal().code, "AuthFailure.SignatureFailure");
    for name in ["SecretId=AKIDtest", "Signature=AAAA", "Nonce=5"] {
        let cut = whole.replace(name, "X=1");
        assert_eq!(Sent::form(&cut).refusal().code, "MissingParameter", "{cut}");
    }
    let table = [
        (whole.replace("Signature=AAAA", "Signature=***"), "AuthFailure.SignatureFailure"),
        (whole.replace("Nonce=5", "Nonce=x"), "InvalidParameter"),
        (whole.replace("Timestamp=1", "Timestamp=x"), "InvalidParameter"),
        (whole.replace("Timestamp=1", "Timestamp="), "AuthFailure.SignatureExpire"),
        (whole.replace("SecretId=AKIDtest", "SecretId="), "AuthFailure.InvalidSecretId"),
        (format!("{whole}&SignatureMethod=MD5"), "InvalidParameterValue"),
    ];
    for (form, code) in table {
        assert_eq!(Sent::form(&form).refusal().code, code, "{form}");
    }
}

#[test]
fn never_prints_a_key() {
    let shown = format!("{:?}", tc3::SigningKey::derive(SECRET, "2026-11-21"));
    assert_eq!(shown, "SigningKey(hidden)");
    let refusal = Sent::signed().with("x-tc-timestamp", &(NOW_S + 1).to_string()).refusal();
    assert!(!refusal.to_string().contains(SECRET));
}
