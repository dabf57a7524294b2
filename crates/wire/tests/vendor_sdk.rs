//! Requests captured from the vendor's own client: they verify, and say the same by GET and by POST.

use mps_wire::auth::{Claim, Message, tc3, v1};
use mps_wire::types::{DescribeTasksRequest, DescribeTranscodeTemplatesRequest, ProcessMediaRequest};
use mps_wire::{decode, flatten, schema};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Captured {
    secret_id: String,
    secret_key: String,
    requests: Vec<Request>,
}

#[derive(Clone, Deserialize)]
struct Request {
    name: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    fn query(&self) -> &str {
        self.target.split_once('?').map(|(_, query)| query).unwrap_or_default()
    }

    fn parameters(&self) -> Vec<(String, String)> {
        let form = self.header("content-type") == Some("application/x-www-form-urlencoded");
        match self.method.as_str() {
            "GET" => flatten::parse(self.query().as_bytes()),
            _ if form => flatten::parse(self.body.as_bytes()),
            _ => Vec::new(),
        }
    }

    /// What a server does with it; the code of the refusal if it refuses.
    fn verify(&self, secret_key: &str, late_s: i64) -> Result<String, String> {
        let header = |name: &str| self.header(name);
        let message = Message {
            method: &self.method,
            query: self.query(),
            header: &header,
            body: self.body.as_bytes(),
        };
        let parameters = self.parameters();
        let claim = Claim::find(&message, &parameters).map_err(|e| e.code.into_owned())?;
        let signed_s = match &claim {
            Claim::Tc3(claim) => claim.timestamp_s,
            Claim::V1(claim) => claim.timestamp_s,
        };
        claim.check_time(signed_s + late_s).map_err(|e| e.code.into_owned())?;
        claim.verify(&message, &parameters, secret_key).map_err(|e| e.code.into_owned())?;
        Ok(claim.secret_id().to_owned())
    }

    fn action(&self) -> String {
        let named = self.header("x-tc-action").map(str::to_owned);
        named.unwrap_or_else(|| flatten::parameter(&self.parameters(), "Action").unwrap().to_owned())
    }

    fn params(&self) -> Value {
        let parameters = self.parameters();
        if self.method == "POST" && parameters.is_empty() {
            return serde_json::from_str(&self.body).unwrap();
        }
        flatten::unflatten(schema::action(&self.action()).unwrap(), &parameters).unwrap()
    }
}

fn captured() -> Captured {
    serde_json::from_str(include_str!("vectors/sdk_python.json")).unwrap()
}

#[test]
fn verifies_every_captured_request() {
    let captured = captured();
    assert_eq!(captured.requests.len(), 21);
    for request in &captured.requests {
        assert_eq!(
            request.verify(&captured.secret_key, 0).as_ref(),
            Ok(&captured.secret_id),
            "{}",
            request.name
        );
        for late_s in [-300, 300] {
            assert!(request.verify(&captured.secret_key, late_s).is_ok(), "{}", request.name);
        }
    }
}

#[test]
fn refuses_every_captured_request_with_another_key_or_at_another_time() {
    let captured = captured();
    for request in &captured.requests {
        let refused = request.verify("another key", 0).unwrap_err();
        assert_eq!(refused, "AuthFailure.SignatureFailure", "{}", request.name);
        for late_s in [-301, 301, -3600, 3600] {
            let refused = request.verify(&captured.secret_key, late_s).unwrap_err();
            assert_eq!(refused, "AuthFailure.SignatureExpire", "{}", request.name);
        }
    }
}

