//! The page of an online client: files that travel within the program. [CLI-3]

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// A file of the page.
pub(super) struct Asset {
    /// Where it is.
    pub(super) path: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
}

/// All files of the page.
pub(super) const ASSETS: &[Asset] = &[
    asset("/", HTML, include_bytes!("page/index.html")),
    asset("/style.css", CSS, include_bytes!("page/style.css")),
    asset("/access.js", SCRIPT, include_bytes!("page/access.js")),
    asset("/answers.js", SCRIPT, include_bytes!("page/answers.js")),
    asset("/app.js", SCRIPT, include_bytes!("page/app.js")),
    asset("/bitcoin.js", SCRIPT, include_bytes!("page/bitcoin.js")),
    asset("/calls.js", SCRIPT, include_bytes!("page/calls.js")),
    asset("/codec.js", SCRIPT, include_bytes!("page/codec.js")),
    asset("/dom.js", SCRIPT, include_bytes!("page/dom.js")),
    asset("/drawing.js", SCRIPT, include_bytes!("page/drawing.js")),
    asset("/ed25519.js", SCRIPT, include_bytes!("page/ed25519.js")),
    asset("/hash.js", SCRIPT, include_bytes!("page/hash.js")),
    asset("/keys.js", SCRIPT, include_bytes!("page/keys.js")),
    asset("/keyview.js", SCRIPT, include_bytes!("page/keyview.js")),
    asset("/listview.js", SCRIPT, include_bytes!("page/listview.js")),
    asset("/merkle.js", SCRIPT, include_bytes!("page/merkle.js")),
    asset("/reason.js", SCRIPT, include_bytes!("page/reason.js")),
    asset("/receipt.js", SCRIPT, include_bytes!("page/receipt.js")),
    asset("/resultview.js", SCRIPT, include_bytes!("page/resultview.js")),
    asset("/words.js", SCRIPT, include_bytes!("page/words.js")),
];

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

const fn asset(path: &'static str, media_type: &'static str, bytes: &'static [u8]) -> Asset {
    Asset { path, media_type, bytes }
}

/// What a browser may do with anything that comes from here: run and show the page's own files, ask this
/// institution, and nothing else. So no text of a record can become a program.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FIELDS: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Puts the fields above into an answer.
pub(super) fn guard(fields: &mut HeaderMap) {
    for (name, value) in FIELDS {
        fields.insert(name, HeaderValue::from_static(value));
    }
}

/// A file of the page.
pub(super) fn show(asset: &'static Asset) -> Response {
    ([(header::CONTENT_TYPE, asset.media_type)], asset.bytes).into_response()
}
