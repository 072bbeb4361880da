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
pub(super) const ASSETS: &[Asset] = &[Asset {
    path: "/",
    media_type: "text/html; charset=utf-8",
    bytes: include_bytes!("page/index.html"),
}];

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
