//! A real listener, and clients that mean it no good.

use std::net::SocketAddr;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::web::{Server, serve};

/// So long nobody waits unless something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

async fn listen(fake: &Arc<Fake>, bounds: Bounds) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve(listener, fake.clone(), bounds).unwrap()
}

/// Everything that comes back until the connection is closed; the request is all that is ever sent.
async fn exchange(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may have closed before all was sent, or before all was read.
        let _ = stream.write_all(request).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut answer).await;
    };
    let ended = tokio::time::timeout(PATIENCE, exchange).await;
    assert!(ended.is_ok(), "no end after {}", request.escape_ascii());
    answer
}

fn status(answer: &[u8]) -> Option<u16> {
    std::str::from_utf8(answer.strip_prefix(b"HTTP/1.1 ")?.get(..3)?).ok()?.parse().ok()
}

/// What makes requests that are wrong, each in one way of many, from a seed.
struct Mischief(ChaCha8Rng);

impl Mischief {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.next_u64() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn one_of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    fn bytes(&mut self, bytes_max: usize) -> Vec<u8> {
        let mut bytes = vec![0; self.below(bytes_max) + 1];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| char::from(b"0123456789abcdef"[self.below(16)])).collect()
    }

    /// A line about somebody: nobody is answered there without a call.
    fn private(&mut self) -> String {
        let id = self.hex(64);
        let line =
            self.one_of(&["/v1/owners/ID/records", "/v1/owners/ID/readers", "/v1/records/ID"]);
        let line = line.replace("ID", &id);
        let query =
            self.one_of(&["", "?at=1", "?at=1&after=1.1.1", "?at=-1", "?&&&", "?at=1&at=1"]);
        format!("{line}{query}")
    }

    fn request(&mut self) -> Vec<u8> {
        let line = self.private();
        let text = match self.below(12) {
            0 => return self.bytes(200),
            1 => {
                let method =
                    self.one_of(&["get", "GE T", "", "G\0T", "GET\t", "\u{e9}", "TRACE", "("]);
                format!("{method} {line} HTTP/1.1\r\n\r\n")
            }
            2 => {
                let version =
                    self.one_of(&["HTTP/9.9", "HTTP/1.", "http/1.1", "", "HTTP/2.0", "XTTP/1.1"]);
                format!("GET /v1/status {version}\r\n\r\n")
            }
            3 => {
                let step = self.one_of(&[
                    "../",
                    "..%2f",
                    "%2e%2e/",
                    "//",
                    ".\\",
                    "%00",
                    "%",
                    "%zz",
                    ";",
                    "~",
                    "*",
                    "\u{1f600}",
                ]);
                let steps = step.repeat(self.below(20) + 1);
                format!("GET /v1/{steps}etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n")
            }
            4 => {
                let field = self.one_of(&[
                    "no colon",
                    ": no name",
                    "a b: c",
                    "x: \u{0}",
                    "x\u{1}: y",
                    "x : y",
                    "host",
                    "\u{e9}: x",
                ]);
                format!("GET /v1/status HTTP/1.1\r\n{field}\r\n\r\n")
            }
            5 => {
                let call = Caller::sign(&CHAIN, "GET", &line, NOW, &key(1)).to_string();
                let at = self.below(call.len());
                let mut call = call.into_bytes();
                // Neither a letter nor a digit of what was there.
                call[at] = self.one_of(&["\u{7f}", "g", " ", ",", "!"]).as_bytes()[0];
                if call == Caller::sign(&CHAIN, "GET", &line, NOW, &key(1)).to_string().as_bytes() {
                    call[at] = b'!';
                }
                let mut text = format!("GET {line} HTTP/1.1\r\nauthorization: ").into_bytes();
                text.append(&mut call);
                text.extend(b"\r\n\r\n");
                return text;
            }
            6 => {
                let length = self.one_of(&[
                    "-1",
                    "x",
                    "99999999999999999999",
                    "1, 2",
                    "0x10",
                    " ",
                    "+5",
                    "200000",
                ]);
                format!("POST /v1/records HTTP/1.1\r\ncontent-length: {length}\r\n\r\nMENV\u{1}")
            }
            7 => {
                let chunk = self.one_of(&[
                    "zz\r\nx",
                    "-1\r\n",
                    "ffffffffffffffff\r\nx",
                    "1\r\nxx\r\n0",
                    "5\r\nx",
                ]);
                let chunked = "transfer-encoding: chunked";
                format!("POST /v1/records HTTP/1.1\r\n{chunked}\r\n\r\n{chunk}\r\n\r\n")
            }
            8 => {
                let (said, body) = (self.below(300), self.hex(100));
                format!("POST /v1/records HTTP/1.1\r\ncontent-length: {said}\r\n\r\n{body}")
            }
            9 => {
                let many = "x: y\r\n".repeat(65 + self.below(200));
                format!("GET /v1/status HTTP/1.1\r\n{many}\r\n")
            }
            10 => {
                let both = "content-length: 4\r\ntransfer-encoding: chunked, identity";
                format!(
                    "POST /v1/requests HTTP/1.1\r\n{both}\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"
                )
            }
            _ => format!("GET {line} HTTP/1.1\r\nhost: x\r\n\r\n"),
        };
        let mut bytes = text.into_bytes();
        if self.below(4) == 0 {
            bytes.truncate(self.below(bytes.len()));
        }
        bytes
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_malformed_requests_end_and_get_nothing() {
    const SEED: u64 = 20_171_160_661;
    let fake = Fake::new();
    let server = listen(&fake, Bounds::default()).await;
    let mut mischief = Mischief(ChaCha8Rng::seed_from_u64(SEED));
    let mut statuses: BTreeMap<Option<u16>, u32> = BTreeMap::new();
    for number in 0..10_000 {
        let request = mischief.request();
        let answer = exchange(server.address(), &request).await;
        let status = status(&answer);
        let shown = || format!("seed {SEED}, request {number}: {}", request.escape_ascii());
        assert!(status.is_none_or(|it| (400..600).contains(&it)), "{status:?}, {}", shown());
        let answered = answer.windows(10).filter(|part| part.starts_with(b"HTTP/1.1 2")).count();
        assert_eq!(answered, 0, "{}", shown());
        *statuses.entry(status).or_default() += 1;
    }
    // The ways to be wrong are many, and none is the server's fault.
    for expected in [400, 401, 404, 413, 431] {
        assert!(statuses.contains_key(&Some(expected)), "{expected}: {statuses:?}");
    }
    assert!(statuses.keys().all(|it| *it != Some(500)), "{statuses:?}");
    assert_eq!(server.panics(), 0);
    assert_eq!(*fake.asked.lock().unwrap(), []);
    // Whoever closes its side early, as those above, may get no answer; this one waits.
    turn(&mut TcpStream::connect(server.address()).await.unwrap()).await;
    server.stop().await;
}

#[tokio::test]
async fn heads_are_bounded() {
    let fake = Fake::new();
    let bounds = Bounds::default();
    let server = listen(&fake, bounds).await;
    let head = |bytes: usize| {
        let value = "y".repeat(bytes);
        format!("GET /v1/status HTTP/1.1\r\nhost: x\r\nx: {value}\r\n\r\n").into_bytes()
    };
    let at = server.address();
    let mut patient = TcpStream::connect(at).await.unwrap();
    patient.write_all(&head(bounds.head_bytes_max / 2)).await.unwrap();
    let mut answer = [0; 12];
    patient.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    for bytes in [bounds.head_bytes_max, 1 << 20, 8 << 20] {
        let status = status(&exchange(at, &head(bytes)).await);
        assert!(matches!(status, None | Some(431)), "{bytes}: {status:?}");
    }
    let line = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(bounds.head_bytes_max));
    let found = status(&exchange(at, line.as_bytes()).await);
    assert!(matches!(found, None | Some(414 | 431)), "{found:?}");
    server.stop().await;
}

