//! The same content plain and compressed, for whoever accepts what.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

/// A content coding (RFC 9110, 8.4.1) that the server has content in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentCoding {
    Brotli,
    Gzip,
    Identity,
}

/// The bytes of some content in one coding.
#[derive(Debug)]
pub struct Representation {
    pub coding: ContentCoding,
    pub bytes: Bytes,
    /// A strong validator (RFC 9110, 8.8.3): the hash of these bytes, so each coding has another one.
    pub etag: String,
}

/// Content in every coding that makes it smaller.
#[derive(Debug)]
pub struct EncodedContent {
    pub media_type: &'static str,
    /// The best coding first.
    compressed: Vec<Representation>,
    plain: Representation,
}

impl Representation {
    fn new(coding: ContentCoding, bytes: Bytes) -> Self {
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(&bytes)[..12]));
        Self { coding, bytes, etag }
    }
}

impl EncodedContent {
    /// Content that build.rs compressed. An empty form was not smaller.
    pub fn embedded(
        media_type: &'static str,
        plain: &'static [u8],
        brotli: &'static [u8],
        gzip: &'static [u8],
    ) -> Self {
        let forms = [(ContentCoding::Brotli, brotli), (ContentCoding::Gzip, gzip)];
        let kept = forms.into_iter().filter(|(_, bytes)| !bytes.is_empty());
        let compressed = kept.map(|(coding, bytes)| Representation::new(coding, Bytes::from_static(bytes))).collect();
        Self { media_type, compressed, plain: Representation::new(ContentCoding::Identity, Bytes::from_static(plain)) }
    }

    /// Compresses with gzip alone: brotli takes longer and saves less than 2 % more of a page.
    pub fn gzipped(media_type: &'static str, text: String) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        // Writing to memory does not fail. If it did, the plain text would be left.
        let gzip = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).ok();
        let smaller = gzip.filter(|gzip| gzip.len() < text.len());
        let compressed = smaller.map(|gzip| Representation::new(ContentCoding::Gzip, gzip.into()));
        let plain = Representation::new(ContentCoding::Identity, text.into());
        Self { media_type, compressed: compressed.into_iter().collect(), plain }
    }

    pub fn plain(&self) -> &Representation {
        &self.plain
    }

    /// The best coding first, the plain bytes last.
    pub fn representations(&self) -> impl Iterator<Item = &Representation> {
        self.compressed.iter().chain([&self.plain])
    }

    /// Whether the answer depends on `Accept-Encoding`.
    pub fn is_negotiated(&self) -> bool {
        !self.compressed.is_empty()
    }
}
