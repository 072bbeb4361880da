//! Whoever is slow is not waited for. The clock is the test's: it goes on when nothing else happens.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::web::server::connection;

/// A connection to a router, and the task that answers on it.
fn connect(fake: &Arc<Fake>, buffer: usize) -> (DuplexStream, JoinHandle<()>, watch::Sender<bool>) {
    let (here, there) = duplex(buffer);
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(connection(there, open(fake), Bounds::default(), stopped));
    (here, task, stop)
}

#[tokio::test(start_paused = true)]
async fn a_head_that_comes_slowly_or_never_ends_its_connection() {
    let fake = Fake::new();
    for step in [None, Some(Duration::from_secs(1)), Some(Duration::from_secs(4))] {
        let (mut client, task, _stop) = connect(&fake, 1_024);
        let begun = Instant::now();
        let dripping = async {
            client.write_all(b"GET /v1/status HTTP/1.1\r\n").await.unwrap();
            // Field after field, so that something always comes. The pauses are what is sent, not what is waited
            // for: the clock stands still and jumps to the next of them.
            while let Some(step) = step {
                tokio::time::sleep(step).await;
                if client.write_all(b"x: y\r\n").await.is_err() {
                    break;
                }
            }
            let mut answer = Vec::new();
            // It may be broken off.
            let _ = client.read_to_end(&mut answer).await;
            answer
        };
        let answer = dripping.await;
        task.await.unwrap();
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
        let took = begun.elapsed();
        assert!(took <= Bounds::default().head_time + Duration::from_secs(5), "{took:?}");
    }
    // A connection that says nothing at all, or nothing after its first answer.
    let (mut client, task, _stop) = connect(&fake, 1_024);
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let begun = Instant::now();
    client.read_to_end(&mut Vec::new()).await.unwrap();
    task.await.unwrap();
    assert!(begun.elapsed() <= Bounds::default().head_time + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_slowly_is_given_up() {
    let fake = Fake::new();
    let (mut client, task, _stop) = connect(&fake, 1_024);
    client.write_all(b"POST /v1/records HTTP/1.1\r\ncontent-length: 1000\r\n\r\n").await.unwrap();
    let begun = Instant::now();
    let mut answer = [0; 12];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), Bounds::default().request_time.as_secs());
    assert_eq!(&answer, b"HTTP/1.1 408");
    let mut rest = String::new();
    client.read_to_string(&mut rest).await.unwrap();
    assert!(
        rest.contains(r#"{"error":"time: no answer within 30000 ms","limit":30000}"#),
        "{rest}"
    );
    task.await.unwrap();
    assert!(fake.records.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_the_answer_loses_the_connection() {
    let fake = Fake::new();
    // Room for less than the answer.
    let (mut client, task, _stop) = connect(&fake, 64);
    client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let (begun, time) = (Instant::now(), Bounds::default().piece_time);
    tokio::time::timeout(time * 2, task).await.expect("an end").unwrap();
    assert_eq!(begun.elapsed().as_secs(), time.as_secs());
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_connection_ends_although_something_is_always_asked() {
    let fake = Fake::new();
    let (mut client, task, _stop) = connect(&fake, 65_536);
    let begun = Instant::now();
    let asking = tokio::spawn(async move {
        let line = b"GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n";
        // A question each second, whatever is answered.
        while client.write_all(line).await.is_ok() {
            let _ = client.read(&mut [0; 4_096]).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let time = Bounds::default().connection_time;
    tokio::time::timeout(time * 2, task).await.expect("an end").unwrap();
    assert_eq!(begun.elapsed().as_secs(), time.as_secs());
    asking.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_file_that_comes_slowly_or_stops_is_given_up() {
    let fake = Fake::new();
    let bounds = Bounds::default();
    let line = format!("/v1/objects/{}", sha256(&[7; 65_536]));
    // Pieces of so many bytes, one each so many seconds; until then they are given up.
    for (bytes, step, given_up) in [(1, 20, 30), (65_536, 31, 30), (8_192, 1, 60), (0, 1_000, 30)] {
        let (mut client, task, _stop) = connect(&fake, 1 << 17);
        let call = call(1, "PUT", &line);
        let head = format!(
            "PUT {line} HTTP/1.1\r\nhost: x\r\ncontent-length: 5000000\r\nauthorization: {call}\r\n\r\n"
        );
        client.write_all(head.as_bytes()).await.unwrap();
        let (mut answer, mut client) = tokio::io::split(client);
        let begun = Instant::now();
        let sending = tokio::spawn(async move {
            let piece = vec![7; bytes];
            while client.write_all(&piece).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(step)).await;
            }
        });
        let mut told = Vec::new();
        answer.read_to_end(&mut told).await.unwrap();
        let told = String::from_utf8(told).unwrap();
        assert!(told.starts_with("HTTP/1.1 408"), "{told}");
        assert!(told.contains(r#""limit":16384"#), "{told}");
        assert_eq!(begun.elapsed().as_secs(), given_up, "{bytes} bytes each {step} s");
        assert!(begun.elapsed() < bounds.upload_time);
        task.await.unwrap();
        sending.abort();
    }
    assert!(fake.objects.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_too_long_is_an_error_and_the_next_is_answered() {
    let fake = Fake::new();
    let router = open(&fake);
    fake.allowed.forget_permits(Semaphore::MAX_PERMITS);
    let begun = Instant::now();
    let (status, response) = ask(&router, get("/v1/status", None)).await;
    assert_eq!(begun.elapsed().as_secs(), Bounds::default().request_time.as_secs());
    assert_eq!((status, told(&response).as_str()), (408, "time: no answer within 30000 ms"));
    fake.allowed.add_permits(1);
    assert_eq!(ask(&router, get("/v1/status", None)).await.0, 200);
}

#[tokio::test]
async fn a_request_under_way_is_answered_when_the_server_stops() {
    let fake = Fake::new();
    fake.allowed.forget_permits(Semaphore::MAX_PERMITS);
    let (mut client, task, stop) = connect(&fake, 65_536);
    client.write_all(b"GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    fake.arrived.acquire().await.unwrap().forget();
    stop.send_replace(true);
    fake.allowed.add_permits(1);
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    task.await.unwrap();
}
