//! `mps process --dry-run`: the plan of a request without running it, made by the same code as a worker's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use mps_core::MediaInfo;
use mps_ffmpeg::{Capabilities, SourceRef, Tools, argv};
use mps_media::features::item::{check_output_dir, definition, named};
use mps_media::features::marks::Found;
use mps_media::features::{self, Feature, Given, Item};
use mps_media::names::SourceName;
use mps_media::plan::{Arg, Build, Command, Output, Plan, Tool};
use mps_media::templates::watermark::Watermark;
use mps_media::templates::{self, Family};
use serde_json::{Value, json};

use super::probe::look;
use super::process::place::Place;
use crate::config::Config;
use crate::local::{self, FIRST_ACCOUNT};
use crate::tools;

/// Plans the items of `request`, a `ProcessMedia` without its input, and prints steps, command lines and outputs.
pub(super) async fn print(config: &Config, input: &Place, request: &Value) -> anyhow::Result<()> {
    let (file, name) = source(config, input).await?;
    let info = look(config, &file).await?;
    let found = Tools::discover(&tools::paths(config))?;
    let known = match Capabilities::cached(&found, &tools::cache_dir(config)) {
        Some(known) => known,
        None => Capabilities::try_all(&found).await?,
    };
    let build = tools::build(&found, &known);
    let checked = checked(request)?;
    println!("step 1  source  look into {}", file.display());
    let mut steps = 1;
    for feature in features::ALL {
        let words = feature.words();
        let items = checked["MediaProcessTask"][words.list].as_array().map(Vec::as_slice).unwrap_or_default();
        for (nth, item) in items.iter().enumerate() {
            let plan = plan(config, *feature, nth, item, &checked, &name, &info, &build).await?;
            steps += 1;
            println!("step {steps}  {} {}  after step 1", words.kind, definition(item));
            for line in told(&plan, &file, config)? {
                println!("  {line}");
            }
        }
    }
    if steps == 1 {
        bail!("there is nothing to plan: name a --template, or items of a list of MediaProcessTask");
    }
    Ok(())
}

/// The file to plan for, and what its place gives to the names of outputs.
async fn source(config: &Config, input: &Place) -> anyhow::Result<(PathBuf, SourceName)> {
    match input {
        Place::File(file) => {
            let file = std::path::absolute(file).with_context(|| format!("{} is no path", file.display()))?;
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok((file, SourceName::from_key(&name)))
        }
        Place::Cos { bucket, key } => {
            let file = local::object_file(config, bucket, key).await?;
            let file =
                file.with_context(|| format!("there is no object {key} in a local bucket {bucket}"))?;
            Ok((file, SourceName::from_key(key)))
        }
        Place::Url(_) | Place::S3 { .. } => {
            bail!("a plan needs the file: download it, or name an object of a local bucket")
        }
    }
}

/// The request as the server would take it, with a bucket in place of the file.
fn checked(request: &Value) -> anyhow::Result<Value> {
    let mut whole = request.clone();
    whole["InputInfo"] =
        Place::Cos { bucket: "input-1".to_owned(), key: "input".to_owned() }.as_input("region")?;
    mps_wire::decode_value("ProcessMedia", whole, &features::REFUSED.concat())
        .map_err(|error| anyhow::anyhow!("{}: {}", error.code, error.message))
}

#[expect(clippy::too_many_arguments, reason = "everything that a plan depends on")]
async fn plan(
    config: &Config,
    feature: &'static dyn Feature,
    nth: usize,
    item: &Value,
    request: &Value,
    name: &SourceName,
    info: &MediaInfo,
    build: &Build,
) -> anyhow::Result<Plan> {
    let body = template(config, feature.family(), definition(item)).await?;
    let storage = json!({});
    let directory = request["OutputDir"].as_str().filter(|directory| !directory.is_empty());
    if let Some(directory) = directory {
        check_output_dir(directory).map_err(|error| anyhow::anyhow!("{}: {}", error.code, error.message))?;
    }
    let place = features::Place { source: name, directory, storage: &storage };
    let mut marks = Vec::new();
    for mark in item["WatermarkSet"].as_array().into_iter().flatten() {
        let template = template(config, &Watermark, definition(mark)).await?.map(Arc::new);
        let picture = &mark["RawParameter"]["ImageTemplate"]["ImageContent"];
        marks.push(Found { template, picture: (!picture.is_null()).then(|| picture.clone()) });
    }
    // As they came: a plan reads none of them.
    let given: Vec<Given> = named(item, feature.inputs())
        .into_iter()
        .map(|(path, file)| Given { path, input: file.clone() })
        .collect();
    let item = Item { nth, value: item, template: body.as_ref(), place, marks: &marks, given: &given };
    let params = feature
        .from_wire(&item, build)
        .map_err(|error| anyhow::anyhow!("{}: {}", error.code, error.message))?;
    if let Some(film) = feature.films(&params)?.first() {
        bail!("a plan would have to look into {}: run the request, or leave it out", film.path);
    }
    Ok(feature.plan(&params, info, "TASK-ID", build)?)
}

