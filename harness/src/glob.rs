//! Names with `*` for any run of characters, as `--only` takes them.

/// Whether the whole of `name` matches `pattern`.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    // `split` yields one part at least.
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether the whole of `name` matches one of the patterns.
#[must_use]
pub fn any(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, name))
}

/// What was probably meant by a pattern that matches no name: one that does.
#[must_use]
pub fn meant<'a>(pattern: &str, names: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    let tries = [format!("{pattern}.*"), format!("{pattern}*"), format!("*{pattern}*")];
    tries.into_iter().find(|wider| names.clone().any(|name| matches(wider, name)))
}

#[cfg(test)]
mod tests {
    use super::{any, matches, meant};

    #[test]
    fn a_pattern_that_matches_nothing_is_held_for_a_beginning_or_a_part() {
        let names = ["merkle.path.one", "merkle.root.one", "decode.MITM.one"];
        let meant = |pattern: &str| meant(pattern, names.iter().copied());
        assert_eq!(meant("merkle").as_deref(), Some("merkle.*"));
        assert_eq!(meant("merkle.pa").as_deref(), Some("merkle.pa*"));
        assert_eq!(meant("MITM").as_deref(), Some("*MITM*"));
        assert_eq!(meant("roster"), None);
        let patterns = ["decode.*".to_owned(), "*.two".to_owned()];
        assert_eq!(names.map(|name| any(&patterns, name)), [false, false, true]);
        assert!(!any(&[], "merkle.path.one"));
    }

    #[test]
    fn a_star_stands_for_any_run() {
        for (pattern, name) in [
            ("*", ""),
            ("a", "a"),
            ("a*", "abc"),
            ("*c", "abc"),
            ("a*c", "ac"),
            ("*b*", "abc"),
            ("a*b*a", "aba"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("", "a"), ("a", "ab"), ("a*", "ba"), ("*a", "ab"), ("ab*ba", "aba"), ("a*b*c", "acb")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
