//! How numbers, times and texts look to people.

/// Makes control characters visible, other than line feed and tab: `\x1b`, `\u{202e}`.
///
/// They come from programs under test; terminals act on them, XML and HTML forbid them. Characters
/// that reorder text are shown too, since they make a line read as what it is not.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => shown.push(character),
            '\0'..='\u{9f}' if character.is_control() => {
                shown.push_str(&format!("\\x{:02x}", u32::from(character)));
            }
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.push_str(&character.escape_unicode().to_string());
            }
            // Not characters, and not allowed in XML.
            '\u{fffe}' | '\u{ffff}' => shown.push_str(&character.escape_unicode().to_string()),
            _ => shown.push(character),
        }
    }
    shown
}

/// A text in one line: line feeds and tabs are made visible as well.
pub(super) fn one_line(text: &str) -> String {
    visible(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// The first line with something in it, no longer than `characters_max`.
pub(super) fn first_line(text: &str, characters_max: usize) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    shortened(&one_line(line.trim()), characters_max)
}

/// A text cut to `characters_max`, with an ellipsis where something is missing.
pub(super) fn shortened(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some(_) => text.chars().take(characters_max.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

/// Four significant digits, thousands apart: `1,234,567`, `12.35`, `0.0012`.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        0.0 => return "0".to_owned(),
        _ if !(1e-4..1e15).contains(&size) => return format!("{value:.3e}"),
        _ if size >= 999.95 => format!("{value:.0}"),
        _ if size >= 99.995 => format!("{value:.1}"),
        _ if size >= 9.9995 => format!("{value:.2}"),
        _ if size >= 0.99995 => format!("{value:.3}"),
        _ => format!("{value:.4}"),
    };
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.find('.').map_or((digits, ""), |at| digits.split_at(at));
    format!("{sign}{}{fraction}", thousands(whole))
}

/// A whole number, thousands apart.
pub(super) fn count(value: u64) -> String {
    thousands(&value.to_string())
}

/// `870 µs`, `12.35 ms`, `3.2 s`, `2 min 5 s`.
pub(super) fn duration(us: u64) -> String {
    let quotient = |unit_us: u64| {
        let hundredths = us / (unit_us / 100);
        let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..1_000_000 => format!("{} ms", quotient(1_000)),
        1_000_000..60_000_000 => format!("{} s", quotient(1_000_000)),
        _ => format!("{} min {} s", count(us / 60_000_000), us / 1_000_000 % 60),
    }
}

/// `2026-11-22T09:30:00Z` from milliseconds since 1970, in the proleptic Gregorian calendar.
pub(super) fn utc(ms: i64) -> String {
    let seconds = ms.div_euclid(1_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Count from 0000-03-01, so that a leap day ends its year; 400 years have 146,097 days.
    let from_march = days + 719_468;
    let (cycle, day) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, january_on) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = cycle * 400 + year + january_on;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The day of a moment in UTC, `2026-11-22`, from milliseconds since 1970.
#[must_use]
pub fn date(ms: i64) -> String {
    let utc = utc(ms);
    utc.split_once('T').map_or_else(String::new, |(day, _)| day.to_owned())
}

fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_its_day() {
        for (ms, day) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_400_000, "2000-02-29"),
            (1_709_251_200_000, "2024-03-01"),
            (1_798_675_200_000, "2026-12-31"),
        ] {
            assert_eq!(date(ms), day);
        }
    }

    #[test]
    fn nothing_that_acts_on_a_reader_stays_invisible() {
        assert_eq!(visible("a\tb\nc"), "a\tb\nc");
        assert_eq!(visible("\0\u{1b}[31m\r\u{7f}\u{9b}"), "\\x00\\x1b[31m\\x0d\\x7f\\x9b");
        assert_eq!(visible("a\u{202e}b\u{2066}\u{ffff}"), "a\\u{202e}b\\u{2066}\\u{ffff}");
        assert_eq!(visible("合成 µ é"), "合成 µ é");
        assert_eq!(one_line("a\nb\tc"), "a\\nb\\tc");
    }

    #[test]
    fn lines_are_cut_by_characters() {
        assert_eq!(first_line("\n  é合成数据\nmore", 4), "é合成…");
        assert_eq!(first_line("four", 4), "four");
        assert_eq!(first_line("", 4), "");
        assert_eq!(shortened("ab", 0), "…");
    }

    #[test]
    fn numbers_keep_four_digits() {
        for (value, text) in [
            (0.0, "0"),
            (1_234_567.4, "1,234,567"),
            (-1_234.5, "-1,234"),
            (999.96, "1,000"),
            (999.94, "999.9"),
            (128.56, "128.6"),
            (12.345_67, "12.35"),
            (5.0, "5"),
            (100.0, "100"),
            (0.25, "0.25"),
            (0.001_23, "0.0012"),
            (0.000_012_3, "1.230e-5"),
            (4e18, "4.000e18"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn durations_have_a_readable_unit() {
        for (us, text) in [
            (0, "0 µs"),
            (999, "999 µs"),
            (12_345, "12.34 ms"),
            (3_200_000, "3.2 s"),
            (125_000_000, "2 min 5 s"),
        ] {
            assert_eq!(duration(us), text);
        }
    }

    #[test]
    fn times_follow_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_795_339_800, "2026-11-22T09:30:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(utc(seconds * 1_000), text);
        }
    }
}
