//! What Prometheus reads: counts of calls, the state of the queue, the process itself.
//!
//! No label holds what a caller made up, so the number of series is bounded by the API's own names.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Upper edges of the buckets of call times, in seconds.
const CALL_SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    action: String,
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Action {
    action: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

/// The state of the house at the moment of a scrape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Now {
    /// Steps that may be claimed.
    pub ready: i64,
    /// Steps that wait for another attempt.
    pub delayed: i64,
    /// Steps that a worker holds.
    pub running: i64,
    /// Callbacks not delivered yet.
    pub callbacks: i64,
    /// Changes that wait for the writer of the database.
    pub waiting_writes: i64,
    /// Media programs that run in this process.
    pub children: i64,
}

/// All metrics of this process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    calls: Family<Call, Counter>,
    seconds: Family<Action, Histogram>,
    steps: Family<State, Gauge>,
    callbacks: Gauge,
    writes: Gauge,
    children: Gauge,
    memory: Gauge,
    cpu: Gauge<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("mps");
        let seconds = Family::<Action, Histogram>::new_with_constructor(|| Histogram::new(CALL_SECONDS));
        let metrics = Self {
            calls: Family::default(),
            seconds,
            steps: Family::default(),
            callbacks: Gauge::default(),
            writes: Gauge::default(),
            children: Gauge::default(),
            memory: Gauge::default(),
            cpu: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register(
            "build",
            "The build of this server",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register(
            "calls",
            "Calls answered, by action and error code (empty on success)",
            metrics.calls.clone(),
        );
        registry.register_with_unit(
            "call",
            "Time from the first byte of a call to its answer",
            Unit::Seconds,
            metrics.seconds.clone(),
        );
        registry.register("steps", "Steps by state, counted up to a bound", metrics.steps.clone());
        registry.register("callbacks_waiting", "Callbacks not delivered yet", metrics.callbacks.clone());
        registry.register(
            "writes_waiting",
            "Changes that wait for the writer of the database",
            metrics.writes.clone(),
        );
        registry.register("media_programs", "Media programs that run now", metrics.children.clone());
        registry.register_with_unit(
            "process_resident_memory",
            "Memory of this process",
            Unit::Bytes,
            metrics.memory.clone(),
        );
        registry.register_with_unit(
            "process_cpu",
            "Processor time of this process, without media programs",
            Unit::Seconds,
            metrics.cpu.clone(),
        );
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// Counts an answered call; `action` and `code` are the API's own words.
    pub fn answered(&self, action: &str, code: &str, elapsed: Duration) {
        self.calls.get_or_create(&Call { action: action.to_owned(), code: code.to_owned() }).inc();
        self.seconds.get_or_create(&Action { action: action.to_owned() }).observe(elapsed.as_secs_f64());
    }

    /// The text of `/metrics`, in the OpenMetrics form.
    pub fn text(&self, now: Now) -> String {
        for (state, count) in [("ready", now.ready), ("delayed", now.delayed), ("running", now.running)] {
            self.steps.get_or_create(&State { state }).set(count);
        }
        self.callbacks.set(now.callbacks);
        self.writes.set(now.waiting_writes);
        self.children.set(now.children);
        if let Some((memory_bytes, cpu_s)) = process() {
            self.memory.set(memory_bytes);
            self.cpu.set(cpu_s);
        }
        let mut text = String::new();
        // Writing to a text cannot fail; a scrape without metrics would only hide a fault.
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(error) => format!("# cannot write metrics: {error}\n# EOF\n"),
        }
    }
}

/// Resident memory in bytes and processor time in seconds of this process.
fn process() -> Option<(i64, f64)> {
    let resident = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = resident.split_whitespace().nth(1)?.parse().ok()?;
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).ok()?;
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let page_bytes = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok()??;
    Some((pages * page_bytes, seconds(usage.user_time()) + seconds(usage.system_time())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_tells_calls_queue_and_process() {
        let metrics = Metrics::default();
        metrics.answered("DescribeTasks", "", Duration::from_millis(3));
        metrics.answered("ProcessMedia", "InvalidParameter", Duration::from_millis(1));
        let text = metrics.text(Now { ready: 7, running: 2, ..Now::default() });
        for line in [
            r#"mps_calls_total{action="DescribeTasks",code=""} 1"#,
            r#"mps_calls_total{action="ProcessMedia",code="InvalidParameter"} 1"#,
            r#"mps_call_seconds_bucket{le="0.005",action="DescribeTasks"} 1"#,
            r#"mps_steps{state="ready"} 7"#,
            r#"mps_steps{state="running"} 2"#,
            "mps_callbacks_waiting 0",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
        let memory =
            text.lines().find(|line| line.starts_with("mps_process_resident_memory_bytes ")).unwrap();
        assert!(memory.rsplit(' ').next().unwrap().parse::<i64>().unwrap() > 1_000_000);
    }
}