#[test]
fn refuses_a_changed_body_query_host_or_method() {
    let captured = captured();
    for request in &captured.requests {
        let mut changed = Vec::new();
        let free_body = request.header("x-tc-content-sha256").is_some();
        if !request.body.is_empty() && !free_body {
            let mut request = request.clone();
            request.body = request.body.replacen("Preset", "preset", 1).replacen("URL", "UrL", 1);
            changed.push(request);
        }
        if !request.query().is_empty() {
            let mut request = request.clone();
            request.target = request.target.replacen("=Preset", "=preset", 1).replacen("=URL", "=UrL", 1);
            request.target = request.target.replacen("FINISH", "WAITING", 1);
            changed.push(request);
        }
        let mut moved = request.clone();
        moved.headers.iter_mut().find(|(name, _)| name == "Host").unwrap().1.push('0');
        changed.push(moved);
        for request in changed {
            let refused = request.verify(&captured.secret_key, 0).unwrap_err();
            assert_eq!(refused, "AuthFailure.SignatureFailure", "{}", request.name);
        }
    }
}

#[test]
fn signs_as_the_vendor_does() {
    let captured = captured();
    let (secret_id, secret_key) = (captured.secret_id.as_str(), captured.secret_key.as_str());
    let mut compared = (0, 0);
    for request in &captured.requests {
        let host = request.header("host").unwrap();
        let parameters = request.parameters();
        if let Some(signature) = flatten::parameter(&parameters, "Signature") {
            let algorithm = match flatten::parameter(&parameters, "SignatureMethod") {
                Some("HmacSHA256") => v1::Algorithm::HmacSha256,
                _ => v1::Algorithm::HmacSha1,
            };
            let ours = v1::sign(&request.method, host, &parameters, secret_key, algorithm);
            assert_eq!(ours, signature, "{}", request.name);
            compared.0 += 1;
        } else if request.header("x-tc-content-sha256").is_none() {
            let signing = tc3::Request {
                method: &request.method,
                host,
                content_type: request.header("content-type").unwrap(),
                query: request.query(),
                body: request.body.as_bytes(),
                timestamp_s: request.header("x-tc-timestamp").unwrap().parse().unwrap(),
            };
            let ours = tc3::sign(&signing, secret_id, secret_key).unwrap();
            assert_eq!(Some(ours.as_str()), request.header("authorization"), "{}", request.name);
            compared.1 += 1;
        }
    }
    assert_eq!(compared, (11, 8));
}

#[test]
fn reads_the_same_request_from_get_post_and_form() {
    let captured = captured();
    let mut media: Vec<ProcessMediaRequest> = Vec::new();
    let mut templates: Vec<DescribeTranscodeTemplatesRequest> = Vec::new();
    for request in &captured.requests {
        match request.action().as_str() {
            "ProcessMedia" => media.push(decode("ProcessMedia", request.params(), &[]).unwrap()),
            "DescribeTranscodeTemplates" => {
                templates.push(decode("DescribeTranscodeTemplates", request.params(), &[]).unwrap());
            }
            _ => {
                let tasks: DescribeTasksRequest = decode("DescribeTasks", request.params(), &[]).unwrap();
                assert_eq!((tasks.sub_task_has_failed, tasks.limit), (Some(true), Some(10)));
            }
        }
    }
    assert_eq!((media.len(), templates.len()), (7, 13));
    assert!(media.iter().all(|request| *request == media[0]));
    assert!(templates.iter().all(|request| *request == templates[0]));
    let tasks = media[0].media_process_task.as_ref().unwrap().transcode_task_set.as_ref().unwrap();
    assert_eq!((tasks.len(), tasks[0].start_time_offset), (2, Some(1.5)));
    assert_eq!(tasks[1].override_parameter.as_ref().unwrap().remove_audio, Some(1));
    assert_eq!((media[0].tasks_priority, media[0].output_dir.as_deref()), (Some(-3), Some("/выход/")));
    assert_eq!(templates[0].name.as_deref(), Some("две слова & a+b=c/~ *"));
}

#[test]
fn what_we_flatten_reads_back_the_same() {
    let request = json!({"Status": "FINISH", "SubTaskHasFailed": false, "Limit": "10"});
    let pairs = flatten::flatten(&request);
    assert_eq!(flatten::unflatten(schema::action("DescribeTasks").unwrap(), &pairs).unwrap(), request);
}
