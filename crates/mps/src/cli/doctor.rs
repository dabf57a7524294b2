//! `mps doctor`: what this machine and this configuration can do, and what is wrong with them.
//!
//! It changes nothing. Every finding is good, worth knowing, or wrong; the
//! status is 1 when one is wrong.

use std::net::SocketAddr;

use clap::Args;
use mps_core::clock::{Clock as _, SystemClock};
use mps_ffmpeg::capabilities::State;
use mps_ffmpeg::sandbox::support;
use mps_ffmpeg::{Capabilities, LauncherSpec, Tool, Tools};
use mps_store::{Store, StoreOptions};
use serde_json::json;

use super::{Local, day_and_time, print_json};
use crate::client::discover::Endpoint;
use crate::config::Config;
use crate::config::sections::tools::Sandbox;
use crate::tools;

/// Say what this machine and this configuration can do, and what is wrong with them.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    local: Local,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Note,
    Wrong,
}

struct Finding {
    about: &'static str,
    verdict: Verdict,
    text: String,
}

fn finding(about: &'static str, verdict: Verdict, text: impl Into<String>) -> Finding {
    Finding { about, verdict, text: text.into() }
}

impl Doctor {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let config = self.local.load(None)?;
        let mut findings = vec![finding("config", Verdict::Good, "can be read, nothing unknown in it")];
        let running = Endpoint::read(&config.run_dir()).ok().flatten().filter(is_alive);
        findings.extend(look_at_tools(&config).await);
        findings.push(look_at_sandbox(&config).await);
        findings.push(look_at_disk(&config));
        findings.push(look_at_database(&config).await);
        findings.extend(look_at_ports(&config, running.as_ref()));
        findings.push(look_at_clock());

        let wrong = findings.iter().filter(|finding| finding.verdict == Verdict::Wrong).count();
        if self.json {
            let items = findings
                .iter()
                .map(|f| json!({"About": f.about, "Verdict": word(f.verdict), "Text": f.text}));
            print_json(&items.collect())?;
        } else {
            for Finding { about, verdict, text } in &findings {
                println!("{:<5}  {about:<9}  {text}", word(*verdict));
            }
        }
        match wrong {
            0 => Ok(()),
            1 => anyhow::bail!("one thing is wrong"),
            many => anyhow::bail!("{many} things are wrong"),
        }
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "good",
        Verdict::Note => "note",
        Verdict::Wrong => "WRONG",
    }
}

async fn look_at_tools(config: &Config) -> Vec<Finding> {
    let found = match Tools::discover(&tools::paths(config)) {
        Ok(found) => found,
        Err(error) => return vec![finding("tools", Verdict::Wrong, error.chain())],
    };
    let mut findings: Vec<Finding> = [Tool::Ffmpeg, Tool::Ffprobe, Tool::Packager]
        .into_iter()
        .map(|tool| match found.path(tool) {
            Ok(path) => finding("tools", Verdict::Good, format!("{tool} is {}", path.display())),
            Err(error) => finding("tools", Verdict::Note, error.chain()),
        })
        .collect();
    let capabilities = match Capabilities::cached(&found, &tools::cache_dir(config)) {
        Some(known) => Ok(known),
        None => Capabilities::try_all(&found).await,
    };
    match capabilities {
        Err(error) => findings.push(finding("tools", Verdict::Wrong, error.chain())),
        Ok(known) => {
            findings.push(finding("ffmpeg", Verdict::Good, format!("version {}", known.version)));
            findings.push(abilities("encoders", &known.encoders));
            findings.push(abilities("filters", &known.filters));
            findings.push(abilities("hwaccels", &known.hwaccels));
        }
    }
    findings
}

/// What works, and what is listed by the build but fails.
fn abilities(about: &'static str, states: &std::collections::BTreeMap<String, State>) -> Finding {
    let named = |wanted: fn(&State) -> bool| -> Vec<&str> {
        states.iter().filter(|(_, state)| wanted(state)).map(|(name, _)| name.as_str()).collect()
    };
    let works = named(|state| matches!(state, State::Works));
    let fails = named(|state| matches!(state, State::Broken(_)));
    let list = |names: &[&str]| if names.is_empty() { "none".to_owned() } else { names.join(" ") };
    let mut text = format!("tried and good: {}", list(&works));
    if !fails.is_empty() {
        text = format!("{text}; listed but failing: {}", list(&fails));
    }
    let is_poor = works.is_empty() && about != "hwaccels";
    finding(about, if is_poor { Verdict::Wrong } else { Verdict::Good }, text)
}

