//! What one institution decides for itself.
//!
#![doc = concat!("```toml\n", include_str!("node.toml"), "```\n")]
//! Paths are relative to the file. Any of its values can be replaced at the start: see [`Setting`].

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::{SettingsError, read, value, within};
use super::setting::{Setting, replaced};
use crate::types::InstitutionId;

/// Milliseconds that a message takes, unless told otherwise: between cities, with room to spare.
const DELAY_MS: u32 = 500;
/// Milliseconds that a message may be said to take: timers are multiples of it, and a node that waits longer for a
/// producer who is gone keeps everybody waiting.
const DELAYS_MS: RangeInclusive<u32> = 1..=60_000;
/// Milliseconds between two looks at Bitcoin: no busy loop, and no block of ten minutes missed.
const POLLS_MS: RangeInclusive<u32> = 10..=600_000;

/// Settings of one institution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFile {
    /// Which it is.
    pub institution: InstitutionId,
    /// Its home.
    pub home: PathBuf,
    /// The file of the network.
    pub network: PathBuf,
    /// Where links are answered.
    pub listen: String,
    /// Where the interface is offered.
    pub web: Option<String>,
    /// Milliseconds that a message takes, as far as anybody assumes.
    pub delay_ms: u32,
    /// The node of Bitcoin.
    pub bitcoin: Option<BitcoinSettings>,
    /// Where files lie.
    pub objects: ObjectSettings,
}

/// A node of Bitcoin.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BitcoinSettings {
    /// Where it answers, with user and password if it asks for them.
    pub url: String,
    /// File in which it leaves user and password.
    pub cookie: Option<PathBuf>,
    /// `mainnet` or `regtest`.
    #[serde(default)]
    pub network: String,
    /// Height from which own coins are looked for.
    #[serde(default)]
    pub start: u32,
    /// Milliseconds between two looks.
    #[serde(default = "poll_ms")]
    pub poll_ms: u32,
}

/// Milliseconds between two looks at Bitcoin, unless told otherwise.
const fn poll_ms() -> u32 {
    5_000
}

/// Where files lie.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectSettings {
    /// Directories, each with a copy.
    #[serde(default)]
    pub directories: Vec<PathBuf>,
    /// Copies in directories with which a file counts as stored; all of them unless told otherwise.
    pub copies: Option<u8>,
    /// A cluster that speaks S3, with the copies that it makes itself.
    pub s3: Option<S3Settings>,
}

/// A cluster that speaks S3; keys come from the environment, as everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Settings {
    /// Where it answers.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// Copies that it makes of every object, by its own settings.
    pub copies: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    institution: u32,
    home: PathBuf,
    network: PathBuf,
    listen: String,
    web: Option<String>,
    delay_ms: Option<u32>,
    bitcoin: Option<BitcoinSettings>,
    #[serde(default)]
    objects: ObjectSettings,
}

impl NodeFile {
    /// Reads and checks a file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, SettingsError> {
        Self::read_with(path, &[])
    }

    /// The same with some of its values replaced; the last one of a key counts.
    ///
    /// # Errors
    /// As when it is read; a value that is set may be missing or wrong in the file.
    pub fn read_with(path: impl AsRef<Path>, settings: &[Setting]) -> Result<Self, SettingsError> {
        let path = path.as_ref();
        let folder = path.parent().unwrap_or(Path::new(""));
        let file = match settings {
            // Only what comes straight from the file knows its lines.
            [] => read(path)?,
            settings => replaced(read(path)?, settings).map_err(within(path))?,
        };
        Self::of(file, folder).map_err(within(path))
    }

    fn of(file: File, folder: &Path) -> Result<Self, SettingsError> {
        let File { institution, home, network, listen, web, delay_ms, mut bitcoin, mut objects } =
            file;
        if let Some(bitcoin) = &mut bitcoin {
            if !["mainnet", "regtest"].contains(&bitcoin.network.as_str()) {
                let why = match bitcoin.network.as_str() {
                    "" => "is left out; it says of which network that node is".to_owned(),
                    other => format!("{other:?} is neither mainnet nor regtest"),
                };
                return Err(value("bitcoin.network", why));
            }
            check_range("bitcoin.poll_ms", bitcoin.poll_ms, &POLLS_MS)?;
            bitcoin.cookie = bitcoin.cookie.take().map(|cookie| folder.join(cookie));
        }
        if !objects.directories.is_empty() && objects.s3.is_some() {
            return Err(value("objects", "either directories or s3"));
        }
        if objects.directories.is_empty() && objects.copies.is_some() {
            return Err(value("objects.copies", "belongs to directories"));
        }
        objects.directories = objects.directories.iter().map(|it| folder.join(it)).collect();
        let delay_ms = delay_ms.unwrap_or(DELAY_MS);
        check_range("delay_ms", delay_ms, &DELAYS_MS)?;
        Ok(Self {
            institution: InstitutionId::new(institution),
            home: folder.join(home),
            network: folder.join(network),
            listen,
            web,
            delay_ms,
            bitcoin,
            objects,
        })
    }
}

