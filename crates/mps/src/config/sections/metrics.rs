//! `[metrics]`: where Prometheus reads.

use std::net::SocketAddr;

use crate::config::section::section;

section! {
    /// Prometheus metrics.
    pub struct Metrics {
        /// Where `GET /metrics` is answered. Absent: on the address of the API.
        listen: Option<SocketAddr> = None,
    }
}
