//! `mps process`: one file through the server, from wherever it is to wherever it shall be.

pub(super) mod place;
mod watch;

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::{Value, json};

use super::call::read_json;
use super::print_json;
use crate::client::Server;
use crate::client::discover::Target;
use crate::client::outcome::Place as Object;
use crate::local::random_word;
use place::Place;

/// Process one file: upload it if need be, start the task, wait for it, say where the results are.
#[derive(Debug, Args)]
pub(super) struct Process {
    /// The source: a file, http(s)://…, cos://bucket/key or s3://bucket/key
    #[arg(long, short, value_name = "FILE|URL|BUCKET-KEY")]
    input: String,
    /// Transcoding templates, such as 100020
    #[arg(long = "template", short, value_name = "ID", num_args = 1.., value_delimiter = ',')]
    templates: Vec<u64>,
    /// Where results go: cos://bucket/folder/, s3://bucket/folder/, or a local folder (waits, then downloads);
    /// without it they stay beside the source
    #[arg(long, short, value_name = "PLACE")]
    output: Option<String>,
    /// Bucket that files are uploaded to; the first of the account's by default
    #[arg(long)]
    bucket: Option<String>,
    /// Wait until the task has ended, showing progress
    #[arg(long)]
    wait: bool,
    /// Print the plan (steps, command lines, expected outputs) and run nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the API's last answer as JSON instead of the paths
    #[arg(long)]
    raw_json: bool,
    /// From -10 to 10; higher goes first
    #[arg(long, allow_negative_numbers = true)]
    priority: Option<i64>,
    /// Refuse to start the same thing twice within three days
    #[arg(long, value_name = "ID")]
    session_id: Option<String>,
    /// More members of the ProcessMedia request, laid over what the other options say
    #[arg(long, value_name = "JSON|@FILE")]
    request: Option<String>,
    #[command(flatten)]
    target: Target,
}

impl Process {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        if self.templates.is_empty() && self.request.is_none() {
            bail!("what shall be made of it? name at least one --template, or a --request");
        }
        let input = Place::parse(&self.input);
        let output = self.output.as_deref().map(Place::parse);
        if matches!(output, Some(Place::Url(_))) {
            bail!("--output: results are put into buckets and folders, not to URLs");
        }
        if self.dry_run {
            return self.dry_run(&input, output.as_ref()).await;
        }
        let server = self.target.server().await?;
        let source = match &input {
            Place::File(file) => self.upload(&server, file).await?,
            _ => input.clone(),
        };
        let request = self.request(&server, &source, output.as_ref()).await?;
        let answer = server.call("ProcessMedia", &request).await?;
        let id = answer["TaskId"].as_str().context("the server names no task")?.to_owned();

