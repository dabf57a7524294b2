//! From a checked `EditMedia` request to the params of its step.

use mps_wire::ApiError;
use mps_wire::codes::{invalid_parameter_value, missing_parameter, unsupported_operation};
use mps_wire::types::EditMediaRequest;
use serde_json::Value;

use super::{Join, Naming, Params, Work, compose, join};
use crate::features::transcode::words::{AudioCodec, Container};
use crate::graph::Clip;
use crate::names::SourceName;
use crate::plan::Build;

/// Media of one request; ours, as the API names no limit.
pub const FILES: usize = 50;
/// Characters of the name of what is composed, and of ids.
const NAME_CHARS: usize = 64;
const ID_CHARS: usize = 32;

/// What the call was checked to say besides the edit itself.
#[derive(Debug)]
pub struct Call {
    /// The media of `FileInfos`, each the API's `MediaInputInfo` as checked.
    pub inputs: Vec<Value>,
    /// What the first of them gives to names.
    pub source: SourceName,
    /// The API's `TaskOutputStorage` as checked.
    pub storage: Value,
}

/// Checks an edit.
///
/// # Errors
/// The API's own codes, each naming the member.
pub fn from_wire(request: &EditMediaRequest, call: Call, build: &Build) -> Result<Params, ApiError> {
    check_ids(request)?;
    let work = match &request.compose_config {
        Some(config) => {
            clips_say_nothing(request)?;
            Work::Compose(Box::new(compose::from_wire(config, &ids(request), build)?))
        }
        None => clips(request, build)?,
    };
    let container = match &work {
        Work::Fast { container, .. } => *container,
        Work::Join(join) => join.container,
        Work::Compose(compose) => compose.container,
    };
    let pattern = pattern(request, container)?;
    let naming = Naming { pattern, source: call.source };
    Ok(Params { inputs: call.inputs, storage: call.storage, naming, work })
}

/// An id of a medium or of a style: letters, digits, `-` and `_`.
pub(super) fn is_id(text: &str, most_chars: usize) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=most_chars).contains(&text.len()) && text.chars().all(plain)
}

fn ids(request: &EditMediaRequest) -> Vec<&str> {
    let files = request.file_infos.as_deref().unwrap_or_default();
    files.iter().map(|file| file.id.as_deref().unwrap_or_default()).collect()
}

fn check_ids(request: &EditMediaRequest) -> Result<(), ApiError> {
    let ids = ids(request);
    for (nth, id) in ids.iter().enumerate() {
        if id.is_empty() {
            if request.compose_config.is_some() {
                return Err(missing_parameter(format!(
                    "`FileInfos.{nth}.Id` is required with a `ComposeConfig`"
                )));
            }
            continue;
        }
        if !is_id(id, ID_CHARS) {
            return Err(invalid_parameter_value(format!(
                "`FileInfos.{nth}.Id` is 1 to {ID_CHARS} letters, digits, - or _, not {id:?}"
            )));
        }
        if request.compose_config.is_some() && ids[..nth].contains(id) {
            return Err(invalid_parameter_value(format!("`FileInfos.{nth}.Id`: {id:?} is there twice")));
        }
    }
    Ok(())
}

/// Members that mean something for clips alone.
fn clips_say_nothing(request: &EditMediaRequest) -> Result<(), ApiError> {
    if request.output_config.is_some() {
        let told =
            "`OutputConfig` is for clips; with a `ComposeConfig` the output is told by its `TargetInfo`";
        return Err(invalid_parameter_value(told));
    }
    for (nth, file) in request.file_infos.iter().flatten().enumerate() {
        for (name, offset) in
            [("StartTimeOffset", file.start_time_offset), ("EndTimeOffset", file.end_time_offset)]
        {
            if offset.unwrap_or(0.0) != 0.0 {
                return Err(invalid_parameter_value(format!(
                    "`FileInfos.{nth}.{name}` is for clips; with a `ComposeConfig` a stretch is told by its `SourceMedia`"
                )));
            }
        }
    }
    Ok(())
}