/// The body of a preset, or of a template of the first account on this machine.
async fn template(
    config: &Config,
    family: &'static dyn Family,
    definition: i64,
) -> anyhow::Result<Option<Value>> {
    if let Some(preset) = templates::preset(family, definition) {
        return Ok(Some(preset.body));
    }
    if definition == 0 || (config.database.url.is_none() && !config.data.join("mps.db").exists()) {
        return Ok(None);
    }
    let store = local::open(config).await?;
    let family = family.name();
    let found = store
        .read(move |tx| {
            Box::pin(async move { mps_store::templates::get(tx, FIRST_ACCOUNT, family, definition).await })
        })
        .await;
    store.close().await;
    Ok(found?.map(|template| template.body))
}

/// A plan in lines: the command lines as a shell would take them, then the outputs.
fn told(plan: &Plan, file: &Path, config: &Config) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    for command in &plan.commands {
        lines.push(command_line(command, file, config)?);
    }
    for output in &plan.outputs {
        let mut lines_of_streams = Vec::new();
        lines.push(match output {
            Output::File { key, content_type, .. } | Output::Text { key, content_type, .. } => {
                format!("output  {key}  {content_type}")
            }
            Output::Hls { packaging, .. } => {
                let pieces = if packaging.is_single {
                    format!("byte ranges of {}", packaging.key(0)?)
                } else {
                    format!("segments {}, {} …", packaging.key(0)?, packaging.key(1)?)
                };
                format!("output  {}  with {pieces}  {}", packaging.playlist_key, packaging.content_type)
            }
            Output::Package { package } => {
                let lines = package.told()?.into_iter().map(|stream| format!("stream  {stream}"));
                lines_of_streams.extend(lines);
                format!("output  {}  {}", package.key(), package.content_type())
            }
        });
        lines.extend(lines_of_streams);
    }
    Ok(lines)
}

fn command_line(command: &Command, file: &Path, config: &Config) -> anyhow::Result<String> {
    let source = SourceRef::File(file.to_owned());
    let words: Vec<OsString> = command
        .args
        .iter()
        .map(|arg| match arg {
            Arg::Text(text) => OsString::from(text),
            Arg::Source | Arg::Input(_) => source.operand(),
            Arg::File(name) => OsString::from(name),
        })
        .collect();
    let (name, words) = match command.tool {
        Tool::Ffmpeg => ("ffmpeg", argv::ffmpeg_args(&words, &tools::step_limits(config))?),
        Tool::Packager => ("packager", words),
    };
    let quoted = words.iter().map(|word| quoted(&word.to_string_lossy())).collect::<Vec<_>>();
    Ok(format!("{name} {}", quoted.join(" ")))
}

/// A word as a POSIX shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_a_shell_takes_them() {
        assert_eq!(quoted("-c:v"), "-c:v");
        assert_eq!(quoted("scale=w='a b'"), r"'scale=w='\''a b'\'''");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_request_is_refused_with_the_apis_code() {
        let request = json!({"MediaProcessTask": {"TranscodeTaskSet": [{"Definition": "x"}]}});
        assert!(checked(&request).unwrap_err().to_string().starts_with("InvalidParameter: "));
    }

    #[tokio::test]
    async fn an_unknown_template_is_refused_with_the_apis_code() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { data: folder.path().join("none"), ..Config::default() };
        let name = SourceName::from_key("a.mp4");
        let (item, request) = (json!({"Definition": 99_999_999}), json!({}));
        let error = plan(
            &config,
            &features::transcode::Transcode,
            0,
            &item,
            &request,
            &name,
            &MediaInfo::default(),
            &Build::default(),
        )
        .await;
        assert!(error.unwrap_err().to_string().contains(": "));
    }
}
