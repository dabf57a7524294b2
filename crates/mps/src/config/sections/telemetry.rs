//! `[telemetry]`: traces for a collector.

use crate::config::section::section;

section! {
    /// Traces for an OpenTelemetry collector: a span per request and per step.
    pub struct Telemetry {
        /// Where the collector takes OTLP over HTTP: `http://127.0.0.1:4318`. Absent: no traces are sent.
        otlp_endpoint: Option<String> = None,
        /// The name of this service in the traces.
        service_name: String = "mps".to_owned(),
    }
}
