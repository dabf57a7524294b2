//! What stands for an absent value in JSON: the vendor prints `""`, `0`, `false`, `[]`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[expect(clippy::ref_option, reason = "the signature that serde calls")]
pub(crate) fn or_zero<T, S>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Serialize + Default,
    S: Serializer,
{
    match value {
        Some(value) => value.serialize(serializer),
        None => T::default().serialize(serializer),
    }
}

pub(crate) fn or_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::types::{MediaInputInfo, MediaMetaData, TranscodeTaskInput};

    #[test]
    fn prints_absent_members_as_the_vendor_does() {
        let printed = serde_json::to_value(TranscodeTaskInput::default()).unwrap();
        assert_eq!(printed["Definition"], json!(0));
        assert_eq!(printed["StartTimeOffset"], json!(0.0));
        assert_eq!(printed["OutputObjectPath"], json!(""));
        assert_eq!(printed["MosaicSet"], json!([]));
        assert_eq!(printed["RawParameter"], Value::Null);
        let printed = serde_json::to_value(MediaInputInfo::default()).unwrap();
        assert_eq!(printed["S3InputInfo"], Value::Null);
    }

    #[test]
    fn reads_null_as_absent() {
        let read: MediaMetaData =
            serde_json::from_value(json!({"Size": null, "VideoStreamSet": null, "Duration": 2})).unwrap();
        assert_eq!((read.size, read.video_stream_set.len(), read.duration), (0, 0, 2.0));
        let read: TranscodeTaskInput =
            serde_json::from_value(json!({"Definition": null, "RawParameter": null})).unwrap();
        assert_eq!(read, TranscodeTaskInput::default());
    }
}
