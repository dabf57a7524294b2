//! What the operator allows of that which is otherwise blocked: the entries of `network.allow_private`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;
use mps_core::{Error, Result};
use url::Host;

use super::address::{blocked, canonical};

/// Which private addresses users' URLs may lead to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Entries of `network.allow_private`; one that matches is enough.
    pub allow_private: Vec<Allowed>,
}

/// One entry: `host`, `host:port`, an address, `address:port`, a network, or `network:port`.
///
/// A host name allows what *that name* resolves to; an address or a network allows it under any name.
/// Without a port every port is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    place: Place,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Name(String),
    Net(IpNet),
}

impl Policy {
    /// Reads the entries as they stand in the configuration; the error names the entry.
    pub fn parse<S: AsRef<str>>(entries: impl IntoIterator<Item = S>) -> Result<Self> {
        let allow_private = entries.into_iter().map(|e| e.as_ref().parse()).collect::<Result<_>>()?;
        Ok(Self { allow_private })
    }

    /// Whether `ip` may be reached at `port`; `name` is what it was resolved from, if it was not given itself.
    pub fn permits(&self, name: Option<&str>, ip: IpAddr, port: u16) -> bool {
        !blocked(ip) || self.allow_private.iter().any(|allowed| allowed.covers(name, ip, port))
    }

    /// The ports that some entry names; for all others the same entries count.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let mut ports: Vec<u16> = self.allow_private.iter().filter_map(|allowed| allowed.port).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }
}

impl Allowed {
    fn covers(&self, name: Option<&str>, ip: IpAddr, port: u16) -> bool {
        if self.port.is_some_and(|only| only != port) {
            return false;
        }
        match &self.place {
            Place::Name(own) => name.is_some_and(|name| plain_name(name) == *own),
            Place::Net(net) => net.contains(&canonical(ip)),
        }
    }
}

/// A name as it is compared: lower case and without the dot of the root.
fn plain_name(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

impl FromStr for Allowed {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let bad = || {
            Error::invalid(format!("{text:?} is no host, host:port, address or network such as 10.1.0.0/16"))
        };
        let port_of = |digits: &str| digits.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(bad);
        let net = |ip: IpAddr| Place::Net(IpNet::from(canonical(ip)));
        if let Some((address, rest)) = text.split_once('/') {
            let address: IpAddr = bare(address).parse().map_err(|_| bad())?;
            let (bits, port) = match rest.split_once(':') {
                Some((bits, port)) => (bits, Some(port_of(port)?)),
                None => (rest, None),
            };
            let net = IpNet::new(address, bits.parse().map_err(|_| bad())?).map_err(|_| bad())?;
            return Ok(Self { place: Place::Net(net.trunc()), port });
        }
        if let Ok(ip) = bare(text).parse::<IpAddr>() {
            return Ok(Self { place: net(ip), port: None });
        }
        if let Ok(at) = text.parse::<SocketAddr>() {
            let port = Some(at.port()).filter(|port| *port != 0).ok_or_else(bad)?;
            return Ok(Self { place: net(at.ip()), port: Some(port) });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port_of(port)?)),
            None => (text, None),
        };
        match Host::parse(host).map_err(|_| bad())? {
            Host::Domain(name) if !plain_name(&name).is_empty() => {
                Ok(Self { place: Place::Name(plain_name(&name)), port })
            }
            Host::Domain(_) => Err(bad()),
            Host::Ipv4(ip) => Ok(Self { place: net(ip.into()), port }),
            Host::Ipv6(ip) => Ok(Self { place: net(ip.into()), port }),
        }
    }
}

fn bare(text: &str) -> &str {
    text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text)
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Name(name) => f.write_str(name)?,
            Place::Net(net) => write!(f, "{net}")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(entry: &str, name: Option<&str>, ip: &str, port: u16) -> bool {
        Policy::parse([entry]).unwrap().permits(name, ip.parse().unwrap(), port)
    }

    #[test]
    fn a_host_with_a_port_opens_that_port_of_that_name_only() {
        assert!(permits("Minio.Local:9000", Some("minio.local."), "10.0.0.5", 9000));
        assert!(!permits("minio.local:9000", Some("minio.local"), "10.0.0.5", 80));
        assert!(!permits("minio.local:9000", Some("evil.example"), "10.0.0.5", 9000));
        assert!(!permits("minio.local:9000", None, "10.0.0.5", 9000));
    }

    #[test]
    fn a_network_opens_its_addresses_under_every_name() {
        assert!(permits("10.0.0.0/8", None, "10.9.8.7", 1));
        assert!(permits("10.0.0.0/8", Some("x.example"), "::ffff:10.9.8.7", 1));
        assert!(!permits("10.0.0.0/8", None, "192.168.0.1", 1));
        assert!(permits("10.0.0.0/8:443", None, "10.9.8.7", 443));
        assert!(!permits("10.0.0.0/8:443", None, "10.9.8.7", 80));
        assert!(permits("fd00::/8", None, "fd00::1", 80));
        assert!(permits("[::1]:8080", None, "::1", 8080));
        assert!(!permits("[::1]:8080", None, "::1", 8081));
        assert!(permits("127.0.0.1", None, "127.0.0.1", 8081));
    }

    #[test]
    fn public_addresses_need_no_entry() {
        assert!(Policy::default().permits(None, "8.8.8.8".parse().unwrap(), 80));
        assert!(!Policy::default().permits(Some("localhost"), "127.0.0.1".parse().unwrap(), 80));
    }

    #[test]
    fn entries_that_say_nothing_are_refused_by_text() {
        for entry in ["", ":80", "host:0", "host:99999", "10.0.0.0/33", "a b", "10.0.0.0/x", "host:port", "."]
        {
            let told = entry.parse::<Allowed>().unwrap_err();
            assert!(told.message().contains(&format!("{entry:?}")), "{entry} {told}");
        }
    }

    #[test]
    fn an_entry_prints_as_it_is_read() {
        for entry in ["minio:9000", "nas.local", "10.0.0.0/8", "10.0.0.0/8:443", "127.0.0.1/32:80"] {
            assert_eq!(entry.parse::<Allowed>().unwrap().to_string(), entry);
        }
    }
}
