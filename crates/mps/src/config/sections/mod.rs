//! The tables of the configuration file, one per file.

pub mod aws;
pub mod buckets;
pub mod cos;
pub mod database;
pub mod faults;
pub mod limits;
pub mod log;
pub mod metrics;
pub mod network;
pub mod telemetry;
pub mod tools;
pub mod workers;

pub use aws::Aws;
pub use buckets::Buckets;
pub use cos::Cos;
pub use database::Database;
pub use faults::Faults;
pub use limits::Limits;
pub use log::Log;
pub use metrics::Metrics;
pub use network::Network;
pub use telemetry::Telemetry;
pub use tools::Tools;
pub use workers::Workers;
