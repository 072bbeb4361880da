//! `mdsm record`, `request`, `grant` and `revoke` as people type them, on a network of institutions that serve. [CLI-2]
#![cfg(all(feature = "network", not(mdsm_loom)))]
#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;

use mdsm_core::crypto::sha256;
use mdsm_core::environment::Secret;
use mdsm_core::params::{ACCESS, SMALL};
use mdsm_core::reencryption::Capsule;
use mdsm_core::runtime::settings::NodeFile;
use mdsm_core::service::sharing::Proxy;
use mdsm_core::service::{Local, Pace, Served};
use mdsm_core::types::InstitutionId;

const PACE: Pace = Pace { turn_ms: 100, minute_ms: 1_000, window_ms: 5_000, delay_ms: 50 };

/// The institution whose proxy re-encrypts wrongly.
const CROOK: InstitutionId = InstitutionId::new(6);

struct Desk {
    folder: PathBuf,
}

impl Desk {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Runs a command without a network.
    fn plain(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mdsm"));
        let output = command.args(words).current_dir(&self.folder).output().unwrap();
        let bytes = [&output.stdout[..], &output.stderr[..]].concat();
        (output.status.code(), String::from_utf8(bytes).unwrap())
    }

    /// Runs a command of somebody.
    fn run(&self, who: &str, words: &[&str]) -> (Option<i32>, String) {
        // Whatever a file is called, no other one that is kept beside it is put in its place.
        let key = format!("{who}.new");
        let asking = ["--key", &key, "--network", "network/network.toml"];
        self.plain(&[words, &asking].concat())
    }

    /// The same for what has to work.
    fn does(&self, who: &str, words: &[&str]) -> String {
        let (code, text) = self.run(who, words);
        assert_eq!(code, Some(0), "{who}: {words:?}: {text}");
        assert!(text.contains("\nnext       "), "{text}");
        text
    }

    /// The same, again and again: what was accepted is booked within a few turns.
    fn comes_to(&self, who: &str, words: &[&str], expected: &str) -> String {
        for _ in 0..TRIES {
            let text = self.does(who, words);
            if text.contains(expected) {
                return text;
            }
        }
        panic!("{who}: {words:?}: never {expected}");
    }
}

/// Each try asks the network, which takes longer than a turn.
const TRIES: u32 = 200;

/// What stands behind a word at the beginning of a line.
fn said(text: &str, word: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(word)).unwrap();
    line.split_whitespace().next().unwrap().trim_end_matches(',').to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cli_2_3_people_share_by_commands() {
    //= harness/spec/clients.md#cli-2-light-client
    //= type=test
    //# CLI-2.3 (paper): A person MUST be able to grant and to revoke with a light client.
    let folder = tempfile::tempdir().unwrap();
    let local = Local::create(folder.path().join("network"), SMALL, PACE, None).unwrap();
    let mut served = Vec::new();
    for member in &local.network().members {
        let settings = NodeFile::read(local.settings(member.founder.institution)).unwrap();
        let proxy = |secret: &Secret| match settings.institution == CROOK {
            true => Proxy::new(secret).turning(spoilt),
            false => Proxy::new(secret),
        };
        served.push(Served::start_with(&settings, proxy).await.unwrap());
    }
    let desk = Desk { folder: folder.path().to_owned() };
    tokio::task::spawn_blocking(move || whole_way(&desk)).await.unwrap();
    for one in served {
        one.stop().await.unwrap();
    }
}

