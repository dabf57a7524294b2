mod describe_media_meta_data;
mod encryption;
mod notify;
mod process_media;
mod storage;

use serde_json::{Value, json};

use crate::app::BUCKET;

/// A request that is accepted: one transcode by a preset of a file in the account's bucket.
pub(crate) fn transcode() -> Value {
    json!({
        "InputInfo": {"Type": "COS", "CosInputInfo": {
            "Bucket": BUCKET, "Region": "ap-guangzhou", "Object": "/video/film.mp4",
        }},
        "MediaProcessTask": {"TranscodeTaskSet": [{"Definition": 100_010}]},
    })
}

/// [`transcode`] with members set at JSON pointers.
pub(crate) fn with(changes: &[(&str, Value)]) -> Value {
    let mut body = transcode();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap();
        match parent {
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = value.clone(),
            parent => parent[name] = value.clone(),
        }
    }
    body
}

/// [`transcode`] of a URL, with outputs into the account's bucket.
pub(crate) fn of_url(url: &str) -> Value {
    with(&[
        ("/InputInfo", json!({"Type": "URL", "UrlInputInfo": {"Url": url}})),
        ("/OutputStorage", cos_output(BUCKET, "ap-guangzhou")),
    ])
}

/// A COS bucket as an output.
pub(crate) fn cos_output(bucket: &str, region: &str) -> Value {
    json!({"Type": "COS", "CosOutputStorage": {"Bucket": bucket, "Region": region}})
}
