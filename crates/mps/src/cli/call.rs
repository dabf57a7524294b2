//! `mps call`: one signed call to any server that speaks the API.

use anyhow::Context as _;
use clap::Args;
use serde_json::Value;

use super::print_json;
use crate::client::discover::Target;

/// Sign and send one API call and print its answer.
#[derive(Debug, Args)]
pub(super) struct Call {
    /// The action, such as DescribeTasks
    action: String,
    /// Its parameters: JSON, @FILE, or @- for standard input
    #[arg(long, value_name = "JSON|@FILE", default_value = "{}")]
    json: String,
    #[command(flatten)]
    target: Target,
}

impl Call {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let params = read_json(&self.json)?;
        let server = self.target.server().await?;
        print_json(&server.call(&self.action, &params).await?)
    }
}

/// JSON as it stands, or from a file (`@name`), or from standard input (`@-`).
pub(super) fn read_json(text: &str) -> anyhow::Result<Value> {
    let (text, from) = match text.strip_prefix('@') {
        None => (text.to_owned(), "the command line".to_owned()),
        Some("-") => (
            std::io::read_to_string(std::io::stdin()).context("cannot read standard input")?,
            "standard input".to_owned(),
        ),
        Some(file) => {
            (std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?, file.to_owned())
        }
    };
    serde_json::from_str(&text).with_context(|| format!("{from} holds no JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_come_from_the_line_or_from_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"Limit":2}"#).unwrap();
        assert_eq!(read_json(&format!("@{}", file.path().display())).unwrap()["Limit"], 2);
        assert_eq!(read_json("{}").unwrap(), serde_json::json!({}));
        assert_eq!(read_json("{").unwrap_err().to_string(), "the command line holds no JSON");
    }
}