fn whole_way(desk: &Desk) {
    let scan = vec![7; 200_000];
    std::fs::write(desk.path("scan"), &scan).unwrap();
    let mut owners = ["patient", "doctor", "stranger"].map(|name| {
        let (code, text) = desk.plain(&["keys", "person", &format!("{name}.new")]);
        assert_eq!(code, Some(0), "{text}");
        said(&text, "owner")
    });
    let [patient, doctor, _] = &mut owners;
    unanswered(desk);
    // More than any grant may hold is refused before anything is booked.
    let too_long = (ACCESS.grant_blocks + 1).to_string();
    let (code, text) = desk.run("patient", &["grant", &"00".repeat(32), "--blocks", &too_long]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains(&ACCESS.grant_blocks.to_string()), "{text}");
    let added = desk.does("patient", &["record", "add", "scan", "--media", "application/dicom"]);
    let id = said(&added, "record ");
    assert!(added.contains("\nsealed     yes"), "{added}");
    // Nobody is told to add again what is accepted and not final yet.
    let none = desk.does("stranger", &["record", "list"]);
    assert!(
        none.contains("0 records of ") && none.contains("\nlisted     what is final; "),
        "{none}"
    );
    assert!(!none.contains("record add"), "{none}");
    desk.comes_to("patient", &["record", "list"], &id);
    // A receipt that is there is left alone, before anybody is asked.
    let kept = desk.path("receipts").join(format!("{id}.receipt"));
    std::fs::create_dir(desk.path("receipts")).unwrap();
    std::fs::write(&kept, "of somebody").unwrap();
    let (code, text) = desk.run("patient", &["receipt", "fetch", &id, "--out", "receipts"]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains(".receipt: is there already; --force "), "{text}");
    same(&kept, b"of somebody");
    desk.does("patient", &["record", "open", &id, "--out", "mine"]);
    same(&desk.path("mine"), &scan);
    // A file that is there is left alone.
    let (code, text) = desk.run("patient", &["record", "open", &id, "--out", "mine"]);
    assert_eq!(code, Some(4), "{text}");
    let (code, text) = desk.run("doctor", &["record", "open", &id, "--out", "early"]);
    assert_eq!(code, Some(1), "{text}");

    // Asked for what is not there: that is booked, and nobody waits for what cannot come of it.
    let (code, text) = desk.run("doctor", &["request", patient, &"00".repeat(32)]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("has no effect"), "{text}");

    let request = said(&desk.does("doctor", &["request", patient, &id, "--at", "6"]), "request");
    let waiting = desk.comes_to("patient", &["grant"], &request);
    assert!(
        waiting.contains(doctor.as_str()) && waiting.contains("\n1 request waits, up to block "),
        "{waiting}"
    );
    let asked = desk.does("doctor", &["request"]);
    assert!(asked.contains(&format!("{request}  waits for the owner")), "{asked}");
    let told = desk.does("patient", &["grant", &request, "--proxy", "4", "--blocks", "100000"]);
    let grant = said(&told, "grant ");
    for word in ["\nproxy      institution 4,", "\ndelivered  ", "\nnext       mdsm reward "] {
        assert!(told.contains(word), "{told}");
    }
    let holding = desk.comes_to("patient", &["revoke"], &grant);
    assert!(holding.contains("\n1 grant holds, up to block "), "{holding}");
    let open = format!("\nnext       mdsm record open {id} --out FILE");
    let asked = desk.comes_to("doctor", &["request"], &open);
    assert!(asked.contains(&format!("{request}  delivered")), "{asked}");
    assert!(desk.does("stranger", &["request"]).starts_with("0 requests"));
    for name in ["patient.new", "patient.new.spent", "patient.new.light", "doctor.new.light"] {
        assert!(desk.path(name).is_file(), "{name}");
    }
    assert!(!desk.path("network/network.light").exists(), "what one keeps is in the way of others");
    desk.does("doctor", &["record", "open", &id, "--out", "shared", "--sealed", "sealed"]);
    same(&desk.path("shared"), &scan);
    // Whoever was granted it can show a stranger what the receipt is about, and that says nothing of the content.
    let listed = desk.run("patient", &["record", "list", "--json"]).1;
    let sealed = sha256(&std::fs::read(desk.path("sealed")).unwrap());
    assert!(listed.contains(&format!("\"sha256\": \"{sealed}\"")), "{sealed}: {listed}");
    // Typed again it goes on where it was: at the end.
    assert_eq!(desk.does("patient", &["grant", &request]), told);

    // Nobody else grants, takes back or opens.
    for words in [
        &["grant", &request][..],
        &["revoke", &grant],
        &["record", "open", &id, "--out", "stolen"],
        &["dispute", &grant, &id],
        &["confirm", &grant, "wrong"],
        &["reward", &grant],
    ] {
        let (code, text) = desk.run("stranger", words);
        assert_eq!(code, Some(1), "{words:?}: {text}");
        assert!(text.starts_with("refused: "), "{text}");
        assert_eq!(text.matches("refused").count(), 1, "{text}");
        assert!(!text.contains("0 auditors"), "who says no has answered: {text}");
    }
    assert!(!desk.path("stolen").exists());
    let (code, text) = desk.run("doctor", &["dispute", &grant, &id]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("there is nothing to dispute"), "{text}");
    let (code, text) = desk.run("patient", &["confirm", &grant, "wrong"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("is not in dispute"), "{text}");
    let rewarded = desk.does("patient", &["reward", &grant]);
    assert!(rewarded.contains("rewarded   institution 4,"), "{rewarded}");
    served_wrongly(desk, patient, &id);

    let revoked = desk.does("patient", &["revoke", &grant]);
    assert_eq!(said(&revoked, "revoked"), grant);
    assert!(desk.does("patient", &["revoke"]).contains("0 grants hold"));
    desk.comes_to("doctor", &["request"], &format!("{request}  was taken back"));
    let (code, text) = desk.run("doctor", &["record", "open", &id, "--out", "late"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(": was taken back"), "{text}");
    // As a word: ids have digits too.
    assert!(!text.split(|it: char| !it.is_alphanumeric()).any(|word| word == "403"), "{text}");
    let (code, text) = desk.run("patient", &["revoke", &grant, "--at", "99"]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("--at: institution 99: is not in the file of the network"), "{text}");

    let inline = desk.does("doctor", &["record", "add", "doctor.new.light", "--inline"]);
    let inline = said(&inline, "record ");
    desk.comes_to("doctor", &["record", "list"], &inline);
}

/// What is said where nobody answers: one sentence, and whom it is about.
fn unanswered(desk: &Desk) {
    let network = std::fs::read_to_string(desk.path("network/network.toml")).unwrap();
    // Nobody answers on this port.
    let dead = network.lines().map(|line| match line.starts_with("web = ") {
        true => "web = \"http://127.0.0.1:1\"\n".to_owned(),
        false => format!("{line}\n"),
    });
    std::fs::write(desk.path("dead.toml"), dead.collect::<String>()).unwrap();
    let asks = |words: &[&str]| {
        let (code, text) = desk.plain(&[words, &["--key", "stranger.new"]].concat());
        assert_eq!(code, Some(1), "{text}");
        text
    };
    for words in [&["record", "list"][..], &["record", "open", &"00".repeat(32), "--out", "none"]] {
        let text = asks(&[words, &["--network", "dead.toml"]].concat());
        let first = "not known: 0 auditors have answered where 1 is needed:\n  institution ";
        assert!(text.starts_with(first), "{text}");
        assert_eq!(text.matches("institution 3: ").count(), 1, "{text}");
        assert_eq!(text.replace("Connection refused", "").matches("refused").count(), 0, "{text}");
    }
}

/// A second grant of the record, by way of an institution that re-encrypts wrongly.
fn served_wrongly(desk: &Desk, patient: &str, id: &str) {
    let request = said(&desk.does("doctor", &["request", patient, id]), "request");
    desk.comes_to("patient", &["grant"], &request);
    let told = desk.does("patient", &["grant", &request, "--proxy", "6", "--blocks", "100000"]);
    let grant = said(&told, "grant ");
    let fails = |who: &str, words: &[&str], why: &str| {
        let (code, text) = desk.run(who, words);
        assert_eq!(code, Some(1), "{words:?}: {text}");
        assert!(text.contains(why), "{words:?}: {text}");
    };
    // The newest delivery is the one that is opened; a client that is a block behind has the one before.
    let wrong = || {
        let (code, text) = desk.run("doctor", &["record", "open", id, "--out", "wrong"]);
        let _ = std::fs::remove_file(desk.path("wrong"));
        code == Some(1) && text.contains(&format!("mdsm dispute {grant} {id}"))
    };
    assert!((0..TRIES).any(|_| wrong()), "a wrong delivery is not found out");
    let disputed = desk.does("doctor", &["dispute", &grant, id]);
    assert!(disputed.contains("booked"), "{disputed}");
    fails("doctor", &["dispute", &grant, id], "disputed before");
    desk.comes_to("patient", &["confirm"], &grant);
    fails("patient", &["reward", &grant], "is in dispute");
    let confirmed = desk.does("patient", &["confirm", &grant, "wrong"]);
    assert!(confirmed.contains("earns nothing"), "{confirmed}");
    fails("patient", &["confirm", &grant, "sound"], "is not in dispute");
    // The grant before it still holds, and opens the record.
    let opens = || desk.run("doctor", &["record", "open", id, "--out", "again"]).0 == Some(0);
    assert!((0..TRIES).any(|_| opens()), "a wrong delivery hides a sound one");
    fails("patient", &["reward", &grant], "was served wrongly");
    assert!(desk.does("patient", &["confirm"]).contains("0 grants are in dispute"));
    let listed = desk.does("patient", &["revoke"]);
    assert!(listed.contains(&format!("{grant}  served wrongly")), "{listed}");
    desk.does("patient", &["revoke", &grant]);
}

/// The same capsule with one bit of its last word changed, which no check without the reader's key can notice.
fn spoilt(capsule: Capsule) -> Capsule {
    let mut words = capsule.words().to_vec();
    *words.last_mut().unwrap() ^= 1 << 15;
    let names = [capsule.owner, capsule.holder];
    Capsule::new(capsule.set(), capsule.hop(), capsule.key_id, names, words).unwrap()
}

fn same(file: &Path, expected: &[u8]) {
    assert!(std::fs::read(file).unwrap() == expected, "{}", file.display());
}