async fn look_at_sandbox(config: &Config) -> Finding {
    let required = config.tools.sandbox == Sandbox::Require;
    match support(&LauncherSpec::own()).await {
        Err(error) => finding("sandbox", Verdict::Wrong, error.chain()),
        Ok(known) if known.warnings.is_empty() => finding(
            "sandbox",
            Verdict::Good,
            format!("files, ports, system calls (Landlock ABI {})", known.landlock_abi),
        ),
        Ok(known) => {
            let verdict = if required && !known.files { Verdict::Wrong } else { Verdict::Note };
            finding("sandbox", verdict, known.warnings.join("; "))
        }
    }
}

fn look_at_disk(config: &Config) -> Finding {
    let place = config.data.ancestors().find(|folder| folder.exists()).unwrap_or(&config.data);
    let place = if place.as_os_str().is_empty() { std::path::Path::new(".") } else { place };
    match nix::sys::statvfs::statvfs(place) {
        Err(error) => finding("disk", Verdict::Wrong, format!("cannot look at {}: {error}", place.display())),
        Ok(disk) => {
            let free = disk.blocks_available().saturating_mul(disk.fragment_size());
            let verdict = if free < 1 << 30 { Verdict::Wrong } else { Verdict::Good };
            finding("disk", verdict, format!("{} GiB free for {}", free >> 30, config.data.display()))
        }
    }
}

async fn look_at_database(config: &Config) -> Finding {
    if config.database.url.is_none() && !config.data.join("mps.db").exists() {
        return finding("database", Verdict::Note, "not made yet: the first start makes it");
    }
    let opened = async {
        let store =
            Store::open(&config.database_url(), StoreOptions { readers: 1, ..StoreOptions::default() })
                .await?;
        let answered = store.ping().await;
        let kind = store.backend();
        store.close().await;
        answered.map(|()| kind)
    };
    match opened.await {
        Ok(kind) => finding("database", Verdict::Good, format!("{kind:?} answers")),
        Err(error) => finding("database", Verdict::Wrong, error.chain()),
    }
}

fn look_at_ports(config: &Config, running: Option<&Endpoint>) -> Vec<Finding> {
    if let Some(running) = running {
        let text = format!(
            "a server runs: API {}, buckets {}, process {}",
            running.api, running.buckets, running.pid
        );
        return vec![finding("ports", Verdict::Good, text)];
    }
    let wanted = [
        ("listen", Some(config.listen)),
        ("buckets.listen", Some(config.buckets.listen)),
        ("metrics.listen", config.metrics.listen),
    ];
    wanted.into_iter().filter_map(|(key, address)| Some(try_port(key, address?))).collect()
}

fn try_port(key: &str, address: SocketAddr) -> Finding {
    match std::net::TcpListener::bind(address) {
        Ok(_) => finding("ports", Verdict::Good, format!("{key} {address} is free")),
        Err(error) => finding("ports", Verdict::Wrong, format!("{key} {address}: {error}")),
    }
}

/// Calls are refused five minutes away from the caller's clock, so a clock that was never set is worth a word.
fn look_at_clock() -> Finding {
    const BUILT_AFTER_MS: i64 = 1_767_225_600_000;
    let now_ms = SystemClock.now_ms();
    let verdict = if now_ms < BUILT_AFTER_MS { Verdict::Wrong } else { Verdict::Good };
    finding("clock", verdict, format!("{} UTC; callers may be five minutes off", day_and_time(now_ms)))
}

fn is_alive(endpoint: &Endpoint) -> bool {
    std::path::Path::new("/proc").join(endpoint.pid.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_wrong() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(try_port("listen", taken.local_addr().unwrap()).verdict, Verdict::Wrong);
    }

    #[test]
    fn failing_filters_are_named_apart() {
        let states =
            [("scale".to_owned(), State::Works), ("anlmdn".to_owned(), State::Broken("crashes".into()))]
                .into();
        let told = abilities("filters", &states);
        assert_eq!(told.text, "tried and good: scale; listed but failing: anlmdn");
        assert_eq!(told.verdict, Verdict::Good);
    }

    #[tokio::test]
    async fn an_empty_folder_is_no_failure() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { data: folder.path().join("none"), ..Config::default() };
        assert_eq!(look_at_database(&config).await.verdict, Verdict::Note);
        assert_eq!(look_at_disk(&config).verdict, Verdict::Good);
    }
}
