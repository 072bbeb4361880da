//! What the members of a network share: the genesis, who founded it, how each is reached. [COM-1] [CON-8]
//!
#![doc = concat!("```toml\n", include_str!("network.toml"), "```\n")]
//! Every member holds the same file. Addresses may differ from member to member; everything else is part of the
//! genesis, whose digest names the network, or, as the links' keys, is enrolled by hand between members.

use std::fmt::Write as _;
use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;

use super::error::{SettingsError, parse, read, value, within};
use crate::chain::{Chain, Genesis};
use crate::roster::{Founder, Roster};
use crate::types::{InstitutionId, LinkPublic, OwnerId, Text, Timestamp};

/// A network and its members.
#[derive(Clone, Debug)]
pub struct NetworkFile {
    /// The genesis.
    pub genesis: Genesis,
    /// Everybody who is enrolled.
    pub members: Vec<Member>,
}

/// One who is enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Rating and key.
    pub founder: Founder,
    /// The key of its links.
    pub link: LinkPublic,
    /// Where its links are answered: host and port.
    pub address: String,
    /// Where its interface is, if it offers one.
    pub web: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    started_at: i64,
    turn_ms: u32,
    minute_ms: u32,
    window_ms: u32,
    producers: u16,
    auditors: u16,
    registrar: String,
    institution: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: u32,
    key: String,
    link: String,
    rating: u8,
    centre: u32,
    address: String,
    web: Option<String>,
}

impl NetworkFile {
    /// Reads and checks a file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, SettingsError> {
        let path = path.as_ref();
        Self::of(read(path)?).map_err(within(path))
    }

    /// The same from text; `name` stands for the file in errors.
    pub fn parse(name: impl AsRef<Path>, text: &str) -> Result<Self, SettingsError> {
        let name = name.as_ref();
        Self::of(parse(name, text)?).map_err(within(name))
    }

    fn of(file: File) -> Result<Self, SettingsError> {
        let members: Vec<Member> =
            file.institution.into_iter().map(member).collect::<Result<_, _>>()?;
        let founders: Vec<Founder> = members.iter().map(|member| member.founder).collect();
        let roster = Roster::found(&founders, file.producers, file.auditors)?;
        let genesis = Genesis {
            name: Text::new(file.name).map_err(|error| value("name", error))?,
            started_at: Timestamp::new(file.started_at),
            turn_ms: file.turn_ms,
            minute_ms: file.minute_ms,
            window_ms: file.window_ms,
            producers: file.producers,
            auditors: file.auditors,
            committees: roster.digest(),
            registrar: key("registrar", &file.registrar)?,
        };
        // Whatever else is wrong shows now and not in the first node.
        Chain::new(genesis.clone(), &founders)?;
        Ok(Self { genesis, members })
    }

    /// Those whose digest the genesis names.
    #[must_use]
    pub fn founders(&self) -> Vec<Founder> {
        self.members.iter().map(|member| member.founder).collect()
    }

    /// A member.
    #[must_use]
    pub fn member(&self, institution: InstitutionId) -> Option<&Member> {
        self.members.iter().find(|member| member.founder.institution == institution)
    }

    /// The file that says this.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Genesis {
            name, started_at, turn_ms, minute_ms, window_ms, producers, auditors, ..
        } = &self.genesis;
        let mut text = format!(
            "name = {:?}\nstarted_at = {started_at}\nturn_ms = {turn_ms}\nminute_ms = {minute_ms}\n\
             window_ms = {window_ms}\nproducers = {producers}\nauditors = {auditors}\nregistrar = \"{}\"\n",
            name.as_str(),
            self.genesis.registrar
        );
        for Member { founder, link, address, web } in &self.members {
            let Founder { institution, key, rating, centre } = founder;
            let written = write!(
                text,
                "\n[[institution]]\nid = {institution}\nkey = \"{key}\"\nlink = \"{link}\"\nrating = {rating}\n\
                 centre = {centre}\naddress = {address:?}\n"
            );
            let web = web.as_ref().map(|web| writeln!(text, "web = {web:?}"));
            debug_assert!(written.is_ok() && web.is_none_or(|it| it.is_ok()), "a string grows");
        }
        text
    }
}

fn member(entry: Entry) -> Result<Member, SettingsError> {
    let field = |name: &str| format!("institution {}: {name}", entry.id);
    let founder = Founder {
        institution: InstitutionId::new(entry.id),
        key: key(&field("key"), &entry.key)?,
        rating: entry.rating,
        centre: entry.centre,
    };
    let link = LinkPublic::from_str(&entry.link).map_err(|error| value(field("link"), error))?;
    let has_port = entry
        .address
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !has_port {
        return Err(value(field("address"), format!("{:?} is not host:port", entry.address)));
    }
    if let Some(web) = entry.web.as_ref().filter(|web| !web.starts_with("http://")) {
        return Err(value(field("web"), format!("{web:?} does not start with http://")));
    }
    Ok(Member { founder, link, address: entry.address, web: entry.web })
}

fn key(field: &str, digits: &str) -> Result<OwnerId, SettingsError> {
    OwnerId::from_str(digits).map_err(|error| value(field, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the documentation shows.
    const EXAMPLE: &str = include_str!("network.toml");

    #[test]
    fn what_is_written_is_read() {
        let network = NetworkFile::parse("network.toml", EXAMPLE).unwrap();
        let again = NetworkFile::parse("network.toml", &network.to_text()).unwrap();
        assert_eq!((&again.genesis, &again.members), (&network.genesis, &network.members));
        let second = network.member(InstitutionId::new(2)).unwrap();
        assert_eq!(second.address, "two.example:7700");
        assert_eq!(second.web.as_deref(), Some("http://two.example:7780"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let cases = [
            ("turn_ms = 6000", "turn_ms = \"6000\"", "network.toml:8: "),
            ("turn_ms = 6000", "turn_ms = 7000", "minute 60000 ms"),
            ("started_at = 1764165600000", "started_at = 1764165600001", "not a multiple"),
            ("name = \"example\"", "nome = \"example\"", "network.toml:3: unknown field `nome`"),
            ("producers = 1", "producers = 3", "members: "),
            ("id = 2", "id = 1", "members: "),
            (
                "two.example:7700",
                "two.example",
                "institution 2: address: \"two.example\" is not host:port",
            ),
            ("\"http://two", "\"https://two", "institution 2: web: "),
            ("rating = 90", "rating = 900", "network.toml:"),
            ("registrar = \"", "registrar = \"zz", "registrar: "),
        ];
        for (sound, wrong, told) in cases {
            assert!(EXAMPLE.contains(sound), "{sound}");
            let text = EXAMPLE.replacen(sound, wrong, 1);
            let error = NetworkFile::parse("network.toml", &text).unwrap_err().to_string();
            assert!(error.contains(told), "{wrong}: {error}");
            assert!(error.starts_with("network.toml:"), "{wrong}: {error}");
        }
        let missing = NetworkFile::read("no/such/file").unwrap_err().to_string();
        assert!(missing.starts_with("no/such/file: "), "{missing}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_without_an_end_is_not_read_to_its_end() {
        let endless = NetworkFile::read("/dev/zero").unwrap_err().to_string();
        assert_eq!(endless, "/dev/zero: more than 1048576 bytes");
    }
}
