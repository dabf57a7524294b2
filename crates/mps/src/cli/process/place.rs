//! A place as people write it: a file, a URL, or a key in a bucket.

use std::path::PathBuf;

use anyhow::bail;
use serde_json::{Value, json};

/// Where a source is or results go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// On this machine.
    File(PathBuf),
    /// Behind a URL.
    Url(String),
    /// In a bucket of the server, or of COS: `cos://bucket/key`.
    Cos { bucket: String, key: String },
    /// In an S3-compatible store: `s3://bucket/key`.
    S3 { bucket: String, key: String },
}

impl Place {
    /// Reads a place; what has no scheme that we know is a file.
    pub(crate) fn parse(text: &str) -> Self {
        let in_bucket = |rest: &str| {
            let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
            (bucket.to_owned(), key.to_owned())
        };
        if text.starts_with("http://") || text.starts_with("https://") {
            return Self::Url(text.to_owned());
        }
        if let Some(rest) = text.strip_prefix("cos://") {
            let (bucket, key) = in_bucket(rest);
            return Self::Cos { bucket, key };
        }
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, key) = in_bucket(rest);
            return Self::S3 { bucket, key };
        }
        Self::File(PathBuf::from(text.strip_prefix("file://").unwrap_or(text)))
    }

    /// The `InputInfo` of the API.
    pub(crate) fn as_input(&self, region: &str) -> anyhow::Result<Value> {
        Ok(match self {
            Self::Url(url) => json!({ "Type": "URL", "UrlInputInfo": { "Url": url } }),
            Self::Cos { bucket, key } => json!({
                "Type": "COS", "CosInputInfo": { "Bucket": bucket, "Region": region, "Object": slashed(key) },
            }),
            Self::S3 { bucket, key } => json!({
                "Type": "AWS-S3", "S3InputInfo": { "S3Bucket": bucket, "S3Region": region, "S3Object": key },
            }),
            Self::File(file) => bail!("{} is not on the server", file.display()),
        })
    }

    /// The `OutputStorage` of the API.
    pub(crate) fn as_storage(&self, region: &str) -> anyhow::Result<Value> {
        Ok(match self {
            Self::Cos { bucket, .. } => {
                json!({ "Type": "COS", "CosOutputStorage": { "Bucket": bucket, "Region": region } })
            }
            Self::S3 { bucket, .. } => {
                json!({ "Type": "AWS-S3", "S3OutputStorage": { "S3Bucket": bucket, "S3Region": region } })
            }
            Self::Url(_) | Self::File(_) => bail!("results can only be put into a bucket"),
        })
    }

    /// The `OutputDir` of the API: the key as a folder, with a slash on either side.
    pub(crate) fn directory(&self) -> String {
        match self {
            Self::Cos { key, .. } | Self::S3 { key, .. } => match key.trim_matches('/') {
                "" => "/".to_owned(),
                inner => format!("/{inner}/"),
            },
            Self::Url(_) | Self::File(_) => "/".to_owned(),
        }
    }
}

fn slashed(key: &str) -> String {
    format!("/{}", key.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_apart_by_their_scheme() {
        assert_eq!(Place::parse("a/b.mp4"), Place::File("a/b.mp4".into()));
        assert_eq!(Place::parse("file:///b.mp4"), Place::File("/b.mp4".into()));
        assert_eq!(Place::parse("https://x/y"), Place::Url("https://x/y".into()));
        assert_eq!(
            Place::parse("cos://b-1/v/a.mp4"),
            Place::Cos { bucket: "b-1".into(), key: "v/a.mp4".into() }
        );
        assert_eq!(Place::parse("s3://b"), Place::S3 { bucket: "b".into(), key: String::new() });
    }

    #[test]
    fn an_output_folder_begins_and_ends_with_a_slash() {
        assert_eq!(Place::parse("cos://b/out").directory(), "/out/");
        assert_eq!(Place::parse("cos://b/out/x/").directory(), "/out/x/");
        assert_eq!(Place::parse("s3://b").directory(), "/");
    }

    #[test]
    fn a_file_is_no_input_until_it_is_uploaded() {
        assert!(Place::parse("a.mp4").as_input("r").is_err());
        let input = Place::parse("cos://b-1/v/a.mp4").as_input("r").unwrap();
        assert_eq!(input["CosInputInfo"]["Object"], "/v/a.mp4");
    }
}
