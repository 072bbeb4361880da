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

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// All files of the page.
pub(super) const ASSETS: &[Asset] = &[
    Asset { path: "/", media_type: HTML, bytes: include_bytes!("page/index.html") },
    Asset { path: "/style.css", media_type: STYLE, bytes: include_bytes!("page/style.css") },
    //= harness/spec/clients.md#cli-3-online-client
    //# CLI-3.2 (ours): An online client MUST show who may read each record.
    script("/access.js", include_bytes!("page/access.js")),
    script("/answers.js", include_bytes!("page/answers.js")),
    //= harness/spec/clients.md#cli-3-online-client
    //# CLI-3.1 (paper): An online client MUST show a person its own records in a web page.
    script("/app.js", include_bytes!("page/app.js")),
    script("/bitcoin.js", include_bytes!("page/bitcoin.js")),
    script("/calls.js", include_bytes!("page/calls.js")),
    script("/codec.js", include_bytes!("page/codec.js")),
    script("/dom.js", include_bytes!("page/dom.js")),
    script("/drawing.js", include_bytes!("page/drawing.js")),
    script("/ed25519.js", include_bytes!("page/ed25519.js")),
    script("/hash.js", include_bytes!("page/hash.js")),
    //= harness/spec/clients.md#cli-3-online-client
    //# CLI-3.4 (ours): An online client MUST NOT send a private key to the server.
    script("/keys.js", include_bytes!("page/keys.js")),
    script("/keyview.js", include_bytes!("page/keyview.js")),
    script("/listview.js", include_bytes!("page/listview.js")),
    script("/merkle.js", include_bytes!("page/merkle.js")),
    script("/reason.js", include_bytes!("page/reason.js")),
    //= harness/spec/clients.md#cli-3-online-client
    //# CLI-3.3 (ours): An online client MUST check receipts in the browser.
    script("/receipt.js", include_bytes!("page/receipt.js")),
    script("/resultview.js", include_bytes!("page/resultview.js")),
    script("/words.js", include_bytes!("page/words.js")),
];

const fn script(path: &'static str, bytes: &'static [u8]) -> Asset {
    Asset { path, media_type: SCRIPT, bytes }
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Write as _;
    use std::path::Path;
    use std::process::Command;

    use super::*;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/web/page");

    fn text(asset: &Asset) -> &str {
        std::str::from_utf8(asset.bytes).unwrap()
    }

    #[test]
    fn cli_3_1_every_file_of_the_page_is_served() {
        //= harness/spec/clients.md#cli-3-online-client
        //= type=test
        //# CLI-3.1 (paper): An online client MUST show a person its own records in a web page.
        let files = std::fs::read_dir(FOLDER).unwrap().map(|file| file.unwrap().path());
        let names = files.filter(|path| path.is_file()).map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name == "index.html" { "/".to_owned() } else { format!("/{name}") }
        });
        let served: BTreeSet<String> = ASSETS.iter().map(|asset| asset.path.to_owned()).collect();
        assert_eq!(names.collect::<BTreeSet<_>>(), served);
        // What one file asks for is there.
        for asset in ASSETS {
            for wanted in text(asset).split("from './").skip(1) {
                let name = wanted.split('\'').next().unwrap();
                assert!(served.contains(&format!("/{name}")), "{}: {name}", asset.path);
            }
        }
    }

    #[test]
    fn cli_3_4_the_page_sends_questions_only() {
        //= harness/spec/clients.md#cli-3-online-client
        //= type=test
        //# CLI-3.4 (ours): An online client MUST NOT send a private key to the server.
        // `.ci/page` looks at all that a browser sends; here it is that one place sends, and no body.
        let sends = ["fetch(", "XMLHttpRequest", "WebSocket", "EventSource", "sendBeacon"];
        for asset in ASSETS {
            let found = sends.iter().any(|way| text(asset).contains(way));
            assert_eq!(found, asset.path == "/calls.js", "{}", asset.path);
        }
        let calls = ASSETS.iter().find(|asset| asset.path == "/calls.js").unwrap();
        assert_eq!(text(calls).matches("fetch(").count(), 1);
        assert!(!text(calls).contains("body:") && !text(calls).contains("method:"));
    }

    #[test]
    fn cli_3_the_modules_of_the_page_pass_their_tests() {
        //= harness/spec/clients.md#cli-3-online-client
        //= type=test
        //# CLI-3.2 (ours): An online client MUST show who may read each record.
        //= harness/spec/clients.md#cli-3-online-client
        //= type=test
        //# CLI-3.3 (ours): An online client MUST check receipts in the browser.
        let tests = ["page.test.mjs", "vectors.test.mjs"];
        let paths = tests.map(|name| Path::new(FOLDER).join("tests").join(name));
        let ran = Command::new("node").args(["--test", "--test-reporter=tap"]).args(paths).output();
        let Ok(ran) = ran else {
            // Not by a macro, whose words the runner of the tests keeps to itself.
            let why = "SKIPPED page: node is absent; install it with: apt-get install nodejs\n";
            std::io::stderr().write_all(why.as_bytes()).unwrap();
            return;
        };
        let said = String::from_utf8_lossy(&ran.stdout);
        let passed =
            said.lines().find_map(|line| line.strip_prefix("# pass ")?.parse::<u32>().ok());
        assert!(ran.status.success() && passed.is_some_and(|count| count >= 20), "{said}");
    }
}
