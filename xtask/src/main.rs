//! Chores of the repository: what is generated, and what is compared.
//!
//! Each chore is one file. All of them take the repository root from where cargo built this crate,
//! so they work from any folder.

mod coverage;
mod docs;
mod gen_types;
mod generate;
mod markdown;
mod spec;
mod tidy;
mod tree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <chore>
  gen [--check]      write the generated files, or fail when they differ from the specification
  coverage           print which actions and members are done, refused, absent
  docs [--stamp]     compare the English and the Russian pages and follow links, or write the hashes
  tidy               who depends on whom, sizes, names, hosts of registries";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = root();
    let done = match words.as_slice() {
        ["gen"] => generate::write(&root),
        ["gen", "--check"] => generate::check(&root),
        ["coverage"] => coverage::print(&root),
        ["docs"] => docs::check(&root),
        ["docs", "--stamp"] => docs::stamp(&root),
        ["tidy"] => tidy::check(&root),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The repository root: the folder above this crate.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository").to_path_buf()
}
