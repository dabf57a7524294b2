//! Headers of COS in the words of S3, and back.

use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::{S3Result, s3_error};

/// Turns the headers of a COS request into those of S3.
pub(super) fn into_s3(headers: &mut HeaderMap) -> S3Result<()> {
    let names: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("x-cos-")).cloned().collect();
    for name in names {
        let Some(value) = headers.remove(&name) else { continue };
        let rest = &name.as_str()["x-cos-".len()..];
        let value = match rest {
            "copy-source" => copy_source(&value)?,
            "metadata-directive" => directive(&value),
            "forbid-overwrite" => {
                if value.as_bytes().eq_ignore_ascii_case(b"true") {
                    headers.insert(http::header::IF_NONE_MATCH, HeaderValue::from_static("*"));
                }
                continue;
            }
            // Hints of the client's own.
            "security-token" | "sdk-retry" | "traffic-limit" | "content-sha1" => continue,
            _ => value,
        };
        let name = HeaderName::try_from(format!("x-amz-{rest}")).map_err(|_| s3_error!(InvalidRequest))?;
        headers.insert(name, value);
    }
    Ok(())
}

/// `<bucket>.cos.<region>.myqcloud.com/<key>` as `<bucket>/<key>`.
fn copy_source(value: &HeaderValue) -> S3Result<HeaderValue> {
    let wrong = || s3_error!(InvalidArgument, "a copy source has the form BUCKET.HOST/KEY");
    let text = value.to_str().map_err(|_| wrong())?;
    let text = text.trim_start_matches("http://").trim_start_matches("https://").trim_start_matches('/');
    let (host, key) = text.split_once('/').ok_or_else(wrong)?;
    let bucket = host.split('.').next().unwrap_or(host);
    HeaderValue::try_from(format!("{bucket}/{key}")).map_err(|_| wrong())
}

/// COS says `Replaced` where S3 says `REPLACE`.
fn directive(value: &HeaderValue) -> HeaderValue {
    let word = if value.as_bytes().to_ascii_lowercase().starts_with(b"replace") { "REPLACE" } else { "COPY" };
    HeaderValue::from_static(word)
}

/// Adds to an answer what COS clients read.
pub(in crate::bucket_door) fn answer_in_cos(headers: &mut HeaderMap) {
    let said: Vec<(String, HeaderValue)> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().strip_prefix("x-amz-")?.to_owned(), value.clone())))
        .collect();
    for (rest, value) in said {
        if let Ok(name) = HeaderName::try_from(format!("x-cos-{rest}")) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_asked_for_in_both_languages() {
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-cos-copy-source",
            HeaderValue::from_static("b-1250000000.cos.ap-tokyo.myqcloud.com/a%20b/c"),
        );
        headers.insert("x-cos-metadata-directive", HeaderValue::from_static("Replaced"));
        headers.insert("x-cos-meta-who", HeaderValue::from_static("me"));
        headers.insert("x-cos-forbid-overwrite", HeaderValue::from_static("true"));
        into_s3(&mut headers).unwrap();
        assert_eq!(headers["x-amz-copy-source"], "b-1250000000/a%20b/c");
        assert_eq!(headers["x-amz-metadata-directive"], "REPLACE");
        assert_eq!(headers["x-amz-meta-who"], "me");
        assert_eq!(headers["if-none-match"], "*");
        assert_eq!(headers.len(), 4);
    }

    #[test]
    fn an_answer_is_readable_for_both() {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-meta-who", HeaderValue::from_static("me"));
        answer_in_cos(&mut headers);
        assert_eq!(headers["x-cos-meta-who"], "me");
    }
}
