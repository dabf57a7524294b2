//! Measures the service against named peers, in one run each.
//!
//! `mps-bench [CASE…]` runs the cases named, or all. Each ends with the line `name: FIGURE (goal GOAL) holds` or
//! `… falls short`. Ratios within one run count; absolute figures depend on the machine.
#![expect(
    clippy::disallowed_methods,
    reason = "a bench starts the programs it measures and reads where they are"
)]

mod cases;
mod load;
mod server;
mod verdict;

use std::process::ExitCode;

use anyhow::{Result, bail};

fn main() -> Result<ExitCode> {
    let named: Vec<String> = std::env::args().skip(1).collect();
    if named.first().map(String::as_str) == Some("bare") {
        cases::accept::bare()?;
        return Ok(ExitCode::SUCCESS);
    }
    let all_hold =
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(named))?;
    Ok(if all_hold { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether every goal was reached.
async fn run(named: Vec<String>) -> Result<bool> {
    let all = cases::NAMES;
    for name in &named {
        if !all.contains(&name.as_str()) {
            bail!("there is no case {name}; there are: {}", all.join(" "));
        }
    }
    let mut all_hold = true;
    for name in all.iter().filter(|name| named.is_empty() || named.iter().any(|n| n == *name)) {
        println!("== {name}");
        all_hold &= cases::run(name).await?;
    }
    Ok(all_hold)
}
