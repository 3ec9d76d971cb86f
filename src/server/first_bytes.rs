//! What the first bytes of a connection decide.

/// The first bytes of HTTP/2 without TLS (RFC 9113, 3.4). Nobody needs it here, and its frames would evade the limits of a
/// connection.
const HTTP2: &[u8] = b"PRI";

/// The request that has places in reserve.
const HEALTH: &[u8] = b"GET /healthz ";

/// The first bytes so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FirstBytes {
    /// This many are those of [`HTTP2`].
    MaybeHttp2(usize),
    /// Those of [`HEALTH`] alone are accepted. This many came.
    HealthOnly(usize),
    /// Those of [`HEALTH`]: the connection ends after the answer.
    Health,
    Accepted,
}

/// Why the connection must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FirstBytesRefusal {
    Http2,
    /// Every other place is taken.
    NoPlace,
}

impl FirstBytesRefusal {
    pub fn reason(self) -> &'static str {
        match self {
            Self::Http2 => "the server does not speak HTTP/2 without TLS",
            Self::NoPlace => "every connection is in use",
        }
    }
}

impl FirstBytes {
    /// Before the first byte of any request.
    pub const ANY: Self = Self::MaybeHttp2(0);

    /// Before the first byte in the reserve.
    pub const HEALTH_ONLY: Self = Self::HealthOnly(0);

    /// Reads the next bytes.
    pub fn read(self, new: &[u8]) -> Result<Self, FirstBytesRefusal> {
        let same = |expected: &[u8]| expected.iter().zip(new).take_while(|(ours, theirs)| ours == theirs).count();
        match self {
            Self::Accepted | Self::Health => Ok(self),
            Self::MaybeHttp2(begun) => {
                let rest = &HTTP2[begun..];
                match same(rest) {
                    all if all == rest.len() => Err(FirstBytesRefusal::Http2),
                    some if some == new.len() => Ok(Self::MaybeHttp2(begun + some)),
                    _ => Ok(Self::Accepted),
                }
            }
            Self::HealthOnly(begun) => {
                let rest = &HEALTH[begun..];
                match same(rest) {
                    all if all == rest.len() => Ok(Self::Health),
                    some if some == new.len() => Ok(Self::HealthOnly(begun + some)),
                    _ => Err(FirstBytesRefusal::NoPlace),
                }
            }
        }
    }

    /// Whether the connection has a place of the reserve.
    pub fn are_of_the_reserve(self) -> bool {
        matches!(self, Self::HealthOnly(_) | Self::Health)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_may_come_one_by_one() {
        let read = |first: FirstBytes, bytes: &[u8]| bytes.iter().try_fold(first, |first, byte| first.read(&[*byte]));
        assert_eq!(read(FirstBytes::ANY, b"PRI"), Err(FirstBytesRefusal::Http2));
        assert_eq!(read(FirstBytes::ANY, b"PR"), Ok(FirstBytes::MaybeHttp2(2)));
        assert_eq!(read(FirstBytes::ANY, b"PROPFIND"), Ok(FirstBytes::Accepted));
        assert_eq!(read(FirstBytes::HEALTH_ONLY, b"GET /healthz"), Ok(FirstBytes::HealthOnly(12)));
        assert_eq!(read(FirstBytes::HEALTH_ONLY, b"GET /healthz HTTP"), Ok(FirstBytes::Health));
        assert_eq!(read(FirstBytes::HEALTH_ONLY, b"GET /healthy "), Err(FirstBytesRefusal::NoPlace));
    }

    #[test]
    fn first_bytes_may_come_with_the_rest() {
        assert_eq!(FirstBytes::ANY.read(b"PRI * HTTP/2.0"), Err(FirstBytesRefusal::Http2));
        assert_eq!(FirstBytes::ANY.read(b"GET / HTTP/1.1"), Ok(FirstBytes::Accepted));
        assert_eq!(FirstBytes::HEALTH_ONLY.read(b"GET /healthz HTTP/1.1"), Ok(FirstBytes::Health));
        assert_eq!(FirstBytes::HEALTH_ONLY.read(b"GET /jwt/ HTTP/1.1"), Err(FirstBytesRefusal::NoPlace));
    }
}
