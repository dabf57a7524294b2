//! Finding a server: by flags, by the environment, or by the data folder on the server's own machine.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{KeyPair, Server};
use crate::cli::Local;
use crate::config::Config;
use crate::config::environment::ClientVariables;

/// The file in `<data>/run` in which a server says where it listens. Readable by its owner only.
pub const ENDPOINT_FILE: &str = "endpoint.json";

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The address of the API: `http://127.0.0.1:8080`.
    pub api: String,
    /// The address of the S3-compatible endpoint.
    pub buckets: String,
    /// The process.
    pub pid: u32,
}

impl Endpoint {
    /// Writes the file, whole or not at all.
    pub fn write(&self, run_dir: &Path) -> std::io::Result<()> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        std::fs::create_dir_all(run_dir)?;
        let (path, fresh) =
            (run_dir.join(ENDPOINT_FILE), run_dir.join(format!("{ENDPOINT_FILE}.{}", self.pid)));
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
        file.write_all(b"\n")?;
        std::fs::rename(fresh, path)
    }

    /// Reads the file; none where no server has run.
    pub fn read(run_dir: &Path) -> std::io::Result<Option<Self>> {
        match std::fs::read(run_dir.join(ENDPOINT_FILE)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes the file if this process wrote it.
    pub fn remove(&self, run_dir: &Path) {
        if matches!(Self::read(run_dir), Ok(Some(written)) if written == *self) {
            let _ = std::fs::remove_file(run_dir.join(ENDPOINT_FILE));
        }
    }
}

/// Which server, and with which key.
#[derive(Debug, Clone, Default, Args)]
pub struct Target {
    /// Address of the API, such as http://127.0.0.1:8080 [env: MPS_ENDPOINT]
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// SecretId of the key [env: MPS_SECRET_ID]
    #[arg(long, value_name = "ID")]
    pub secret_id: Option<String>,
    /// SecretKey of the key [env: MPS_SECRET_KEY]
    #[arg(long, value_name = "KEY")]
    pub secret_key: Option<String>,
    /// Region named in the call; the server's own by default
    #[arg(long)]
    pub region: Option<String>,
    /// Address of the S3-compatible endpoint; by default port 8081 of the API's host, or what the data folder says
    #[arg(long, value_name = "URL")]
    pub buckets: Option<String>,
    /// The server of this machine
    #[command(flatten)]
    pub local: Local,
}

impl Target {
    /// Whether a server is named by flags or variables, without any data folder.
    fn named(&self, variables: &ClientVariables) -> bool {
        self.endpoint.is_some() || (variables.endpoint.is_some() && !self.local.is_given())
    }

    /// The server meant: a named one, else the one whose data folder is here.
    pub async fn server(&self) -> anyhow::Result<Server> {
        let variables = ClientVariables::read();
        let (id, secret) = (
            self.secret_id.clone().or_else(|| variables.secret_id.clone()),
            self.secret_key.clone().or_else(|| variables.secret_key.clone()),
        );
        let key = id.zip(secret).map(|(id, secret)| KeyPair { id, secret });
        if self.named(&variables) {
            let endpoint = self.endpoint.clone().or(variables.endpoint).unwrap_or_default();
            let api = address(&endpoint)?;
            let key = key.context("the server asks for a key: --secret-id and --secret-key, or MPS_SECRET_ID and MPS_SECRET_KEY")?;
            let buckets = match &self.buckets {
                Some(buckets) => address(buckets)?,
                None => beside(&api)?,
            };
            let region = self.region.clone().unwrap_or_else(|| Config::default().region);
            return Server::new(api, buckets, key, region);
        }
        let config = self.local.load(None)?;
        let Some(endpoint) =
            Endpoint::read(&config.run_dir()).context("cannot read where the server listens")?
        else {
            bail!(
                "no server runs on the data folder {}; start one with `mps serve`, or name one with --endpoint",
                config.data.display()
            );
        };
        let key = match key {
            Some(key) => key,
            None => crate::local::any_key(&config).await?,
        };
        let buckets = address(self.buckets.as_ref().unwrap_or(&endpoint.buckets))?;
        let region = self.region.clone().unwrap_or(config.region);
        Server::new(address(&endpoint.api)?, buckets, key, region)
    }
}

impl Target {
    /// The file behind an object, where the server is this machine's own and the bucket is local.
    pub async fn local_file(&self, bucket: &str, key: &str) -> Option<PathBuf> {
        if self.named(&ClientVariables::read()) {
            return None;
        }
        let config = self.local.load(None).ok()?;
        crate::local::object_file(&config, bucket, key).await.ok().flatten()
    }
}

/// An address as people write it: `127.0.0.1:8080` is http.
fn address(text: &str) -> anyhow::Result<Url> {
    let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&full).with_context(|| format!("{text:?} is no address"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        bail!("{text:?} is no http address");
    }
    Ok(url)
}

/// The bucket endpoint where the defaults put it: one host, port 8081.
fn beside(api: &Url) -> anyhow::Result<Url> {
    let mut url = api.clone();
    url.set_path("/");
    url.set_port(Some(8081)).map_err(|()| anyhow::anyhow!("{api} has no port"))?;
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_file_is_private_and_goes_with_its_server() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let ours =
            Endpoint { api: "http://127.0.0.1:1".into(), buckets: "http://127.0.0.1:2".into(), pid: 7 };
        assert_eq!(Endpoint::read(folder.path()).unwrap(), None);
        ours.write(folder.path()).unwrap();
        assert_eq!(Endpoint::read(folder.path()).unwrap(), Some(ours.clone()));
        let mode = std::fs::metadata(folder.path().join(ENDPOINT_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let theirs = Endpoint { pid: 8, ..ours.clone() };
        theirs.write(folder.path()).unwrap();
        ours.remove(folder.path());
        assert_eq!(Endpoint::read(folder.path()).unwrap(), Some(theirs.clone()));
        theirs.remove(folder.path());
        assert_eq!(Endpoint::read(folder.path()).unwrap(), None);
    }

    #[test]
    fn an_address_without_a_scheme_is_http() {
        assert_eq!(address("127.0.0.1:8080").unwrap().as_str(), "http://127.0.0.1:8080/");
        assert_eq!(beside(&address("https://mps.example.org").unwrap()).unwrap().port(), Some(8081));
        assert!(address("ftp://x").is_err());
    }
}