fn clips(request: &EditMediaRequest, build: &Build) -> Result<Work, ApiError> {
    let config = request.output_config.clone().unwrap_or_default();
    let container = match config.container.as_deref().unwrap_or_default() {
        "" | "mp4" => Container::Mp4,
        "hls" => Container::Hls,
        "mov" => Container::Mov,
        "flv" => Container::Flv,
        "avi" => Container::Avi,
        other => {
            return Err(invalid_parameter_value(format!(
                "`OutputConfig.Container` is mp4, hls, mov, flv or avi, not {other:?}"
            )));
        }
    };
    let mut clips = Vec::new();
    for (nth, file) in request.file_infos.iter().flatten().enumerate() {
        let (start, end) = (file.start_time_offset.unwrap_or(0.0), file.end_time_offset.unwrap_or(0.0));
        let clip = Clip::from_seconds(start, end);
        clips.push(clip.map_err(|e| invalid_parameter_value(format!("`FileInfos.{nth}`: {}", e.message)))?);
    }
    match config.r#type.as_deref().unwrap_or_default() {
        "" | "normal" => {
            let codec = if container == Container::Avi { AudioCodec::Mp3 } else { AudioCodec::Aac };
            check_encoders(&["libx264", codec.encoder()], build)?;
            Ok(Work::Join(Join { container, clips }))
        }
        "fast" => match clips.as_slice() {
            [clip] => Ok(Work::Fast { container, clip: *clip }),
            all => Err(invalid_parameter_value(format!(
                "`OutputConfig.Type` fast takes one file, not {}: joining needs normal",
                all.len()
            ))),
        },
        other => {
            Err(invalid_parameter_value(format!("`OutputConfig.Type` is normal or fast, not {other:?}")))
        }
    }
}

/// Refuses what this installation cannot write.
pub(super) fn check_encoders(names: &[&str], build: &Build) -> Result<(), ApiError> {
    match names.iter().find(|name| !build.encodes(name)) {
        None => Ok(()),
        Some(lacking) => Err(unsupported_operation(format!(
            "edits need the encoder {lacking}, which this server's ffmpeg lacks"
        ))),
    }
}

/// The pattern of the output; a directory gets the task's id as the name.
fn pattern(request: &EditMediaRequest, container: Container) -> Result<String, ApiError> {
    let text = request.output_object_path.as_deref().unwrap_or_default();
    if text.is_empty() {
        return Err(missing_parameter("the parameter `OutputObjectPath` is required"));
    }
    let text = if text.starts_with('/') { text.to_owned() } else { format!("/{text}") };
    let text = if text.ends_with('/') { format!("{text}{{taskId}}.{{format}}") } else { text };
    join::check_name(&text)
        .map_err(|error| invalid_parameter_value(format!("`OutputObjectPath`: {}", error.message())))?;
    if request.compose_config.is_some() {
        check_composed_name(&text, container)?;
    }
    Ok(text)
}

