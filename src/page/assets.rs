//! The files that pages link to, inside the binary.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// A file that pages link to.
#[derive(Debug)]
pub struct Asset {
    /// The name below `/assets/`.
    pub name: &'static str,
    pub media_type: &'static str,
    pub content: &'static [u8],
}

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

pub const ASSETS: [Asset; 8] = [
    Asset { name: "style.css", media_type: CSS, content: include_bytes!("../../templates/style.css") },
    Asset { name: "cookie-check.js", media_type: SCRIPT, content: include_bytes!("../../templates/cookie-check.js") },
    Asset { name: "ended.js", media_type: SCRIPT, content: include_bytes!("../../templates/ended.js") },
    Asset { name: "labs.css", media_type: CSS, content: include_bytes!("../../templates/labs.css") },
    Asset { name: "labs.js", media_type: SCRIPT, content: include_bytes!("../../templates/labs.js") },
    Asset { name: "cost.css", media_type: CSS, content: include_bytes!("../../templates/cost.css") },
    Asset { name: "cost.js", media_type: SCRIPT, content: include_bytes!("../../templates/cost.js") },
    Asset {
        name: "favicon.svg",
        media_type: "image/svg+xml; charset=utf-8",
        content: include_bytes!("../../templates/favicon.svg"),
    },
];

/// The picture of `favicon.svg` at 32 pixels, for browsers that look for a file at `/favicon.ico`.
pub const FAVICON: Asset =
    Asset { name: "favicon.ico", media_type: "image/x-icon", content: include_bytes!("../../templates/favicon.ico") };

impl Asset {
    /// A strong validator (RFC 9110, 8.8.3): the content's hash.
    pub fn etag(&self) -> String {
        format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(self.content)[..12]))
    }
}

/// Changes with each file. Pages add it to the addresses, so that browsers may keep the files.
pub fn assets_version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let all = ASSETS.iter().fold(Sha256::new(), |hasher, asset| hasher.chain_update(asset.content));
        URL_SAFE_NO_PAD.encode(&all.finalize()[..6])
    });
    &VERSION
}
