//! What types cannot say: ranges, and keys that must agree with each other.

use std::net::IpAddr;

use mps_core::{Error, Result, crash};

use super::Config;

/// Refuses a configuration that cannot work, naming the key.
pub fn check(config: &Config) -> Result<()> {
    let refuse = |key: &str, why: String| Err(Error::invalid(format!("{key}: {why}")));
    let workers = &config.workers;
    if workers.lease_s == 0
        || workers.heartbeat_s == 0
        || workers.heartbeat_s.saturating_mul(3) > workers.lease_s
    {
        return refuse(
            "workers.heartbeat_s",
            format!(
                "must be from 1 to a third of lease_s ({}), not {}",
                workers.lease_s, workers.heartbeat_s
            ),
        );
    }
    if workers.max_attempts == 0 {
        return refuse("workers.max_attempts", "must be at least 1".to_owned());
    }
    if workers.nice > 19 {
        return refuse("workers.nice", format!("must be from 0 to 19, not {}", workers.nice));
    }
    if workers.poll_ms < 10 {
        return refuse("workers.poll_ms", format!("must be at least 10, not {}", workers.poll_ms));
    }
    if config.database.connections == 0 {
        return refuse("database.connections", "must be at least 1".to_owned());
    }
    if let Some(url) = &config.database.url {
        let scheme = url.reveal().split(':').next().unwrap_or_default();
        if !matches!(scheme, "sqlite" | "postgres" | "postgresql") {
            return refuse("database.url", "must begin with sqlite: or postgres:".to_owned());
        }
    }
    for (key, limit) in [
        ("limits.requests_per_second", u64::from(config.limits.requests_per_second)),
        ("limits.requests_at_once", u64::from(config.limits.requests_at_once)),
        ("limits.request_bytes", config.limits.request_bytes),
        ("limits.source_bytes", config.limits.source_bytes),
        ("limits.source_pixels", config.limits.source_pixels),
        ("limits.source_streams", u64::from(config.limits.source_streams)),
        ("limits.step_s", config.limits.step_s),
        ("limits.stall_s", config.limits.stall_s),
        ("limits.stall_busy_s", config.limits.stall_busy_s),
        ("limits.output_bytes", config.limits.output_bytes),
        ("limits.object_bytes", config.limits.object_bytes),
        ("limits.query_bytes", config.limits.query_bytes),
        ("limits.probe_s", config.limits.probe_s),
        ("limits.memory_bytes", config.limits.memory_bytes),
        ("network.key_server_timeout_s", u64::from(config.network.key_server_timeout_s)),
    ] {
        if limit == 0 {
            return refuse(key, "must be more than 0".to_owned());
        }
    }
    for entry in &config.network.allow_private {
        if let Err(why) = private_entry(entry) {
            return refuse("network.allow_private", why);
        }
    }
    let point = &config.faults.crash_point;
    if !point.is_empty() && !crash::is_point(point) {
        return refuse("faults.crash_point", format!("{point:?} is none of {}", crash::POINTS.join(", ")));
    }
    if config.region.is_empty() {
        return refuse("region", "must not be empty".to_owned());
    }
    if config.listen == config.buckets.listen && config.listen.port() != 0 {
        return refuse("buckets.listen", format!("{} is the address of the API already", config.listen));
    }
    for (key, url) in [
        ("aws.s3_endpoint_url", &config.aws.s3_endpoint_url),
        ("aws.sqs_endpoint_url", &config.aws.sqs_endpoint_url),
        ("cos.endpoint_url", &config.cos.endpoint_url),
        ("buckets.public_url", &config.buckets.public_url),
        ("telemetry.otlp_endpoint", &config.telemetry.otlp_endpoint),
    ] {
        if let Some(url) = url
            && !(url.starts_with("http://") || url.starts_with("https://"))
        {
            return refuse(key, format!("must begin with http:// or https://, not {url:?}"));
        }
    }
    if config.telemetry.otlp_endpoint.is_some() && !cfg!(feature = "otlp") {
        return Err(Error::new(
            mps_core::error::Kind::Unsupported,
            "telemetry.otlp_endpoint: this build cannot send traces; it was built without the feature otlp",
        ));
    }
    Ok(())
}

/// `host`, `host:port`, an address, or a network.
fn private_entry(entry: &str) -> Result<(), String> {
    let bad = |what: &str| Err(format!("{entry:?} is no {what}"));
    if let Some((address, bits)) = entry.split_once('/') {
        let most = match address.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return bad("network: write it as 10.1.0.0/16"),
        };
        return match bits.parse::<u8>() {
            Ok(bits) if bits <= most => Ok(()),
            _ => bad("network: write it as 10.1.0.0/16"),
        };
    }
    if entry.parse::<IpAddr>().is_ok() || entry.parse::<std::net::SocketAddr>().is_ok() {
        return Ok(());
    }
    let host = match entry.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok_and(|port| port != 0) => host,
        Some(_) => return bad("host:port"),
        None => entry,
    };
    let plain = !host.is_empty() && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if plain { Ok(()) } else { bad("host, host:port or network") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Config)) -> String {
        let mut config = Config::default();
        change(&mut config);
        check(&config).unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_can_work() {
        check(&Config::default()).unwrap();
    }

    #[test]
    fn a_heartbeat_slower_than_the_lease_allows_is_refused() {
        assert!(refused(|c| c.workers.heartbeat_s = 20).starts_with("workers.heartbeat_s: "));
    }

    #[test]
    fn only_known_crash_points_are_taken() {
        let told = refused(|c| c.faults.crash_point = "nowhere".to_owned());
        assert!(told.starts_with("faults.crash_point: ") && told.contains("after-claim"), "{told}");
    }

    #[test]
    fn two_listeners_on_one_address_are_refused() {
        assert!(refused(|c| c.buckets.listen = c.listen).starts_with("buckets.listen: "));
    }

    #[test]
    fn private_addresses_are_hosts_ports_or_networks() {
        for good in [
            "localhost",
            "minio:9000",
            "10.0.0.0/8",
            "127.0.0.1",
            "127.0.0.1:80",
            "[::1]:80",
            "::1",
            "fd00::/8",
        ] {
            private_entry(good).unwrap();
        }
        for bad in ["", "http://x", "10.0.0.0/40", "x/8", "host:0", "host:http"] {
            assert!(private_entry(bad).is_err(), "{bad}");
        }
    }

    #[cfg(not(feature = "otlp"))]
    #[test]
    fn traces_are_refused_by_a_build_that_cannot_send_them() {
        let error = refused(|c| c.telemetry.otlp_endpoint = Some("http://127.0.0.1:4318".to_owned()));
        assert!(error.contains("feature otlp"), "{error}");
    }
}
