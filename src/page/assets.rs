//! The files that pages link to, inside the binary.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::encoded::EncodedContent;

/// A file that pages link to.
#[derive(Debug)]
pub struct Asset {
    /// The name below `/assets/`.
    pub name: &'static str,
    pub content: EncodedContent,
}

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml; charset=utf-8";

/// A file of `templates/`, plain and as build.rs compressed it.
macro_rules! text_asset {
    ($name:literal, $media_type:ident) => {
        Asset {
            name: $name,
            content: EncodedContent::embedded(
                $media_type,
                include_bytes!(concat!("../../templates/", $name)),
                include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".br")),
                include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz")),
            ),
        }
    };
}

pub static ASSETS: LazyLock<[Asset; 8]> = LazyLock::new(|| {
    [
        text_asset!("style.css", CSS),
        text_asset!("cookie-check.js", SCRIPT),
        text_asset!("ended.js", SCRIPT),
        text_asset!("labs.css", CSS),
        text_asset!("labs.js", SCRIPT),
        text_asset!("cost.css", CSS),
        text_asset!("cost.js", SCRIPT),
        text_asset!("favicon.svg", SVG),
    ]
});

/// The picture of `favicon.svg` at 32 pixels, for browsers that look for a file at `/favicon.ico`.
pub static FAVICON: LazyLock<EncodedContent> =
    LazyLock::new(|| EncodedContent::embedded("image/x-icon", include_bytes!("../../templates/favicon.ico"), &[], &[]));

/// Changes with each file. Pages add it to the addresses, so that browsers may keep the files.
pub fn assets_version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let plain = ASSETS.iter().map(|asset| &asset.content.plain().bytes);
        URL_SAFE_NO_PAD.encode(&plain.fold(Sha256::new(), Sha256::chain_update).finalize()[..6])
    });
    &VERSION
}