fn check_composed_name(path: &str, container: Container) -> Result<(), ApiError> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let own = [container.extension(), "{format}"];
    let stem =
        own.iter().find_map(|extension| name.strip_suffix(extension)?.strip_suffix('.')).unwrap_or(name);
    if stem == "{taskId}" || is_id(stem, NAME_CHARS) {
        return Ok(());
    }
    Err(invalid_parameter_value(format!(
        "`OutputObjectPath`: the name of what is composed has 1 to {NAME_CHARS} letters, digits, - or _, unlike {stem:?}"
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::features::transcode::testing::everything;

    fn read(request: Value) -> Result<Params, String> {
        let request: EditMediaRequest = serde_json::from_value(request).unwrap();
        let count = request.file_infos.as_ref().map_or(0, Vec::len);
        let call = Call {
            inputs: vec![Value::Null; count],
            source: SourceName::from_key("in/film.mkv"),
            storage: Value::Null,
        };
        from_wire(&request, call, &everything()).map_err(|e| format!("{}: {}", e.code, e.message))
    }

    fn clip(path: &str, config: &Value, files: usize) -> Result<Params, String> {
        let files = vec![json!({"InputInfo": {}}); files];
        read(json!({"FileInfos": files, "OutputObjectPath": path, "OutputConfig": config}))
    }

    fn composed(path: &str) -> Result<Params, String> {
        let item = json!({"Type": "Video", "Video": {"SourceMedia": {"FileId": "a"}}});
        let config = json!({"Tracks": [{"Type": "Video", "Items": [item]}]});
        read(json!({"FileInfos": [{"Id": "a"}], "OutputObjectPath": path, "ComposeConfig": config}))
    }

    #[test]
    fn a_path_may_be_a_pattern_or_a_directory() {
        let key = |path: &str| {
            let params = clip(path, &Value::Null, 1).unwrap();
            params.naming.key(Container::Mp4, "1-EditMedia-2").unwrap()
        };
        assert_eq!(key("/clips/{inputName}.{format}"), "/clips/film.mp4");
        assert_eq!(key("clips/a"), "/clips/a.mp4");
        assert_eq!(key("/out/"), "/out/1-EditMedia-2.mp4");
        for bad in ["", "/a/../b.mp4", "/a//b.mp4", "/{definition}.mp4", "//"] {
            assert!(clip(bad, &Value::Null, 1).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_name_of_what_is_composed_is_plain_and_short() {
        for good in
            ["/out/a-b_1.mp4", "/out/a-b_1", "/o ut/x.{format}", "/out/", &format!("/{}.mp4", "x".repeat(64))]
        {
            assert!(composed(good).is_ok(), "{good}: {:?}", composed(good));
        }
        for bad in [
            "/out/a b.mp4",
            "/out/片.mp4",
            "/out/a.b.mp4",
            "/out/{inputName}.mp4",
            &format!("/{}", "x".repeat(65)),
        ] {
            let refused = composed(bad).unwrap_err();
            assert!(refused.starts_with("InvalidParameterValue: `OutputObjectPath`"), "{bad}: {refused}");
        }
    }

    #[test]
    fn only_one_file_can_be_fast() {
        assert!(clip("/a.mov", &json!({"Container": "mov", "Type": "fast"}), 1).is_ok());
        let refused = clip("/a.mp4", &json!({"Type": "fast"}), 2).unwrap_err();
        assert!(refused.starts_with("InvalidParameterValue: `OutputConfig.Type`"), "{refused}");
        for bad in [json!({"Container": "mkv"}), json!({"Type": "slow"})] {
            assert!(clip("/a.mp4", &bad, 1).unwrap_err().starts_with("InvalidParameterValue"), "{bad}");
        }
    }

    #[test]
    fn what_belongs_to_clips_is_refused_in_compositions() {
        let item = json!({"Type": "Video", "Video": {"SourceMedia": {"FileId": "a"}}});
        let config = json!({"Tracks": [{"Type": "Video", "Items": [item]}]});
        let with = |file: &Value, more: &Value| {
            read(json!({"FileInfos": [file], "OutputObjectPath": "/a", "ComposeConfig": config, "OutputConfig": more}))
                .unwrap_err()
        };
        assert!(with(&json!({"Id": "a"}), &json!({"Container": "mov"})).contains("`OutputConfig`"));
        assert!(with(&json!({"Id": "a", "StartTimeOffset": 1.0}), &Value::Null).contains("StartTimeOffset"));
        assert!(with(&json!({}), &Value::Null).starts_with("MissingParameter"));
        assert!(with(&json!({"Id": "a b"}), &Value::Null).contains("FileInfos.0.Id"));
    }
}