#[tokio::test]
async fn no_more_connections_than_allowed_are_answered_at_a_time() {
    let fake = Fake::new();
    let server = listen(&fake, Bounds { connections_max: 2, ..Bounds::default() }).await;
    let connect = async || TcpStream::connect(server.address()).await.unwrap();
    let (mut first, mut second, mut third) = (connect().await, connect().await, connect().await);
    turn(&mut first).await;
    turn(&mut second).await;
    third.write_all(STATUS).await.unwrap();
    for _ in 0..50 {
        turn(&mut first).await;
    }
    let early = third.try_read(&mut [0; 1]);
    assert_eq!(early.unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "it has to wait");
    drop(first);
    let mut answer = [0; 12];
    third.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    server.stop().await;
}

const STATUS: &[u8] = b"GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n";

/// A question and its answer on a connection that goes on.
async fn turn(stream: &mut TcpStream) {
    stream.write_all(STATUS).await.unwrap();
    let end = br#"{"asked":"/v1/status"}"#;
    let mut answer = Vec::new();
    while !answer.ends_with(end) {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_server_that_stops_closes_what_is_idle_and_accepts_nobody() {
    let fake = Fake::new();
    let server = listen(&fake, Bounds::default()).await;
    let address = server.address();
    let mut idle = TcpStream::connect(address).await.unwrap();
    turn(&mut idle).await;
    server.stop().await;
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0);
    assert!(TcpStream::connect(address).await.is_err());
}
