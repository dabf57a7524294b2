//! When a run counts as stuck.
//!
//! Alive is a run whose decoded time, frames or bytes move, or whose folder grows. One that only burns processor time
//! gets longer ([`Limits::stall_busy`]): a contact sheet of a whole film is a single frame at its very end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use crate::Limits;

/// Files looked at in a job's folder at most.
const FILES_AT_MOST: usize = 20_000;

pub(crate) struct Stall {
    idle_at_most: Duration,
    busy_at_most: Duration,
    dir: Option<PathBuf>,
    pid: Option<i32>,
    pulse: (i64, u64, u64),
    folder_bytes: u64,
    moved: Instant,
    cpu_ticks: u64,
    worked: Instant,
}

impl Stall {
    pub(crate) fn new(limits: &Limits, dir: Option<PathBuf>, pid: Option<i32>) -> Self {
        let now = Instant::now();
        Self {
            idle_at_most: limits.stall,
            busy_at_most: limits.stall_busy.max(limits.stall),
            dir,
            pid,
            pulse: (0, 0, 0),
            folder_bytes: 0,
            moved: now,
            cpu_ticks: 0,
            worked: now,
        }
    }

    /// How often to ask.
    pub(crate) fn period(&self) -> Duration {
        (self.idle_at_most / 4).clamp(Duration::from_millis(50), Duration::from_secs(5))
    }

    /// Whether nothing has moved for too long. `pulse` changes whenever the tool tells of progress.
    pub(crate) async fn is_stalled(&mut self, pulse: (i64, u64, u64)) -> bool {
        let now = Instant::now();
        if pulse != self.pulse {
            self.pulse = pulse;
            self.moved = now;
        } else if now - self.moved >= self.idle_at_most / 2 {
            // A tool without progress of its own, or between two reports, may still write.
            let bytes = self.measure().await;
            if bytes != self.folder_bytes {
                self.folder_bytes = bytes;
                self.moved = now;
            }
        }
        let ticks = self.pid.and_then(cpu_ticks).unwrap_or(self.cpu_ticks);
        if ticks > self.cpu_ticks {
            self.cpu_ticks = ticks;
            self.worked = now;
        }
        let quiet = now - self.moved;
        quiet >= self.busy_at_most || (quiet >= self.idle_at_most && now - self.worked >= self.idle_at_most)
    }

    async fn measure(&self) -> u64 {
        let Some(dir) = self.dir.clone() else { return 0 };
        tokio::task::spawn_blocking(move || folder_bytes(&dir)).await.unwrap_or(self.folder_bytes)
    }
}

fn folder_bytes(dir: &Path) -> u64 {
    let (mut bytes, mut files, mut folders) = (0, 0, vec![dir.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            files += 1;
            if files > FILES_AT_MOST {
                return bytes;
            }
            match entry.metadata() {
                Ok(facts) if facts.is_dir() => folders.push(entry.path()),
                Ok(facts) => bytes += facts.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}

/// Processor time of a process and its threads so far, in clock ticks.
fn cpu_ticks(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything; user and system time are the 12th and 13th field after it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits { stall: Duration::from_mins(1), stall_busy: Duration::from_mins(10), ..Limits::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn is_stuck_when_nothing_moves() {
        let mut stall = Stall::new(&limits(), None, None);
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(!stall.is_stalled((0, 0, 0)).await);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(stall.is_stalled((0, 0, 0)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn decoded_time_and_bytes_keep_it_alive() {
        let mut stall = Stall::new(&limits(), None, None);
        for step in 1..10 {
            tokio::time::advance(Duration::from_secs(50)).await;
            let pulse = if step % 2 == 0 { (step, 0, 0) } else { (step - 1, step as u64, 0) };
            assert!(!stall.is_stalled(pulse).await);
        }
    }

    #[tokio::test]
    async fn a_growing_folder_keeps_it_alive() {
        let dir = tempfile::tempdir().unwrap();
        let short = Limits { stall: Duration::from_millis(40), ..limits() };
        let mut stall = Stall::new(&short, Some(dir.path().to_owned()), None);
        for n in 1..5 {
            std::fs::write(dir.path().join("out"), vec![0; n * 10]).unwrap();
            tokio::time::sleep(Duration::from_millis(45)).await;
            assert!(!stall.is_stalled((0, 0, 0)).await, "after write {n}");
        }
        tokio::time::sleep(Duration::from_millis(45)).await;
        assert!(stall.is_stalled((0, 0, 0)).await);
    }

    #[tokio::test]
    async fn a_busy_process_gets_longer() {
        let own = std::process::id() as i32;
        let before = cpu_ticks(own).unwrap();
        let begun = std::time::Instant::now();
        while cpu_ticks(own).unwrap() == before && begun.elapsed() < Duration::from_secs(5) {
            std::hint::black_box((0..100_000).sum::<u64>());
        }
        let short = Limits { stall: Duration::from_millis(1), ..limits() };
        let mut stall = Stall::new(&short, None, Some(own));
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(!stall.is_stalled((0, 0, 0)).await);
    }
}
