//! Which addresses messages may go to: it is the address that is connected to that counts, whatever a name leads to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is one of the internet at large: none of this machine, of a private network, of the link, or of
/// those that are set apart (RFC 6890).
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// Whether it is the address of one host.
pub(super) fn is_of_a_host(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    !address.is_unspecified() && !address.is_multicast() && !is_broadcast
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_set_apart = matches!(
        (a, b, c),
        // This network, classes D and E; between providers and customers; protocols; relays of 6to4; benchmarks.
        (0 | 224.., ..) | (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99) | (198, 18..=19, _)
    );
    !(is_set_apart
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, rest @ .., high, low] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match (a, b) {
        // IPv4 within IPv6: mapped, translated (NAT64), and 6to4.
        (0, 0) => c == 0 && rest == [0, 0, 0xffff] && is_public_v4(v4(high, low)),
        (0x64, 0xff9b) => c == 0 && rest == [0, 0, 0] && is_public_v4(v4(high, low)),
        (0x2002, _) => is_public_v4(v4(b, c)),
        // Teredo and other protocols; documentation, twice.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, ..=0xfff) => false,
        // Where addresses of the internet are given out.
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_public() {
        let table = [
            ("93.184.216.34", true),
            ("100.63.0.1", true),
            ("172.15.0.1", true),
            ("127.0.0.1", false),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("100.127.0.1", false),
            ("192.0.0.8", false),
            ("192.0.2.1", false),
            ("198.18.0.1", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:2800:220:1::1", true),
            ("2001:4860:4860::8888", true),
            ("::", false),
            ("::1", false),
            ("::7f00:1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:93.184.216.34", true),
            ("64:ff9b::10.0.0.1", false),
            ("64:ff9b::93.184.216.34", true),
            ("64:ff9b:1::1", false),
            ("2002:7f00:1::1", false),
            ("2002:5db8:d822::1", true),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("3fff::1", false),
            ("fc00::1", false),
            ("fd12::1", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
            ("100::1", false),
        ];
        for (address, expected) in table {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
        for (address, expected) in [("127.0.0.1", true), ("10.0.0.1", true), ("0.0.0.0", false), ("ff02::1", false)] {
            assert_eq!(is_of_a_host(address.parse().unwrap()), expected, "{address}");
        }
    }
}
