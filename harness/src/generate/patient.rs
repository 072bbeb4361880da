//! People and moments that never were: the subjects of generated files.

use rand_chacha::rand_core::Rng;

use crate::seed::Draw;

/// Nobody. The family name begins with `Synthetic` and the given name with `Test`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patient {
    /// Identifier of the test domain, `SYN-` and seven digits; also a valid FHIR id.
    pub id: String,
    /// Family name.
    pub family: String,
    /// Given name.
    pub given: String,
    /// Born at; only the date is used.
    pub born: Moment,
    /// Administrative gender.
    pub female: bool,
}

impl Patient {
    /// Draws a patient born from 1930 to 2019.
    pub fn draw(draw: &mut impl Rng) -> Self {
        Self {
            id: format!("SYN-{:07}", draw.below(10_000_000)),
            family: format!("Synthetic-{}", draw.pick(&PLANTS)),
            given: format!("Test-{}", draw.pick(&STONES)),
            born: Moment::draw(draw, 1930, 2019),
            female: draw.chance(1, 2),
        }
    }
}

/// A second in the proleptic Gregorian calendar, UTC.
///
/// Days stop at 28, so that every month has them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
}

impl Moment {
    /// Draws a moment between the years, both included.
    pub fn draw(draw: &mut impl Rng, year_first: u32, year_last: u32) -> Self {
        Self {
            year: draw.between(year_first, year_last),
            month: draw.between(1, 12),
            day: draw.between(1, 28),
            hour: draw.below(24),
            minute: draw.below(60),
            second: draw.below(60),
        }
    }

    /// `2024-02-28`: FHIR date.
    #[must_use]
    pub fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// `2024-02-28T23:59:59Z`: FHIR dateTime and instant.
    #[must_use]
    pub fn instant(&self) -> String {
        format!("{}T{:02}:{:02}:{:02}Z", self.date(), self.hour, self.minute, self.second)
    }

    /// `20240228`: DICOM DA and HL7 v2 DT.
    #[must_use]
    pub fn compact_date(&self) -> String {
        format!("{:04}{:02}{:02}", self.year, self.month, self.day)
    }

    /// `235959`: DICOM TM.
    #[must_use]
    pub fn compact_time(&self) -> String {
        format!("{:02}{:02}{:02}", self.hour, self.minute, self.second)
    }

    /// `20240228235959+0000`: HL7 v2 TS.
    #[must_use]
    pub fn compact(&self) -> String {
        format!("{}{}+0000", self.compact_date(), self.compact_time())
    }
}

const PLANTS: [&str; 16] = [
    "Acacia", "Birch", "Cedar", "Dahlia", "Elder", "Fern", "Ginkgo", "Hazel", "Iris", "Juniper",
    "Larch", "Maple", "Nettle", "Olive", "Poplar", "Yarrow",
];

const STONES: [&str; 16] = [
    "Agate", "Amber", "Basalt", "Beryl", "Chalk", "Coral", "Flint", "Garnet", "Jade", "Jasper",
    "Marble", "Onyx", "Opal", "Quartz", "Slate", "Topaz",
];
