//! Which addresses are inside: those of the machine itself, of its network, and of nobody.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a user's URL may not lead to `ip` unless the operator allows it.
///
/// Everything that is not plainly an address of the public internet counts, and so do the IPv6 forms that
/// carry such an IPv4 address inside (mapped, compatible, NAT64, 6to4).
pub fn blocked(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => blocked_v4(ip),
        IpAddr::V6(ip) => match embedded_v4(ip) {
            Some(inner) => blocked_v4(inner),
            None => blocked_v6(ip),
        },
    }
}

/// The address that rules are compared with: a mapped IPv4 address counts as the IPv4 address.
pub(crate) fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

fn blocked_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
}

fn blocked_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    let is_global_unicast = s[0] & 0xe000 == 0x2000;
    // 2001::/23 is set aside for protocols (Teredo among them, which hides an IPv4 address in its last bits).
    let is_special = s[0] == 0x2001 && s[1] < 0x0200;
    let is_documentation = (s[0] == 0x2001 && s[1] == 0x0db8) || (s[0] == 0x3fff && s[1] < 0x1000);
    !is_global_unicast || is_special || is_documentation
}

/// The IPv4 address that traffic to `ip` would end at.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = ip.segments();
    let from = |high: u16, low: u16| Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match segments {
        // In order: compatible (`::` and `::1` fall into 0.0.0.0/8 this way) and mapped, translated (RFC 2765),
        // NAT64 under its well-known prefix, 6to4.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => from(high, low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_blocked(text: &str) -> bool {
        blocked(text.parse().unwrap())
    }

    #[test]
    fn inner_addresses_are_blocked_in_every_clothing() {
        for text in [
            "127.0.0.1",
            "127.255.0.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "0.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
            "100::1",
        ] {
            assert!(is_blocked(text), "{text}");
        }
    }

    #[test]
    fn public_addresses_are_not_blocked() {
        for text in [
            "8.8.8.8",
            "100.128.0.1",
            "172.32.0.1",
            "198.20.0.1",
            "192.0.1.1",
            "2606:4700:4700::1111",
            "2a00:1450:4001:81b::200e",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            "2001:4860:4860::8888",
        ] {
            assert!(!is_blocked(text), "{text}");
        }
    }
}