fn check_range(
    field: &str,
    found: u32,
    allowed: &RangeInclusive<u32>,
) -> Result<(), SettingsError> {
    if allowed.contains(&found) {
        return Ok(());
    }
    let (first, last) = (allowed.start(), allowed.end());
    Err(value(field, format!("{found} is not between {first} and {last}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<NodeFile, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.toml");
        std::fs::write(&path, text).unwrap();
        let read = NodeFile::read(&path);
        read.map_err(|error| error.to_string())
    }

    const SOUND: &str =
        "institution = 7\nhome = \"home\"\nnetwork = \"n.toml\"\nlisten = \"[::1]:1\"\n";

    #[test]
    fn paths_are_relative_to_the_file_and_the_rest_has_defaults() {
        let node = read(SOUND).unwrap();
        assert_eq!(node.institution, InstitutionId::new(7));
        assert!(node.home.is_absolute() && node.home.ends_with("home"));
        assert_eq!((node.delay_ms, node.web, node.bitcoin), (DELAY_MS, None, None));
    }

    #[test]
    fn what_the_documentation_shows_is_read() {
        let example = include_str!("node.toml");
        let node = read(example).unwrap();
        assert_eq!((node.delay_ms, node.objects.copies), (DELAY_MS, Some(2)));
        assert_eq!(node.bitcoin.unwrap().poll_ms, poll_ms());
        // Everything else that can be said stands there in a comment.
        let (directories, cluster) = example.split_once("[objects]").unwrap();
        let cluster = cluster.split_once("# [objects]").unwrap().1.replace("\n# ", "\n");
        let objects = read(&format!("{directories}[objects]{cluster}")).unwrap().objects;
        assert_eq!(objects.s3.unwrap().copies, 2);
    }

    #[test]
    fn a_value_that_is_set_outweighs_that_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.toml");
        std::fs::write(&path, format!("{SOUND}web = \"[::1]:2\"\ndelay_ms = 7\n")).unwrap();
        let with = |settings: &[&str]| {
            let settings: Vec<Setting> = settings.iter().map(|it| it.parse().unwrap()).collect();
            NodeFile::read_with(&path, &settings).map_err(|error| error.to_string())
        };
        let node = with(&[
            "institution = 9",
            "listen=127.0.0.1:7",
            "home=/else",
            "delay_ms=8",
            "delay_ms=9",
            "bitcoin.url=http://[::1]:5",
            "bitcoin.network=\"regtest\"",
            "objects.directories=[\"a\", \"/b\"]",
            "objects.copies=2",
        ])
        .unwrap();
        assert_eq!(node.institution, InstitutionId::new(9));
        assert_eq!((node.listen.as_str(), node.delay_ms), ("127.0.0.1:7", 9));
        assert_eq!(node.web.as_deref(), Some("[::1]:2"), "what is not set stays");
        assert_eq!(node.home, Path::new("/else"));
        let bitcoin = node.bitcoin.unwrap();
        assert_eq!((bitcoin.url.as_str(), bitcoin.network.as_str()), ("http://[::1]:5", "regtest"));
        assert_eq!(node.objects.directories, [folder.path().join("a"), PathBuf::from("/b")]);
        assert_eq!(node.objects.copies, Some(2));
        for (settings, told) in [
            (&["delay_ms=0"][..], "node.toml: delay_ms: 0 is not between"),
            (&["delay=1"], "node.toml: with delay set: unknown field `delay`"),
            (&["listen.port=1"], "node.toml: listen.port: listen is no section"),
            (&["bitcoin.url=http://[::1]"], "node.toml: bitcoin.network: is left out"),
        ] {
            let error = with(settings).unwrap_err();
            assert!(error.contains(told), "{settings:?}: {error}");
        }
        for text in ["web", "=1", "bitcoin.=1"] {
            assert!(text.parse::<Setting>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let cases = [
            ("delay_ms = 0\n", "delay_ms: 0 is not between 1 and 60000"),
            ("delay_ms = 60001\n", "delay_ms: 60001 is not between"),
            (
                "[bitcoin]\nurl = \"http://[::1]\"\nnetwork = \"regtest\"\npoll_ms = 0\n",
                "bitcoin.poll_ms: 0 is not between 10 and 600000",
            ),
            ("delay = 5\n", "node.toml:5: unknown field `delay`"),
            (
                "[bitcoin]\nurl = \"http://[::1]\"\nnetwork = \"testnet\"\n",
                "bitcoin.network: \"testnet\"",
            ),
            (
                "[objects]\ndirectories = [\"a\"]\ns3 = { endpoint = \"e\", bucket = \"b\", copies = 2 }\n",
                "objects: either",
            ),
            ("[objects]\ncopies = 2\n", "objects.copies: belongs to directories"),
        ];
        for (more, told) in cases {
            let error = read(&format!("{SOUND}{more}")).unwrap_err();
            assert!(error.contains(told), "{more}: {error}");
            assert!(error.contains("node.toml:"), "{more}: {error}");
        }
    }
}
