//! Command lines that work when they are pasted.

/// Joins words so that a POSIX shell reads them back as they are.
#[must_use]
pub fn join(words: &[String]) -> String {
    words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn odd_words_are_quoted() {
        let words = ["verify", "--input=a b", "", "it's", "*", "$(x)"].map(str::to_owned);
        assert_eq!(join(&words), r"verify '--input=a b' '' 'it'\''s' '*' '$(x)'");
    }
}
