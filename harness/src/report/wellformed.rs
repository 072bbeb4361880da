//! A small judge of XML 1.0 well-formedness, for the pages and suites that reports consist of.
//! Our HTML is written so that it is also well-formed XML, but for its doctype.

/// Panics with the place of the first fault; otherwise returns every start tag: name, attributes.
pub(super) fn check(document: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut rest = document.trim_start();
    for opening in ["<?xml", "<!DOCTYPE"] {
        if rest.starts_with(opening) {
            rest = rest.split_once('>').expect("the declaration ends").1.trim_start();
        }
    }
    let allowed =
        |c: char| matches!(c, '\t' | '\n') || (c >= ' ' && !('\u{7f}'..='\u{9f}').contains(&c));
    if let Some(character) =
        document.chars().find(|c| !allowed(*c) || matches!(c, '\u{fffe}' | '\u{ffff}'))
    {
        panic!("the character {character:?} is not allowed");
    }

    let mut tags = Vec::new();
    let mut open: Vec<String> = Vec::new();
    while let Some((before, after)) = rest.split_once('<') {
        check_text(before);
        assert!(!open.is_empty() || before.trim().is_empty(), "text outside the root: {before}");
        let (tag, after) = split_tag(after);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name.trim()), "before {}", excerpt(rest));
            continue;
        }
        assert!(!open.is_empty() || tags.is_empty(), "a second root: {tag}");
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
        assert!(
            name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
            "a name: {tag}"
        );
        tags.push((name.to_owned(), check_attributes(attributes)));
        if !empty {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    assert!(rest.trim().is_empty(), "text after the root");
    tags
}

/// Splits at the `>` that ends the tag, which is not one inside quotes.
fn split_tag(text: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '>' if !quoted => return (&text[..at], &text[at + 1..]),
            '<' => panic!("a raw < in a tag: {}", excerpt(text)),
            _ => {}
        }
    }
    panic!("a tag never ends: {}", excerpt(text));
}

fn check_attributes(mut text: &str) -> Vec<(String, String)> {
    let mut attributes: Vec<(String, String)> = Vec::new();
    loop {
        text = text.trim_start();
        if text.is_empty() {
            return attributes;
        }
        let (name, after) = text.split_once("=\"").expect("an attribute has a quoted value");
        let (value, after) = after.split_once('"').expect("a quote ends");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-:".contains(c)), "{name}");
        assert!(attributes.iter().all(|(other, _)| other != name), "{name} twice");
        check_text(value);
        attributes.push((name.to_owned(), value.to_owned()));
        text = after;
    }
}

/// Ampersands begin one of XML's own entities or a number; `]]>` does not occur.
fn check_text(text: &str) {
    assert!(!text.contains("]]>"), "{text}");
    for (_, after) in text.match_indices('&').map(|(at, _)| text.split_at(at + 1)) {
        let (entity, _) = after.split_once(';').unwrap_or_else(|| panic!("a bare &: {text}"));
        let number = entity.strip_prefix('#').is_some_and(|digits| {
            digits.parse::<u32>().is_ok_and(|code| code >= 32 || matches!(code, 9 | 10 | 13))
        });
        assert!(number || ["amp", "lt", "gt", "quot", "apos"].contains(&entity), "&{entity};");
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}

mod tests {
    use super::check;

    #[test]
    fn the_judge_tells_good_from_bad() {
        let tags = check("<?xml version=\"1.0\"?><a b=\"1 > &amp; &#10;\"><c/>text &lt;</a>");
        assert_eq!(tags.len(), 2);
        assert_eq!(tags[0].1[0], ("b".to_owned(), "1 > &amp; &#10;".to_owned()));
        for bad in [
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a>&</a>",
            "<a>&nbsp;</a>",
            "<a>&#0;</a>",
            "<a>\u{1b}</a>",
            "<a>]]></a>",
            "<a b=1/>",
            "<a b=\"1\" b=\"2\"/>",
            "<a b=\"<\"/>",
            "<a b/>",
            "text<a/>",
            "<a/>text",
        ] {
            assert!(std::panic::catch_unwind(|| check(bad)).is_err(), "{bad}");
        }
    }
}