        let folder = match &output {
            Some(Place::File(folder)) => Some(folder.clone()),
            _ => None,
        };
        if !self.wait && folder.is_none() {
            return if self.raw_json {
                print_json(&answer)
            } else {
                println!("{id}");
                Ok(())
            };
        }
        eprintln!("task {id}");
        let (report, answer) = watch::until_over(&server, &id).await?;
        if self.raw_json {
            print_json(&answer)?;
        } else {
            self.tell(&server, folder.as_deref(), report.parts.iter().flat_map(|part| &part.outputs)).await?;
        }
        match report.failures() {
            failures if !failures.is_empty() => bail!("{}", failures.join("\n")),
            _ if !report.is_good() => bail!("task {id} ended without its results"),
            _ => Ok(()),
        }
    }

    /// Prints what the server would do, planned here with the tools and templates of this machine.
    async fn dry_run(&self, input: &Place, output: Option<&Place>) -> anyhow::Result<()> {
        let config = self.target.local.load(None)?;
        let named = |place: &Place| place.as_storage(&config.region).ok().map(|_| place.directory());
        let mut request = json!({});
        if !self.templates.is_empty() {
            request["MediaProcessTask"] = self.wishes();
        }
        if let Some(directory) = output.and_then(named) {
            request["OutputDir"] = json!(directory);
        }
        self.add_own(&mut request)?;
        super::dry_run::print(&config, input, &request).await
    }

    fn wishes(&self) -> Value {
        let wishes: Vec<Value> = self.templates.iter().map(|id| json!({ "Definition": id })).collect();
        json!({ "TranscodeTaskSet": wishes })
    }

    /// Lays the members of `--request` over the request.
    fn add_own(&self, request: &mut Value) -> anyhow::Result<()> {
        if let Some(more) = &self.request {
            let Value::Object(more) = read_json(more)? else { bail!("--request must be a JSON object") };
            for (name, value) in more {
                request[name] = value;
            }
        }
        Ok(())
    }

    /// Uploads a file under a name of its own, so that two files of one name do not meet.
    async fn upload(&self, server: &Server, file: &Path) -> anyhow::Result<Place> {
        let bucket = self.bucket(server).await?;
        let name = file.file_name().and_then(|name| name.to_str()).context("the input has no file name")?;
        let key = format!("process/{}/{name}", random_word(12)?);
        let bytes = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
        let bar = watch::upload_bar(bytes, name);
        let sent = bar.clone();
        server.put_file(&bucket, &key, file, move |so_far| sent.set_position(so_far)).await?;
        bar.finish_and_clear();
        if !std::io::stderr().is_terminal() {
            eprintln!("uploaded {} to cos://{bucket}/{key}", file.display());
        }
        Ok(Place::Cos { bucket, key })
    }

    async fn bucket(&self, server: &Server) -> anyhow::Result<String> {
        match &self.bucket {
            Some(bucket) => Ok(bucket.clone()),
            None => server
                .list_buckets()
                .await?
                .into_iter()
                .next()
                .context("the account has no bucket; make one with `mps buckets create NAME`"),
        }
    }

    async fn request(
        &self,
        server: &Server,
        source: &Place,
        output: Option<&Place>,
    ) -> anyhow::Result<Value> {
        let region = &server.region;
        let mut request = json!({ "InputInfo": source.as_input(region)? });
        if !self.templates.is_empty() {
            request["MediaProcessTask"] = self.wishes();
        }
        match output {
            Some(place @ (Place::Cos { .. } | Place::S3 { .. })) => {
                request["OutputStorage"] = place.as_storage(region)?;
                request["OutputDir"] = json!(place.directory());
            }
            _ if matches!(source, Place::Url(_)) => {
                let bucket = self.bucket(server).await?;
                let place = Place::Cos { bucket, key: format!("process/{}/", random_word(12)?) };
                request["OutputStorage"] = place.as_storage(region)?;
                request["OutputDir"] = json!(place.directory());
            }
            _ => {}
        }
        if let Some(priority) = self.priority {
            request["TasksPriority"] = json!(priority);
        }
        if let Some(session) = &self.session_id {
            request["SessionId"] = json!(session);
        }
        self.add_own(&mut request)?;
        Ok(request)
    }

    /// Prints where the results are, one a line: files where they can be named, else bucket and key.
    async fn tell(
        &self,
        server: &Server,
        folder: Option<&Path>,
        outputs: impl Iterator<Item = &Object>,
    ) -> anyhow::Result<()> {
        for output in outputs {
            match folder {
                Some(folder) => {
                    for file in download(server, output, folder).await? {
                        println!("{}", file.display());
                    }
                }
                None => match self.target.local_file(&output.bucket, &output.key).await {
                    Some(file) => println!("{}", file.display()),
                    None => println!("{output}"),
                },
            }
        }
        Ok(())
    }
}

/// Downloads an output with what it refers to: what a manifest names lies below the same name.
async fn download(server: &Server, output: &Object, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (parent, name) = output.key.rsplit_once('/').map_or(("", output.key.as_str()), |split| split);
    let mut keys = vec![output.key.clone()];
    if let Some(stem) = name.strip_suffix(".m3u8").or_else(|| name.strip_suffix(".mpd")) {
        let prefix = if parent.is_empty() { stem.to_owned() } else { format!("{parent}/{stem}") };
        keys = server.list_keys(&output.bucket, &prefix).await?;
        keys.sort_by_key(|key| *key != output.key);
    }
    let mut files = Vec::new();
    for key in keys {
        let below = key.strip_prefix(parent).unwrap_or(&key).trim_start_matches('/');
        if below.split('/').any(|part| matches!(part, "" | "." | "..")) {
            bail!("the key {key} names no file");
        }
        let file = folder.join(below);
        server.get_file(&output.bucket, &key, &file).await?;
        files.push(file);
    }
    files.truncate(1);
    Ok(files)
}
