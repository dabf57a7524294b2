//! What a child does and may do, as it is handed to the launcher.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mps_core::Secret;
use serde::{Deserialize, Serialize};

/// How strictly a child is confined to its files and system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confinement {
    /// As far as the kernel can; [`super::support`] tells how far that is.
    #[default]
    BestEffort,
    /// A child does not start where the kernel cannot confine it.
    Required,
    /// Limits only. For machines whose kernel or container forbids the rest.
    Off,
}

/// The limits and permissions of one child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Process id of whom the child dies with; 0 asks for no check.
    pub parent: i32,
    /// Files and folders to be read, besides system libraries and fonts.
    pub read: Vec<PathBuf>,
    /// The tool and whatever of its files must be executable.
    pub execute: Vec<PathBuf>,
    /// The one folder to be written, if any.
    pub write: Option<PathBuf>,
    /// The one TCP port that may be connected to; without it no network sockets exist.
    pub tcp_port: Option<u16>,
    /// Seconds of processor time.
    pub cpu_s: u64,
    /// Bytes of address space.
    pub memory_bytes: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Number of open files.
    pub open_files: u64,
    /// How much lower the priority is: 0 to 19.
    pub nice: i32,
    /// How strictly.
    pub confinement: Confinement,
}

/// A command line, where it runs, and what it may do there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// The folder it runs in.
    pub dir: PathBuf,
    /// All its environment variables.
    pub env: BTreeMap<String, String>,
    /// What it reads on standard input; without it there is nothing to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<Secret>,
    /// What it may do.
    pub policy: Policy,
}
